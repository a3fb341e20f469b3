"""A submitted form becomes an interaction with a reference, an event in the ledger and a receipt."""

import hashlib
import json
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils import timezone

from inbox import realtime, signals
from inbox.enums import (
    Direction,
    EventKind,
    FieldRole,
    FieldType,
    MessageKind,
    MessageStatus,
    TimelineKind,
)
from inbox.keywords import fold
from inbox.models import (
    FormField,
    FormSubmission,
    Interaction,
    Message,
    TimelineEvent,
    WebForm,
    WebhookEvent,
)
from inbox.services import clocks, queue_rules
from inbox.services.assignment import hand_out_soon
from inbox.services.attachments import kept_with_rows, store_uploads
from inbox.services.interactions import new_reference
from inbox.services.ledger import accept_event
from inbox.services.receipts import acknowledge_form
from patients.models import Patient
from patients.selectors.people import match_patients


def submit_form(*, form: WebForm, answers: dict[str, Any], nonce: str) -> FormSubmission:
    """Store a validated submission, all or nothing, and queue the receipt; the same answers with the same `nonce` again
    give the first one. Other answers are another submission: somebody went back and wrote more.

    `answers` maps field keys to cleaned values; uploads are judged and kept like any attachment.
    """
    fields = list(form.fields.all())
    dedupe_key = f"{form.slug}:{nonce}:{digest_of(answers)}"
    with kept_with_rows(), realtime.atomic():
        event_id = accept_event(
            provider="form",
            kind=EventKind.FORM,
            dedupe_key=dedupe_key,
            content_type="application/json",
            body=json.dumps({key: _plain(value) for key, value in answers.items()}).encode(),
        )
        if event_id is None:
            known = FormSubmission.objects.filter(interaction__messages__events__dedupe_key=dedupe_key)
            return known.select_related("form").get()
        submission = _file(form, fields, answers)
        message = submission.interaction.messages.get()
        event = WebhookEvent.objects.select_for_update().get(pk=event_id)
        event.message, event.external_id = message, submission.reference
        event.complete()
        event.save()
        store_uploads(message, [value for value in answers.values() if hasattr(value, "read")])
        acknowledge_form(submission)
        signals.announce(signals.interaction_opened, interaction_id=submission.interaction_id)
        hand_out_soon()
        realtime.touch(
            realtime.interaction_topic(submission.interaction_id),
            realtime.queue_topic(submission.interaction.queue_id),
        )
        return submission


def digest_of(answers: dict[str, Any]) -> str:
    """A short digest of cleaned answers, files by their content: equal answers, equal digest."""
    digest = hashlib.sha256(json.dumps({key: _plain(value) for key, value in answers.items()}, sort_keys=True).encode())
    for _key, upload in sorted((key, value) for key, value in answers.items() if hasattr(value, "read")):
        for chunk in upload.chunks():
            digest.update(chunk)
        upload.seek(0)
    return digest.hexdigest()[:32]


def _file(form: WebForm, fields: list[FormField], answers: dict[str, Any]) -> FormSubmission:
    by_role = {field.role: answers.get(field.key) for field in fields if field.role and answers.get(field.key)}
    scheme, value = _address(by_role)
    patient, is_shared = _patient(scheme, value, by_role)
    reference = new_reference("F")
    name = " ".join(str(by_role[role]) for role in (FieldRole.GIVEN_NAME, FieldRole.FAMILY_NAME) if role in by_role)
    text = str(by_role.get(FieldRole.MESSAGE, "")).replace("\x00", "")
    now = timezone.now()
    interaction = Interaction(
        channel=form.channel,
        channel_kind=form.channel.kind,
        thread_key=reference,
        contact_scheme=scheme,
        contact_value=value,
        contact_name=name[:160],
        patient=patient,
        is_contact_shared=is_shared,
        queue=form.channel.queue,
        reason=form.reason,
        priority=form.priority,
        language=patient.language if patient else form.language,
        subject=form.title,
        reference=reference,
        snippet=f"{form.title}: {' '.join(text.split())}"[:160],
        unread_count=1,
        opened_at=now,
        last_message_at=now,
        last_inbound_at=now,
        waiting_since_at=now,
    )
    routed = queue_rules.direct(interaction)
    begun = clocks.advance(interaction, at=now)
    interaction.save(force_insert=True)
    clocks.keep(interaction, begun)
    queue_rules.keep_run(interaction, routed)
    Message(
        interaction=interaction,
        channel=form.channel,
        channel_kind=form.channel.kind,
        direction=Direction.INBOUND,
        kind=MessageKind.FORM,
        status=MessageStatus.RECEIVED,
        address_scheme=scheme,
        address=value,
        subject=form.title,
        text=text,
        provider="form",
        external_id=reference,
        occurred_at=now,
    ).save(force_insert=True)
    TimelineEvent.objects.create(interaction=interaction, kind=TimelineKind.OPENED, at=now, to_queue=interaction.queue)
    return FormSubmission.objects.create(
        form=form,
        interaction=interaction,
        reference=reference,
        answers=[_answer(field, answers.get(field.key)) for field in fields if field.type != FieldType.CONSENT],
        consents=[
            {
                "key": field.key,
                "text": field.consent_text,
                "version": field.consent_version,
                "given": bool(answers.get(field.key)),
            }
            for field in fields
            if field.type == FieldType.CONSENT
        ],
    )


def _answer(field: FormField, value: Any) -> dict[str, Any]:
    return {"key": field.key, "label": field.label, "type": field.type, "value": _plain(value)}


def _plain(value: Any) -> Any:
    if value is None:
        return ""
    if hasattr(value, "read"):
        return str(value.name)
    if isinstance(value, date | Decimal):
        return str(value)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.replace("\x00", "") if isinstance(value, str) else value


def _address(by_role: dict[str, Any]) -> tuple[str, str]:
    if FieldRole.EMAIL in by_role:
        return "email", str(by_role[FieldRole.EMAIL]).lower()
    if FieldRole.PHONE in by_role:
        return "phone", str(by_role[FieldRole.PHONE])
    return "", ""


def _patient(scheme: str, value: str, by_role: dict[str, Any]) -> tuple[Patient | None, bool]:
    """The one patient at this address whose family name or birth date agrees; anybody can type an address."""
    if not scheme:
        return None, False
    matches = match_patients(scheme, value)
    family, born = fold(str(by_role.get(FieldRole.FAMILY_NAME, ""))), by_role.get(FieldRole.BIRTH_DATE)
    agreeing = [
        patient
        for patient in matches
        if (family and fold(patient.family_name) == family) or (born and patient.birth_date == born)
    ]
    is_one = len(agreeing) == 1 and len(matches) == 1
    return (agreeing[0] if is_one else None), len(matches) > 1
