"""Finding records that may be of one person, and keeping what people decided. Nothing here merges."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any
from weakref import WeakKeyDictionary

from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from contact_center.common.deadline import Deadline
from contact_center.common.errors import Conflict, Refused
from contact_center.jobs.models import Job
from contact_center.jobs.services import start
from patients.enums import SuggestionStatus
from patients.matching.blocking import keys_of
from patients.matching.people import Person
from patients.matching.verdict import Verdict
from patients.models import DuplicateSuggestion, MatchProfile, Patient
from patients.policies import can_merge_patients
from patients.selectors.matching import (
    Described,
    fingerprint,
    later_neighbours,
    persons,
    rarity,
    relatives_among,
    sharing,
)

SCAN = "duplicate_scan"
CHUNK, BATCH, OLD = 1000, 300, timedelta(hours=24)
WIDE, MOST_AT_ONCE = 4000, 120_000
"""Records that one step of a scan compares with later ones, and descriptions that it holds in memory at once."""
TASK, QUEUE = "patients.compare_records", "reports"
Pair = tuple[int, int]


def refresh_profiles(ids: Iterable[int]) -> dict[int, Person]:
    """Make the keys of these records anew; those whose data changed wait to be compared. Returns who is current.

    Runs in the caller's transaction or none; profiles of records that were merged away are dropped.
    """
    wanted = list(dict.fromkeys(ids))
    found = persons(wanted)
    known = dict(MatchProfile.objects.filter(patient__in=wanted).values_list("patient_id", "fingerprint"))
    prints = {pk: fingerprint(one) for pk, one in found.items()}
    rows = [
        MatchProfile(patient_id=pk, keys=keys_of(one), fingerprint=prints[pk])
        for pk, one in sorted(found.items())
        if known.get(pk) != prints[pk]
    ]
    MatchProfile.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["patient"], update_fields=["keys", "fingerprint", "compared_at"],
        batch_size=1000,
    )  # fmt: skip
    gone = [pk for pk in known if pk not in found]
    if gone:
        MatchProfile.objects.filter(patient__in=gone).delete()
    return found


def compare_records(ids: Iterable[int]) -> int:
    """Compare these records with all that share a key and keep the suggestions; returns how many pairs stand now."""
    with transaction.atomic():
        ours = refresh_profiles(ids)
        pairs = _pairs_of(ours)
        everybody = ours | persons({pk for pair in pairs for pk in pair} - set(ours))
        found = _judged(pairs, everybody)
        prints = {pk: fingerprint(everybody[pk]) for pair in found for pk in pair}
        _keep(found, prints, concerned=Q(first__in=ours) | Q(second__in=ours))
        MatchProfile.objects.filter(patient__in=list(ours)).update(compared_at=timezone.now())
    return len(found)


def _pairs_of(ours: dict[int, Person]) -> set[Pair]:
    keys = {pk: keys_of(one) for pk, one in ours.items()}
    groups = sharing({key for found in keys.values() for key in found})
    pairs = set()
    for pk, own in keys.items():
        for other in {other for key in own for other in groups.get(key, ())} - {pk}:
            pairs.add((pk, other) if pk < other else (other, pk))
    return pairs


def _judged(pairs: Iterable[Pair], everybody: dict[int, Person]) -> dict[Pair, Verdict]:
    """Pairs with a level, but for known relatives; records that are gone meanwhile are left out."""
    from patients.matching.scoring import compare  # compiled parts of 4 MB, which most processes never need

    names = rarity()
    found: dict[Pair, Verdict] = {}
    for pair in pairs:
        one, other = everybody.get(pair[0]), everybody.get(pair[1])
        if one is not None and other is not None:
            verdict = compare(one, other, names)
            if verdict.level:
                found[pair] = verdict
    relatives = relatives_among({pk for pair in found for pk in pair})
    return {pair: verdict for pair, verdict in found.items() if pair not in relatives}


def _keep(found: dict[Pair, Verdict], prints: dict[int, str], *, concerned: Q) -> None:
    known = {(row.first_id, row.second_id): row for row in DuplicateSuggestion.objects.filter(concerned)}
    fresh = []
    for pair, verdict in sorted(found.items()):
        told = f"{prints[pair[0]]}:{prints[pair[1]]}"
        row = known.get(pair)
        if row and row.status == SuggestionStatus.DISMISSED and row.fingerprint != told:
            row.reopen()
            row.save()
        is_open = row is None or row.status == SuggestionStatus.OPEN
        if is_open and (row is None or (row.score, row.fingerprint) != (verdict.score, told)):
            fresh.append(_suggestion(pair, verdict, told))
    DuplicateSuggestion.objects.bulk_create(
        fresh, update_conflicts=True, unique_fields=["first", "second"], batch_size=1000,
        update_fields=["score", "level", "reasons", "fingerprint", "updated_at"],
    )  # fmt: skip
    past = [row.pk for pair, row in known.items() if pair not in found and row.status == SuggestionStatus.OPEN]
    DuplicateSuggestion.objects.filter(pk__in=past, status=SuggestionStatus.OPEN).delete()


def _suggestion(pair: Pair, verdict: Verdict, told: str) -> DuplicateSuggestion:
    return DuplicateSuggestion(
        first_id=pair[0],
        second_id=pair[1],
        score=verdict.score,
        level=str(verdict.level),
        reasons=[str(reason) for reason in verdict.reasons],
        fingerprint=told,
    )


def compare_waiting() -> int:
    """Compare records that are new or changed, for a minute at most; returns how many. Safe among several workers."""
    deadline, done = Deadline(TASK, QUEUE), 0
    while not deadline.is_over:
        with transaction.atomic():
            rows = MatchProfile.objects.select_for_update(skip_locked=True).filter(compared_at=None)
            ids = list(rows.order_by("patient")[:BATCH].values_list("patient_id", flat=True))
            if ids:
                compare_records(ids)
        if not ids:
            break
        done += len(ids)
    return done


MISSING = (
    "SELECT p.id FROM patients_patient p LEFT JOIN patients_matchprofile m ON m.patient_id = p.id"
    " WHERE m.patient_id IS NULL AND p.merged_into_id IS NULL LIMIT %s"
)


def sweep(*, limit: int = 20_000) -> int:
    """Find records that were never compared, or not for a day, and let them wait for it; returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(MISSING, [limit])
        missing = [pk for (pk,) in cursor.fetchall()]
    for begin in range(0, len(missing), CHUNK):
        refresh_profiles(missing[begin : begin + CHUNK])
    old = MatchProfile.objects.filter(compared_at__lt=timezone.now() - OLD).order_by("patient")
    aged = MatchProfile.objects.filter(patient__in=list(old.values_list("patient_id", flat=True)[:limit]))
    return len(missing) + aged.update(compared_at=None)


