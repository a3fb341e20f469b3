"""The trail of lists that name patients."""

from collections.abc import Iterable

from django.db import transaction

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record


def note_shown(*, actor: User, patient_ids: Iterable[int], what: str = "list") -> None:
    """Leave one SEARCHED entry with the records that a page names; none when it names nobody."""
    found = sorted(set(patient_ids))
    if found:
        with transaction.atomic():
            record(actor=actor, action=AuditAction.SEARCHED, object_type="patient", found=found, what=what)
