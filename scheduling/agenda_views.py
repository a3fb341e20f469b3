"""The agenda on a page: a day by practitioner or room, a week by practitioner, room or site, the week of one."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from contact_center.accounts.requests import person_of
from scheduling.enums import AgendaOf
from scheduling.models import Location, Practitioner, Room
from scheduling.policies import can_book, can_share_calendar
from scheduling.selectors.agenda import Who, locations, next_open_day, week_from
from scheduling.selectors.week import week_at
from scheduling.services.agenda import open_day, open_week

FARTHEST = timedelta(days=3660)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for; what makes no sense there is as if it were not there."""

    day: date
    of: AgendaOf
    is_week: bool
    who: Who | None
    skipped: int

    @property
    def step(self) -> timedelta:
        """From one page to the next."""
        return timedelta(days=7 if self.is_week else 1)


@require_safe
def agenda(request: HttpRequest) -> HttpResponse:
    """`day` (ISO) and `site` choose, `range=week` the week, `of` whose agendas stand side by side, `who` one of them;
    `skip` leaves out the first."""
    person = person_of(request)
    if not can_book(person):
        raise PermissionDenied
    sites = locations()
    site = next((one for one in sites if str(one.pk) == request.GET.get("site")), sites[0] if sites else None)
    asked = _asked(request.GET, site)
    context: dict[str, Any] = {
        "sites": sites, "site": site, "asked": asked, "kinds": AgendaOf if asked.is_week else list(AgendaOf)[:2],
        "before": asked.day - asked.step, "after": asked.day + asked.step, "week": week_from(asked.day),
        "today": timezone.localdate(),
    }  # fmt: skip
    if site is None:
        return render(request, "scheduling/agenda.html", context)
    if asked.is_week and asked.who is None:
        context["load"] = week_at(asked.of, site, asked.day, asked.skipped)
    elif asked.who is not None:
        context["calendar"] = open_week(actor=person, location=site, day=asked.day, who=asked.who)
        context["may_share"] = isinstance(asked.who, Practitioner) and can_share_calendar(person, asked.who)
    else:
        shown = open_day(actor=person, location=site, day=asked.day, skipped=asked.skipped, of=asked.of)
        context["calendar"] = shown
        context["has_side"] = bool(shown.freed or shown.at_risk)
        context["next_open"] = None if shown.columns else next_open_day(site, asked.day)
    return render(request, "scheduling/agenda.html", context)


def _asked(given: QueryDict, site: Location | None) -> Asked:
    near = timezone.localdate()
    try:
        day = date.fromisoformat(given.get("day", ""))
    except ValueError:
        day = near
    is_week = given.get("range") == "week"
    of = next((one for one in AgendaOf if one.value == given.get("of")), AgendaOf.PRACTITIONER)
    if of == AgendaOf.SITE and not is_week:
        of = AgendaOf.PRACTITIONER
    return Asked(
        day=min(max(day, near - FARTHEST), near + FARTHEST),
        of=of,
        is_week=is_week,
        who=_who(of, _number(given.get("who", "")), site) if is_week and site else None,
        skipped=_number(given.get("skip", "")),
    )


def _who(of: AgendaOf, pk: int, site: Location) -> Who | None:
    if of == AgendaOf.ROOM:
        return Room.objects.filter(pk=pk, location=site).first()
    return Practitioner.objects.filter(pk=pk).first() if of == AgendaOf.PRACTITIONER else None


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0
