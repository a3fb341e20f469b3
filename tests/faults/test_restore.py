"""A backup made as the operations guide says, read back into an empty database: nothing is missing, nothing differs."""

import subprocess
import time

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from contact_center.engine_addresses import engine_user
from contact_center.engine_files import find_binaries
from inbox.enums import Direction, MessageStatus
from inbox.models import Message
from scheduling.models import Occupancy
from tests.factories.inbox import InteractionFactory, MessageFactory
from tests.factories.patients import PatientFactory
from tests.factories.scheduling import EntryFactory, an_open_visit
from tests.faults.lab import database_url
from tests.journeys.stack import orm_on

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]
MOST_SECONDS = 60
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
CONTENT = 'SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)), 0) FROM "{}" t'


def contents():
    """Rows and a hash of all of them, for each table of the database that the ORM speaks to."""
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute(TABLES)
        names = [name for (name,) in cursor.fetchall()]
        found = {}
        for name in names:
            cursor.execute(CONTENT.format(name))
            found[name] = cursor.fetchone()
    return found


def a_clinic_with(messages):
    """Visits, somebody who waits, and so many messages."""
    for number in range(5):
        visit = an_open_visit(patient=PatientFactory(phone=f"+1786559{number:04d}"))
        EntryFactory(patient=visit.patient, service=visit.service)
    talk, now = InteractionFactory(), timezone.now()
    first = MessageFactory(interaction=talk)
    given = {
        "interaction": talk, "channel": talk.channel, "channel_kind": talk.channel_kind, "direction": Direction.INBOUND,
        "status": MessageStatus.RECEIVED, "address_scheme": first.address_scheme, "address": first.address,
        "provider": first.provider, "occurred_at": now,
    }  # fmt: skip
    rows = (
        Message(text=f"Message {number} ñ 😀", external_id=f"restore-{number}", **given)
        for number in range(messages - 1)
    )
    Message.objects.bulk_create(rows, batch_size=5000)


@pytest.fixture
def empty_database():
    """The name of one beside the test database; dropped afterwards."""
    name = f"{connection.settings_dict['NAME']}_restored"
    with connection._nodb_cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        cursor.execute(f'CREATE DATABASE "{name}"')
    yield name
    with connection._nodb_cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_S7_a_backup_read_back_has_every_row_of_every_table_and_its_rules(empty_database, tmp_path):
    a_clinic_with(100_000)
    before = contents()
    programs, dump = find_binaries(engine_user()).postgres.parent, tmp_path / "continuo.dump"
    begun = time.monotonic()
    subprocess.run([programs / "pg_dump", "-Fc", "-d", database_url(), "-f", dump], check=True)
    dumped = time.monotonic() - begun
    source = connection.settings_dict["NAME"]
    target = database_url().replace(f"/{source}", f"/{empty_database}")
    subprocess.run([programs / "pg_restore", "--no-owner", "--exit-on-error", "-d", target, dump], check=True)
    seconds = time.monotonic() - begun
    with orm_on(empty_database):
        after = contents()
        taken = Occupancy.objects.earliest("pk")
        with pytest.raises(IntegrityError), transaction.atomic():
            Occupancy.objects.create(practitioner=taken.practitioner, span=taken.span, appointment_id=None)
        newest = MessageFactory(interaction=InteractionFactory()).pk
    differing = [name for name in before.keys() | after.keys() if before.get(name) != after.get(name)]
    rows = sum(count for count, _hash in before.values())
    print(
        f"S7: {len(before)} tables, {rows} rows, {dump.stat().st_size / 1e6:.0f} MB: {len(differing)} tables differ,"
        f" dumped in {dumped:.1f} s, read back after {seconds:.1f} s"
    )
    assert (differing, newest > Message.objects.latest("pk").pk) == ([], True)
    assert seconds <= MOST_SECONDS
