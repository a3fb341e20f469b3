"""Mailboxes against a real IMAP server and a real database: one poller each, everything in the ledger."""

from datetime import timedelta

import pytest
from django.utils import timezone

from inbox.enums import EventKind
from inbox.models import Mailbox, WebhookEvent
from inbox.services import mailboxes
from tests.factories.inbox import MailboxFactory
from tests.inbox.mail.conftest import imap_process, imap_server  # noqa: F401
from tests.inbox.mail.mails import mail

pytestmark = pytest.mark.django_db


@pytest.fixture
def mailbox(imap_server, monkeypatch):  # noqa: F811
    monkeypatch.setenv("TEST_IMAP_PASSWORD", "secret")
    mailboxes._SETTLED.clear()
    return MailboxFactory(port=imap_server.port, folder=imap_server.folder, use_tls=False)


def poll_again(mailbox):
    Mailbox.objects.filter(pk=mailbox.pk).update(last_polled_at=None)
    return mailboxes.poll_due_mailboxes(owner="poller-1")


def test_every_mail_of_a_mailbox_is_in_the_ledger_once(mailbox, imap_server):  # noqa: F811
    imap_server.put(mail("one"), mail("two", Message_ID="<q2@patient.example>"))
    assert mailboxes.poll_due_mailboxes(owner="poller-1") == 2
    assert poll_again(mailbox) == 0
    bodies = [bytes(event.body) for event in WebhookEvent.objects.order_by("id")]
    assert bodies == [
        b"Delivered-To: care@aurora.test\r\n" + mail("one"),
        b"Delivered-To: care@aurora.test\r\n" + mail("two", Message_ID="<q2@patient.example>"),
    ]
    assert set(WebhookEvent.objects.values_list("kind", "content_type")) == {(EventKind.EMAIL, "message/rfc822")}
    mailbox.refresh_from_db()
    assert (mailbox.last_error, mailbox.lease_owner, mailbox.leased_until_at) == ("", "", None)
    assert mailbox.last_uid > 0


def test_a_rescan_after_new_uid_validity_stores_nothing_twice(mailbox, imap_server):  # noqa: F811
    imap_server.put(mail("one"), mail("two"))
    mailboxes.poll_due_mailboxes(owner="poller-1")
    Mailbox.objects.filter(pk=mailbox.pk).update(uid_validity=1, last_uid=999_999)
    WebhookEvent.objects.update(external_id="another name")
    assert poll_again(mailbox) == 2
    assert WebhookEvent.objects.count() == 2
    assert poll_again(mailbox) == 0


def test_a_leased_mailbox_is_left_alone_until_the_lease_ends(mailbox):
    assert mailboxes.lease_mailbox(owner="poller-1").pk == mailbox.pk
    assert mailboxes.lease_mailbox(owner="poller-2") is None
    Mailbox.objects.update(leased_until_at=timezone.now() - timedelta(seconds=1))
    assert mailboxes.lease_mailbox(owner="poller-2").lease_owner == "poller-2"


def test_a_poller_that_lost_its_lease_stops_and_changes_nothing(mailbox, imap_server):  # noqa: F811
    imap_server.put(mail("one"), mail("two", Message_ID="<q2@x>"))
    leased = mailboxes.lease_mailbox(owner="poller-1")
    Mailbox.objects.update(lease_owner="poller-2", last_uid=7)
    mailboxes.poll_mailbox(mailbox=leased)
    assert Mailbox.objects.values_list("lease_owner", "last_uid").get() == ("poller-2", 7)
    assert WebhookEvent.objects.count() == 1


def test_a_broken_mailbox_says_why_and_stops_no_other(mailbox, imap_server):  # noqa: F811
    broken = MailboxFactory(
        channel__address="broken@aurora.test", port=1, use_tls=False, last_polled_at=timezone.now() - timedelta(hours=9)
    )
    imap_server.put(mail("one"))
    assert mailboxes.poll_due_mailboxes(owner="poller-1") == 1
    broken.refresh_from_db()
    assert broken.last_error == "ConnectionRefusedError while opening the mailbox."
    assert broken.lease_owner == ""


def test_a_missing_password_is_named(mailbox, monkeypatch):
    monkeypatch.delenv("TEST_IMAP_PASSWORD")
    mailboxes.poll_due_mailboxes(owner="poller-1")
    mailbox.refresh_from_db()
    assert mailbox.last_error == "The environment variable TEST_IMAP_PASSWORD is not set."


def test_a_switched_off_channel_is_not_polled(mailbox):
    mailbox.channel.is_active = False
    mailbox.channel.save()
    assert mailboxes.lease_mailbox(owner="poller-1") is None


def test_a_mailbox_is_polled_every_half_minute_only(mailbox):
    mailboxes.poll_due_mailboxes(owner="poller-1")
    assert mailboxes.lease_mailbox(owner="poller-1") is None


def test_the_comparison_counts_what_the_ledger_never_saw(mailbox, imap_server):  # noqa: F811
    imap_server.put(mail("one"))
    mailboxes.poll_due_mailboxes(owner="poller-1")
    imap_server.put(mail("two", Message_ID="<q2@x>"))
    assert mailboxes.compare_mailbox(mailbox=mailbox).missing == 1
    poll_again(mailbox)
    assert mailboxes.compare_mailbox(mailbox=mailbox).missing == 0
