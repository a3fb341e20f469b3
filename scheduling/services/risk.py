"""Learning how likely visits are missed from the organisation's own past."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from math import isfinite
from typing import Any

from django.db import transaction
from django.utils import timezone

from contact_center.common.errors import Refused
from scheduling.ages import OF_AGE
from scheduling.enums import AppointmentStatus as S
from scheduling.models import Appointment, RiskModel
from scheduling.risk import ENOUGH_MISSED, ENOUGH_VISITS, Terms, Values, assess, learn, quality, values_of
from scheduling.selectors.risk import facts_of

LOOK_BACK = timedelta(days=730)
MOST_VISITS, READ_AT_ONCE = 60_000, 5000
TEST_SHARE = 5
LEAST_IN_GROUP = 100


def train(*, is_activated: bool = True) -> RiskModel:
    """Learn from the visits of two years, oldest four fifths, and measure on the newest fifth; store both.

    The newly learnt takes the place of the one before, unless the plain rules foresaw the newest fifth better: then it
    is kept, not used. Raises Refused while there are too few visits.
    """
    visits = _past()
    missed = [one.status == S.NOSHOW for one in visits]
    if len(visits) < ENOUGH_VISITS or sum(missed) < ENOUGH_MISSED:
        raise Refused(f"{len(visits)} visits, {sum(missed)} of them missed, are too few: the rules go on counting.")
    rows = [
        values
        for start in range(0, len(visits), READ_AT_ONCE)
        for values in _values(visits[start : start + READ_AT_ONCE])
    ]
    split = _split(visits)
    terms = learn(rows[:split], missed[:split])
    card = _card(visits, rows, missed, split, terms)
    is_better = card["learnt"]["auc"] >= card["rules"]["auc"]
    with transaction.atomic():
        if is_activated and is_better:
            RiskModel.objects.filter(is_active=True).update(is_active=False)
        return RiskModel.objects.create(
            terms=terms, card=card, visits=len(visits), is_active=is_activated and is_better
        )


def _past() -> list[Appointment]:
    now = timezone.now()
    rows = Appointment.objects.filter(status__in=[S.FULFILLED, S.NOSHOW], starts_at__gt=now - LOOK_BACK)
    rows = rows.filter(ends_at__lte=now).select_related("patient", "location").order_by("-starts_at", "-pk")
    return list(rows[:MOST_VISITS])[::-1]


def _values(visits: Sequence[Appointment]) -> list[Values]:
    facts = facts_of(visits)
    return [values_of(facts[one.pk]) for one in visits]


def _split(visits: Sequence[Appointment]) -> int:
    """Where the newest fifth begins: with a day, so that no day is on both sides."""
    day = visits[len(visits) - len(visits) // TEST_SHARE].visit_date
    return next(place for place, one in enumerate(visits) if one.visit_date >= day)


def _card(
    visits: Sequence[Appointment], rows: Sequence[Values], missed: Sequence[bool], split: int, terms: Terms
) -> dict[str, Any]:
    """The model card: where it comes from, how good it is, and where it errs, by age, sex and site."""
    tested, outcome = rows[split:], missed[split:]
    shares = [assess(one, terms).share for one in tested]
    by_rules = [assess(one).share for one in tested]
    groups: dict[str, list[int]] = defaultdict(list)
    for place, one in enumerate(visits[split:]):
        age = rows[split + place]["age"]
        groups[f"age {'unknown' if not age else 'under 18' if int(age) < OF_AGE else 'from 18'}"].append(place)
        groups[f"sex {one.patient.gender or 'unknown'}"].append(place)
        groups[f"site {one.location_id}"].append(place)
    return {
        "purpose": "Whom to remind earlier or to call. Never to refuse or to delay a visit.",
        "features": sorted(rows[0]),
        "learnt_from": [str(visits[0].visit_date), str(visits[split - 1].visit_date), split],
        "measured_on": [str(visits[split].visit_date), str(visits[-1].visit_date), len(visits) - split],
        "learnt": _plain(shares, outcome),
        "rules": _plain(by_rules, outcome),
        "groups": {
            title: _plain([shares[place] for place in places], [outcome[place] for place in places])
            for title, places in sorted(groups.items())
            if len(places) >= LEAST_IN_GROUP
        },
    }


def _plain(shares: Sequence[float], missed: Sequence[bool]) -> dict[str, float | None]:
    found = asdict(quality(shares, missed))
    said = sum(shares) - sum(missed)
    figures = found | {"bias": said / len(shares) if shares else 0.0}
    return {name: round(value, 4) if isfinite(value) else None for name, value in figures.items()}
