"""What the duties do with complaints; called from `ready()`."""

from collections.abc import Collection

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from complaints.enums import OVER, Complainant, ComplaintProtection
from complaints.models import Complaint
from patients import duties
from patients.duties import Table
from patients.enums import DataClass

OWN = Q(protection=ComplaintProtection.NONE) | Q(complainant=Complainant.PATIENT)
"""A protected complaint of somebody else is not the patient's to have."""


def declare() -> None:
    """Declare every table of this app with a path to a patient. Erased complaints stay for the figures."""
    of_events = Q(complaint__protection=ComplaintProtection.NONE) | Q(complaint__complainant=Complainant.PATIENT)
    texts = {"words": "", "wanted": "", "complainant_name": "", "next_step": "", "response": "", "relative": None}
    over, over_events = Q(status__in=OVER), Q(complaint__status__in=OVER)
    duties.declare(
        Table("complaints.Complaint", DataClass.COMPLAINTS, scrub=texts, moment="closed_at", expires=over, given=OWN),
        Table(
            "complaints.ComplaintEvent", DataClass.COMPLAINTS, scrub={"note": ""}, moment="complaint__closed_at",
            expires=over_events, given=of_events,
        ),
    )  # fmt: skip
    duties.declare_obstacle("complaints", _open_complaints)
    duties.declare_kept_back("complaint", _secrets_of_others)


def _secrets_of_others(patient_ids: Collection[int]) -> QuerySet[Complaint, int]:
    """Protected complaints but for those that these patients made themselves."""
    found = Complaint.objects.exclude(protection=ComplaintProtection.NONE).order_by()
    return found.exclude(complainant=Complainant.PATIENT, patient__in=list(patient_ids)).values_list("pk", flat=True)


def _open_complaints(patient_ids: Collection[int]) -> str:
    is_open = Complaint.objects.filter(patient__in=list(patient_ids)).exclude(status__in=OVER).exists()
    return _("Close the open complaints first.") if is_open else ""