def start_scan(*, actor: User) -> Job:
    """A job that compares every record with every other that shares a key. Raises PermissionDenied, Refused."""
    _require(actor)
    ids = list(Patient.objects.current().order_by("pk").values_list("pk", flat=True).iterator(chunk_size=10_000))
    if not ids:
        raise Refused(_("There are no records to compare."))
    # All keys are made before the first comparison, so that one pass finds every pair.
    items = [*sorted({-1 - pk // CHUNK for pk in ids}, reverse=True), *sorted({pk // WIDE for pk in ids})]
    return start(owner=actor, kind=SCAN, title=_("Search for duplicates"), items=items)


def scan_part(job: Job, item: int) -> None:
    """One step of a scan: below zero keys are made for a thousand record numbers, else four thousand are compared."""
    if item < 0:
        first = (-1 - item) * CHUNK
        rows = Patient.objects.current().filter(pk__gte=first, pk__lt=first + CHUNK)
        refresh_profiles(rows.values_list("pk", flat=True))
        # From now on the scan answers for them; what changes while it runs waits anew and is compared on its own.
        MatchProfile.objects.filter(patient__gte=first, patient__lt=first + CHUNK).update(compared_at=timezone.now())
    else:
        _compare_later(item * WIDE, (item + 1) * WIDE, _described.setdefault(job, Described()))


_described: WeakKeyDictionary[Job, Described] = WeakKeyDictionary()
"""What the steps of a scan have read, as long as this process works on it."""


def _compare_later(first: int, end: int, described: Described) -> None:
    """Compare the records of these numbers with later ones, as their keys stand; a scan comes to each pair once."""
    with transaction.atomic():
        found: dict[Pair, Verdict] = {}
        prints: dict[int, str] = {}
        for pairs in _portions(later_neighbours(first, end)):
            everybody = described.of({pk for pair in pairs for pk in pair})
            judged = _judged(pairs, everybody)
            prints |= {pk: fingerprint(everybody[pk]) for pair in judged for pk in pair if pk not in prints}
            found |= judged
            described.keep(first=first, most=MOST_AT_ONCE)
        _keep(found, prints, concerned=Q(first__gte=first, first__lt=end))
        described.keep(first=end, most=MOST_AT_ONCE)


def _portions(later: dict[int, set[int]]) -> Iterator[list[Pair]]:
    """All pairs, in lists of not many more than MOST_AT_ONCE different records."""
    pairs: list[Pair] = []
    named: set[int] = set()
    for pk, others in later.items():
        pairs += [(pk, other) for other in others]
        named |= others
        named.add(pk)
        if len(named) >= MOST_AT_ONCE:
            yield pairs
            pairs, named = [], set()
    if pairs:
        yield pairs


def _require(actor: User) -> None:
    if not can_merge_patients(actor):
        raise PermissionDenied


def dismiss(*, actor: User, suggestion_id: int) -> DuplicateSuggestion:
    """These are two people; asked again only when what was compared changes.

    Raises Conflict when it was decided meanwhile, PermissionDenied, DuplicateSuggestion.DoesNotExist.
    """
    return _decide(actor, suggestion_id, SuggestionStatus.OPEN, "dismiss")


def reopen(*, actor: User, suggestion_id: int) -> DuplicateSuggestion:
    """Take back that these are two people. Raises as `dismiss`."""
    return _decide(actor, suggestion_id, SuggestionStatus.DISMISSED, "reopen")


def _decide(actor: User, suggestion_id: int, source: str, verb: str) -> DuplicateSuggestion:
    from patients.selectors.duplicates import suggestions_visible_to

    _require(actor)
    with transaction.atomic():
        row: Any = DuplicateSuggestion.objects.select_for_update().get(pk=suggestion_id)
        if not suggestions_visible_to(actor).filter(pk=suggestion_id).exists():
            raise DuplicateSuggestion.DoesNotExist
        if row.status != source:
            raise Conflict(_("Somebody has decided on this already."))
        row.decided_by, row.decided_at = actor, timezone.now()
        getattr(row, verb)()
        row.save()
        for own, other in ((row.first_id, row.second_id), (row.second_id, row.first_id)):
            record(
                actor=actor, action=AuditAction.CHANGED, object_type="duplicatesuggestion", object_id=row.pk,
                patient_id=own, to=str(row.status), other=other,
            )  # fmt: skip
        return row  # type: ignore[no-any-return]
