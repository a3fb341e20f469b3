"""The trail: in the same transaction, chained, refusing every change, naming the first broken link."""

from concurrent.futures import ThreadPoolExecutor
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from contact_center.audit.enums import AuditAction
from contact_center.audit.models import AuditChain, AuditEntry
from contact_center.audit.services import BrokenLink, record, verify
from tests.factories.accounts import UserFactory


@pytest.fixture
def entries(agent):
    """Four entries of one chain, oldest first."""
    for number in range(4):
        record(actor=agent, action=AuditAction.VIEWED, object_type="patient", object_id=number, patient_id=7, why="é")
    return list(AuditEntry.objects.order_by("id"))


def tamper(sql, *values):
    """Change the trail as somebody with full rights on the database could."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE audit_auditentry DISABLE TRIGGER audit_entry_append_only")
        cursor.execute(sql, values)
        cursor.execute("ALTER TABLE audit_auditentry ENABLE TRIGGER audit_entry_append_only")


def test_every_entry_carries_the_hash_of_the_one_before(entries):
    assert [entry.previous_hash for entry in entries] == ["0" * 64, *(entry.hash for entry in entries[:-1])]
    assert [entry.sequence for entry in entries] == [1, 2, 3, 4]
    assert list(verify()) == []


def test_a_rollback_takes_its_entry_along(agent):
    with pytest.raises(ValueError), transaction.atomic():
        record(actor=agent, action=AuditAction.VIEWED, object_type="patient")
        raise ValueError
    record(actor=agent, action=AuditAction.VIEWED, object_type="patient")
    assert (AuditEntry.objects.count(), list(verify())) == (1, [])


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_nothing_is_recorded():
    with pytest.raises(transaction.TransactionManagementError):
        record(actor=None, action=AuditAction.VIEWED, object_type="patient")
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize(
    "change",
    [
        lambda entry: AuditEntry.objects.filter(pk=entry.pk).update(object_id=9),
        lambda entry: AuditEntry.objects.filter(pk=entry.pk).delete(),
        lambda entry: entry.save(),
    ],
)
def test_the_database_refuses_to_change_or_delete_an_entry(entries, change):
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        change(entries[1])
    assert (AuditEntry.objects.count(), list(verify())) == (4, [])


@pytest.mark.parametrize(
    "column",
    ["object_id = 99", "patient_id = NULL", "actor_id = NULL", "action = 'exported'", 'detail = \'{"why": "e"}\'']
    + ["occurred_at = occurred_at + interval '1 second'", "object_type = 'case'", "hash = repeat('a', 64)"],
)
def test_a_changed_entry_is_named(entries, column):
    tamper(f"UPDATE audit_auditentry SET {column} WHERE id = %s", entries[2].pk)
    assert list(verify()) == [BrokenLink(entries[0].chain_id, 3, "changed")]


def test_a_removed_entry_is_named(entries):
    tamper("DELETE FROM audit_auditentry WHERE id = %s", entries[1].pk)
    assert list(verify()) == [BrokenLink(entries[0].chain_id, 2, "missing")]


def test_a_removed_end_is_named(entries):
    tamper("DELETE FROM audit_auditentry WHERE id = %s", entries[3].pk)
    assert list(verify()) == [BrokenLink(entries[0].chain_id, 4, "missing at the end")]


def test_the_command_names_the_first_broken_link_of_each_chain_and_fails(entries):
    chain = entries[0].chain_id
    out = StringIO()
    call_command("verify_audit", stdout=out)
    assert out.getvalue() == "4 entries, every link intact\n"
    tamper("UPDATE audit_auditentry SET object_id = 9 WHERE id = %s", entries[0].pk)
    errors = StringIO()
    with pytest.raises(CommandError):
        call_command("verify_audit", stderr=errors)
    assert errors.getvalue() == f"chain {chain}, entry 1: changed\n"


@pytest.mark.django_db(transaction=True)
def test_parallel_writers_of_one_chain_leave_it_whole():
    user = UserFactory()

    def write(_):
        try:
            with transaction.atomic():
                record(actor=user, action=AuditAction.VIEWED, object_type="patient")
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(40)))
    assert (AuditChain.objects.get().head_sequence, list(verify())) == (40, [])


def test_a_refused_page_leaves_an_entry(auditor, signed_in):
    response = signed_in(auditor).get("/inbox/")
    entry = AuditEntry.objects.get(action=AuditAction.ACCESS_DENIED)
    assert (response.status_code, entry.actor, entry.detail) == (403, auditor, {"page": "inbox:list", "ids": {}})
