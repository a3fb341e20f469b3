"""Pages on which patients book a visit themselves or ask to wait for one: for a phone, without a login or script.

GET only looks. What was typed travels in the forms, never in an address; what the addresses name is what we offer.
"""

from datetime import date
from typing import Any
from uuid import UUID

from django import forms
from django.contrib.auth.decorators import login_not_required
from django.core.signing import BadSignature
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from contact_center.common.answers import status_of
from contact_center.common.errors import Refused
from contact_center.common.ratelimit import caller_address, is_over
from scheduling import links
from scheduling.booking_forms import DetailsForm, PlaceForm, TicketForm, WaitForm, WhoForm, read_token, ticket_of
from scheduling.booking_forms import token_of as token_for
from scheduling.enums import LinkPurpose
from scheduling.forms import sealed
from scheduling.link_pages import is_too_much, link_page
from scheduling.models import Appointment, HealthcareService
from scheduling.patient_forms import TimeForm
from scheduling.selectors.openings import offers_of
from scheduling.selectors.public import Times, booked_with, free_times, held, public_services
from scheduling.services.claiming import SlotTaken, Wish
from scheduling.services.self_booking import ask_for_code, book_for_oneself, keep_time, wait_for_oneself
from scheduling.slots import Slot

HOLDS, CODES, SECONDS = 30, 10, 600
"""New holds and codes from one network in ten minutes; pages and forms may be four times those of other links."""
KIND, TIMES = "book", 4
PARTS = ((12, "morning"), (17, "afternoon"), (24, "evening"))
methods = require_http_methods(["GET", "HEAD", "POST"])


@login_not_required
@methods
def choose(request: HttpRequest) -> HttpResponse:
    """What, where, when: one question per page, answered in the address. POST keeps the chosen time."""
    if is_too_much(request, KIND, times=TIMES):
        return link_page(request, "link_limited", {}, 429)
    service = _service(request)
    if service is None:
        return link_page(request, "book_service", {"services": public_services(), "step": 1})
    place = PlaceForm(request.GET if "mode" in request.GET else None, service=service)
    if not place.is_valid():
        shown = {"service": service, "form": place, "step": 2}
        return link_page(request, "book_place", shown, 422 if place.is_bound else 200)
    if request.method != "POST":
        return _times(request, place)
    form = TimeForm(request.POST)
    if not form.is_valid():
        return _times(request, place, problem=str(form.errors["slot"][0]), status=422)
    return _keep(request, place, form)


@login_not_required
@methods
def wait(request: HttpRequest) -> HttpResponse:
    """Wait for a time: which would do, who waits, and the code that proves the address."""
    if is_too_much(request, KIND, times=TIMES):
        return link_page(request, "link_limited", {}, 429)
    service = _service(request)
    place = PlaceForm(request.GET, service=service) if service else None
    if place is None or not place.is_valid():
        return redirect("scheduling:self-book")
    form = WaitForm(request.POST if request.method == "POST" else None)
    shown = {"service": service, "place": place, "form": form}
    if not form.is_valid():
        return link_page(request, "book_wait", shown, 422 if form.is_bound else 200)
    if "code" not in request.POST:
        return _send_code(request, form, "book_wait", shown)
    digits = TicketForm(request.POST)
    if not digits.is_valid():
        return _ask(request, form, digits, 422)
    try:
        entry = wait_for_oneself(
            proof=digits.proof(), person=form.person(_language()), wishes=form.wishes(place),
            instead_of=_kept_before(request),
        )  # fmt: skip
    except Refused as error:
        return link_page(request, "book_wait", shown | {"problem": str(error)}, status_of(error))
    if entry is None:
        return _refuse_digits(request, form, digits)
    return link_page(request, "book_waiting", {"service": service})


@login_not_required
@methods
def finish(request: HttpRequest, token: str) -> HttpResponse:
    """Who comes to the time that is kept, the code, and the receipt."""
    if is_too_much(request, KIND, times=TIMES):
        return link_page(request, "link_limited", {}, 429)
    try:
        key, wish = read_token(token)
    except (BadSignature, ValueError):
        return link_page(request, "link_unknown", {}, 404)
    done = booked_with(key)
    if done is not None:
        return _receipt(request, done)
    if request.method != "POST":
        hold = held(key)
        shown = _shown(wish) | {
            "form": DetailsForm(),
            "token": token,
            "held_until": hold.held_until_at if hold else None,
            "step": 4,
        }
        return link_page(request, "book_details" if hold else "book_gone", shown, 200 if hold else 410)
    form = DetailsForm(request.POST)
    if not form.is_valid():
        return link_page(request, "book_details", _shown(wish) | {"form": form, "step": 4}, 422)
    if "code" not in request.POST:
        return _send_code(request, form, "book_details", _shown(wish) | {"form": form, "step": 4}, hold=key)
    return _book(request, wish, form)


def _book(request: HttpRequest, wish: Wish, form: DetailsForm) -> HttpResponse:
    digits = TicketForm(request.POST)
    if not digits.is_valid():
        return _ask(request, form, digits, 422)
    another = TimeForm(request.POST) if "slot" in request.POST else None
    if another is not None and another.is_valid():
        wish = Wish(service_id=wish.service_id, key=wish.key, **another.cleaned_data["slot"])
    try:
        made = book_for_oneself(
            proof=digits.proof(), person=form.person(_language()), wish=wish, needs=form.kinds(),
            wants_earlier=form.cleaned_data["wants_earlier"],
        )  # fmt: skip
    except SlotTaken as taken:
        return _offer_others(request, wish, form, digits, taken.alternatives, str(taken))
    except Refused as error:
        shown = _shown(wish) | {"form": form, "problem": str(error), "step": 4}
        return link_page(request, "book_details", shown, status_of(error))
    if made is None:
        return _refuse_digits(request, form, digits)
    return redirect(request.path)


