"""Writes contacts between patients and the clinic as rows: one method per kind of row, all by COPY."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from contact_center.accounts.models import User
from contact_center.aurora.clinic import SITES
from contact_center.aurora.copying import Table, Writer
from contact_center.aurora.desk import CONSENT_TEXT, CONSENT_VERSION, FORMS, MAILBOX, SMS_NUMBER, WHATSAPP_NUMBER
from contact_center.aurora.people import Invented
from contact_center.aurora.setup import Desk
from contact_center.aurora.texts import SIGN_OFF, Script, circumstances, filled, form_of
from inbox.enums import (
    ChannelKind,
    Direction,
    EventKind,
    EventStatus,
    GateDecision,
    MessageKind,
    MessageStatus,
    TimelineKind,
)
from inbox.gate import GateReason
from inbox.models import (
    Attachment,
    Case,
    DeliveryReport,
    FormSubmission,
    Interaction,
    Message,
    Note,
    OptOut,
    TimelineEvent,
    WebhookEvent,
)
from inbox.services.gaps import inbound_key
from patients.enums import ContactScheme
from patients.models import Consent, ContactPoint, Patient, RelatedPerson

TWILIO = "twilio_messaging"
PROVIDERS = {
    ChannelKind.SMS: TWILIO,
    ChannelKind.WHATSAPP: TWILIO,
    ChannelKind.EMAIL: "email",
    ChannelKind.FORM: "form",
}
OURS = {ChannelKind.SMS: SMS_NUMBER, ChannelKind.WHATSAPP: WHATSAPP_NUMBER, ChannelKind.EMAIL: MAILBOX}
ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
# Tables in the order in which they may be written: whoever is pointed at comes first.
ORDER: tuple[Any, ...] = (
    Patient, ContactPoint, RelatedPerson, Consent, OptOut, Case, Interaction, Message, DeliveryReport, Attachment,
    Note, TimelineEvent, FormSubmission, WebhookEvent,
)  # fmt: skip


@dataclass(slots=True)
class Exchange:
    """One contact while it is being told: who, on which channel, about what, and when each word fell."""

    person: Invented
    kind: ChannelKind
    script: Script
    values: dict[str, str]
    agent: User
    queue: str
    moments: list[datetime]
    address: str
    scheme: str
    subject: str = ""
    thread: list[str] = field(default_factory=list)

    @property
    def turns(self) -> list[tuple[datetime, bool, str]]:
        """When, whether the patient spoke, and what."""
        spoken = zip(self.moments, self.script.turns, strict=False)
        return [(at, turn.is_patient, self.words(turn.text, is_patient=turn.is_patient)) for at, turn in spoken]

    def words(self, text: str, *, is_patient: bool) -> str:
        """A line of the script as it is written on this channel."""
        said = filled(text, self.values)
        if self.kind not in (ChannelKind.EMAIL, ChannelKind.FORM) or self.scheme != ContactScheme.EMAIL:
            return said
        if is_patient:
            return f"{said}\n\n{self.person.name}" if self.kind == ChannelKind.EMAIL else said
        return f"{said}\n\n{SIGN_OFF[self.person.language].format_map(self.values)}"


@dataclass(slots=True)
class Chronicle:
    """The tables being filled. `mirror` is what the simulated provider should remember of it."""

    desk: Desk
    rng: random.Random
    now: datetime
    ledger_since: datetime
    tables: dict[Any, Table] = field(default_factory=lambda: {model: Table(model) for model in ORDER})
    mirror: list[dict[str, Any]] = field(default_factory=list)
    writer: Writer = field(default_factory=Writer)

    def add(self, model: Any, **values: Any) -> int:
        """One row; returns its id."""
        return self.tables[model].add(**values)

    def flush(self) -> None:
        """Begin to write all rows kept so far, in an order that satisfies every foreign key."""
        self.writer.send(self.tables.values())

    def finish(self) -> None:
        """Write the rest and let the database count on. Raises psycopg2.Error when it refused a row."""
        self.flush()
        self.writer.wait()
        self.writer.close()
        for table in self.tables.values():
            if table.count:
                table.count_on()

    def hex(self) -> str:
        """32 hexadecimal digits."""
        return f"{self.rng.getrandbits(128):032x}"

    def reference(self, prefix: str) -> str:
        """A short reference that people can read out."""
        return f"{prefix}-" + "".join(self.rng.choices(ALPHABET, k=7))

    # ---- an exchange ----
    def exchange(
        self, person: Invented, kind: ChannelKind, script: Script, queue: str, moments: list[datetime]
    ) -> Exchange:
        """Choose an agent and fill in the circumstances."""
        agent = self.rng.choice(self.desk.staff_of(queue, person.language))
        values = circumstances(
            self.rng,
            person.language,
            first=person.first,
            site=person.site or SITES[0].name,
            agent=agent.first_name,
            is_male=person.gender == "male",
        )
        is_mail = kind == ChannelKind.EMAIL or (kind == ChannelKind.FORM and bool(person.email))
        address = person.email if is_mail else person.phone
        scheme = ContactScheme.EMAIL if is_mail else ContactScheme.PHONE
        subject = filled(script.subject, values) if kind == ChannelKind.EMAIL else ""
        if kind == ChannelKind.FORM:
            subject = FORM_TITLES[form_of(script)]
        return Exchange(
            person, kind, script, values, agent, queue, moments, address, scheme if address else "", subject
        )

    def interaction(self, told: Exchange, **values: Any) -> int:
        """The row of an exchange; `values` say how it stands. Thread key, times and texts come from the exchange."""
        words = told.turns
        first, last = told.moments[0], told.moments[-1]
        inbound = [at for at, is_patient, _ in words if is_patient]
        replies = [at for at, is_patient, _ in words if not is_patient]
        said = " ".join(words[-1][2].split()) if words else ""
        is_text = told.kind in (ChannelKind.SMS, ChannelKind.WHATSAPP)
        defaults = {
            "channel_id": self.desk.channels[told.kind],
            "channel_kind": told.kind,
            "thread_key": told.address if is_text else values.get("reference") or self.hex(),
            "contact_scheme": told.scheme,
            "contact_value": told.address,
            "contact_name": told.person.name if told.kind != ChannelKind.SMS else "",
            "patient_id": told.person.id,
            "is_contact_shared": told.person.is_shared and told.scheme == ContactScheme.PHONE,
            "queue_id": self.desk.queues[told.queue],
            "language": told.person.language,
            "subject": told.subject,
            "snippet": (f"{told.subject}: {said}" if told.subject else said)[:160],
            "opened_at": first,
            "last_message_at": last,
            "last_inbound_at": inbound[-1] if inbound else None,
            "first_reply_at": replies[0] if replies else None,
            "created_at": first,
            "updated_at": values.get("closed_at") or last,
        }
        return self.add(Interaction, **defaults | values)

    def say_all(self, told: Exchange, interaction_id: int) -> list[int]:
        """Every turn of the exchange as a message; returns the ids."""
        return [
            self.receive(told, interaction_id, at, text)
            if is_patient
            else self.send(told, interaction_id, at, text, **self.fate(told.kind, at))
            for at, is_patient, text in told.turns
        ]

    # ---- messages ----
    def receive(self, told: Exchange, interaction_id: int, at: datetime, text: str, **extra: Any) -> int:
        """One message from the patient."""
        kind = told.kind
        external_id = self._inbound_id(told)
        row: dict[str, Any] = {
            "public_id": self.hex(),
            "interaction_id": interaction_id,
            "channel_id": self.desk.channels[kind],
            "channel_kind": kind,
            "direction": Direction.INBOUND,
            "status": MessageStatus.RECEIVED,
            "address_scheme": told.scheme,
            "address": told.address,
            "subject": told.subject,
            "text": text,
            "occurred_at": at,
            "created_at": at,
            "updated_at": at,
            "provider": PROVIDERS[kind],
            "external_id": external_id,
            "purpose": "reply",
        }
        if kind == ChannelKind.EMAIL:
            row |= {"in_reply_to": told.thread[-1] if told.thread else "", "references": list(told.thread)}
            told.thread.append(external_id)
        message_id = self.add(Message, **row | extra)
        if PROVIDERS[kind] == TWILIO and at >= self.ledger_since:
            self._keep_event(told, message_id, external_id, at, text, extra)
        return message_id

    def _inbound_id(self, told: Exchange) -> str:
        if told.kind == ChannelKind.EMAIL:
            return f"{self.hex()[:20]}@{told.address.rpartition('@')[2]}"
        return f"SM{self.hex()}"

    def _keep_event(
        self, told: Exchange, message_id: int, sid: str, at: datetime, text: str, extra: dict[str, Any]
    ) -> None:
        prefix = "whatsapp:" if told.kind == ChannelKind.WHATSAPP else ""
        form = {"MessageSid": sid, "From": prefix + told.address, "To": prefix + OURS[told.kind], "Body": text}
        form |= {"NumMedia": "0", "ProfileName": told.person.name} if prefix else {"NumMedia": "0"}
        self.add(
            WebhookEvent,
            provider=TWILIO,
            kind=EventKind.MESSAGING,
            dedupe_key=inbound_key(sid),
            external_id=sid,
            status=EventStatus.PROCESSED,
            content_type="application/x-www-form-urlencoded",
            body=urlencode(form).encode(),
            received_at=at,
            processed_at=at + timedelta(milliseconds=90),
            attempts=1,
            message_id=message_id,
        )
        self._remember(told, sid, at, text, direction="inbound", status="received")

    def send(self, told: Exchange, interaction_id: int, at: datetime, text: str, **extra: Any) -> int:
        """One message to the patient; `extra` says how it ended. A form is answered by mail, else by text message."""
        kind = told.kind
        if kind == ChannelKind.FORM:
            kind = ChannelKind.EMAIL if told.scheme == ContactScheme.EMAIL else ChannelKind.SMS
        public_id = self.hex()
        is_mail = kind == ChannelKind.EMAIL
        external_id = f"m-{public_id}@{MAILBOX.rpartition('@')[2]}" if is_mail else f"SM{self.hex()}"
        row: dict[str, Any] = {
            "public_id": public_id,
            "interaction_id": interaction_id,
            "channel_id": self.desk.channels[kind],
            "channel_kind": kind,
            "direction": Direction.OUTBOUND,
            "author_id": told.agent.pk,
            "address_scheme": told.scheme,
            "address": told.address,
            "subject": f"Re: {told.subject}" if told.subject else "",
            "text": text,
            "occurred_at": at,
            "created_at": at,
            "updated_at": at,
            "provider": PROVIDERS[kind],
            "external_id": external_id,
            "gate_decision": GateDecision.SEND,
            "gate_reason": GateReason.ALLOWED,
            "attempts": 1,
            "purpose": "reply",
        }
        if is_mail:
            row |= {"in_reply_to": told.thread[-1] if told.thread else "", "references": list(told.thread)}
            told.thread.append(external_id)
        row |= extra
        message_id = self.add(Message, **row)
        if row["provider"] == TWILIO and row["external_id"] and at >= self.ledger_since:
            status = "undelivered" if row["status"] == MessageStatus.FAILED else row["status"]
            self._remember(told, external_id, at, text, kind=kind, direction="outbound-api", status=status)
        return message_id

    def fate(self, kind: ChannelKind, at: datetime) -> dict[str, Any]:
        """How a message ended, by chance: nearly always well."""
        luck = self.rng.random()
        sent = {"sent_at": at + timedelta(seconds=1)}
        delivered = sent | {"delivered_at": at + timedelta(seconds=4)}
        if kind in (ChannelKind.EMAIL, ChannelKind.FORM):
            return sent | {"status": MessageStatus.SENT}
        if luck < 0.02:
            code, why = self.rng.choice(FAILURES)
            failed = {"failed_at": at + timedelta(seconds=9), "error_code": code, "error_text": why}
            return sent | failed | {"status": MessageStatus.FAILED}
        if kind == ChannelKind.WHATSAPP and luck < 0.82:
            return delivered | {"status": MessageStatus.READ, "read_at": at + timedelta(minutes=2)}
        return delivered | {"status": MessageStatus.DELIVERED}

    def _remember(
        self, told: Exchange, sid: str, at: datetime, text: str, *, direction: str, status: str, kind: str = ""
    ) -> None:
        kind = kind or told.kind
        if kind not in OURS:
            return
        prefix = "whatsapp:" if kind == ChannelKind.WHATSAPP else ""
        theirs, ours = prefix + told.address, prefix + OURS[ChannelKind(kind)]
        sender, recipient = (theirs, ours) if direction == "inbound" else (ours, theirs)
        moment = at.timestamp()
        self.mirror.append(
            {"sid": sid, "direction": direction, "sender": sender, "recipient": recipient, "body": text}
            | {"status": status, "created": moment, "updated": moment, "sent": moment}
        )

    # ---- what else is written down ----
    def event(self, interaction_id: int, kind: TimelineKind, at: datetime, **values: Any) -> None:
        """One entry of the timeline."""
        self.add(TimelineEvent, interaction_id=interaction_id, kind=kind, at=at, **values)

    def note(self, interaction_id: int, author: User, at: datetime, body: str) -> None:
        """A private note."""
        self.add(Note, interaction_id=interaction_id, author_id=author.pk, body=body, created_at=at, updated_at=at)

    def submission(
        self, told: Exchange, interaction_id: int, reference: str, at: datetime, answers: list[dict[str, str]]
    ) -> None:
        """A web form as a message and as the answers it kept."""
        text = next(one["value"] for one in answers if one["key"] == "message")
        self.receive(told, interaction_id, at, text, kind=MessageKind.FORM, external_id=reference)
        self.add(
            FormSubmission,
            form_id=self.desk.forms[form_of(told.script)],
            interaction_id=interaction_id,
            reference=reference,
            answers=answers,
            consents=[{"key": "consent", "text": CONSENT_TEXT, "version": CONSENT_VERSION, "given": True}],
            submitted_at=at,
        )


FORM_TITLES = {form.slug: form.title for form in FORMS}


FAILURES = (
    ("30003", "The phone cannot be reached. It may be switched off."),
    ("30005", "This number does not exist or is no longer in service."),
    ("30006", "This is a landline or a number that takes no text messages."),
)
