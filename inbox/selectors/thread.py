"""Everything that passed with one person as one line, page by page: messages, notes and events of all channels."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Prefetch, Q, QuerySet

from contact_center.accounts.models import User
from inbox.models import Attachment, Interaction, Message, Note, TimelineEvent
from inbox.selectors.interactions import related_interactions
from inbox.selectors.mentions import with_mentions

KINDS = ("event", "message", "note")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """One place in the line. Moment, kind and id make it unique, so no page repeats or skips an entry."""

    at: datetime
    kind: int
    pk: int

    def __str__(self) -> str:
        return f"{(self.at - _EPOCH) // _MICROSECOND}-{self.kind}-{self.pk}"

    @classmethod
    def read(cls, text: str) -> "Place | None":
        """The place that `str()` made this text of; None for anything else."""
        found = re.fullmatch(r"(\d{1,16})-([0-2])-(\d{1,18})", text, re.ASCII)
        return cls(_EPOCH + int(found[1]) * _MICROSECOND, int(found[2]), int(found[3])) if found else None

    def older(self, kind: int, field: str) -> Q:
        """Rows of that kind before this place."""
        same = Q() if kind < self.kind else Q(pk__lt=self.pk) if kind == self.kind else Q(pk=None)
        return Q(**{f"{field}__lte": self.at}) & (Q(**{f"{field}__lt": self.at}) | Q(**{field: self.at}) & same)

    def newer(self, kind: int, field: str) -> Q:
        """Rows of that kind at this place or after it."""
        same = Q() if kind > self.kind else Q(pk__gte=self.pk) if kind == self.kind else Q(pk=None)
        return Q(**{f"{field}__gte": self.at}) & (Q(**{f"{field}__gt": self.at}) | Q(**{field: self.at}) & same)


@dataclass(slots=True)
class Thread:
    """Some entries, oldest first; `earlier` is the place before which there are more, None when there are none.

    Each entry is `{"type": "message"|"note"|"event", "at": aware datetime, "item": object, "is_present": bool}`.
    """

    entries: list[dict[str, Any]]
    earlier: Place | None


def thread_of(
    user: User, interaction: Interaction, *, limit: int = 200, before: Place | None = None, since: Place | None = None
) -> Thread:
    """The newest `limit` entries of everything that passed with this person, those older than `before` if given.

    Messages, notes and events of this interaction and, when the patient is known, of all their visible interactions.
    With `since` everything from that place on, twice the limit at most: what is drawn once keeps its first entry.
    """
    ids = related_interactions(user, interaction)
    size = 2 * limit if since else limit
    found = []
    for kind, (rows, field) in enumerate(_sources(ids)):
        if before:
            rows = rows.filter(before.older(kind, field))
        if since:
            rows = rows.filter(since.newer(kind, field))
        for row in rows.order_by(f"-{field}", "-pk")[: size + 1]:
            found.append((Place(getattr(row, field), kind, row.pk), row))
    found.sort(key=lambda entry: entry[0])
    has_more = len(found) > size or since is not None
    found = found[-size:]
    return Thread(
        [
            {
                "type": KINDS[place.kind],
                "at": place.at,
                "item": row,
                "is_present": row.interaction_id == interaction.pk,
            }
            for place, row in found
        ],
        found[0][0] if found and has_more else None,
    )


def _sources(ids: list[int]) -> list[tuple[QuerySet[Any], str]]:
    """One query per kind, in the order of `KINDS`, with the field that places its rows."""
    files = Prefetch("attachments", queryset=Attachment.objects.order_by("id"))
    return [
        (
            TimelineEvent.objects.filter(interaction_id__in=ids).select_related(
                "actor", "to_user", "from_queue", "to_queue"
            ),
            "at",
        ),
        (
            Message.objects.filter(interaction_id__in=ids)
            .select_related("author", "template", "interaction")
            .prefetch_related(files),
            "occurred_at",
        ),
        (with_mentions(Note.objects.filter(interaction_id__in=ids).select_related("author")), "created_at"),
    ]
