"""Words of scheduling (FHIR R4 where it has one)."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class VisitMode(TextChoices):
    ON_SITE = "on_site", _("On site")
    PHONE = "phone", pgettext_lazy("way of visit", "By phone")
    VIDEO = "video", _("By video")


class AgendaOf(TextChoices):
    """Whose agenda a calendar shows side by side."""

    PRACTITIONER = "practitioner", _("Practitioners")
    ROOM = "room", _("Rooms")
    SITE = "site", _("Sites")


class AppointmentStatus(TextChoices):
    """FHIR R4 `Appointment.status`."""

    PROPOSED = "proposed", _("Proposed")
    PENDING = "pending", _("Not settled yet")
    BOOKED = "booked", _("Booked")
    ARRIVED = "arrived", _("Arrived")
    CHECKED_IN = "checked-in", _("Checked in")
    FULFILLED = "fulfilled", _("Attended")
    CANCELLED = "cancelled", _("Cancelled")
    NOSHOW = "noshow", _("Did not come")
    WAITLIST = "waitlist", _("On the waitlist")
    ENTERED_IN_ERROR = "entered-in-error", _("Entered in error")


# A visit in one of these takes the practitioner's time.
OCCUPYING = (
    AppointmentStatus.PENDING,
    AppointmentStatus.BOOKED,
    AppointmentStatus.ARRIVED,
    AppointmentStatus.CHECKED_IN,
    AppointmentStatus.FULFILLED,
    AppointmentStatus.NOSHOW,
)


class Confirmation(TextChoices):
    UNCONFIRMED = "unconfirmed", _("Not confirmed")
    CONFIRMED = "confirmed", _("Confirmed")
    DECLINED = "declined", _("Declined")


class Party(TextChoices):
    """Who asked for a change."""

    PATIENT = "patient", _("The patient")
    PRACTITIONER = "practitioner", _("The practitioner")
    ORGANISATION = "organisation", _("The organisation")


class Every(TextChoices):
    """After what a visit comes again."""

    DAY = "day", pgettext_lazy("every so many", "days")
    WEEK = "week", pgettext_lazy("every so many", "weeks")


class AbsenceReason(TextChoices):
    LEAVE = "leave", _("Leave")
    SICKNESS = "sickness", _("Sickness")
    HOLIDAY = "holiday", _("Holiday")
    MEETING = "meeting", _("Meeting")
    MAINTENANCE = "maintenance", _("Maintenance")
    OTHER = "other", _("Something else")


class ReminderKind(TextChoices):
    """What a patient is told about a visit without anybody writing it, in the order of a visit's life."""

    BOOKED = "booked", _("When it is booked or moved")
    DAYS_7 = "days_7", _("Seven days before")
    PREPARATION = "preparation", _("How to prepare")
    DAYS_2 = "days_2", _("Two days before")
    DAY_1 = "day_1", _("The day before")
    MISSED = "missed", _("After a missed visit")
    THANKS = "thanks", _("Thanks after the visit")
    SURVEY = "survey", _("Question how it was")
    AGAIN = "again", _("Sent again by a person")


# These say when the visit is; of several that are due, the latest says it best.
ABOUT_TIME = (
    ReminderKind.BOOKED,
    ReminderKind.DAYS_7,
    ReminderKind.DAYS_2,
    ReminderKind.DAY_1,
    ReminderKind.AGAIN,
)
# These are planned when the visit has taken place or was missed; the others when it is booked.
AFTERWARDS = (ReminderKind.MISSED, ReminderKind.THANKS, ReminderKind.SURVEY)


class DropReason(TextChoices):
    """Why a planned reminder is not sent."""

    CANCELLED = "cancelled", _("The visit was cancelled or moved")
    CONFIRMED = "confirmed", _("The patient has confirmed")
    READ = "read", _("The patient has read how to prepare")
    OVERTAKEN = "overtaken", _("A later one says the same")
    TOO_LATE = "too_late", _("Its time is over")
    OTHERWISE = "otherwise", _("The visit went otherwise")
    NOT_WANTED = "not_wanted", _("The patient does not want such messages")
    NO_WAY = "no_way", _("There is no way to send it")


