"""What the duties do with the tables of visits; called from `ready()`."""

from patients import duties
from patients.duties import Table
from patients.enums import DataClass


def declare() -> None:
    """Declare every table of this app with a path to a patient."""
    duties.declare(
        Table("scheduling.Appointment", DataClass.RECORD, scrub={"note": "", "cancel_reason": ""}),
        Table("scheduling.Occupancy", DataClass.RECORD, scrub={}),
    )
