"""Locks by name: one holder, patience where it is asked for, and no trust in a pooler."""

import threading
from time import monotonic

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError, connection, transaction

from inbox.services.locks import hold_for_transaction, try_held


def in_another_session(work):
    """Run `work` on a connection of its own and give back what it returns."""
    found = []

    def run():
        try:
            found.append(work())
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(30)
    return found[0]


def is_free(*parts):
    with try_held(*parts) as is_mine:
        return is_mine


@pytest.mark.django_db(transaction=True)
def test_a_name_has_one_holder_until_it_is_given_back():
    with try_held("send", "sms", "+1") as is_mine:
        found = (is_mine, in_another_session(lambda: is_free("send", "sms", "+1")))
        other = in_another_session(lambda: is_free("send", "sms", "+2"))
    assert (found, other, in_another_session(lambda: is_free("send", "sms", "+1"))) == ((True, False), True, True)


@pytest.mark.django_db
def test_a_session_lock_is_refused_behind_a_pooler(settings):
    settings.DATABASE_POOLED = True
    with pytest.raises(ImproperlyConfigured, match="direct DATABASE_URL"), try_held("send"):
        pass


@pytest.mark.django_db(transaction=True)
def test_a_wait_ends_when_it_said_and_leaves_the_usual_limits_behind():
    def wait():
        begun = monotonic()
        with pytest.raises(OperationalError), transaction.atomic():
            hold_for_transaction("send", "sms", "+1", wait_seconds=0.3)
        return monotonic() - begun

    with try_held("send", "sms", "+1"):
        assert 0.3 <= in_another_session(wait) < 3
    with transaction.atomic(), connection.cursor() as cursor:
        limits = "SELECT current_setting('lock_timeout'), current_setting('statement_timeout')"
        cursor.execute(limits)
        usual = cursor.fetchone()
        hold_for_transaction("send", "sms", "+1", wait_seconds=20)
        cursor.execute(limits)
        assert cursor.fetchone() == usual
