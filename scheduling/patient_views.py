"""The page behind a link in a message: one thing at a time, for a phone, without a login. GET changes nothing."""

from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

from django import forms
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from contact_center.common.answers import status_of
from contact_center.common.errors import Refused
from contact_center.common.ratelimit import is_over
from scheduling import links
from scheduling.calendar_views import visit_file
from scheduling.enums import AppointmentStatus, LinkPurpose, NeedKind, Party
from scheduling.forms import sealed
from scheduling.link_pages import is_too_much, link_page
from scheduling.models import Appointment
from scheduling.patient_forms import REASONS, CancelOwnForm, MoveOwnForm, PrepareForm, SeenForm
from scheduling.selectors.appointments import visit_behind
from scheduling.selectors.mass_moves import is_to_be_moved
from scheduling.selectors.openings import find_slots, nearby, offers_of, wanted
from scheduling.services import attendance, booking
from scheduling.services.handing_over import language_of
from scheduling.services.reminders import send_new_link
from scheduling.wished import from_query

P = LinkPurpose
STANDING = (P.ANSWER, P.PREPARE, P.CHECK_IN, P.VIDEO)
CHECK_IN_FROM, JOIN_FROM = timedelta(hours=2), timedelta(minutes=15)
Answered = tuple[str, dict[str, Any], int]


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def link(request: HttpRequest, token: str) -> HttpResponse:
    """What a link is good for. A link of a visit that was moved leads to the one that is booked now."""
    if is_too_much(request):
        return _page(request, "limited", {}, 429)
    try:
        said = links.read(token)
        old, visit = visit_behind(said.appointment_id)
    except (links.Forged, Appointment.DoesNotExist):
        return _page(request, "unknown", {}, 404)
    language = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME) or language_of(visit.patient)
    if language not in dict(settings.LANGUAGES):
        language = settings.LANGUAGE_CODE
    with translation.override(language):
        if said.is_over:
            return _expired(request, visit)
        if said.purpose == P.CALENDAR:
            return visit_file(visit, translation.get_language() or settings.LANGUAGE_CODE, until=said.until)
        state, context, status = _answer(request, said.purpose, visit)
        context |= {"visit": visit, "is_moved": old.pk != visit.pk, "links": _links(visit, said.until)}
        if "new" in context:
            context["new_links"] = _links(context["new"], said.until)
        return _page(request, state, context, status)


