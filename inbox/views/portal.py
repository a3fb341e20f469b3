"""The patient's own page: a code instead of a password, one thing per screen, no script needed."""

import functools
import uuid
from collections.abc import Callable
from datetime import date
from typing import Any, Concatenate

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.core.signing import BadSignature
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from contact_center.common.answers import tell_errors
from contact_center.common.errors import Refused
from contact_center.common.numbers import number_of
from contact_center.common.ratelimit import caller_address, is_over
from inbox import portal
from inbox.gate import CONSENT_REQUIRED
from inbox.models import Attachment, Message, PortalSession
from inbox.portal_forms import AddressForm, CodeForm, OwnPreferencesForm
from inbox.selectors.portal import (
    files_of_message,
    may_decide,
    may_see,
    people_of,
    requests_of,
    sensitive_messages,
)
from inbox.services import portal as service
from inbox.views.uploads import sealed
from patients.care_forms import preferences_of
from patients.enums import ConsentPurpose, ConsentStatus, ContactChannel, ContactScheme, ProxyScope
from patients.models import Patient
from patients.selectors.consents import present_texts, word_on
from patients.services.consents import record_consent
from patients.services.records import update_patient

SESSION, REQUEST = "my", "my_code"
SALT = "patient-page"
REQUEST_SECONDS = 900
Signed = Callable[Concatenate[HttpRequest, PortalSession, ...], HttpResponseBase]
form_methods = require_http_methods(["GET", "HEAD", "POST"])


def cookie_name(name: str) -> str:
    """The name under which a cookie of this page is kept: bound to the host where the connection is safe."""
    return f"__Host-{name}" if settings.IS_TLS else name


def keep(response: HttpResponse, name: str, value: str, seconds: int | None = None) -> None:
    """Set a signed cookie that no script reads and no other site sends along with a form."""
    response.set_signed_cookie(
        cookie_name(name), value, salt=SALT, max_age=seconds, httponly=True, samesite="Lax", secure=settings.IS_TLS
    )


def kept(request: HttpRequest, name: str, seconds: int | None = None) -> str:
    """The value of a signed cookie; empty when there is none or it was changed."""
    try:
        return str(request.get_signed_cookie(cookie_name(name), "", salt=SALT, max_age=seconds) or "")
    except BadSignature:
        return ""


def for_patients(view: Signed) -> Callable[..., HttpResponseBase]:
    """Open a view to a signed-in patient, in their language; others are led to the sign-in page and back."""

    @functools.wraps(view)
    def opened(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        key = kept(request, SESSION)
        session = service.find_session(key) if key else None
        if session is None:
            response = redirect("my:sign-in")
            if request.method in ("GET", "HEAD") and "public_id" in kwargs:
                keep(response, "my_next", request.path, REQUEST_SECONDS)
            return response
        chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME) or session.patient.language[:2]
        language = chosen if chosen in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
        with translation.override(language):
            return _unlisted(view(request, session, *args, **kwargs))

    return login_not_required(opened)


def _unlisted(response: HttpResponseBase) -> HttpResponseBase:
    response["X-Robots-Tag"] = "noindex, nofollow"
    response["Cache-Control"] = "no-store"
    return response


def _page(request: HttpRequest, template: str, *, status: int = 200, **context: Any) -> HttpResponse:
    response = render(request, f"my/{template}.html", context, status=status)
    _unlisted(response)
    return response


