"""The calendar files that go with the mails about a booked or moved visit."""

from datetime import timedelta

from django.utils import timezone
from django.utils.translation import override, pgettext

from inbox.adapters.events import OutboundFile
from scheduling.calendar_text import calendar_text
from scheduling.enums import ReminderKind
from scheduling.links import DAYS
from scheduling.models import Appointment, Reminder
from scheduling.selectors.calendars import mailed_entry
from scheduling.services.handing_over import language_of


def calendar_files(message_id: int) -> list[OutboundFile]:
    """A file for each visit that this message confirms, in order of time; none for other messages about visits.

    Two statements, and one for each move of a visit.
    """
    told = Reminder.objects.filter(message=message_id, kind=ReminderKind.BOOKED).values("appointment")
    visits = Appointment.objects.filter(pk__in=told).select_related("patient", "practitioner", "location")
    until = int((timezone.now() + timedelta(days=DAYS)).timestamp())
    return [_file(visit, number, until) for number, visit in enumerate(visits, start=1)]


def _file(visit: Appointment, number: int, until: int) -> OutboundFile:
    with override(language_of(visit.patient)):
        words = calendar_text([mailed_entry(visit, until=until)])
        name = pgettext("name of a file", "visit") + (f"-{number}" if number > 1 else "")
    return OutboundFile(f"{name}.ics", "application/ics", words.encode())
