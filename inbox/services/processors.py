"""The register of those who carry our messages."""

from collections.abc import Iterable
from datetime import date

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from inbox.models import Channel, Processor
from inbox.policies import can_register_processors


@transaction.atomic
def save_processor(
    *,
    actor: User,
    processor_id: int | None = None,
    name: str,
    region: str,
    agreement_date: date | None,
    may_carry_patient_data: bool,
    note: str = "",
    channels: Iterable[Channel] = (),
) -> Processor:
    """Write down a processor and which channels it carries. It carries health information only under an agreement.

    Raises PermissionDenied, Processor.DoesNotExist, ValidationError by field.
    """
    if not can_register_processors(actor):
        raise PermissionDenied
    found = Processor.objects.select_for_update().get(pk=processor_id) if processor_id else Processor()
    if may_carry_patient_data and agreement_date is None:
        raise ValidationError({"agreement_date": _("Without an agreement it may not carry health information.")})
    found.name, found.region, found.note = name.strip(), region.strip(), note.strip()
    found.agreement_date, found.may_carry_patient_data = agreement_date, may_carry_patient_data
    found.full_clean()
    found.save()
    wanted = [channel.pk for channel in channels]
    Channel.objects.filter(processor=found).exclude(pk__in=wanted).update(processor=None)
    Channel.objects.filter(pk__in=wanted).update(processor=found)
    action = AuditAction.CHANGED if processor_id else AuditAction.CREATED
    record(
        actor=actor, action=action, object_type="processor", object_id=found.pk, carries=may_carry_patient_data,
        channels=wanted,
    )  # fmt: skip
    return found
