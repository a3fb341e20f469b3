"""Everything that passed with one person as one line, page by page: messages, notes and events of all channels."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet

from contact_center.accounts.models import User
from contact_center.common.prepared import Given, Prepared, ask_planned, give, planned
from inbox.models import Attachment, Interaction, Mention, Message, Note, NoteFile, TimelineEvent
from inbox.selectors.interactions import related_interactions

KINDS = ("event", "message", "note")
COLUMNS = ("at", "occurred_at", "created_at")
AUTHOR = ("author__first_name", "author__last_name")
DRAWN = (
    *("interaction_id", "channel_kind", "direction", "kind", "status", "address", "cc", "subject", "text"),
    "is_sensitive",
    *("quoted_text", "payload", "provider", "created_at", "gate_decision", "gate_reason", "attempts"),
    *("next_attempt_at", "scheduled_at", "error_code", "error_text"),
)
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


BEGINNING = Place(_EPOCH, 0, 0)


@dataclass(slots=True)
class Thread:
    """Some entries, oldest first; `earlier` is the place before which there are more, None when there are none; `since`
    is where a later look begins, so that nothing that was drawn goes away because something came.

    Each entry is `{"type": "message"|"note"|"event", "at": aware datetime, "item": object, "is_present": bool}`.
    """

    entries: list[dict[str, Any]]
    earlier: Place | None
    since: Place


def thread_of(
    user: User, interaction: Interaction, *, limit: int = 200, before: Place | None = None, since: Place | None = None
) -> Thread:
    """The newest `limit` entries of everything that passed with this person, those older than `before` if given.

    Messages, notes and events of this interaction and, when the patient is known, of all their visible interactions.
    With `since` everything from that place on, twice the limit at most: what is drawn once keeps its first entry, also
    when that was the very first one and the thread outgrows a page while somebody reads it.
    """
    size = 2 * limit if since else limit
    places = _places(related_interactions(user, interaction), size + 1, before, since)
    has_more = len(places) > size or (since is not None and since != BEGINNING)
    places = sorted(places[:size])
    found = _rows_at(places)
    return Thread(
        [
            {"type": KINDS[place.kind], "at": place.at, "item": row, "is_present": row.interaction_id == interaction.pk}
            for place in places
            if (row := found.get((place.kind, place.pk))) is not None
        ],
        places[0] if places and has_more else None,
        places[0] if places and has_more else BEGINNING,
    )


_LINE = " UNION ALL ".join(
    f"(SELECT {column} AS at, {kind} AS kind, id FROM {table} WHERE interaction_id = ANY(%(ids)s){{{KINDS[kind]}}}"  # noqa: S608
    f" ORDER BY {column} DESC, id DESC LIMIT %(size)s)"
    for kind, (table, column) in enumerate(
        zip(("inbox_timelineevent", "inbox_message", "inbox_note"), COLUMNS, strict=True)
    )
)


def _places(ids: list[int], size: int, before: Place | None, since: Place | None) -> list[Place]:
    """The newest places in the line, newest first: which entries a page shows is known before one of them is read."""
    values: dict[str, Any] = {"ids": ids, "size": size}
    limits = dict.fromkeys(KINDS, "")
    for place, sign in ((before, "<"), (since, ">=")):
        if place is not None:
            end = "before" if sign == "<" else "since"
            values |= {f"at_{end}": place.at, f"kind_{end}": place.kind, f"pk_{end}": place.pk}
            for kind, (name, column) in enumerate(zip(KINDS, COLUMNS, strict=True)):
                limits[name] += (
                    f" AND {column} {sign[0]}= %(at_{end})s"
                    f" AND ({column}, {kind}, id) {sign} (%(at_{end})s, %(kind_{end})s, %(pk_{end})s)"
                )
    line = f"{_LINE.format(**limits)} ORDER BY 1 DESC, 2 DESC, 3 DESC LIMIT %(size)s"
    return [Place(*row) for row in ask_planned(line, values)]


def _rows_at(places: list[Place]) -> dict[tuple[int, int], Any]:
    """The entries at these places by kind and id, with what drawing them needs. At most seven statements."""
    ids: list[list[int]] = [[place.pk for place in places if place.kind == kind] for kind in range(len(KINDS))]
    questions: tuple[Prepared[Any], ...] = (_events(), _messages(), _notes())
    events, messages, notes = (
        {row.pk: row for row in question.ask(ids[kind])} if ids[kind] else {} for kind, question in enumerate(questions)
    )
    give(messages, "attachments", "message_id", _attachments())
    give(notes, "mentions", "note_id", _mentions())
    give(notes, "files", "note_id", _note_files())
    return {(kind, pk): row for kind, rows in enumerate((events, messages, notes)) for pk, row in rows.items()}


# No more columns than are drawn: a mail's formatted text is long.
@planned
def _events() -> QuerySet[TimelineEvent]:
    """Of the ids 0."""
    people = [f"{who}__{name}" for who in ("actor", "to_user") for name in ("first_name", "last_name")]
    found = TimelineEvent.objects.filter(pk__any_of=Given(0)).select_related("actor", "to_user", "to_queue")
    return found.only("interaction_id", "kind", "detail", "to_queue__name", *people)


@planned
def _messages() -> QuerySet[Message]:
    """Of the ids 0."""
    found = Message.objects.filter(pk__any_of=Given(0)).select_related("author")
    return found.annotate(has_html=~Q(html="")).only(*DRAWN, *AUTHOR)


@planned
def _notes() -> QuerySet[Note]:
    """Of the ids 0."""
    found = Note.objects.filter(pk__any_of=Given(0)).select_related("author").order_by()
    return found.only("interaction_id", "body", *AUTHOR)


@planned
def _attachments() -> QuerySet[Attachment]:
    """Of the messages 0."""
    return Attachment.objects.filter(message__any_of=Given(0)).order_by("id")


@planned
def _mentions() -> QuerySet[Mention]:
    """Of the notes 0."""
    found = Mention.objects.filter(note__any_of=Given(0)).select_related("user").order_by()
    return found.only("note_id", "user__first_name", "user__last_name")


@planned
def _note_files() -> QuerySet[NoteFile]:
    """Of the notes 0."""
    return NoteFile.objects.filter(note__any_of=Given(0)).order_by("pk")
