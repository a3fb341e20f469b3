"""What a patient was told about a visit and what is planned, what they answered, and what must be arranged."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from inbox.enums import MessageStatus
from scheduling.enums import NeedKind
from scheduling.models import Appointment, Need, Reminder

TONES = {
    MessageStatus.SENT: "ok",
    MessageStatus.DELIVERED: "ok",
    MessageStatus.READ: "ok",
    MessageStatus.FAILED: "danger",
    MessageStatus.SUPPRESSED: "warn",
}


@dataclass(frozen=True, slots=True)
class Told:
    """One reminder as people read it; `state` in words, `tone` of its chip, `at` when it left or is to leave."""

    reminder: Reminder
    state: str
    tone: str
    at: datetime

    @property
    def answer(self) -> str:
        """What the patient meant, in words; empty without an answer."""
        row = self.reminder
        return f"{row.get_answer_display()}: {row.rating}" if row.rating else str(row.get_answer_display())


@dataclass(frozen=True, slots=True)
class NeedLine:
    """One kind of need of a visit; `need` is None where nobody asked for it."""

    kind: NeedKind
    need: Need | None

    @property
    def is_settled(self) -> bool:
        return self.need is not None and self.need.settled_at is not None


def told_about(appointment: Appointment) -> list[Told]:
    """Every reminder of this visit, in order of time. One query."""
    rows = Reminder.objects.filter(appointment=appointment).select_related("message__interaction", "reply", "asked_by")
    return [_told(row) for row in rows]


def _told(row: Reminder) -> Told:
    if row.dropped_at is not None:
        return Told(row, _("Not sent: %(why)s") % {"why": row.get_drop_reason_display()}, "", row.due_at)
    if row.message is None:
        return Told(row, _("Planned") if row.handed_at is None else _("Sent"), "", row.handed_at or row.due_at)
    message = row.message
    status = MessageStatus(message.status)
    words = f"{status.label} · {message.get_channel_kind_display()}"
    return Told(row, words, TONES.get(status, "accent"), message.sent_at or row.handed_at or row.due_at)


def needs_of(appointment: Appointment) -> list[NeedLine]:
    """What must be or is arranged, then the kinds nobody asked for. One query."""
    known = {row.kind: row for row in Need.objects.filter(appointment=appointment).select_related("settled_by")}
    lines = [NeedLine(kind, known.get(kind.value)) for kind in NeedKind]
    return sorted(lines, key=lambda line: line.need is None)
