"""Times for several services in one trip: in the order that their prerequisites ask for, at one site."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import islice

from django.utils import timezone
from django.utils.translation import gettext as _

from contact_center.common.errors import Refused
from scheduling.models import HealthcareService, Prerequisite
from scheduling.selectors.openings import FIRST_DAYS, MOST_DAYS, Search, every_slot, fit_of
from scheduling.slots import Gap, Slot, Step, in_a_row, in_order

DAY_MINUTES = 24 * 60
MOST_ALIKE = 3


def ordered(services: Sequence[HealthcareService]) -> tuple[list[HealthcareService], list[list[Gap]]]:
    """The services in the order in which they take place, and what lies between each and earlier ones. One statement.

    Raises Refused where their prerequisites go in a circle.
    """
    by_id = {one.pk: one for one in services}
    rules = list(Prerequisite.objects.filter(service__in=by_id, first__in=by_id))
    after: dict[int, set[int]] = defaultdict(set)
    for rule in rules:
        after[rule.service_id].add(rule.first_id)
    try:
        order = in_order([one.pk for one in services], after)
    except ValueError:
        raise Refused(_("Each of these visits has to come after another one of them. Book them one by one.")) from None
    gaps: list[list[Gap]] = [[] for _one in order]
    for rule in rules:
        gap = Gap(order.index(rule.first_id), rule.least_minutes, rule.most_minutes)
        gaps[order.index(rule.service_id)].append(gap)
    return [by_id[pk] for pk in order], gaps


def missing_prerequisites(services: Sequence[HealthcareService]) -> list[Prerequisite]:
    """What usually comes before one of these and is not among them. One statement."""
    rows = Prerequisite.objects.filter(service__in=services, first__is_active=True).exclude(first__in=services)
    return list(rows.select_related("service", "first").order_by("service__name", "first__name"))


def find_rows(
    searches: Sequence[Search], gaps: Sequence[Sequence[Gap]], *, now: datetime, most_wait: int, limit: int = 12
) -> list[tuple[Slot, ...]]:
    """The first ways to have all of it in the order of `searches`, one for each time at which the first visit can begin
    at a site; the patient waits at most `most_wait` minutes from when the next visit could begin.

    The first visit begins within the days of all searches; later ones as long after it as they must, as far ahead as
    their service is offered. Nothing is promised: `book` has the last word. A constant number of statements for each
    stretch of days.
    """
    first, last = searches[0].from_date, min(one.until_date for one in searches)
    reach = sum(max([0, *(gap.least for gap in row)]) + most_wait for row in gaps) // DAY_MINUTES + 1
    found: list[tuple[Slot, ...]] = []
    day, days = first, FIRST_DAYS
    while day <= last and len(found) < limit:
        end = min(day + timedelta(days=days - 1), last)
        ends = [end, *(min(end + timedelta(days=reach), _horizon(one, now)) for one in searches[1:])]
        steps = [
            _step(replace(one, from_date=day, until_date=until), row, most_wait if place else None, now)
            for place, (one, until, row) in enumerate(zip(searches, ends, gaps, strict=True))
        ]
        found += islice(_once(in_a_row(_fewer(steps))), limit - len(found))
        day, days = end + timedelta(days=1), min(days * 2, MOST_DAYS)
    return found


def _horizon(search: Search, now: datetime) -> date:
    return timezone.localdate(now) + timedelta(days=search.service.horizon_days)


def _once(ways: Iterable[tuple[Slot, ...]]) -> Iterator[tuple[Slot, ...]]:
    """The first of those that begin at one time at one site."""
    seen = set[tuple[int, int]]()
    for way in ways:
        key = (way[0].start, way[0].location_id)
        if key not in seen:
            seen.add(key)
            yield way


def _fewer(steps: Sequence[Step]) -> list[Step]:
    """The same without sites that not all of them have, and with at most three slots that begin at once at a site: who
    looks for a way in vain tries every mixture of what is left."""
    shared = set.intersection(*({slot.location_id for slot in step.slots} for step in steps))
    fewer = []
    for step in steps:
        seen: Counter[tuple[int, int]] = Counter()
        kept = []
        for slot in step.slots:
            key = (slot.start, slot.location_id)
            seen[key] += 1
            if slot.location_id in shared and seen[key] <= MOST_ALIKE:
                kept.append(slot)
        fewer.append(replace(step, slots=kept))
    return fewer


def _step(search: Search, gaps: Sequence[Gap], most_wait: int | None, now: datetime) -> Step:
    fit = search.fit or fit_of(search.service)
    return Step(list(every_slot(search, now=now)), gaps, most_wait, fit.buffer_before, fit.buffer_after)
