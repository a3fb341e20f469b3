"""What happened to a conversation besides messages, in words."""

from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contact_center.common.moments import moment_words
from inbox.enums import ClockKind, EscalationWhy, Priority, TimelineKind
from inbox.models import TimelineEvent

SENTENCES_WITH_TARGET: dict[str, Any] = {
    TimelineKind.ASSIGNED: gettext_lazy("Assigned to %s"),
    TimelineKind.RETURNED: gettext_lazy("Returned to %s"),
    TimelineKind.TRANSFERRED: gettext_lazy("Moved to %s"),
}
SENTENCES: dict[str, Any] = {
    TimelineKind.OPENED: gettext_lazy("Opened"),
    TimelineKind.TAKEN: gettext_lazy("Taken"),
    TimelineKind.ASSIGNED: gettext_lazy("Assigned"),
    TimelineKind.RETURNED: gettext_lazy("Returned to the queue"),
    TimelineKind.TRANSFERRED: gettext_lazy("Moved"),
    TimelineKind.LINKED: gettext_lazy("Linked to the patient"),
    TimelineKind.UNLINKED: gettext_lazy("Unlinked from the patient"),
    TimelineKind.WRAP_UP_STARTED: gettext_lazy("Wrap-up started"),
    TimelineKind.CLOSED: gettext_lazy("Closed"),
    TimelineKind.REOPENED: gettext_lazy("Opened again"),
    TimelineKind.OPTED_OUT: gettext_lazy("Told us to stop writing"),
    TimelineKind.OPTED_IN: gettext_lazy("Allowed us to write again"),
    TimelineKind.ABANDONED: gettext_lazy("Left before an answer"),
    TimelineKind.WOKEN: gettext_lazy("Back from snooze"),
    TimelineKind.UNMERGED: gettext_lazy("Merge undone"),
    TimelineKind.MOVED: gettext_lazy("Moved here from another patient's record"),
    TimelineKind.CASE_RESOLVED: gettext_lazy("Case resolved"),
    TimelineKind.IDENTITY_PASSED: gettext_lazy("Identity confirmed"),
    TimelineKind.IDENTITY_FAILED: gettext_lazy("Identity not confirmed"),
    TimelineKind.IDENTITY_LOCKED: gettext_lazy("Identity check locked after too many attempts"),
    TimelineKind.IDENTITY_UNLOCKED: gettext_lazy("Identity check unlocked"),
    TimelineKind.PATIENT_ASKED: gettext_lazy("Asked which patient is meant"),
    TimelineKind.PATIENT_NAMED: gettext_lazy("Said which patient is meant"),
}


def event_sentence(event: TimelineEvent) -> str:
    """What happened, as one sentence without the actor (the template adds who did it)."""
    target = event.to_user or event.to_queue
    if target and event.kind in SENTENCES_WITH_TARGET:
        return str(SENTENCES_WITH_TARGET[event.kind]) % target
    sentence = SENTENCES.get(event.kind)
    return _told_with_detail(event) if sentence is None else str(sentence)


DEADLINE_SENTENCES: dict[str, Any] = {
    ClockKind.FIRST_RESPONSE: gettext_lazy("The first reply was due"),
    ClockKind.NEXT_RESPONSE: gettext_lazy("A reply was due"),
    ClockKind.RESOLUTION: gettext_lazy("It was to be resolved by now"),
}
TOLD_IN_WORDS = (
    *(TimelineKind.TRANSFERRED, TimelineKind.RETURNED, TimelineKind.ASSIGNED, TimelineKind.CLOSED),
    *(TimelineKind.ESCALATED, TimelineKind.SENT_BACK),
)


def event_words(event: TimelineEvent) -> str:
    """What the person who did it wrote about it; empty where the sentence says all."""
    if event.detail in EscalationWhy.values:
        return str(EscalationWhy(event.detail).label)
    return event.detail if event.kind in TOLD_IN_WORDS else ""


def event_other(event: TimelineEvent) -> str:
    """Number of the conversation that a merge or split leads to or came from; empty for other events."""
    number = event.detail.partition(":")[2]
    points = (TimelineKind.MERGED, TimelineKind.UNMERGED, TimelineKind.SPLIT)
    return number if event.kind in points and number.isdecimal() else ""


def _told_with_detail(event: TimelineEvent) -> str:
    way, _colon, number = event.detail.partition(":")
    values = {"detail": event.detail, "n": number}
    if event.kind == TimelineKind.SNOOZED:
        until = parse_datetime(event.detail)
        if until is None:
            return _("Snoozed until the patient answers")
        return _("Snoozed until %s") % moment_words(until)
    if event.kind == TimelineKind.PRIORITY_CHANGED:
        known = event.detail.isdecimal() and int(event.detail) in Priority.values
        return _("Priority: %s") % Priority(int(event.detail)).label if known else _("Priority changed")
    sentences: dict[str, str] = {
        TimelineKind.MERGED: _("Goes on in conversation %(n)s")
        if way == "into"
        else _("Joined with conversation %(n)s"),
        TimelineKind.SPLIT: _("Split off: conversation %(n)s") if way == "into" else _("Split from conversation %(n)s"),
        TimelineKind.TAGGED: _("Tags: %(detail)s"),
        TimelineKind.REASON_CHANGED: _("Reason: %(detail)s"),
        TimelineKind.CASE_OPENED: _("Case %(detail)s opened"),
        TimelineKind.CASE_JOINED: _("Joined to case %(detail)s"),
        TimelineKind.TASK_DONE: _("Done: %(detail)s"),
        TimelineKind.DEADLINE_MISSED: DEADLINE_SENTENCES.get(event.detail, ""),
    }
    known_sentence = sentences.get(event.kind)
    return known_sentence % values if known_sentence and event.detail else str(event.get_kind_display())
