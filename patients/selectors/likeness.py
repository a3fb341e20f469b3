"""Who is here already that is much like a person who is only described."""

from typing import NamedTuple

from django.db import transaction

from patients.matching.blocking import keys_of
from patients.matching.people import Person
from patients.matching.verdict import Reason
from patients.selectors.matching import persons, rarity, sharing


class Likeness(NamedTuple):
    """A current record, how sure it is that it is the one described, and why."""

    patient_id: int
    level: str
    reasons: tuple[Reason, ...] = ()


def alike(ours: dict[int, Person]) -> dict[int, list[Likeness]]:
    """For each description, by its number: the records much like it, the surest first; those like nobody are missing.

    A constant number of queries, whatever the number of descriptions.
    """
    from patients.matching.scoring import compare  # compiled parts of 4 MB, which most processes never need

    keys = {number: keys_of(one) for number, one in ours.items()}
    with transaction.atomic():
        groups = sharing({key for found in keys.values() for key in found})
    near = {number: {pk for key in found for pk in groups.get(key, ())} for number, found in keys.items()}
    others, names = persons({pk for found in near.values() for pk in found}), rarity()
    found = {}
    for number, candidates in near.items():
        verdicts = [(pk, compare(ours[number], others[pk], names)) for pk in sorted(candidates) if pk in others]
        known = sorted(((pk, one) for pk, one in verdicts if one.level), key=lambda entry: -entry[1].score)
        if known:
            found[number] = [Likeness(pk, str(one.level), one.reasons) for pk, one in known]
    return found
