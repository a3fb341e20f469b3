"""What the duties do with the tables of visits; called from `ready()`."""

from patients import duties
from patients.duties import Table
from patients.enums import DataClass


def declare() -> None:
    """Declare every table of this app with a path to a patient."""
    duties.declare(
        Table("scheduling.Appointment", DataClass.RECORD, scrub={"note": "", "cancel_reason": "", "patient_words": ""}),
        Table("scheduling.AppointmentSeries", DataClass.RECORD, scrub={}),
        Table("scheduling.ExternalVisit", DataClass.RECORD),
        Table("scheduling.Occupancy", DataClass.RECORD, scrub={"held_from": ""}),
        Table("scheduling.Reminder", DataClass.RECORD, scrub={}),
        Table("scheduling.Need", DataClass.RECORD, scrub={"note": ""}),
        Table("scheduling.WaitlistEntry", DataClass.RECORD, scrub={"note": ""}),
        Table("scheduling.SlotOffer", DataClass.RECORD, scrub={"grounds": {}}),
        Table("scheduling.FreedSlot", DataClass.RECORD, scrub={}),
        Table("scheduling.NoShowRecovery", DataClass.RECORD, scrub={"note": ""}),
        Table("scheduling.MassMoveVisit", DataClass.RECORD, scrub={}),
        Table("scheduling.VisitQuestion", DataClass.WORKING),
    )
