"""Reading the trail: who did what to whom, page by page, and only by those who may."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from contact_center.accounts.enums import Action
from contact_center.accounts.models import User
from contact_center.accounts.policies import can
from contact_center.audit.enums import AuditAction
from contact_center.audit.models import AuditEntry
from contact_center.common.prepared import Given, prepared

PAGE = 50
ACCESSES = (AuditAction.VIEWED, AuditAction.SEARCHED, AuditAction.EXPORTED, AuditAction.DOWNLOADED)
SEALED = "sealed"
"""Stands in the detail of an entry about something that is hidden from most who may open the patient's record."""
_earlier: list[Callable[[int], Iterable[int]]] = []
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Question:
    """What of the trail is asked for; ids and words of ours only. `patient_id` 0 means a number nobody has."""

    action: str = ""
    actor_id: int | None = None
    patient_id: int | None = None
    object_type: str = ""
    object_id: int | None = None
    since: date | None = None
    until: date | None = None
    only_glass: bool = False

    def as_words(self) -> dict[str, Any]:
        """What can be kept in a job or in the trail itself: only what was asked."""
        given = {name: getattr(self, name) for name in self.__slots__}
        return {name: value.isoformat() if isinstance(value, date) else value for name, value in given.items() if value}

    @classmethod
    def of_words(cls, words: dict[str, Any]) -> "Question":
        """The question that `as_words` told."""
        days: dict[str, Any] = {name: date.fromisoformat(words[name]) for name in ("since", "until") if name in words}
        return cls(**words | days)


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in the trail: moment and id."""

    at: datetime
    pk: int

    def __str__(self) -> str:
        return f"{(self.at - _EPOCH) // _MICROSECOND}-{self.pk}"

    @classmethod
    def read(cls, text: str) -> "Mark | None":
        """The mark that `str()` made this text of; None for anything else."""
        found = re.fullmatch(r"(\d{1,16})-(\d{1,18})", text, re.ASCII)
        return cls(_EPOCH + int(found[1]) * _MICROSECOND, int(found[2])) if found else None


def entries_for(user: User, question: Question) -> QuerySet[AuditEntry]:
    """The entries that are asked for, newest first; none for people who may not read the trail."""
    if not can(user, Action.VIEW_AUDIT):
        return AuditEntry.objects.none()
    exact = {
        "action": question.action,
        "actor_id": question.actor_id,
        "object_type": question.object_type,
        "object_id": question.object_id,
    }
    found = AuditEntry.objects.filter(**{name: value for name, value in exact.items() if value})
    if question.patient_id is not None:
        found = found.filter(concerning(question.patient_id))
    if question.only_glass:
        found = found.filter(detail__has_key="glass")
    if question.since:
        found = found.filter(occurred_at__gte=_midnight(question.since))
    if question.until:
        found = found.filter(occurred_at__lt=_midnight(question.until, 1))
    return found.select_related("actor").order_by("-occurred_at", "-id")


def register_earlier_records(earlier: Callable[[int], Iterable[int]]) -> None:
    """An app above says under which other ids facts about the same patient stand: records that went on in this one."""
    if earlier not in _earlier:
        _earlier.append(earlier)


def concerning(patient_id: int) -> Q:
    """Entries about one patient, also those of records that were merged into theirs."""
    return Q(patient_id__in=[patient_id, *_others(patient_id)])


def _others(patient_id: int) -> list[int]:
    return [pk for earlier in _earlier for pk in earlier(patient_id)]


def page_of_entries(found: QuerySet[AuditEntry], before: Mark | None) -> tuple[list[AuditEntry], Mark | None]:
    """One page, and the mark before which there is more; the last page costs what the first does."""
    if before is not None:
        found = found.filter(occurred_at__lte=before.at)
        found = found.filter(Q(occurred_at__lt=before.at) | Q(pk__lt=before.pk))
    rows = list(found[: PAGE + 1])
    last = rows[PAGE - 1] if len(rows) > PAGE else None
    return rows[:PAGE], Mark(last.occurred_at, last.pk) if last else None


def looks_at(patient_id: int, *, limit: int = 5) -> list[AuditEntry]:
    """The last looks at one record, newest first, for those who may open it; none at what is sealed by itself, whose
    existence is no business of theirs."""
    return _looks(limit).ask([patient_id, *_others(patient_id)])


@prepared
def _looks(limit: int) -> QuerySet[AuditEntry]:
    """At the records 0."""
    found = AuditEntry.objects.filter(patient_id__any_of=Given(0), action__in=ACCESSES, actor__isnull=False)
    found = found.exclude(detail__has_key=SEALED)
    return found.select_related("actor").order_by("-occurred_at")[:limit]


def _midnight(day: date, days_later: int = 0) -> datetime:
    """A day that no calendar of ours reaches counts as the nearest one that it does."""
    reached = min(max(day, date(1900, 1, 1)), date(2200, 1, 1)) + timedelta(days=days_later)
    return timezone.make_aware(datetime.combine(reached, time()))
