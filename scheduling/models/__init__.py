"""The tables of scheduling, one module per subject."""

from scheduling.models.absences import MassMove, MassMoveVisit
from scheduling.models.agenda import Absence, Schedule, WeeklyHours
from scheduling.models.appointments import Appointment, Occupancy
from scheduling.models.capacity import CapacityRules, FreedSlot, SlotOffer, WaitlistEntry
from scheduling.models.catalogue import HealthcareService, Location, Practitioner, Prerequisite, Room
from scheduling.models.groups import GroupSession
from scheduling.models.interfaces import CalendarFeed, ExternalCode, ExternalVisit
from scheduling.models.recovery import NoShowRecovery, RiskModel
from scheduling.models.reminders import Need, Reminder, VisitQuestion
from scheduling.models.series import AppointmentSeries

__all__ = [
    "Absence",
    "Appointment",
    "AppointmentSeries",
    "CalendarFeed",
    "CapacityRules",
    "ExternalCode",
    "ExternalVisit",
    "FreedSlot",
    "GroupSession",
    "HealthcareService",
    "Location",
    "MassMove",
    "MassMoveVisit",
    "Need",
    "NoShowRecovery",
    "Occupancy",
    "Practitioner",
    "Prerequisite",
    "Reminder",
    "RiskModel",
    "Room",
    "Schedule",
    "SlotOffer",
    "VisitQuestion",
    "WaitlistEntry",
    "WeeklyHours",
]
