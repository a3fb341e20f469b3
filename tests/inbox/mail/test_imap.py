"""Fetching from a real IMAP server: nothing missed, nothing twice, no trace left."""

import pytest

from inbox.mail import imap
from tests.inbox.mail.mails import mail

MAX = 100_000


class Ledger:
    """What was stored, and how far the folder was read."""

    def __init__(self):
        self.stored, self.state = {}, imap.FetchState()

    def store(self, raw, name):
        self.stored[name] = raw

    def known(self, names):
        return [name for name in names if name in self.stored]

    def advance(self, state):
        self.state = state

    def poll(self, server, **options):
        box = imap.connect(server.access)
        try:
            options = {"store": self.store, "known": self.known, "advance": self.advance, "max_bytes": MAX} | options
            return imap.fetch_new(box, server.folder, self.state, **options)
        finally:
            imap.disconnect(box)


@pytest.fixture
def ledger():
    return Ledger()


def test_every_mail_is_fetched_once_byte_for_byte(imap_server, ledger):
    sources = [mail(f"number {number}") for number in range(5)]
    imap_server.put(*sources)
    assert ledger.poll(imap_server).fetched == 5
    assert list(ledger.stored.values()) == sources
    assert ledger.poll(imap_server).fetched == 0
    imap_server.put(mail("later"))
    assert ledger.poll(imap_server).fetched == 1


def test_mail_that_somebody_read_elsewhere_is_fetched_and_no_flag_changes(imap_server, ledger):
    imap_server.put(mail("read"), flags=["\\Seen"])
    imap_server.put(mail("unread"))
    before = imap_server.flags()
    assert ledger.poll(imap_server).fetched == 2
    assert imap_server.flags() == before == [("\\Seen",), ()]


def test_a_mail_with_a_lower_uid_that_shows_late_is_fetched(imap_server, ledger):
    imap_server.put(*(mail(f"n{number}") for number in range(3)))
    ledger.poll(imap_server)
    late = sorted(ledger.stored)[1]
    del ledger.stored[late]
    assert ledger.poll(imap_server).fetched == 1
    assert late in ledger.stored


def test_new_uid_validity_means_reading_everything_again(imap_server, ledger):
    imap_server.put(mail("one"), mail("two"))
    ledger.poll(imap_server)
    ledger.state = imap.FetchState(ledger.state.uid_validity + 1, 10_000)
    ledger.stored.clear()
    result = ledger.poll(imap_server)
    assert (result.fetched, result.is_rescan) == (2, True)


def test_a_failing_store_stops_the_fetch_without_skipping(imap_server, ledger):
    imap_server.put(*(mail(f"n{number}") for number in range(4)))

    def breaks_at_third(raw, name):
        if len(ledger.stored) == 2:
            raise ConnectionError("database")
        ledger.store(raw, name)

    with pytest.raises(ConnectionError):
        ledger.poll(imap_server, store=breaks_at_third)
    assert len(ledger.stored) == 2
    assert ledger.poll(imap_server).fetched == 2
    assert [b"n%d" % number in raw for number, raw in enumerate(ledger.stored.values())] == [True] * 4


def test_a_mail_the_server_will_not_give_becomes_a_stub_and_stops_no_other(imap_server, ledger, monkeypatch):
    imap_server.put(mail("one"), mail("two"), mail("three"))
    real = imap.imaplib.IMAP4.uid
    seen = []

    def refuses_one(self, command, *args):
        if command == "FETCH" and "BODY.PEEK[]" in args[-1]:
            seen.append(args[0])
            if len(seen) == 2:
                raise imap.imaplib.IMAP4.error("NO internal error")
        return real(self, command, *args)

    monkeypatch.setattr(imap.imaplib.IMAP4, "uid", refuses_one)
    result = ledger.poll(imap_server)
    assert (result.fetched, result.stubbed) == (3, 1)
    stub = list(ledger.stored.values())[1]
    assert b"Subject: A question" in stub
    assert b"two" not in stub


def test_a_mail_over_the_limit_is_cut_one_byte_beyond_it(imap_server, ledger):
    imap_server.put(mail("x" * 5000))
    ledger.poll(imap_server, max_bytes=1000)
    assert [len(raw) for raw in ledger.stored.values()] == [1001]


def test_a_long_backlog_is_fetched_in_turns(imap_server, ledger):
    imap_server.put(*(mail(f"n{number}") for number in range(7)))
    assert [ledger.poll(imap_server, limit=3).fetched for _ in range(4)] == [3, 3, 1, 0]


def test_the_comparison_names_what_was_never_stored(imap_server, ledger):
    imap_server.put(*(mail(f"n{number}") for number in range(4)))
    ledger.poll(imap_server, limit=3)
    box = imap.connect(imap_server.access)
    missing = imap.missing_uids(box, imap_server.folder, ledger.known)
    imap.disconnect(box)
    assert len(missing) == 1


@pytest.mark.parametrize("changes", [{"password": "wrong"}, {"folder": "Nowhere"}, {"port": 1}, {"use_tls": True}])
def test_a_mailbox_that_cannot_be_opened_says_so(imap_server, changes):
    with pytest.raises(imap.MailboxUnreachable):
        imap.connect(imap_server.wrong(**changes))


def test_the_password_shows_nowhere(imap_server):
    assert "secret" not in repr(imap_server.access)
