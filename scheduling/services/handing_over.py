"""Giving due reminders to the outbox: claimed in batches, judged, merged by day, written as messages, all in one
transaction. A worker that dies leaves nothing half done; the outbox's gate judges each message again when it leaves."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import uuid4

from django.conf import settings
from django.db import connection
from django.db.models import Q
from django.utils import timezone, translation

from contact_center.common.deadline import Deadline
from contact_center.common.wake import wake_on_commit
from inbox import realtime
from inbox.enums import DONE, ChannelKind, Direction, InteractionStatus, MessageKind, MessagePurpose, MessageStatus
from inbox.gate import GateReason
from inbox.models import Interaction, Message
from inbox.services.locks import try_held
from inbox.services.outbox import DRAIN_QUEUE, DRAIN_TASK
from patients.models import Patient
from scheduling import links, reminder_words, reminders
from scheduling.enums import ABOUT_TIME, DropReason, ReminderKind
from scheduling.models import Appointment, Reminder
from scheduling.selectors.ways import Way, Ways
from scheduling.services.reminders import QUEUE, TASK, facts_of

SLOTS = 2
BATCH = 500
MOST_WAITING = 500
"""Reminders in the outbox at once: what people write overtakes the rest, also after an outage of a day."""
GROUNDS = "visit"
THREAD_LASTS = timedelta(days=30)
LOOK_BACK = timedelta(days=2)
SHOWN = ("appointment__service", "appointment__practitioner", "appointment__location", "patient")

CLAIM = """
SELECT patient_id FROM scheduling_reminder
WHERE handed_at IS NULL AND dropped_at IS NULL AND due_at <= %(now)s AND patient_id %% %(slots)s = %(slot)s
ORDER BY due_at, patient_id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
"""
NOTE = """
UPDATE scheduling_reminder r SET handed_at = %(now)s, updated_at = %(now)s, message_id = given.message
FROM unnest(%(reminders)s::bigint[], %(messages)s::bigint[]) AS given(reminder, message) WHERE r.id = given.reminder
"""


@dataclass(slots=True)
class Parcel:
    """Reminders of one kind about one patient's visits of one day, or of one series that was just booked, and the way
    they go."""

    reminders: list[Reminder]
    way: Way
    purpose: MessagePurpose

    @property
    def patient(self) -> Patient:
        return self.reminders[0].patient

    @property
    def address(self) -> tuple[int, str]:
        """Channel and address."""
        return self.way.channel.pk, self.way.address


class Addressed(Protocol):
    """Something for one patient, and the way it goes."""

    @property
    def patient(self) -> Patient: ...

    @property
    def way(self) -> Way: ...

    @property
    def address(self) -> tuple[int, str]: ...


def hand_over_due(*, batch: int = BATCH, most_waiting: int | None = MOST_WAITING) -> int:
    """Give what is due to the outbox, oldest first, until a minute is over or enough waits there; how many were dealt
    with.

    Safe to run any number of times and from several workers at once: one patient's reminders always fall to the same
    slot, so that those of one day are merged, and a slot has one worker. `most_waiting` None takes everything.
    """
    take_up_outdated()
    deadline, done = Deadline(TASK, QUEUE), 0
    for slot in range(SLOTS):
        with try_held("reminders", slot) as is_mine:
            while is_mine and not deadline.is_over:
                room = batch if most_waiting is None else min(batch, most_waiting - _waiting(most_waiting))
                dealt_with = _hand_over(slot, room) if room > 0 else 0
                if not dealt_with:
                    break
                done += dealt_with
    return done


def take_up_outdated() -> int:
    """What the gate held back because it was no longer so, is planned anew where a part of it still is; how many."""
    since = timezone.now() - LOOK_BACK
    held = Message.objects.filter(
        status=MessageStatus.SUPPRESSED, gate_reason=GateReason.OUT_OF_DATE, created_at__gt=since
    )
    rows = Reminder.objects.select_for_update(skip_locked=True, of=("self",)).order_by("pk")
    rows = rows.filter(message__in=held, handed_at__isnull=False)
    now, planned = timezone.now(), 0
    with realtime.atomic():
        for row in rows.select_related(*SHOWN):
            reason = reminders.reason_to_drop(row.kind, row.due_at, _facts(row), now)
            row.handed_at, row.message = None, row.message if reason else None
            if reason:
                row.dropped_at, row.drop_reason = now, reason
            planned += reason is None
            row.save()
    return planned


def _waiting(most: int) -> int:
    now = timezone.now()
    queued = Message.objects.filter(status=MessageStatus.QUEUED, author=None, purpose=MessagePurpose.REMINDERS)
    return queued.filter(Q(next_attempt_at=None) | Q(next_attempt_at__lte=now))[:most].count()


def _hand_over(slot: int, limit: int) -> int:
    now = timezone.now()
    if not Reminder.objects.filter(handed_at=None, dropped_at=None, due_at__lte=now).exists():
        return 0
    links.prepare()
    with realtime.atomic():
        rows = _claim(slot, limit, now)
        kept = _drop_needless(rows, now)
        parcels = _parcels(kept, now)
        if parcels:
            _write(parcels, now)
            wake_on_commit(DRAIN_TASK, DRAIN_QUEUE)
    return len(rows)


def _claim(slot: int, limit: int, now: datetime) -> list[Reminder]:
    """Everything that is due to the patients whose turn it is, also what is due to them later in the order."""
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, {"now": now, "slots": SLOTS, "slot": slot, "limit": limit})
        patients = {patient for (patient,) in cursor.fetchall()}
    if not patients:
        return []
    rows = Reminder.objects.select_for_update(skip_locked=True, of=("self",)).select_related(*SHOWN)
    due = rows.filter(patient__in=patients, handed_at=None, dropped_at=None, due_at__lte=now)
    found = list(due.order_by("patient_id", "appointment__starts_at", "pk"))
    for row in found:
        row.appointment.patient = row.patient
    return found


def _facts(row: Reminder) -> reminders.Visit:
    row.appointment.patient = row.patient
    return facts_of(row.appointment)


def _drop_needless(rows: Sequence[Reminder], now: datetime) -> list[Reminder]:
    kinds: dict[int, set[str]] = defaultdict(set)
    for row in rows:
        kinds[row.appointment_id].add(row.kind)
    needless = {pk: reminders.overtaken(of_visit) for pk, of_visit in kinds.items()}
    kept: list[tuple[Reminder, DropReason | None]] = []
    dropped: list[tuple[Reminder, DropReason | None]] = []
    for row in rows:
        is_overtaken = row.kind in needless[row.appointment_id]
        reason = DropReason.OVERTAKEN if is_overtaken else None
        reason = reason or reminders.reason_to_drop(row.kind, row.due_at, _facts(row), now)
        (dropped if reason else kept).append((row, reason))
    _drop(dropped, now)
    return [row for row, _reason in kept]


def _drop(rows: Iterable[tuple[Reminder, DropReason | None]], now: datetime) -> None:
    by_reason: dict[DropReason, list[int]] = defaultdict(list)
    for row, reason in rows:
        if reason:
            by_reason[reason].append(row.pk)
    for reason, ids in by_reason.items():
        Reminder.objects.filter(pk__in=ids).update(dropped_at=now, drop_reason=reason, updated_at=now)


def _parcels(rows: Sequence[Reminder], now: datetime) -> list[Parcel]:
    if not rows:
        return []
    groups: dict[tuple[object, ...], list[Reminder]] = defaultdict(list)
    for row in rows:
        groups[row.patient_id, row.kind, _told_with(row)].append(row)
    ways, made, dropped = Ways({row.patient_id for row in rows}, now), [], []
    for group in groups.values():
        kind = group[0].kind
        purpose = MessagePurpose.SURVEYS if kind == ReminderKind.SURVEY else MessagePurpose.REMINDERS
        way = ways.to(group[0].patient, purpose, has_template=kind in ABOUT_TIME)
        if isinstance(way, DropReason):
            dropped += [(row, way) for row in group]
        else:
            made += [Parcel(part, way, purpose) for part in _parts(group, way)]
    _drop(dropped, now)
    return made


def _parts(group: list[Reminder], way: Way) -> list[list[Reminder]]:
    """A template names one place and one hour: what is elsewhere or at another hour goes by itself."""
    if way.template is None:
        return [group]
    parts: dict[tuple[str, str], list[Reminder]] = defaultdict(list)
    for row in group:
        parts[reminder_words.place_of(row.appointment), reminder_words.time_of(row.appointment)].append(row)
    return list(parts.values())


def _told_with(row: Reminder) -> object:
    """What is told in one message: the visits of a day, and those of a series that were booked or moved together, as
    far as they are with one practitioner at one place."""
    visit = row.appointment
    if row.kind == ReminderKind.BOOKED and visit.series_id is not None:
        where = visit.practitioner_id, visit.location_id, visit.mode
        return "series", visit.series_id, visit.previous_id is None, where
    return visit.visit_date


def _write(parcels: Sequence[Parcel], now: datetime) -> None:
    threads = threads_for(parcels, now)
    messages = [_message(parcel, thread, now) for parcel, thread in zip(parcels, threads, strict=True)]
    Message.objects.bulk_create(messages)
    pairs = [
        (row.pk, message.pk)
        for parcel, message in zip(parcels, messages, strict=True)
        for row in parcel.reminders
    ]  # fmt: skip
    given: dict[str, Any] = {
        "reminders": [pair[0] for pair in pairs],
        "messages": [pair[1] for pair in pairs],
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(NOTE, given)
    live = [realtime.interaction_topic(thread.pk) for thread in threads if not thread.is_done]
    realtime.touch(realtime.OUTBOX_TOPIC, *live)


def threads_for(parcels: Sequence[Addressed], now: datetime) -> list[Interaction]:
    """Where each message goes: the open conversation with this person there, else a thread of such messages, which is
    closed, so that nobody has work with it until the patient answers."""
    known = _known_threads(parcels, now)
    new: dict[tuple[int, int, str], Interaction] = {}
    found: list[Interaction] = []
    for parcel in parcels:
        key = (parcel.patient.pk, *parcel.address)
        if key not in known:
            known[key] = new[key] = _thread(parcel, now)
        found.append(known[key])
    Interaction.objects.bulk_create(new.values())
    return found


def _known_threads(parcels: Sequence[Addressed], now: datetime) -> dict[tuple[int, int, str], Interaction]:
    rows = Interaction.objects.filter(
        contact_value__in={parcel.way.address for parcel in parcels}, patient__in={p.patient.pk for p in parcels}
    )
    ours = Q(status=InteractionStatus.CLOSED, owner=None, direction=Direction.OUTBOUND, merged_into=None)
    rows = rows.filter(~Q(status__in=DONE) | ours & Q(opened_at__gt=now - THREAD_LASTS))
    found: dict[tuple[int, int, str], Interaction] = {}
    for row in rows.order_by("pk"):
        key = (row.patient_id or 0, row.channel_id, row.contact_value)
        if key not in found or found[key].is_done:
            found[key] = row
    return found


def _thread(parcel: Addressed, now: datetime) -> Interaction:
    way, patient = parcel.way, parcel.patient
    is_mail = way.channel.kind == ChannelKind.EMAIL
    return Interaction(
        channel=way.channel,
        channel_kind=way.channel.kind,
        direction=Direction.OUTBOUND,
        thread_key=f"visit:{uuid4().hex}" if is_mail else way.address,
        contact_scheme=way.scheme,
        contact_value=way.address,
        patient=patient,
        queue_id=way.channel.queue_id,
        status=InteractionStatus.CLOSED,
        language=patient.language,
        opened_at=now,
        last_message_at=now,
        closed_at=now,
    )


def _message(parcel: Parcel, thread: Interaction, now: datetime) -> Message:
    first, way = parcel.reminders[0], parcel.way
    with translation.override(language_of(first.patient)):
        told: dict[str, Any] = {"text": reminder_words.message_about(first.kind, _visits(parcel))}
        if way.template is not None:
            told = _of_template(way, _visits(parcel))
        if way.channel.kind == ChannelKind.EMAIL:
            told["subject"] = reminder_words.subject_about(first.kind)
    return Message(
        interaction=thread,
        channel=way.channel,
        channel_kind=way.channel.kind,
        direction=Direction.OUTBOUND,
        kind=MessageKind.TEMPLATE if way.template else MessageKind.TEXT,
        address_scheme=way.scheme,
        address=way.address,
        purpose=parcel.purpose,
        provider=way.channel.adapter,
        idempotency_key=f"visit-{first.pk}-{uuid4().hex[:12]}",
        occurred_at=now,
        payload={"grounds": GROUNDS},
        **told,
    )


def _visits(parcel: Parcel) -> list[Appointment]:
    return [row.appointment for row in parcel.reminders]


def _of_template(way: Way, visits: Sequence[Appointment]) -> dict[str, Any]:
    assert way.template is not None
    visit = visits[0]
    given = {
        "1": reminder_words.name_of(visit),
        "2": reminder_words.place_of(visit),
        "3": reminder_words.listed(visits, reminder_words.day_of, ", "),
        "4": reminder_words.time_of(visit),
    }
    text = way.template.body
    for key, word in given.items():
        text = text.replace(f"{{{{{key}}}}}", word)
    return {"template": way.template, "template_variables": given, "text": text}


def language_of(patient: Patient) -> str:
    """The patient's language where we speak it, else ours."""
    code = patient.language[:2]
    return code if code in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
