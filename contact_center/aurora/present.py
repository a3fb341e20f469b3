"""What waits at the desk right now: new, answered, snoozed and troubled conversations, and what nobody could read."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from contact_center.aurora.chronicle import TWILIO, Chronicle, Exchange
from contact_center.aurora.files import letter, picture
from contact_center.aurora.past import PRIORITY_OF, QUEUE_OF, form_answers
from contact_center.aurora.people import Invented
from contact_center.aurora.texts import Script, scripts
from inbox.enums import (
    AttachmentStatus,
    ChannelKind,
    EventKind,
    EventStatus,
    GateDecision,
    InteractionStatus,
    MessageKind,
    MessageStatus,
    TimelineKind,
)
from inbox.gate import GateReason
from inbox.models import Attachment, WebhookEvent
from patients.enums import Sensitivity

W, S, E, F = ChannelKind.WHATSAPP, ChannelKind.SMS, ChannelKind.EMAIL, ChannelKind.FORM
WAITING, ACTIVE = InteractionStatus.QUEUED, InteractionStatus.ACTIVE


class Situation(NamedTuple):
    """One open conversation: how far it went, whose it is, and what is special about it."""

    kind: ChannelKind
    reason: str
    turns: int
    minutes_ago: int
    status: InteractionStatus = WAITING
    owner: str = ""
    special: str = ""


SITUATIONS = (
    Situation(W, "booking", 1, 4),
    Situation(W, "rescheduling", 3, 38, ACTIVE, "agent"),
    Situation(S, "prescription", 1, 11),
    Situation(E, "billing", 1, 26),
    Situation(F, "complaint", 1, 39),
    Situation(W, "booking", 2, 64, ACTIVE, "agent"),
    Situation(W, "preparation", 1, 17, special="attachment"),
    Situation(S, "rescheduling", 1, 23, special="shared"),
    Situation(W, "authorisation", 3, 130, ACTIVE, "anita.desai", "attachment"),
    Situation(E, "results", 1, 31, special="letter"),
    Situation(W, "general", 1, 9, special="unknown"),
    Situation(S, "booking", 2, 52, ACTIVE, "agent", "failed"),
    Situation(W, "rescheduling", 2, 1900, ACTIVE, "agent"),
    Situation(S, "directions", 1, 7, special="shared"),
    Situation(E, "booking", 3, 420, ACTIVE, "daniel.ferreira"),
    Situation(W, "prescription", 2, 75, ACTIVE, "clinical"),
    Situation(F, "prescription", 1, 33),
    Situation(W, "directions", 1, 14, special="location"),
    Situation(S, "cancellation", 2, 41, ACTIVE, "agent", "suppressed"),
    Situation(W, "booking", 4, 300, InteractionStatus.WRAP_UP, "agent"),
    Situation(W, "authorisation", 2, 1300, InteractionStatus.SNOOZED, "victor.montero"),
    Situation(E, "records", 2, 640, InteractionStatus.SNOOZED, "agent"),
    Situation(S, "general", 1, 28, special="unknown"),
    Situation(W, "rescheduling", 1, 6),
    Situation(W, "results", 2, 88, ACTIVE, "marta.quiroga"),
    Situation(E, "complaint", 1, 71),
    Situation(S, "preparation", 3, 58, ACTIVE, "paulo.sarmento"),
    Situation(W, "cancellation", 2, 35, ACTIVE, "partner"),
    Situation(W, "booking", 1, 21),
    Situation(F, "general", 1, 19),
    Situation(S, "authorisation", 2, 180, ACTIVE, "claire.dubois", "failed"),
    Situation(W, "billing", 1, 47),
)


class Present:
    """Tells the conversations that are open now. Everybody in them has one at most."""

    def __init__(self, chronicle: Chronicle, people: list[Invented], *, busy_phones: set[str]) -> None:
        self.book = chronicle
        self.rng = chronicle.rng
        fit = [one for one in people if one.is_adult and one.is_writable and one.sensitivity == Sensitivity.NONE]
        fit = [one for one in fit if one.phone not in busy_phones]
        self.rng.shuffle(fit)
        self.shared = [one for one in fit if one.is_shared]
        self.single = [one for one in fit if not one.is_shared]
        self.used_phones: set[str] = set()

    def tell(self, count: int) -> int:
        """`count` open conversations, or as many as there are people for; returns how many."""
        told = 0
        for number in range(count):
            situation = SITUATIONS[number % len(SITUATIONS)]
            later = number // len(SITUATIONS)
            if later:  # the second round came a little later and lies with other people
                owner = situation.owner and self._colleague(situation.owner, number)
                minutes_ago = max(2, situation.minutes_ago * 2 // 3 - later)
                situation = situation._replace(minutes_ago=minutes_ago, owner=owner)
            person = self._person(situation)
            if person is None:
                break
            self._open(person, situation)
            told += 1
        self._unreadable()
        return told

    def _colleague(self, login: str, number: int) -> str:
        users = self.book.desk.users
        queue = next((key for key, staff in self.book.desk.serving.items() if users[login] in staff), None)
        staff = self.book.desk.serving[queue] if queue else [users[login]]
        chosen = staff[number % len(staff)]
        return next(name for name, user in users.items() if user.pk == chosen.pk)

    def _person(self, situation: Situation) -> Invented | None:
        pool = self.shared if situation.special == "shared" else self.single
        for index in range(len(pool) - 1, -1, -1):
            person = pool[index]
            has_way = person.email if situation.kind in (E, F) else person.phone
            if has_way and (not person.phone or person.phone not in self.used_phones):
                self.used_phones.add(person.phone)
                return pool.pop(index)
        return None

    def _open(self, person: Invented, situation: Situation) -> None:
        known = scripts(person.language)[situation.reason]
        whole = self.rng.choice([one for one in known if len(one.turns) >= situation.turns] or known)
        script = whole._replace(turns=whole.turns[: situation.turns])
        if situation.special == "unknown":
            person = self._stranger(person)
        elif situation.special == "shared":
            person = replace(person, id=None)  # type: ignore[arg-type]
        start = self.book.now - timedelta(minutes=situation.minutes_ago, seconds=self.rng.randrange(60))
        told = self.book.exchange(
            person, situation.kind, script, QUEUE_OF[situation.reason], self._spread(start, script)
        )
        if situation.owner:
            told.agent = self.book.desk.users[situation.owner]
            told.values["agent"] = told.agent.first_name
        reference = self.book.reference("F") if situation.kind == F else ""
        interaction_id = self.book.interaction(told, reference=reference, **self._standing(told, situation))
        self._words(told, situation, interaction_id, reference)
        self._trace(told, situation, interaction_id)

    def _spread(self, start: datetime, script: Script) -> list[datetime]:
        room = (self.book.now - start).total_seconds()
        return [start + timedelta(seconds=room * 0.8 * index / len(script.turns)) for index in range(len(script.turns))]

    def _stranger(self, person: Invented) -> Invented:
        unknown = f"+1305555{self.rng.randrange(10_000):04d}"
        return replace(person, id=None, phone=unknown, is_shared=False)  # type: ignore[arg-type]

    def _standing(self, told: Exchange, situation: Situation) -> dict[str, Any]:
        desk, turns = self.book.desk, told.script.turns
        waits = turns[-1].is_patient or situation.special == "attachment"
        values: dict[str, Any] = {
            "status": situation.status,
            "owner_id": told.agent.pk if situation.owner else None,
            "unread_count": sum(1 for turn in turns if turn.is_patient) if not situation.owner else int(waits),
            "waiting_since_at": next(
                (at for at, turn in zip(reversed(told.moments), reversed(turns), strict=True) if turn.is_patient), None
            )
            if waits
            else None,
            "priority": PRIORITY_OF[situation.reason] if situation.owner or situation.kind == F else 3,
            "reason_id": desk.reasons[situation.reason] if situation.owner or situation.kind == F else None,
        }
        if situation.special in ("unknown", "shared"):
            values |= {"patient_id": None, "language": "" if situation.special == "unknown" else told.person.language}
        if situation.special == "unknown" and situation.kind == S:
            values["contact_name"] = ""
        if situation.status == InteractionStatus.SNOOZED:
            values |= {
                "snoozed_until_at": self.book.now + timedelta(hours=20),
                "waiting_since_at": None,
                "unread_count": 0,
            }
        if situation.status == InteractionStatus.WRAP_UP:
            values |= {"waiting_since_at": None, "unread_count": 0}
        return values

    def _words(self, told: Exchange, situation: Situation, interaction_id: int, reference: str) -> None:
        last_at = told.turns[-1][0]
        for at, is_patient, text in told.turns:
            if told.kind == F:
                answers = form_answers(told, text)
                self.book.submission(told, interaction_id, reference, at, answers)
            elif is_patient:
                extra = LOCATION if situation.special == "location" else {}
                self.book.receive(told, interaction_id, at, text, **extra)
            elif at == last_at:
                self.book.send(told, interaction_id, at, text, **self._trouble(situation, told.kind, at))
            else:
                self.book.send(told, interaction_id, at, text, **self.book.fate(told.kind, at))
        after = last_at + timedelta(seconds=40)
        if situation.special == "attachment":
            self._file(
                told, interaction_id, after, "insurance-card.png", "image/png", picture(320, 200, (126, 170, 206))
            )
        elif situation.special == "letter":
            page = letter(
                ["Aurora Health", "", "Referral letter", f"For: {told.person.name}", "Please see attached request."]
            )
            self._file(told, interaction_id, after, "referral.pdf", "application/pdf", page)

    def _trouble(self, situation: Situation, kind: ChannelKind, at: datetime) -> dict[str, Any]:
        """How the clinic's last word ended."""
        if situation.special == "failed":
            why = {"error_code": "30003", "error_text": "The phone cannot be reached. It may be switched off."}
            return why | {"status": MessageStatus.FAILED, "sent_at": at, "failed_at": at + timedelta(seconds=9)}
        if situation.special == "suppressed":
            gate = {"gate_decision": GateDecision.SUPPRESS, "gate_reason": GateReason.OPTED_OUT}
            return gate | {"status": MessageStatus.SUPPRESSED, "external_id": "", "attempts": 0}
        return self.book.fate(kind, at)

    def _file(self, told: Exchange, interaction_id: int, at: datetime, name: str, type_: str, content: bytes) -> None:
        message_id = self.book.receive(told, interaction_id, at, "", kind=MessageKind.MEDIA)
        path = default_storage.save(f"attachments/{at:%Y/%m}/{self.book.hex()}", ContentFile(content))
        self.book.add(
            Attachment, message_id=message_id, name=name, content_type=type_, size=len(content), file=path,
            status=AttachmentStatus.CLEAN, attempts=1, created_at=at, updated_at=at,
        )  # fmt: skip

    def _trace(self, told: Exchange, situation: Situation, interaction_id: int) -> None:
        first = told.moments[0]
        self.book.event(interaction_id, TimelineKind.OPENED, first, to_queue_id=self.book.desk.queues[told.queue])
        if not situation.owner:
            return
        taken_at = first + (told.moments[min(1, len(told.moments) - 1)] - first) * 0.7
        self.book.event(interaction_id, TimelineKind.TAKEN, taken_at, actor_id=told.agent.pk)
        if told.script.note and situation.turns > 1:
            self.book.note(interaction_id, told.agent, taken_at, told.script.note.format_map(told.values))
        last = told.moments[-1] + timedelta(seconds=30)
        if situation.status == InteractionStatus.SNOOZED:
            self.book.event(interaction_id, TimelineKind.SNOOZED, last, actor_id=told.agent.pk)
        elif situation.status == InteractionStatus.WRAP_UP:
            self.book.event(interaction_id, TimelineKind.WRAP_UP_STARTED, last, actor_id=told.agent.pk)

    def _unreadable(self) -> None:
        """Three events in quarantine, with their raw source."""
        misdirected = {"MessageSid": f"SM{self.book.hex()}", "From": "+13055550171", "To": "+15005550142"}
        misdirected |= {"Body": "Is this the number of the clinic?", "NumMedia": "0"}
        form_type = "application/x-www-form-urlencoded"
        events = (
            (TWILIO, EventKind.MESSAGING, form_type, urlencode(misdirected).encode(),
             "No channel of ours has this recipient.", 190),
            (TWILIO, EventKind.MESSAGE_STATUS, form_type, b"MessageStatus=delivered&From=%2B15005550100",
             "The event has no message id.", 75),
            ("email", EventKind.EMAIL, "message/rfc822",
             b"From: Old Fax Gateway <fax@gateway.example>\r\nTo: records@old-clinic.example\r\n"
             b"Subject: Fax 0042\r\nMessage-ID: <fax-0042@gateway.example>\r\n\r\nPage 1 of 1\r\n",
             "No channel of ours has this recipient.", 410),
        )  # fmt: skip
        for provider, kind, content_type, body, why, minutes in events:
            self.book.add(
                WebhookEvent, provider=provider, kind=kind, dedupe_key=f"demo:{self.book.hex()}", body=body,
                status=EventStatus.QUARANTINED, content_type=content_type, error=why, attempts=1,
                received_at=self.book.now - timedelta(minutes=minutes),
            )  # fmt: skip


LOCATION: dict[str, Any] = {
    "kind": MessageKind.LOCATION,
    "payload": {"latitude": 25.7617, "longitude": -80.1918, "label": "Brickell Metromover", "address": ""},
}