def _page(request: HttpRequest, state: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    return link_page(request, f"link_{state}", context, status)


def _links(visit: Appointment, until: int) -> dict[str, str]:
    """They end with the link whose page shows them: one that was passed on never renews itself."""
    return {purpose.name.lower(): links.address_of(visit.pk, purpose, until=until) for purpose in P}


def _expired(request: HttpRequest, visit: Appointment) -> HttpResponse:
    """A new link goes to the address on record, never to whoever asks here."""
    is_sent = False
    if request.method == "POST" and not is_over("visit-new-link", str(visit.pk), limit=3, seconds=86_400):
        try:
            send_new_link(appointment_id=visit.pk)
        except Refused:
            return _page(request, "gone", {"visit": visit}, 409)
        is_sent = True
    return _page(request, "expired", {"is_sent": is_sent}, 200 if is_sent else 410)


def _answer(request: HttpRequest, purpose: LinkPurpose, visit: Appointment) -> Answered:
    if visit.status == AppointmentStatus.CANCELLED and purpose != P.CANCEL:
        return "gone", {}, 410
    if visit.ends_at <= timezone.now() and purpose not in (P.DIRECTIONS,):
        return "gone", {}, 410
    if purpose in STANDING and is_to_be_moved(visit):  # it cannot take place then: there is one thing to do with it
        return _shown(P.MOVE, visit, request, problem=_("This visit cannot take place. Please choose another time."))
    if request.method != "POST":
        return _shown(purpose, visit, request)
    if purpose == P.MOVE and visit.booking_key and request.POST.get("key") == str(visit.booking_key):
        return "moved", {"new": visit}, 200  # the same click once more
    seen = SeenForm(request.POST)
    if not seen.is_valid() or seen.cleaned_data["seen"] not in (None, visit.pk):
        problem = _("This visit was changed meanwhile. Look at it before you answer.")
        return _shown(purpose, visit, request, problem=problem, status=409)
    change = CHANGES.get(purpose)
    if change is None:
        return _shown(purpose, visit, request)
    try:
        return change(request, visit)
    except Refused as error:
        return _shown(purpose, visit, request, problem=str(error), status=status_of(error))


def _shown(
    purpose: LinkPurpose,
    visit: Appointment,
    request: HttpRequest,
    *,
    form: forms.Form | None = None,
    problem: str = "",
    status: int = 200,
) -> Answered:
    """The page as it stands now."""
    context: dict[str, Any] = {"form": form, "problem": problem}
    now = timezone.now()
    if purpose == P.MOVE:
        context |= _times(visit, request)
    elif purpose == P.CANCEL:
        context |= {"reasons": REASONS, "form": form or CancelOwnForm()}
        if visit.status == AppointmentStatus.CANCELLED:
            return "cancelled", context, status
    elif purpose in (P.PREPARE, P.ANSWER):
        language = translation.get_language() or settings.LANGUAGE_CODE
        context |= {
            "preparation": visit.service.preparation_in(language),
            "is_other_language": visit.service.lacks_preparation_in(language),
            "form": form or PrepareForm(initial={"words": visit.patient_words}),
        }
    elif purpose == P.CHECK_IN:
        context |= {"may_check_in": visit.starts_at - now <= CHECK_IN_FROM, "opens_at": visit.starts_at - CHECK_IN_FROM}
    elif purpose == P.DIRECTIONS:
        context |= {"directions": visit.location.directions_in(translation.get_language() or "en")}
    elif purpose == P.VIDEO:
        context |= {"may_join": visit.starts_at - now <= JOIN_FROM, "opens_at": visit.starts_at - JOIN_FROM}
    return purpose.name.lower(), context, status


def _confirm(request: HttpRequest, visit: Appointment) -> Answered:
    confirmed = attendance.confirm(actor=None, appointment_id=visit.pk)
    visit.confirmation = confirmed.confirmation
    return "confirmed", {}, 200


def _cancel(request: HttpRequest, visit: Appointment) -> Answered:
    form = CancelOwnForm(request.POST)
    if not form.is_valid():
        return _shown(P.CANCEL, visit, request, form=form, status=422)
    with translation.override(settings.LANGUAGE_CODE):
        reason = str(REASONS[form.cleaned_data["reason"]][0])
    booking.cancel(actor=None, appointment_id=visit.pk, asked_by=Party.PATIENT, reason=reason)
    return "cancelled", {}, 200


def _move(request: HttpRequest, visit: Appointment) -> Answered:
    form = MoveOwnForm(request.POST)
    if not form.is_valid():
        return _shown(P.MOVE, visit, request, form=form, status=422)
    wish = booking.Wish(service_id=visit.service_id, key=form.cleaned_data["key"], **form.cleaned_data["slot"])
    with translation.override(settings.LANGUAGE_CODE):
        reason = _("Chosen by the patient")
    moved = booking.move(
        actor=None, appointment_id=visit.pk, wish=wish, asked_by=Party.PATIENT, reason=reason
    )  # fmt: skip
    _old, new = visit_behind(moved.pk)
    return "moved", {"new": new}, 200


def _prepare(request: HttpRequest, visit: Appointment) -> Answered:
    form = PrepareForm(request.POST)
    if not form.is_valid():
        return _shown(P.PREPARE, visit, request, form=form, status=422)
    given = form.cleaned_data
    needs = [NeedKind(kind) for kind in given["needs"]]
    attendance.note_prepared(appointment_id=visit.pk, words=given["words"], needs=needs)
    return "prepared", {}, 200


def _check_in(request: HttpRequest, visit: Appointment) -> Answered:
    if visit.starts_at - timezone.now() > CHECK_IN_FROM:
        raise Refused(_("It is too early to check in."))
    if visit.status != AppointmentStatus.CHECKED_IN:
        attendance.check_in(actor=None, appointment_id=visit.pk)
    return "checked_in", {}, 200


def _times(visit: Appointment, request: HttpRequest) -> dict[str, Any]:
    """Six free times for the same visit, at its site first; `from` asks for later ones, `until` for those of some days
    only, and when there are none the next ones are shown."""
    today = timezone.localdate()
    try:
        first = max(date.fromisoformat(request.GET.get("from", "")), today)
    except ValueError:
        first = today
    earliest = timezone.now() + timedelta(minutes=visit.service.notice_minutes)
    found_for = partial(find_slots, now=timezone.now(), earliest=earliest, limit=6)
    wish = from_query(request.GET.dict(), today)
    slots = found_for(wanted(visit, wish, today)) if wish else []
    is_other = bool(wish and not slots)
    slots = slots or found_for(nearby(visit, first, today))
    found = offers_of(slots)
    return {
        "times": [(sealed(offer.slot, visit.mode), offer) for offer in found],
        "later": timezone.localdate(found[-1].slot.starts_at) + timedelta(days=1) if found else None,
        "key": uuid4(),
        "is_other": is_other,
    }


CHANGES: dict[LinkPurpose, Callable[[HttpRequest, Appointment], Answered]] = {
    P.ANSWER: _confirm,
    P.CANCEL: _cancel,
    P.MOVE: _move,
    P.PREPARE: _prepare,
    P.CHECK_IN: _check_in,
}
