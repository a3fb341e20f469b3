"""Opening complaints, which leaves its entry; and the way to a protected one for who knows its number."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _

from complaints.enums import ComplaintProtection
from complaints.models import Complaint
from complaints.policies import can_handle
from complaints.selectors import get_complaint_for
from complaints.services.concluding import seal_of
from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from contact_center.common.errors import Refused
from patients.enums import Sensitivity
from patients.models import BreakGlass
from patients.policies import can_break_glass
from patients.selectors.access import open_glass
from patients.services import glass


@transaction.atomic
def open_complaint(*, actor: User, complaint_id: int) -> Complaint:
    """The whole complaint for the eyes of `actor`, leaving one VIEWED entry, which names the grant by which a
    protected one was opened. Raises Complaint.DoesNotExist, also when it is hidden."""
    complaint = get_complaint_for(actor, complaint_id)
    is_by_right = not complaint.is_protected or complaint.owner_id == actor.pk or can_handle(actor)
    grant = None if is_by_right or complaint.patient_id is None else open_glass(actor, complaint.patient_id)
    under: dict[str, Any] = seal_of(complaint) | ({"glass": grant.pk} if grant else {})
    record(
        actor=actor, action=AuditAction.VIEWED, object_type="complaint", object_id=complaint.pk,
        patient_id=complaint.patient_id, **under,
    )  # fmt: skip
    return complaint


@transaction.atomic
def break_glass_by_reference(*, actor: User, reference: str, reason: str) -> tuple[BreakGlass, Complaint]:
    """Open the protected complaint of this number for an hour, with what else is sealed of its patient; the privacy
    officers are told. The patient gave the number: no list shows it.

    A protected patient's is opened through the record. Raises PermissionDenied, ValidationError at `reason`, and
    Refused alike for what does not exist, what is not protected, and what speaks of the actor.
    """
    if not can_break_glass(actor):
        raise PermissionDenied
    glass.require_reason(reason)
    found = (
        Complaint.objects.exclude(protection=ComplaintProtection.NONE)
        .exclude(about_staff=actor)
        .select_related("patient")
    )
    complaint = found.filter(reference=reference.strip().upper(), patient__sensitivity=Sensitivity.NONE).first()
    if complaint is None or complaint.patient is None:
        raise Refused(_("No protected complaint has this number."))
    return glass.break_glass_on(actor=actor, patient=complaint.patient, reason=reason), complaint
