"""Fills an empty database with the clinic, all or nothing."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from contact_center.accounts.models import User
from contact_center.aurora import (
    absences,
    agenda,
    attention,
    audits,
    capacity,
    care,
    complaints,
    drafts,
    floor,
    groups,
    homes,
    labels,
    neighbours,
    note_files,
    privacy,
    provider,
    records,
    reminders,
    setup,
    sounds,
    voice,
    wishes,
)
from contact_center.aurora.chronicle import Chronicle
from contact_center.aurora.hours import set_up_hours, start_clocks
from contact_center.aurora.past import DAYS_BACK, PER_PATIENT, Past, moments
from contact_center.aurora.people import Invented, invent
from contact_center.aurora.present import Present
from contact_center.aurora.staff import DOMAIN
from contact_center.aurora.views import save_views
from inbox.enums import ChannelKind
from inbox.models import Interaction, Message
from patients.enums import ConsentPurpose, ConsentStatus, ContactScheme, ContactUse, ProofKind, ProxyScope
from patients.models import Consent, ContactPoint, Patient, RelatedPerson

APPS = ("accounts", "audit", "jobs", "patients", "inbox", "scheduling", "complaints", "analytics")
LOCK = 7_305_551
FLUSH_EVERY = 5_000
# Beyond this many patients only the last days stand in the ledger and in the simulated provider's list.
WHOLE_LEDGER_UNTIL = 5_000
OPEN_NOW = 60
Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Seeded:
    """How many rows were made."""

    patients: int
    interactions: int
    messages: int
    open_now: int


class NotEmpty(Exception):
    """The database holds something that is not this clinic."""


def is_seeded() -> bool:
    """Whether the demo clinic is there already."""
    return User.objects.filter(email=f"agent@{DOMAIN}").exists()


def seed(*, patients: int, number: int, progress: Progress = lambda words, share: None) -> Seeded | None:
    """Make the clinic with so many patients, the same rows for the same `number`; None when it is there already.

    One transaction: an interrupted run leaves nothing. Times are relative to now. Raises NotEmpty.
    """
    now = timezone.now()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        cursor.execute("SET LOCAL synchronous_commit = off")
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        if is_seeded():
            return None
        if Patient.objects.exists() or Interaction.objects.exists():
            raise NotEmpty
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # else millions of checks are kept until the commit
        book, result = _write(patients, random.Random(number), now, progress)
    provider.remember(book.mirror)
    _measure_tables()
    return result


def _write(count: int, rng: random.Random, now: datetime, progress: Progress) -> tuple[Chronicle, Seeded]:
    progress("people and desk", 0.0)
    is_small = count <= WHOLE_LEDGER_UNTIL
    made = setup.set_up()
    labels.set_up_labels(made)
    set_up_hours(made)
    voice.set_up_line(made)
    book = Chronicle(made, rng, now, now - timedelta(days=DAYS_BACK + 1 if is_small else 2))
    people = invent(count, rng)
    _patients(book, people)
    past = Past(book, people)
    total = count * PER_PATIENT
    since = now - timedelta(days=DAYS_BACK)
    for done, at in enumerate(moments(total, rng, since, now - timedelta(hours=2)), start=1):
        past.tell(at)
        if done % FLUSH_EVERY == 0 or done == total:
            book.flush()
            progress(f"history, {timezone.localtime(at):%d %b}", 0.02 + 0.96 * done / total)
    open_now = Present(book, people, busy_phones=past.opted_out).tell(min(OPEN_NOW + count // 2000, count // 4))
    book.finish()
    labels.label_open_work()
    start_clocks()
    save_views(book.desk)
    attention.tell(now)
    drafts.begin_some()
    wishes.write_down(now)
    homes.write_down()
    agenda.set_up_agenda(now, random.Random(count))
    groups.set_up_groups(now)
    neighbours.set_up_neighbours()
    reminders.tell_of_visits(now)
    capacity.offer_freed_times(now)
    note_files.keep_some()
    care.tell(now)
    privacy.tell()
    complaints.tell(now)
    voice.tell()
    open_now += sounds.record_some()
    progress("audit trail", 0.98)
    audits.write(now)
    records.tell()
    absences.tell_of_an_absence(now)
    floor.tell(now)
    tables = book.tables
    progress("done", 1.0)
    return book, Seeded(count, tables[Interaction].count, tables[Message].count, open_now)


# ---- patients ----
def _patients(book: Chronicle, people: list[Invented]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT setval('patients_mrn_sequence', greatest(%s, 1))", [len(people)])
    today = timezone.localdate(book.now)
    for number, person in enumerate(people, start=1):
        registered_at = book.now - timedelta(
            days=DAYS_BACK + book.rng.randrange(1, 2000), minutes=book.rng.randrange(600)
        )
        days = person.deceased_days_ago
        person.id = book.add(
            Patient,
            mrn=f"P{number:07d}",
            given_name=person.given,
            family_name=person.family,
            birth_date=person.born,
            gender=person.gender,
            language=person.language,
            site_name=person.site,
            sensitivity=person.sensitivity,
            is_do_not_contact=person.is_do_not_contact,
            deceased_date=None if days is None else today - timedelta(days=days),
            created_at=registered_at,
            updated_at=registered_at,
        )
        _addresses(book, person, registered_at)
        _consents(book, person, registered_at)
    for person in people:
        for other, relation, is_proxy in person.relatives:
            at = {"created_at": book.now, "updated_at": book.now}
            relative = people[other]
            book.add(
                RelatedPerson, patient_id=person.id, relative_id=relative.id, name=relative.name,
                relation=relation, is_proxy=is_proxy, scopes=tuple(ProxyScope.values) if is_proxy else (),
                is_for_minor=is_proxy, proof=ProofKind.BIRTH_CERTIFICATE if is_proxy else "", **at,
            )  # fmt: skip
    book.flush()


def _addresses(book: Chronicle, person: Invented, at: datetime) -> None:
    times = {"created_at": at, "updated_at": at}
    points = (
        (ContactScheme.PHONE, person.phone, ContactUse.MOBILE),
        (ContactScheme.EMAIL, person.email, ContactUse.HOME),
        (ContactScheme.WHATSAPP_USER, person.whatsapp_user_id, ContactUse.MOBILE),
    )
    for rank, (scheme, value, use) in enumerate((point for point in points if point[1]), start=1):
        extra: dict[str, Any] = {"verified_at": at if book.rng.random() < 0.7 else None}
        if scheme == ContactScheme.EMAIL and book.rng.random() < 0.01:
            extra |= {"bounced_at": book.now - timedelta(days=9), "bounce_reason": "The mailbox does not exist."}
        book.add(
            ContactPoint, patient_id=person.id, scheme=scheme, value=value, raw=value, use=use, rank=rank,
            **times, **extra,
        )  # fmt: skip


def _consents(book: Chronicle, person: Invented, at: datetime) -> None:
    kind = ChannelKind.WHATSAPP if person.phone else ChannelKind.EMAIL
    for purpose, share in (
        (ConsentPurpose.REMINDERS, 0.8),
        (ConsentPurpose.SURVEYS, 0.45),
        (ConsentPurpose.MARKETING, 0.2),
    ):
        luck = book.rng.random()
        if luck < share + 0.03:
            status = ConsentStatus.GRANTED if luck < share else ConsentStatus.WITHDRAWN
            book.add(
                Consent, patient_id=person.id, purpose=purpose, channel_kind=kind, status=status,
                source="registration form", text_version="2024-03", recorded_at=at, created_at=at, updated_at=at,
            )  # fmt: skip


def _measure_tables() -> None:
    """Fresh statistics, so that the first pages are planned as well as the later ones."""
    if connection.in_atomic_block:
        return
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        for model in (Patient, ContactPoint, Interaction, Message):
            cursor.execute(f'VACUUM (ANALYZE) "{model._meta.db_table}"')
        cursor.execute("ANALYZE")
        cursor.execute("RESET statement_timeout")


def empty() -> None:
    """Remove every row of ours, the audit trail too. Raises RuntimeError outside a demo (DEBUG=0)."""
    if not (settings.DEBUG or connection.settings_dict["NAME"].startswith("test_")):
        raise RuntimeError("Only a demo may be emptied.")
    names = [
        f'"{model._meta.db_table}"'
        for label in APPS
        for model in apps.get_app_config(label).get_models(include_auto_created=True)
    ]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute("SET LOCAL lock_timeout = '20s'")
        cursor.execute("ALTER TABLE audit_auditentry DISABLE TRIGGER USER")
        cursor.execute(f"TRUNCATE {', '.join(names)} RESTART IDENTITY CASCADE")
        cursor.execute("ALTER TABLE audit_auditentry ENABLE TRIGGER USER")
        cursor.execute("SELECT setval('patients_mrn_sequence', 1, false)")
    provider.forget()
