"""Ninety days of contacts that are over: on every channel, in three languages, each with its outcome."""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import accumulate, pairwise
from typing import Any

from django.utils import timezone

from contact_center.aurora.chronicle import Chronicle, Exchange
from contact_center.aurora.clinic import REASON_WEIGHTS, SITES
from contact_center.aurora.desk import DISPOSITIONS, REASONS
from contact_center.aurora.people import Invented
from contact_center.aurora.texts import DAYS, TIMES, Script, scripts
from inbox.enums import (
    CaseStatus,
    ChannelKind,
    Direction,
    InteractionStatus,
    MessageKind,
    MessagePurpose,
    MessageStatus,
    TimelineKind,
)
from inbox.models import Case, OptOut

DAYS_BACK = 90
PER_PATIENT = 10
HOUR_WEIGHTS = (1, 1, 1, 1, 1, 1, 2, 5, 11, 13, 13, 11, 9, 9, 10, 10, 9, 6, 4, 4, 3, 2, 2, 1)
WEEKDAY_WEIGHTS = (1.3, 1.1, 1.05, 1.05, 1.0, 0.45, 0.2)
QUEUE_OF = {reason.code: reason.queue for reason in REASONS}
PRIORITY_OF = {reason.code: reason.priority for reason in REASONS}
RESOLVED = {code for code, _, is_resolved in DISPOSITIONS if is_resolved}
CHANNEL_WEIGHTS = {
    ChannelKind.WHATSAPP: 40,
    ChannelKind.SMS: 24,
    ChannelKind.VOICE: 14,
    ChannelKind.EMAIL: 14,
    ChannelKind.FORM: 8,
}
# Median minutes until the clinic, and until the patient, writes again.
PACE = {
    ChannelKind.WHATSAPP: (9, 5),
    ChannelKind.SMS: (12, 6),
    ChannelKind.EMAIL: (140, 95),
    ChannelKind.FORM: (180, 90),
}


