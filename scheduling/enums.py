"""Words of scheduling (FHIR R4 where it has one)."""

from django.db.models import IntegerChoices, TextChoices
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class VisitMode(TextChoices):
    ON_SITE = "on_site", _("On site")
    PHONE = "phone", pgettext_lazy("way of visit", "By phone")
    VIDEO = "video", _("By video")


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


class AbsenceReason(TextChoices):
    LEAVE = "leave", _("Leave")
    SICKNESS = "sickness", _("Sickness")
    HOLIDAY = "holiday", _("Holiday")
    MEETING = "meeting", _("Meeting")
    MAINTENANCE = "maintenance", _("Maintenance")
    OTHER = "other", _("Something else")


class Weekday(IntegerChoices):
    """As `date.weekday()` counts; named as Django names days."""

    MONDAY = 0, WEEKDAYS[0]
    TUESDAY = 1, WEEKDAYS[1]
    WEDNESDAY = 2, WEEKDAYS[2]
    THURSDAY = 3, WEEKDAYS[3]
    FRIDAY = 4, WEEKDAYS[4]
    SATURDAY = 5, WEEKDAYS[5]
    SUNDAY = 6, WEEKDAYS[6]
