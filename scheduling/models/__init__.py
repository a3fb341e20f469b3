"""The tables of scheduling, one module per subject."""

from scheduling.models.agenda import Absence, Schedule, WeeklyHours
from scheduling.models.appointments import Appointment, Occupancy
from scheduling.models.catalogue import HealthcareService, Location, Practitioner, Room
from scheduling.models.reminders import Need, Reminder, VisitQuestion

__all__ = [
    "Absence",
    "Appointment",
    "HealthcareService",
    "Location",
    "Need",
    "Occupancy",
    "Practitioner",
    "Reminder",
    "Room",
    "Schedule",
    "VisitQuestion",
    "WeeklyHours",
]