def _service(request: HttpRequest) -> HealthcareService | None:
    return public_services().filter(code=request.GET.get("service", "").replace("\0", "")).first()


def _language() -> str:
    return (translation.get_language() or "en")[:2]


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _times(request: HttpRequest, place: PlaceForm, *, problem: str = "", status: int = 200) -> HttpResponse:
    today = timezone.localdate()
    first = max(_day(request.GET.get("from", "")) or today, today)
    found = free_times(place.search(first), now=timezone.now(), day=_day(request.GET.get("day", "")))
    query = request.GET.copy()
    for name in ("day", "from"):
        query.pop(name, None)
    shown = {
        "service": place.service,
        "place": place,
        "found": found,
        "parts": _parts(found, place.cleaned_data["mode"]),
        "site": _only({offer.location for offer in found.offers}),
        "person": _only({offer.practitioner for offer in found.offers}),
        "query": query.urlencode(),
        "first": first if first > today else None,
        "problem": problem,
        "step": 3,
    }
    return link_page(request, "book_times" if found.days else "book_none", shown, status)


def _parts(found: Times, mode: str) -> list[tuple[str, list[tuple[str, Any]]]]:
    """The offers of the day by part of the day, each as the page gives it back."""
    parts: dict[str, list[tuple[str, Any]]] = {}
    for offer in found.offers:
        name = next(name for end, name in PARTS if offer.starts_at.hour < end)
        parts.setdefault(name, []).append((sealed(offer.slot, mode), offer))
    return list(parts.items())


def _only(rows: set[Any]) -> Any:
    """The one that all have in common."""
    return next(iter(rows)) if len(rows) == 1 else None


def _keep(request: HttpRequest, place: PlaceForm, form: TimeForm) -> HttpResponse:
    network = caller_address(request)
    if is_over("book-hold", network, limit=HOLDS, seconds=SECONDS):
        return link_page(request, "link_limited", {}, 429)
    wish = Wish(service_id=place.service.pk, **form.cleaned_data["slot"])
    try:
        token = keep_time(wish=wish, network=network, instead_of=_kept_before(request))
    except Refused as error:  # who lost a race reads the times that are left
        return _times(request, place, problem=str(error), status=status_of(error))
    return redirect("scheduling:self-book-finish", token_for(token, place.service.pk, request.POST["slot"]))


def _kept_before(request: HttpRequest) -> UUID | None:
    """The time that this person kept before, and goes on from."""
    try:
        return read_token(request.GET.get("kept", ""))[0]
    except (BadSignature, ValueError):
        return None


def _shown(wish: Wish) -> dict[str, Any]:
    slot = Slot(int(wish.starts_at.timestamp()), wish.practitioner_id, 0, wish.location_id, wish.room_id)
    service = HealthcareService.objects.get(pk=wish.service_id)
    return {"offer": offers_of([slot])[0], "service": service, "wish": wish}


def _send_code(
    request: HttpRequest, form: WhoForm, name: str, shown: dict[str, Any], *, hold: UUID | None = None
) -> HttpResponse:
    """Send the digits to whatever address was written; the answer is the same for every one."""
    if is_over("book-code", caller_address(request), limit=CODES, seconds=SECONDS):
        problem = _("Too many codes were asked for from your connection. Wait ten minutes, or call us.")
        return link_page(request, name, shown | {"problem": problem}, 429)
    scheme, address = form.found
    number = ask_for_code(scheme=scheme, address=address, language=_language(), hold=hold)
    return _ask(request, form, TicketForm(initial={"ticket": ticket_of(number)}), 200)


def _ask(request: HttpRequest, form: WhoForm, digits: TicketForm, status: int, problem: str = "") -> HttpResponse:
    shown = {"form": digits, "given": _given(form), "problem": problem, "address": form.cleaned_data["address"]}
    return link_page(request, "book_code", shown, status)


def _refuse_digits(request: HttpRequest, form: WhoForm, digits: TicketForm) -> HttpResponse:
    problem = _("This did not fit. Look at the newest message and try again, or ask for a new code.")
    return _ask(request, form, digits, 422, problem)


def _offer_others(
    request: HttpRequest, wish: Wish, form: DetailsForm, digits: TicketForm, left: list[Slot], problem: str
) -> HttpResponse:
    """The digits fit and are still good: another time can be taken with the next click."""
    times = [(sealed(offer.slot, wish.mode), offer) for offer in offers_of(left)]
    given = _given(form) + [(name, digits.data[name]) for name in ("code", "ticket")]
    return link_page(request, "book_taken", {"times": times, "given": given, "problem": problem}, 409)


def _given(form: forms.Form) -> list[tuple[str, str]]:
    """What was typed so far, for the next form to carry."""
    data: Any = form.data
    return [(name, value) for name in form.fields for value in data.getlist(name)]


def _receipt(request: HttpRequest, visit: Appointment) -> HttpResponse:
    language = _language()
    shown = {
        "visit": visit,
        "preparation": visit.service.preparation_in(language),
        "is_other_language": visit.service.lacks_preparation_in(language),
        "needs": [need.get_kind_display() for need in visit.needs.filter(is_required=True, settled_at=None)],
        "links": {purpose.name.lower(): links.address_of(visit.pk, purpose) for purpose in LinkPurpose},
    }
    return link_page(request, "book_done", shown)
