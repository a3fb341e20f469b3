"""Start a conversation: whom to write to, by which way, why, and the first words."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.crypto import get_random_string
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from contact_center.accounts.requests import person_of
from contact_center.accounts.sent_forms import once
from contact_center.common.answers import is_partial, status_of, tell_errors
from contact_center.common.errors import Refused
from contact_center.common.numbers import number_of, numbers_in
from inbox import policies
from inbox.enums import ChannelKind
from inbox.forms import NewPatientForm, TemplateForm
from inbox.models import MessageTemplate
from inbox.selectors.conversation import templates_in
from inbox.selectors.interactions import interactions_visible_to
from inbox.selectors.starting import Way, scheme_of, ways_to_write
from inbox.selectors.uploads import boxed_uploads
from inbox.services.identity import Unverified
from inbox.services.newcomers import create_at_address
from inbox.services.starting import AlreadyOpen, start_conversation
from inbox.views import traces
from inbox.views.answers import go_to
from inbox.views.lists import require_desk
from inbox.views.uploads import change_upload, is_about_a_file, keep_files
from inbox.writing_forms import StartForm
from patients.models import Patient
from patients.policies import can_create_patient
from patients.services.addresses import NewAddress
from patients.services.newcomers import Alike, alike_context
from patients.services.records import search_records


@require_http_methods(["GET", "HEAD", "POST"])
def start(request: HttpRequest) -> HttpResponse:
    """A dialog, or a page of its own. `do` names the button: find (a patient), show (again, with what was chosen),
    create (the patient), send; upload, mark and remove are about its files, and htmx gets their list. A search is
    posted too, so that no name or number stands in an address."""
    require_desk(request)
    if request.method != "POST":
        return _page(request, _asked(request, request.GET))
    do, asked = request.POST.get("do", ""), _asked(request, request.POST)
    if do in ("upload", "mark", "remove"):
        return _files(request, asked, do)
    if is_about_a_file(request):
        return _page(request, _asked(request, request.POST))
    if do == "create":
        return _create(request, asked)
    if do == "send":
        return _send(request, asked)
    return _page(request, asked)


def _asked(request: HttpRequest, data: Any) -> dict[str, Any]:
    """What is chosen so far, as far as this person may choose it."""
    user = person_of(request)
    number = number_of(data.get("patient", ""))
    patient = None if number is None else traces.opened_record(request, number)
    address = data.get("address", "")[:254] if patient is None and policies.can_start(user, None) else ""
    ways = ways_to_write(user, patient, address, settings.DEFAULT_PHONE_REGION)
    usable = [way for way in ways if way.is_available]
    way = next((one for one in usable if one.key == data.get("way")), usable[0] if usable else None)
    template = _template(way, patient, data.get("template", ""))
    key = data.get("form_key", "").replace("\x00", "")[:64] or get_random_string(20)
    return {
        "patient": patient,
        "address": address,
        "ways": ways,
        "way": way,
        "is_mail": way is not None and way.channel.kind == ChannelKind.EMAIL,
        "templates": templates_in(patient.language if patient else "") if way and way.needs_template else [],
        "template": template,
        "form_key": key,
        "uploads": boxed_uploads(user, key) if request.method == "POST" else [],
    }


def _template(way: Way | None, patient: Patient | None, wanted: str) -> MessageTemplate | None:
    if way is None or not way.needs_template:
        return None
    found = templates_in(patient.language if patient else "")
    return next((one for one in found if str(one.pk) == wanted), found[0] if found else None)


def _page(request: HttpRequest, asked: dict[str, Any], *, status: int = 200, **more: Any) -> HttpResponse:
    user = person_of(request)
    query = request.POST.get("q", "").strip()[:100]
    may_search = policies.can_search_patients(user)
    template = asked["template"]
    initial = {name: request.POST.get(name, "") for name in ("address", "reason", "subject", "text")}
    context = asked | {
        "query": query,
        "may_search": may_search,
        "may_type": policies.can_start(user, None),
        "results": search_records(user, query, limit=8) if may_search and len(query) > 1 else [],
        "can_create": can_create_patient(user),
        "form": StartForm(user=user, initial=initial),
        "new_patient": NewPatientForm(prefix="new"),
        "template_form": TemplateForm(request.POST or None, template=template) if template else None,
    }
    context |= more
    if context["template_form"] is not None:
        context["preview"] = context["template_form"].preview()
    context["is_dialog"] = is_partial(request)
    page = "inbox/_dialog_start.html" if is_partial(request) else "inbox/start_page.html"
    return render(request, page, context, status=status)


def _files(request: HttpRequest, asked: dict[str, Any], do: str) -> HttpResponse:
    """Put files into the form, or change one that is in it; answers with their list and why one was not taken."""
    problems: list[str] = []
    if do == "upload":
        _kept, problems = keep_files(request, box=asked["form_key"])
    else:
        change_upload(request, is_removed=do == "remove")
    asked |= {"uploads": boxed_uploads(person_of(request), asked["form_key"]), "upload_problems": problems}
    status = 422 if problems else 200
    if is_partial(request):
        return render(request, "inbox/_uploads.html", asked, status=status)
    return _page(request, asked, status=status)


def _create(request: HttpRequest, asked: dict[str, Any]) -> HttpResponse:
    """A new patient with the address that was typed, chosen at once."""
    form, user, ways = NewPatientForm(request.POST, prefix="new"), person_of(request), asked["ways"]
    status, more = 422, {}
    if form.is_valid():
        addresses = {scheme_of(way.channel.kind): way.address for way in ways}
        try:
            patient_id = once(
                actor=user,
                key=f"{asked['form_key']}-patient",
                make=lambda: create_at_address(
                    actor=user,
                    addresses=[NewAddress(scheme, value) for scheme, value in addresses.items()],
                    seen=numbers_in(request.POST, "seen"),
                    **form.cleaned_data,
                ),
            )
        except ValidationError as error:
            tell_errors(form, error)
        except Alike as error:
            status, more = status_of(error), alike_context(actor=user, error=error)
        else:
            chosen = request.POST.copy()
            chosen["patient"] = str(patient_id)
            return _page(request, _asked(request, chosen))
    return _page(request, asked, status=status, new_patient=form, **more)


def _send(request: HttpRequest, asked: dict[str, Any]) -> HttpResponse:
    user = person_of(request)
    added, problems = keep_files(request, box=asked["form_key"])
    asked |= {"uploads": boxed_uploads(user, asked["form_key"]), "upload_problems": problems}
    form = StartForm(request.POST, user=user)
    template, way = asked["template"], asked["way"]
    words = TemplateForm(request.POST, template=template) if template else None
    is_right = form.is_valid() and (words is None or words.is_valid()) and not problems
    if (way is None or way.key != request.POST.get("way")) and "way" not in form.errors:
        form.add_error("way", _("Choose how you write."))
        is_right = False
    status = 422
    more: dict[str, Any] = {"form": form, "template_form": words}
    if is_right and way is not None:
        try:
            started = start_conversation(
                actor=user,
                channel=way.channel,
                reason=form.cleaned_data["reason"],
                patient=asked["patient"],
                address=way.address,
                text=form.cleaned_data["text"],
                subject=form.cleaned_data["subject"],
                template=template,
                template_variables=words.variables() if words else None,
                idempotency_key=form.cleaned_data["form_key"],
                held_seconds=settings.MAIL_UNDO_SECONDS if asked["is_mail"] else 0,
                upload_ids=[] if template else [*numbers_in(request.POST, "upload", most=50), *added],
                is_unchecked_taken_on=form.cleaned_data["unchecked"],
            )
        except Refused as error:
            form.add_error(None, str(error))
            status = status_of(error)
            more |= {"open_id": _open_one(request, error), "is_unverified": isinstance(error, Unverified)}
        else:
            return go_to(request, started.pk, _("The conversation is started."))
    return _page(request, asked, status=status, **more)


def _open_one(request: HttpRequest, error: Refused) -> int | None:
    """The conversation that is open there already, when this person may see it."""
    if not isinstance(error, AlreadyOpen) or error.interaction_id is None:
        return None
    seen = interactions_visible_to(person_of(request)).filter(pk=error.interaction_id)
    return error.interaction_id if seen.exists() else None