class Answer(TextChoices):
    """What a patient meant by a reply."""

    CONFIRM = "confirm", _("Will come")
    MOVE = "move", _("Wants another time")
    DECLINE = "decline", _("Cannot come")
    CANCEL = "cancel", _("Cancelled the visit")
    READ = "read", _("Has read how to prepare")
    RATED = "rated", _("Said how it was")
    UNCLEAR = "unclear", _("Wrote something that a person must read")


class NeedKind(TextChoices):
    """What must be arranged before a visit."""

    TRANSPORT = "transport", _("Transport")
    INTERPRETER = "interpreter", _("Interpreter")
    AUTHORISATION = "authorisation", _("Authorisation of the insurer")
    DOCUMENTS = "documents", _("Documents")


class LinkPurpose(TextChoices):
    """What one link of a patient is good for."""

    ANSWER = "a", _("Answer")
    MOVE = "m", _("Another time")
    CANCEL = "c", _("Cancel")
    CHECK_IN = "i", _("Check in")
    PREPARE = "p", _("Prepare")
    DIRECTIONS = "d", _("Directions")
    VIDEO = "v", _("Video visit")
    CALENDAR = "k", _("For a calendar")


class Urgency(TextChoices):
    """How much an earlier time matters, as the practice judged it."""

    ROUTINE = "routine", pgettext_lazy("urgency", "Routine")
    SOON = "soon", pgettext_lazy("urgency", "Soon")
    URGENT = "urgent", pgettext_lazy("urgency", "Urgent")


class WishEnd(TextChoices):
    """Why somebody is no longer on the waitlist."""

    BOOKED = "booked", _("Got a time")
    WITHDRAWN = "withdrawn", _("Does not want one any more")
    OVER = "over", _("The last day passed")


class Trigger(TextChoices):
    """What freed a time."""

    CANCELLED = "cancelled", _("A visit was cancelled")
    MOVED = "moved", _("A visit was moved")
    CASCADE = "cascade", _("Its patient took an earlier time from the waitlist")
    DISCARDED = "discarded", _("A visit was entered in error")


class FreedEnd(TextChoices):
    """Why a freed time is not offered any more."""

    FILLED = "filled", _("Filled from the waitlist")
    TAKEN = "taken", _("Taken in another way")
    CUT_OFF = "cut_off", _("Too near")
    NOBODY = "nobody", _("Nobody else on the waitlist fits")
    STOPPED = "stopped", _("Stopped by a person")


class OfferStatus(TextChoices):
    OFFERED = "offered", _("Offered")
    ACCEPTED = "accepted", _("Accepted")
    DECLINED = "declined", pgettext_lazy("offer", "Declined")
    EXPIRED = "expired", _("Not answered in time")
    WITHDRAWN = "withdrawn", _("Taken back")


class RecoveryStatus(TextChoices):
    """How far a missed visit has been made good."""

    OPEN = "open", _("To be told")
    CONTACTING = "contacting", _("Being contacted")
    REBOOKED = "rebooked", _("Booked again")
    RECOVERED = "recovered", _("Made good")
    DECLINED = "declined", pgettext_lazy("recovery", "Wants no new visit")
    UNREACHABLE = "unreachable", _("Not reached")
    EXPIRED = "expired", _("Over")
    VOID = "void", _("The visit was not missed")


class RecoveryPath(TextChoices):
    """A child does not miss a visit: somebody did not bring it."""

    MISSED = "missed", _("Did not come")
    NOT_BROUGHT = "not_brought", _("Was not brought")


class Barrier(TextChoices):
    """What kept a patient from coming."""

    TRANSPORT = "transport", _("No way to get here")
    COST = "cost", _("Cost")
    FEAR = "fear", _("Fear")
    FORGOT = "forgot", _("Forgot")
    PREPARATION = "preparation", _("The preparation was not clear")
    WORK = "work", _("Work or school")
    CARE = "care", _("Has to care for somebody")
    ILL = "ill", _("Was too ill")
    BETTER = "better", _("Felt better")
    LANGUAGE = "language", _("Did not understand us")
    UNAWARE = "unaware", _("Did not know of it")
    OTHER = "other", pgettext_lazy("barrier", "Something else")


class MoveState(TextChoices):
    """How far one visit of a mass move is."""

    WAITING = "waiting", _("Not told yet")
    TOLD = "told", _("Told, no new time yet")
    CALL = "call", _("To be called")
    MOVED = "moved", _("Has a new time")
    CANCELLED = "cancelled", pgettext_lazy("visit of a mass move", "Cancelled")
