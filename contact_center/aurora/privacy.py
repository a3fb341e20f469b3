"""What Aurora owes its patients: who carries its channels, how long it keeps what, one hold and one request."""

from __future__ import annotations

from datetime import date

from contact_center.accounts.models import User
from contact_center.aurora.staff import DOMAIN
from inbox.enums import ChannelKind
from inbox.models import Channel, Processor
from patients.enums import DataClass, Sensitivity
from patients.models import ErasureRequest, LegalHold, Patient, RetentionRule

PROCESSORS = (
    (
        "Twilio",
        "United States",
        date(2025, 3, 3),
        True,
        (ChannelKind.SMS, ChannelKind.VOICE),
        "Health agreement signed",
    ),
    ("Meta through Twilio", "United States", None, False, (ChannelKind.WHATSAPP,), "Not part of the health agreement"),
    ("Mail of the clinic", "Miami, own server", date(2024, 11, 18), True, (ChannelKind.EMAIL, ChannelKind.FORM), ""),
)
RULES = ((DataClass.RAW_EVENTS, 365), (DataClass.WORKING, 90), (DataClass.FILES, 3650), (DataClass.MESSAGES, 3650))


def tell() -> None:
    """Write it down, as it stands in a clinic that does its duties."""
    admin = User.objects.get(email=f"admin@{DOMAIN}")
    supervisor = User.objects.get(email=f"supervisor@{DOMAIN}")
    for name, region, agreed, may_carry, kinds, note in PROCESSORS:
        processor = Processor.objects.create(
            name=name, region=region, agreement_date=agreed, may_carry_patient_data=may_carry, note=note
        )
        Channel.objects.filter(kind__in=kinds).update(processor=processor)
    for data_class, days in RULES:
        RetentionRule.objects.create(data_class=data_class, days=days, changed_by=admin)
    quiet = Patient.objects.filter(interactions=None, sensitivity=Sensitivity.NONE, deceased_date=None).order_by("pk")
    people = list(quiet[:1]) or list(Patient.objects.filter(sensitivity=Sensitivity.NONE).order_by("pk")[:1])
    others = Patient.objects.filter(sensitivity=Sensitivity.NONE).exclude(pk__in=[one.pk for one in people])
    for patient in people:
        ErasureRequest.objects.create(
            patient=patient, reason="By letter of last week, signed, identity checked", requested_by=supervisor
        )
    LegalHold.objects.create(
        patient=others.order_by("-pk").first(), data_classes=[DataClass.MESSAGES, DataClass.FILES], placed_by=admin,
        reason="Request of the patient's lawyer about a bill",
    )  # fmt: skip
