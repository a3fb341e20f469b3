"""Results and authorisations that are waited for, until the patient was told."""

from datetime import date

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.common.errors import Refused
from patients.enums import PendingKind, PendingStatus
from patients.models import PendingResult
from patients.services.care import clean, conclude
from patients.services.locking import lock_patient, lock_row

VERBS = {"arrive": PendingStatus.WAITING, "tell": PendingStatus.ARRIVED, "cancel": None}


@transaction.atomic
def add_pending(
    *,
    actor: User,
    patient_id: int,
    kind: str,
    title: str,
    expected_date: date,
    requested_date: date | None = None,
    owner: User | None = None,
) -> PendingResult:
    """Wait for a result or an authorisation, with somebody who looks after it. `title` says what was asked for, never
    what came out. Raises ValidationError (by field), PermissionDenied, Patient.DoesNotExist."""
    if kind not in PendingKind.values:
        raise ValidationError({"kind": _("Choose a result or an authorisation.")})
    requested = requested_date or timezone.localdate()
    if requested > timezone.localdate():
        raise ValidationError({"requested_date": _("Enter a date that is not in the future.")})
    if expected_date < requested:
        raise ValidationError({"expected_date": _("Enter a day that is not before the request.")})
    patient = lock_patient(actor, patient_id)
    pending = PendingResult(
        patient=patient, kind=kind, title=title, requested_date=requested, expected_date=expected_date,
        owner=owner or actor,
    )  # fmt: skip
    clean(pending, {"patient", "owner"})
    pending.save()
    conclude(actor, AuditAction.CREATED, pending, patient, kind=kind)
    return pending


@transaction.atomic
def move_pending(*, actor: User, pending_id: int, verb: str) -> PendingResult:
    """`arrive`: it is here; `tell`: the patient knows; `cancel`: nobody waits for it any more.

    Raises Refused where its state does not allow that, PermissionDenied, PendingResult.DoesNotExist.
    """
    pending = lock_row(PendingResult, actor, pending_id)
    if verb not in VERBS:
        raise Refused(_("Choose what happened."))
    transition = getattr(pending, verb)
    needed = VERBS[verb]
    is_open = pending.status in (PendingStatus.WAITING, PendingStatus.ARRIVED)
    if not is_open or (needed is not None and pending.status != needed):
        raise Refused(_("That is not possible any more; somebody was faster. Look at it as it is now."))
    transition()
    pending.save()
    conclude(actor, AuditAction.CHANGED, pending, pending.patient, status=pending.status)
    return pending


@transaction.atomic
def change_pending(*, actor: User, pending_id: int, owner: User | None, expected_date: date) -> PendingResult:
    """Somebody else looks after it, or it comes on another day. Raises ValidationError at `expected_date`, Refused
    when nobody waits for it, PermissionDenied, PendingResult.DoesNotExist."""
    pending = lock_row(PendingResult, actor, pending_id)
    if pending.status not in (PendingStatus.WAITING, PendingStatus.ARRIVED):
        raise Refused(_("Nobody waits for this any more."))
    if expected_date < pending.requested_date:
        raise ValidationError({"expected_date": _("Enter a day that is not before the request.")})
    pending.owner, pending.expected_date = owner, expected_date
    pending.save()
    conclude(actor, AuditAction.CHANGED, pending, pending.patient, fields=["owner", "expected_date"])
    return pending
