"""The SMTP intake over real sockets: 250 means kept."""

import smtplib
import threading
import time

import pytest

from inbox.mail.parse import parse_mail
from inbox.mail.smtp_intake import IntakeServer, delivered
from tests.inbox.mail.mails import mail


@pytest.fixture
def intake():
    servers = []

    def start(store, max_bytes=1_000_000):
        server = IntakeServer(store, host="127.0.0.1", port=0, max_bytes=max_bytes)
        server.start()
        servers.append(server)
        return smtplib.SMTP(*server.address, timeout=10)

    yield start
    for server in servers:
        server.stop()


def test_a_mail_is_kept_with_its_envelope_before_250_is_said(intake):
    kept = []
    with intake(lambda *args: kept.append(args)) as session:
        assert session.sendmail("ana@patient.example", ["care@aurora.test"], mail()) == {}
    ((raw, sender, recipient),) = kept
    assert (sender, recipient) == ("ana@patient.example", "care@aurora.test")
    found = parse_mail(raw)
    assert (found.return_path, found.delivered_to, found.text) == (
        "ana@patient.example",
        ("care@aurora.test",),
        "Hello",
    )


def test_each_recipient_gets_the_mail(intake):
    kept = []
    with intake(lambda raw, sender, recipient: kept.append(recipient)) as session:
        session.sendmail("a@b.example", ["care@aurora.test", "billing@aurora.test"], mail())
    assert kept == ["care@aurora.test", "billing@aurora.test"]


def test_the_null_sender_is_known_as_such(intake):
    kept = []
    with intake(lambda raw, *rest: kept.append(raw)) as session:
        session.sendmail("", ["care@aurora.test"], mail())
    assert parse_mail(kept[0]).return_path == ""


def test_trouble_in_the_database_means_try_later(intake):
    def fails(*args):
        raise ConnectionError("no database")

    with intake(fails) as session, pytest.raises(smtplib.SMTPDataError) as refused:
        session.sendmail("a@b.example", ["care@aurora.test"], mail())
    assert refused.value.smtp_code == 451


def test_a_mail_that_was_kept_for_one_of_two_is_sent_again_for_both(intake):
    kept = []

    def fails_for_second(raw, sender, recipient):
        if recipient.startswith("billing") and len(kept) < 2:
            kept.append("failed")
            raise ConnectionError
        kept.append(recipient)

    with intake(fails_for_second) as session:
        with pytest.raises(smtplib.SMTPDataError):
            session.sendmail("a@b.example", ["care@aurora.test", "billing@aurora.test"], mail())
        session.sendmail("a@b.example", ["care@aurora.test", "billing@aurora.test"], mail())
    assert kept == ["care@aurora.test", "failed", "care@aurora.test", "billing@aurora.test"]


def test_a_mail_over_the_limit_is_refused_for_good(intake):
    kept = []
    session = intake(lambda *args: kept.append(args), max_bytes=5000)
    with session, pytest.raises(smtplib.SMTPResponseException) as refused:
        session.sendmail("a@b.example", ["care@aurora.test"], mail("x" * 6000))
    assert (refused.value.smtp_code, kept) == (552, [])


def test_a_size_that_was_not_announced_is_refused_as_well(intake):
    kept = []
    with intake(lambda *args: kept.append(args), max_bytes=5000) as session:
        session.helo()
        session.mail("a@b.example")
        session.rcpt("care@aurora.test")
        code, _ = session.data(mail("short\r\n" * 2000))
    assert (code, kept) == (552, [])


@pytest.mark.parametrize("address", ["nobody", "a b@c.example"])
def test_what_is_no_address_is_refused(intake, address):
    with intake(lambda *args: None) as session:
        session.ehlo()
        session.mail("a@b.example")
        assert session.docmd("RCPT", f"TO:<{address}>")[0] in (501, 553)


def test_binary_bytes_arrive_unchanged(intake):
    kept = []
    body = b"caf\xe9 \x00\x01\xff\r\n.leading dot\r\n"
    with intake(lambda raw, *rest: kept.append(raw)) as session:
        session.sendmail("a@b.example", ["care@aurora.test"], mail(body))
    assert kept[0].endswith(body)


def test_slow_storing_does_not_hold_up_others(intake):
    gate, kept = threading.Event(), []

    def slow(raw, sender, recipient):
        if sender.startswith("slow"):
            gate.wait(5)
        kept.append(sender)

    session = intake(slow)
    host, port = session.sock.getpeername()[:2]
    blocked = threading.Thread(target=lambda: session.sendmail("slow@x.example", ["care@aurora.test"], mail()))
    blocked.start()
    started = time.monotonic()
    with smtplib.SMTP(host, port, timeout=5) as other:
        other.sendmail("fast@x.example", ["care@aurora.test"], mail())
    assert (kept, time.monotonic() - started < 3) == (["fast@x.example"], True)
    gate.set()
    blocked.join()


def test_one_session_may_bring_many_mails_and_none_of_its_addresses_is_logged(intake, caplog):
    kept = []
    with intake(lambda *args: kept.append(args)) as session:
        for number in range(120):
            session.sendmail("ana@patient.example", ["care@aurora.test"], mail(f"n{number}"))
    assert len(kept) == 120
    assert "ana@patient.example" not in caplog.text


def test_an_envelope_cannot_add_headers():
    raw = delivered(b"Subject: x\r\n\r\n", "a@b.example>\r\nX-Evil: 1", "c@d.example\r\nX-Evil: 1")
    assert b"\r\nX-Evil" not in raw