def moments(count: int, rng: random.Random, since: datetime, until: datetime) -> Iterator[datetime]:
    """`count` moments in order, thick in working hours and thin on Sundays.

    Which contact comes first depends on `rng` alone, never on the day this runs; only the clock times do.
    """
    hours = int((until - since).total_seconds() // 3600)
    starts = [since + timedelta(hours=hour) for hour in range(hours)]
    local = [timezone.localtime(start) for start in starts]
    sums = list(accumulate(HOUR_WEIGHTS[at.hour] * WEEKDAY_WEIGHTS[at.weekday()] for at in local))
    position, gaps = 0.0, [rng.expovariate(1) for _ in range(count + 1)]
    total = sum(gaps)
    for gap in gaps[:-1]:
        position += gap
        wanted = position / total * sums[-1]
        hour = min(bisect_right(sums, wanted), hours - 1)
        before = sums[hour - 1] if hour else 0.0
        yield starts[hour] + timedelta(hours=(wanted - before) / (sums[hour] - before))


class Past:
    """Tells one finished contact after the other, oldest first."""

    def __init__(self, chronicle: Chronicle, people: list[Invented]) -> None:
        self.book = chronicle
        self.rng = chronicle.rng
        self.until = chronicle.now - timedelta(minutes=20)
        self.opted_out: set[str] = set()
        self.open_cases: dict[int, tuple[int, str]] = {}
        self.reason_codes, self.reason_weights = list(REASON_WEIGHTS), list(accumulate(REASON_WEIGHTS.values()))
        self.people = [person for person in people if person.deceased_days_ago is None]
        # Some people contact the clinic often, most now and then.
        self.people_weights = list(accumulate(self.rng.lognormvariate(0, 0.6) for _ in self.people))

    def tell(self, at: datetime) -> None:
        """One contact of somebody that began at `at`, with everything it left behind."""
        person = self.rng.choices(self.people, cum_weights=self.people_weights)[0]
        chance = self.rng.random()
        if chance < 0.07 and person.phone and person.is_writable and person.phone not in self.opted_out:
            self._reminder(person, at)
            return
        if chance < 0.074 and person.phone and person.phone not in self.opted_out:
            self._stop(person, at)
            return
        reason = self.rng.choices(self.reason_codes, cum_weights=self.reason_weights)[0]
        known = scripts(person.language)[reason]
        weights = [4 if one.disposition in RESOLVED else 1 for one in known]  # most is settled at once
        script = self.rng.choices(known, weights)[0]
        kind = self._channel(person)
        if kind == ChannelKind.VOICE:
            self._call(person, script, at)
        else:
            self._written(person, kind, script, at)

    def _channel(self, person: Invented) -> ChannelKind:
        kinds = [kind for kind in CHANNEL_WEIGHTS if kind == ChannelKind.VOICE or self._can_write(person, kind)]
        return self.rng.choices(kinds, [CHANNEL_WEIGHTS[kind] for kind in kinds])[0]

    def _can_write(self, person: Invented, kind: ChannelKind) -> bool:
        if kind == ChannelKind.EMAIL:
            return bool(person.email)
        is_out = person.phone in self.opted_out
        if kind == ChannelKind.FORM:
            return bool(person.email) or (bool(person.phone) and not is_out)
        return bool(person.phone) and not (kind == ChannelKind.SMS and is_out)

    def _written(self, person: Invented, kind: ChannelKind, script: Script, at: datetime) -> None:
        queue = QUEUE_OF[script.reason] if self.rng.random() > 0.06 or script.reason == "complaint" else "after-hours"
        told = self.book.exchange(person, kind, script, queue, self._pace(kind, script, at))
        if self.rng.random() < 0.008:
            self._abandoned(told)
            return
        closed_at = self._later(told.moments[-1], 12)
        values = self._outcome(told, closed_at)
        reference = self.book.reference("F") if kind == ChannelKind.FORM else ""
        interaction_id = self.book.interaction(told, reference=reference, **values)
        if kind == ChannelKind.FORM:
            self._submitted(told, interaction_id, reference)
        else:
            self.book.say_all(told, interaction_id)
        self._trace(told, interaction_id, closed_at)

    def _pace(self, kind: ChannelKind, script: Script, at: datetime) -> list[datetime]:
        ours, theirs = PACE[kind]
        gaps = [0.0] + [
            (theirs if after.is_patient else ours) * self.rng.lognormvariate(0, 0.8)
            for _, after in pairwise(script.turns)
        ]
        room = max(1.0, (self.until - at).total_seconds() / 60)
        squeeze = min(1.0, room / (sum(gaps) + 60))
        return [at + timedelta(minutes=minutes * squeeze) for minutes in accumulate(gaps)]

    def _later(self, at: datetime, median_minutes: float) -> datetime:
        return min(at + timedelta(minutes=median_minutes * self.rng.lognormvariate(0, 0.6)), self.until)

    def _outcome(self, told: Exchange, closed_at: datetime) -> dict[str, Any]:
        script, desk = told.script, self.book.desk
        is_open = script.disposition not in RESOLVED
        pending = self.open_cases.pop(told.person.number, None)
        values: dict[str, Any] = {
            "status": InteractionStatus.CLOSED,
            "owner_id": told.agent.pk,
            "reason_id": desk.reasons[script.reason],
            "priority": PRIORITY_OF[script.reason],
            "disposition_id": desk.dispositions[script.disposition],
            "outcome": script.outcome.format_map(told.values),
            "closed_at": closed_at,
            "case_id": pending[0] if pending and pending[1] == script.reason else None,
        }
        if is_open:
            due: date = timezone.localtime(closed_at).date() + timedelta(days=self.rng.randrange(1, 6))
            step = script.next_step.format_map(told.values)
            values |= {"next_step": step, "next_step_owner_id": told.agent.pk, "next_step_date": due}
            values["case_id"] = self._case(told, closed_at, step, due)
        return values

    def _case(self, told: Exchange, at: datetime, step: str, due: date) -> int:
        """A case lives for some days. Old ones are settled, recent ones wait with their dated next step."""
        days = self.rng.randrange(2, 12)
        settled_at = at + timedelta(days=days)
        is_waiting, is_closed = self.rng.random() < 0.3, self.rng.random() < 0.8
        reference = self.book.reference("K")
        values: dict[str, Any] = {"status": CaseStatus.WAITING if is_waiting else CaseStatus.OPEN}
        if settled_at < self.until:
            values = {"status": CaseStatus.RESOLVED, "resolved_at": settled_at}
            if is_closed:
                values = {"status": CaseStatus.CLOSED, "resolved_at": settled_at, "closed_at": settled_at}
        case_id = self.book.add(
            Case,
            reference=reference,
            patient_id=told.person.id,
            title=told.script.next_step.format_map(told.values)[:160],
            reason_id=self.book.desk.reasons[told.script.reason],
            priority=PRIORITY_OF[told.script.reason],
            owner_id=told.agent.pk,
            queue_id=self.book.desk.queues[told.queue],
            next_step=step,
            next_step_date=due,
            created_at=at,
            updated_at=min(settled_at, self.until),
            **values,
        )
        self.open_cases[told.person.number] = (case_id, told.script.reason)
        return case_id

    def _trace(self, told: Exchange, interaction_id: int, closed_at: datetime) -> None:
        first = told.moments[0]
        queue_id = self.book.desk.queues[told.queue]
        replied = next((at for at, is_patient, _ in told.turns if not is_patient), closed_at)
        taken_at = first + (replied - first) * 0.8
        self.book.event(interaction_id, TimelineKind.OPENED, first, to_queue_id=queue_id)
        if told.queue != "general" and self.rng.random() < 0.15:
            general = self.book.desk.queues["general"]
            mover = self.book.desk.users["fabiola.joseph"]
            moved = {"actor_id": mover.pk, "from_queue_id": general, "to_queue_id": queue_id}
            why = "For the team that knows this best"
            self.book.event(
                interaction_id, TimelineKind.TRANSFERRED, first + (replied - first) * 0.3, detail=why, **moved
            )
        self.book.event(interaction_id, TimelineKind.TAKEN, taken_at, actor_id=told.agent.pk)
        if told.script.note:
            self.book.note(interaction_id, told.agent, taken_at, told.script.note.format_map(told.values))
        self.book.event(interaction_id, TimelineKind.CLOSED, closed_at, actor_id=told.agent.pk)

    # ---- contacts with a shape of their own ----
    def _abandoned(self, told: Exchange) -> None:
        at = told.moments[0]
        told.moments = [at]
        left_at = self._later(at, 240)
        interaction_id = self.book.interaction(told, status=InteractionStatus.ABANDONED, closed_at=left_at)
        if told.kind != ChannelKind.FORM:
            self.book.say_all(told, interaction_id)
        self.book.event(interaction_id, TimelineKind.OPENED, at, to_queue_id=self.book.desk.queues[told.queue])
        self.book.event(interaction_id, TimelineKind.ABANDONED, left_at)

    def _call(self, person: Invented, script: Script, at: datetime) -> None:
        minutes = max(1, round(self.rng.lognormvariate(1.4, 0.5)))
        ended_at = at + timedelta(minutes=minutes)
        told = self.book.exchange(person, ChannelKind.VOICE, script, QUEUE_OF[script.reason], [at, ended_at])
        told.address, told.scheme = person.phone, "phone" if person.phone else ""
        asked = told.words(script.turns[0].text, is_patient=True)
        is_lost = self.rng.random() < 0.07
        if is_lost:
            values: dict[str, Any] = {"status": InteractionStatus.ABANDONED, "closed_at": ended_at}
            values |= {"snippet": "Hung up while waiting", "first_reply_at": None}
        else:
            values = self._outcome(told, self._later(ended_at, 2))
            values |= {"snippet": f"Call, {minutes} min", "first_reply_at": at}
        interaction_id = self.book.interaction(told, contact_name="", last_inbound_at=at, **values)
        queue_id = self.book.desk.queues[told.queue]
        self.book.event(interaction_id, TimelineKind.OPENED, at, to_queue_id=queue_id)
        if is_lost:
            self.book.event(interaction_id, TimelineKind.ABANDONED, ended_at)
            return
        self.book.event(interaction_id, TimelineKind.TAKEN, at, actor_id=told.agent.pk)
        self.book.note(interaction_id, told.agent, ended_at, f"On the phone: “{asked}”")
        self.book.event(interaction_id, TimelineKind.CLOSED, values["closed_at"], actor_id=told.agent.pk)

    def _submitted(self, told: Exchange, interaction_id: int, reference: str) -> None:
        turns = told.turns
        self.book.submission(told, interaction_id, reference, turns[0][0], form_answers(told, turns[0][2]))
        back = ChannelKind.EMAIL if told.scheme == "email" else ChannelKind.SMS
        answered = replace(told, kind=back, subject=told.subject if back == ChannelKind.EMAIL else "")
        for at, is_patient, text in turns[1:]:
            if is_patient:
                self.book.receive(answered, interaction_id, at, text)
            else:
                self.book.send(answered, interaction_id, at, text, **self.book.fate(back, at))

    def _reminder(self, person: Invented, at: datetime) -> None:
        template = self.book.desk.templates["appointment_reminder", person.language]
        site = f"Aurora {person.site or SITES[0].name}"
        given = {"1": person.first, "2": site, "3": self.rng.choice(DAYS[person.language]), "4": self.rng.choice(TIMES)}
        body = template.body
        for key, value in given.items():
            body = body.replace("{{" + key + "}}", value)
        answer = {"en": "Yes, I will come", "es": "Sí, asistiré", "pt": "Sim, eu vou"}[person.language]
        is_answered = self.rng.random() < 0.72
        script = Script(
            "visit", "no-action", "", (), "", "Confirmed" if is_answered else "No answer to the reminder", ""
        )
        told = self.book.exchange(
            person, ChannelKind.WHATSAPP, script, "appointments", [at, self._later(at, 25)] if is_answered else [at]
        )
        closed_at = self._later(told.moments[-1], 5)
        values = {
            "status": InteractionStatus.CLOSED,
            "direction": Direction.OUTBOUND,
            "reason_id": self.book.desk.reasons["visit"],
            "disposition_id": self.book.desk.dispositions["no-action"],
            "outcome": script.outcome,
            "closed_at": closed_at,
            "snippet": answer if is_answered else body[:160],
            "last_inbound_at": told.moments[-1] if is_answered else None,
        }
        interaction_id = self.book.interaction(told, **values)
        self.book.send(
            told, interaction_id, at, body, **self.book.fate(ChannelKind.WHATSAPP, at),
            kind=MessageKind.TEMPLATE, author_id=None, purpose=MessagePurpose.REMINDERS,
            template_id=template.pk, template_variables=given,
        )  # fmt: skip
        if is_answered:
            pressed = {"button": {"text": answer, "payload": "confirm"}}
            self.book.receive(told, interaction_id, told.moments[-1], answer, kind=MessageKind.BUTTON, payload=pressed)
        self.book.event(interaction_id, TimelineKind.CLOSED, closed_at)

    def _stop(self, person: Invented, at: datetime) -> None:
        """A patient who wants no more text messages; one in three changes their mind."""
        word = {"en": "STOP", "es": "BAJA", "pt": "SAIR"}[person.language]
        script = Script("general", "no-action", "", (), "", "Opted out by keyword", "")
        told = self.book.exchange(person, ChannelKind.SMS, script, "general", [at])
        closed_at = self._later(at, 30)
        values = {
            "status": InteractionStatus.CLOSED,
            "disposition_id": self.book.desk.dispositions["no-action"],
            "reason_id": self.book.desk.reasons["general"],
            "owner_id": told.agent.pk,
            "outcome": script.outcome,
            "closed_at": closed_at,
            "snippet": word,
            "last_inbound_at": at,
        }
        interaction_id = self.book.interaction(told, **values)
        self.book.receive(told, interaction_id, at, word)
        self.book.send(
            told, interaction_id, at + timedelta(seconds=2), CONFIRMATIONS[person.language],
            author_id=None, purpose=MessagePurpose.OPT_OUT_CONFIRMATION, status=MessageStatus.DELIVERED,
            sent_at=at + timedelta(seconds=2), delivered_at=at + timedelta(seconds=5),
        )  # fmt: skip
        self.book.event(interaction_id, TimelineKind.OPENED, at, to_queue_id=self.book.desk.queues["general"])
        self.book.event(interaction_id, TimelineKind.OPTED_OUT, at)
        self.book.event(interaction_id, TimelineKind.CLOSED, closed_at, actor_id=told.agent.pk)
        ended_at = min(at + timedelta(days=self.rng.randrange(1, 20)), self.until) if self.rng.random() < 0.3 else None
        self.book.add(
            OptOut, channel_kind=ChannelKind.SMS, address=person.phone, keyword=word, started_at=at, ended_at=ended_at
        )
        self.opted_out.add(person.phone)


CONFIRMATIONS = {
    "en": "You will get no more messages from us here. To get them again, reply START.",
    "es": "Ya no recibirá mensajes nuestros por aquí. Para volver a recibirlos, responda ALTA.",
    "pt": "Você não receberá mais mensagens nossas por aqui. Para voltar a receber, responda VOLTAR.",
}


def form_answers(told: Exchange, message: str) -> list[dict[str, str]]:
    """What a patient filled in, as a submission keeps it."""
    person = told.person
    rows = [
        ("given-name", "Given name", person.given, "text"),
        ("family-name", "Family name", person.family, "text"),
        ("birth-date", "Date of birth", person.born.isoformat(), "date"),
        ("email", "E-mail", person.email, "email"),
        ("phone", "Phone", person.phone, "phone"),
    ]
    if told.script.reason == "prescription":
        rows += [
            ("medicine", "Which medicine, and how strong?", told.values["medicine"], "text"),
            ("days-left", "How many days do you have left?", "4", "number"),
            ("pharmacy", "Which pharmacy?", told.values["pharmacy"], "text"),
        ]
    rows.append(("message", "Your message", message, "textarea"))
    return [{"key": key, "label": label, "value": value, "type": type_} for key, label, value, type_ in rows]
