"""What the desk does with it: conversations, cases, offers, and whom it tells."""

from django.db.models import IntegerChoices, TextChoices
from django.utils.translation import gettext_lazy as _


class Priority(IntegerChoices):
    URGENT = 1, _("Urgent")
    HIGH = 2, _("High")
    NORMAL = 3, _("Normal")
    LOW = 4, _("Low")


class InteractionStatus(TextChoices):
    BOT = "bot", _("With automation")
    QUEUED = "queued", _("Waiting")
    OFFERED = "offered", _("Offered")
    ACTIVE = "active", _("In progress")
    SNOOZED = "snoozed", _("Snoozed")
    WRAP_UP = "wrap_up", _("Wrap-up")
    CLOSED = "closed", _("Closed")
    ABANDONED = "abandoned", _("Abandoned")


DONE = [InteractionStatus.CLOSED, InteractionStatus.ABANDONED]
"""Nobody works on it any more."""
OPEN = [status for status in InteractionStatus if status not in DONE]
"""Somebody works on it or will. Lists ask for these by name: the planner knows how few they are, and of "not done" it
believes the opposite and starts parallel workers for a hundred rows."""


class CaseStatus(TextChoices):
    OPEN = "open", _("Open")
    WAITING = "waiting", _("Waiting")
    RESOLVED = "resolved", _("Resolved")
    CLOSED = "closed", _("Closed")


class TimelineKind(TextChoices):
    """What happened to an interaction besides messages and notes."""

    OPENED = "opened", _("Opened")
    TAKEN = "taken", _("Taken")
    ASSIGNED = "assigned", _("Assigned")
    RETURNED = "returned", _("Returned to queue")
    TRANSFERRED = "transferred", _("Transferred")
    LINKED = "linked", _("Linked to a patient")
    UNLINKED = "unlinked", _("Unlinked from a patient")
    WRAP_UP_STARTED = "wrap_up_started", _("Wrap-up started")
    CLOSED = "closed", _("Closed")
    REOPENED = "reopened", _("Reopened")
    OPTED_OUT = "opted_out", _("Opted out")
    OPTED_IN = "opted_in", _("Opted in again")
    ABANDONED = "abandoned", _("Abandoned")
    SNOOZED = "snoozed", _("Snoozed")
    WOKEN = "woken", _("Woken")
    MERGED = "merged", _("Merged")
    SPLIT = "split", _("Split")
    MOVED = "moved", _("Moved to another patient")
    TAGGED = "tagged", _("Tags changed")
    PRIORITY_CHANGED = "priority_changed", _("Priority changed")
    REASON_CHANGED = "reason_changed", _("Reason changed")
    UNMERGED = "unmerged", _("Merge undone")
    CASE_OPENED = "case_opened", _("Case opened")
    CASE_JOINED = "case_joined", _("Joined to a case")
    CASE_RESOLVED = "case_resolved", _("Case resolved")
    TASK_DONE = "task_done", _("Task done")
    IDENTITY_PASSED = "identity_passed", _("Identity confirmed")
    IDENTITY_FAILED = "identity_failed", _("Identity not confirmed")
    IDENTITY_LOCKED = "identity_locked", _("Identity check locked")
    IDENTITY_UNLOCKED = "identity_unlocked", _("Identity check unlocked")
    PATIENT_ASKED = "patient_asked", _("Asked which patient is meant")
    PATIENT_NAMED = "patient_named", _("Said which patient is meant")
    DEADLINE_MISSED = "deadline_missed", _("Deadline missed")
    ESCALATED = "escalated", _("Escalated")
    ACKNOWLEDGED = "acknowledged", _("Escalation acknowledged")
    SENT_BACK = "sent_back", _("Sent back to its team")


class NotificationKind(TextChoices):
    """Events a person can be told of."""

    ASSIGNED = "assigned", _("Work is assigned to me")
    NEW_WORK = "new_work", _("New work in my queues")
    PATIENT_REPLIED = "patient_replied", _("A patient answers in my conversation")
    MENTIONED = "mentioned", _("Somebody mentions me")
    SEND_FAILED = "send_failed", _("A message of mine could not be delivered")
    SNOOZE_ENDED = "snooze_ended", _("A snooze of mine ends")
    TASK_DUE = "task_due", _("A task or next step of mine is due")
    PROXY_ENDS = "proxy_ends", _("The right of a proxy ends")
    JOB_FINISHED = "job_finished", _("Long work of mine is finished")
    DEADLINE_NEAR = "deadline_near", _("A deadline is near")
    DEADLINE_MISSED = "deadline_missed", _("A deadline was missed")
    ESCALATED = "escalated", _("Work is escalated to my team, or comes back from another")
    LEFT_LYING = "left_lying", _("Work of my queues lies too long")
    SUPERVISED = "supervised", _("A supervisor changes my state or my work")
    GLASS_BROKEN = "glass_broken", _("Somebody opens a protected record")
    WRONG_PATIENT = "wrong_patient", _("Something was in the wrong patient's record")
    HELP_ASKED = "help_asked", _("An agent asks for help in a call")
    BEYOND_LIMIT = "beyond_limit", _("A queue of mine goes beyond a limit of the live board")
    COMPLAINT_GIVEN = "complaint_given", _("A complaint is given to me")
    COMPLAINT_ESCALATED = "complaint_escalated", _("A complaint is escalated, or its owner gives it back")


class WrongPatientReason(TextChoices):
    """How something came to the wrong patient's record."""

    SAME_NAME = "same_name", _("Two patients with much the same name")
    SHARED_ADDRESS = "shared_address", _("A phone or e-mail that several people use")
    WRONG_CHOICE = "wrong_choice", _("The wrong record was chosen")
    WRONG_DOCUMENT = "wrong_document", _("A document of somebody else was sent")
    OTHER = "other", _("Another reason")


class Sharing(TextChoices):
    """How the waiting work of a queue finds people; calls are offered in either."""

    PULL = "pull", _("People take the next one")
    PUSH = "push", _("Offered to whoever is free")


class OfferStatus(TextChoices):
    PENDING = "pending", _("Waiting for an answer")
    ACCEPTED = "accepted", _("Accepted")
    DECLINED = "declined", _("Declined")
    MISSED = "missed", _("Not answered")
    WITHDRAWN = "withdrawn", _("Withdrawn")


class DeclineReason(TextChoices):
    BUSY = "busy", _("I am in the middle of something")
    NOT_MINE = "not_mine", _("It is not for my team")
    LANGUAGE = "language", _("I do not speak the language")
    KNOWS_PERSON = "knows_person", _("I know this person")
    OTHER = "other", _("Another reason")


class EscalationWhy(TextChoices):
    OVERFLOW = "overflow", _("Waited too long")
    DEADLINE = "deadline", _("Missed its deadline")
    ASKED = "asked", _("Somebody asked for it")


class SupervisionReason(TextChoices):
    """Why a supervisor changes somebody's state or work. Fixed words: they stand where no patient may be named."""

    NO_ANSWER = "no_answer", _("Does not answer")
    SHIFT_OVER = "shift_over", _("The shift is over")
    NEEDED = "needed", _("Needed elsewhere")
    OVERLOADED = "overloaded", _("Too much at once")
    STUCK = "stuck", _("It is stuck")
    ASKED = "asked", _("They asked for it")