@login_not_required
@form_methods
def sign_in(request: HttpRequest) -> HttpResponse:
    """Ask for the address a code shall go to. The answer is the same whether or not it is known."""
    form = AddressForm(request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        return _page(request, "sign_in", form=form, status=422 if form.is_bound else 200)
    if is_over("my-code", caller_address(request), limit=settings.OWN_PAGE_CODES_PER_NETWORK, seconds=600):
        problem = _("Too many codes were asked for from your connection. Wait ten minutes, or call us.")
        return _page(request, "sign_in", form=form, problem=problem, status=429)
    scheme, address = form.found
    language = (translation.get_language() or settings.LANGUAGE_CODE)[:2]
    number = service.ask_for_code(scheme=scheme, address=address, language=language)
    response = redirect("my:code")
    keep(response, REQUEST, str(number), REQUEST_SECONDS)
    return response


@login_not_required
@form_methods
def code(request: HttpRequest) -> HttpResponse:
    """Take the code and the birth date. Wrong, late and unknown are answered alike."""
    number = _asked_for(request)
    if number is None:
        return redirect("my:sign-in")
    form = CodeForm(request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        return _page(request, "code", form=form, status=422 if form.is_bound else 200)
    if is_over("my-try", caller_address(request), limit=settings.OWN_PAGE_TRIES_PER_NETWORK, seconds=600):
        problem = _("Too many attempts came from your connection. Wait ten minutes, or call us.")
        return _page(request, "code", form=form, problem=problem, status=429)
    born: date = form.cleaned_data["birth_date"]
    first_name = form.cleaned_data["first_name"]
    given = form.cleaned_data["code"]
    opened = service.open_session(code_id=number, given=given, birth_date=born, first_name=first_name)
    if opened is None:
        problem = _("This did not fit. Look at the newest message and try again, or ask for a new code.")
        return _page(request, "code", form=form, problem=problem, status=422)
    wanted = kept(request, "my_next", REQUEST_SECONDS)
    response = redirect(wanted if wanted.startswith("/my/") else "my:home")
    keep(response, SESSION, opened[1])
    for name in (REQUEST, "my_next"):
        response.delete_cookie(cookie_name(name), samesite="Lax")
    return response


def _asked_for(request: HttpRequest) -> uuid.UUID | None:
    try:
        return uuid.UUID(kept(request, REQUEST, REQUEST_SECONDS))
    except ValueError:
        return None


@require_POST
@for_patients
def sign_out(request: HttpRequest, session: PortalSession) -> HttpResponse:
    """End the session here and in our books."""
    service.end_session(session)
    response = redirect("my:sign-in")
    response.delete_cookie(cookie_name(SESSION), samesite="Lax")
    response["Clear-Site-Data"] = '"cache", "storage"'
    return response


@require_safe
@for_patients
def home(request: HttpRequest, session: PortalSession) -> HttpResponse:
    """Requests with their next step, messages, and what other apps add, as far as this person may see them."""
    about = session.acting_for
    is_own = about.pk == session.patient_id
    service.note_view(session, "home")
    context = _frame(session) | {
        "requests": requests_of(about, is_own=is_own) if may_see(session, ProxyScope.APPOINTMENTS) else None,
        "messages_here": sensitive_messages(about)[:20] if may_see(session, ProxyScope.RESULTS) else None,
        "sections": _sections(session),
        "may_decide": may_decide(session),
    }
    return render(request, "my/home.html", context)


def _frame(session: PortalSession) -> dict[str, Any]:
    return {"session": session, "about": session.acting_for, "people": people_of(session)}


def _sections(session: PortalSession) -> list[dict[str, Any]]:
    shown = []
    for section in portal.sections():
        if not section.scope or may_see(session, section.scope):
            context = section.context(session.acting_for, session.patient)
            if context is not None:
                shown.append({"section": section, "context": context})
    return shown


@require_POST
@for_patients
def choose(request: HttpRequest, session: PortalSession) -> HttpResponse:
    """Look at the page of somebody else one may act for."""
    try:
        service.look_at(session, number_of(request.POST.get("patient", "")) or 0)
    except Refused:
        raise Http404 from None
    return redirect("my:home")


def _message(session: PortalSession, public_id: uuid.UUID) -> Message:
    """A sensitive message to whom one looks at, or to anybody one may act for. Raises Http404 for all others alike."""
    for about in [session.acting_for, *people_of(session)]:
        found = sensitive_messages(about).filter(public_id=public_id).first()
        if found is not None:
            if about.pk != session.acting_for_id:
                service.look_at(session, about.pk)
            if may_see(session, ProxyScope.RESULTS):
                return found
    raise Http404


@require_safe
@for_patients
def message(request: HttpRequest, session: PortalSession, public_id: uuid.UUID) -> HttpResponse:
    """One message with sensitive content, and its files."""
    found = _message(session, public_id)
    service.read_message(session, found.pk)
    return render(request, "my/message.html", _frame(session) | {"message": found, "files": files_of_message(found)})


@require_safe
@for_patients
def message_file(request: HttpRequest, session: PortalSession, public_id: uuid.UUID, number: int) -> HttpResponseBase:
    """A file of a sensitive message as a download."""
    found = _message(session, public_id)
    try:
        file = files_of_message(found).get(pk=number)
        response = sealed(file)
    except (Attachment.DoesNotExist, FileNotFoundError):
        raise Http404 from None
    service.read_message(session, found.pk)
    return response


def _deciding(session: PortalSession) -> Patient:
    if not may_decide(session):
        raise Http404
    return session.acting_for


@form_methods
@for_patients
def preferences(request: HttpRequest, session: PortalSession) -> HttpResponse:
    """How the patient wants to be reached and spoken with."""
    about = _deciding(session)
    form = OwnPreferencesForm(request.POST if request.method == "POST" else None, initial=preferences_of(about))
    if request.method == "POST" and form.is_valid():
        try:
            update_patient(actor=None, patient_id=about.pk, **form.cleaned_data)
        except ValidationError as error:
            tell_errors(form, error)
        else:
            return redirect("my:saved")
    if request.method != "POST":
        service.note_view(session, "preferences")
    return render(
        request, "my/preferences.html", _frame(session) | {"form": form}, status=422 if form.is_bound else 200
    )


@form_methods
@for_patients
def consent(request: HttpRequest, session: PortalSession) -> HttpResponse:
    """What we may write about, and by which way. Only what was changed is written down, with the words shown."""
    about = _deciding(session)
    language = (translation.get_language() or "en")[:2]
    rows = _consent_rows(about, language)
    if request.method == "POST":
        for purpose, text, ways in rows:
            for kind, allowed in ways:
                wanted = f"{purpose}-{kind}" in request.POST
                if wanted != allowed:
                    record_consent(
                        actor=None,
                        patient_id=about.pk,
                        purpose=purpose,
                        channel_kind=kind,
                        status=ConsentStatus.GRANTED if wanted else ConsentStatus.WITHDRAWN,
                        source="patient page",
                        text=text,
                    )
        return redirect("my:saved")
    service.note_view(session, "consent")
    return render(request, "my/consent.html", _frame(session) | {"rows": rows})


def _consent_rows(about: Patient, language: str) -> list[tuple[ConsentPurpose, Any, list[tuple[ContactChannel, bool]]]]:
    """Each purpose with its text and the ways that reach this patient, and whether it is allowed now."""
    schemes = set(about.contact_points.values_list("scheme", flat=True))
    texts = present_texts(language)
    rows = []
    for purpose in ConsentPurpose:
        ways = []
        for kind in ContactChannel:
            scheme = ContactScheme.EMAIL if kind == ContactChannel.EMAIL else ContactScheme.PHONE
            if scheme in schemes and (kind == ContactChannel.VOICE) == (purpose == ConsentPurpose.RECORDING):
                word = word_on(about.pk, purpose, kind)
                ways.append((kind, _is_implied(purpose) if word is None else word))
        if ways:
            rows.append((purpose, texts.get(purpose), ways))
    return rows


def _is_implied(purpose: ConsentPurpose) -> bool:
    return purpose != ConsentPurpose.RECORDING and purpose not in {str(one) for one in CONSENT_REQUIRED}


@require_safe
@for_patients
def saved(request: HttpRequest, session: PortalSession) -> HttpResponse:
    """That it was saved, and the way back."""
    return render(request, "my/saved.html", _frame(session))
