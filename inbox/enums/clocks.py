"""Deadlines and hours."""

from django.db.models import IntegerChoices, TextChoices
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext_lazy as _


class ClockKind(TextChoices):
    """What a clock measures; each runs by itself."""

    FIRST_RESPONSE = "first_response", _("First reply")
    NEXT_RESPONSE = "next_response", _("Next reply")
    RESOLUTION = "resolution", _("Resolution")


class Counting(TextChoices):
    """Which time a policy's clocks count."""

    ALWAYS = "always", _("24 hours")
    QUEUE = "queue", _("Hours of the queue")
    CALENDAR = "calendar", _("Hours of one calendar")


class PauseState(TextChoices):
    """What can hold a clock; a policy declares which of these do."""

    AWAITING_PATIENT = "awaiting_patient", _("Waiting for the patient")
    SNOOZED = "snoozed", _("Snoozed")
    WRAP_UP = "wrap_up", _("In wrap-up")
    BOT = "bot", _("With automation")


class StopReason(TextChoices):
    """Why a clock ended without being met."""

    CHANGED = "changed", _("Other terms apply")
    CLOSED = "closed", _("Closed without a reply")
    MERGED = "merged", _("Goes on elsewhere")
    ABANDONED = "abandoned", _("The person left")
    MOVED = "moved", _("What it counted moved away")


class Weekday(IntegerChoices):
    """As `date.weekday()` counts; named as Django names days."""

    MONDAY = 0, WEEKDAYS[0]
    TUESDAY = 1, WEEKDAYS[1]
    WEDNESDAY = 2, WEEKDAYS[2]
    THURSDAY = 3, WEEKDAYS[3]
    FRIDAY = 4, WEEKDAYS[4]
    SATURDAY = 5, WEEKDAYS[5]
    SUNDAY = 6, WEEKDAYS[6]


class HoursState(TextChoices):
    """When a routing rule holds, by the hours of the channel's own queue."""

    ANY = "", _("At any time")
    OPEN = "open", _("While it is served")
    CLOSED = "closed", _("While it is closed")
