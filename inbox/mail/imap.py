"""Fetching a mailbox over IMAP so that no mail is missed, whoever else reads it.

Mails are counted by UID, never by the Seen flag: a mail that a colleague has opened elsewhere is new to us
all the same. The folder is opened read-only, so that we leave no trace.
"""

from __future__ import annotations

import imaplib
import re
import ssl
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field

from imap_tools import BaseMailBox, MailBox, MailBoxUnencrypted
from imap_tools.errors import ImapToolsError

# Servers may show a mail late whose UID is below one we have seen; so many UIDs back are looked at again.
GAP_WINDOW = 200
BATCH = 25
_SIZE = re.compile(rb"RFC822\.SIZE (\d+)")

Store = Callable[[bytes, str], None]
Known = Callable[[Collection[str]], Collection[str]]
Advance = Callable[["FetchState"], None]


class MailboxUnreachable(Exception):
    """The server does not answer, refuses the login or has no such folder. Nothing was lost; try again later."""


@dataclass(frozen=True, slots=True)
class MailboxAccess:
    """How to reach one folder. `timeout_seconds` bounds every single answer of the server."""

    host: str
    port: int
    username: str
    password: str = field(repr=False)
    folder: str = "INBOX"
    use_tls: bool = True
    timeout_seconds: float = 30.0


@dataclass(frozen=True, slots=True)
class FetchState:
    """How far a folder was read. Another `uid_validity` makes all UIDs worthless."""

    uid_validity: int | None = None
    last_uid: int = 0


@dataclass(frozen=True, slots=True)
class FetchResult:
    """What one poll did. `fetched` mails were handed on, `stubbed` of them only in part, since the server
    would not give them whole. `on_server` is how many lie in the folder."""

    state: FetchState
    fetched: int = 0
    stubbed: int = 0
    on_server: int = 0
    is_rescan: bool = False


def connect(access: MailboxAccess) -> BaseMailBox:
    """A logged-in connection with the folder opened read-only. Raises MailboxUnreachable."""
    box: BaseMailBox | None = None
    try:
        if access.use_tls:
            context = ssl.create_default_context()
            box = MailBox(access.host, access.port, timeout=access.timeout_seconds, ssl_context=context)
        else:
            box = MailBoxUnencrypted(access.host, access.port, timeout=access.timeout_seconds)
        box.login(access.username, access.password, initial_folder=None)
        box.folder.set(access.folder, readonly=True)
    except (ImapToolsError, imaplib.IMAP4.error, OSError) as error:
        if box is not None:
            disconnect(box)
        raise MailboxUnreachable(f"{type(error).__name__} while opening the mailbox.") from error
    return box


def disconnect(box: BaseMailBox) -> None:
    """Say goodbye; a server that is gone already is no error."""
    try:
        box.logout()
    except (ImapToolsError, imaplib.IMAP4.error, OSError):
        box.client.shutdown()


def external_id(uid_validity: int, uid: int) -> str:
    """What the ledger calls one mail of a folder."""
    return f"imap:{uid_validity}:{uid}"


def fetch_new(
    box: BaseMailBox,
    folder: str,
    state: FetchState,
    *,
    store: Store,
    known: Known,
    advance: Advance,
    max_bytes: int,
    limit: int = 500,
) -> FetchResult:
    """Hand every mail that is not stored yet to `store(raw, external_id)`, oldest first, at most `limit`.

    `known(external_ids)` says which of them are stored. `advance(state)` is called after each mail is safe, so
    a crash repeats at most one. A mail the server will not give is stored as a stub of its headers; only a
    lost connection (MailboxUnreachable) or an error of `store` ends the fetch, and neither skips a mail.
    """
    try:
        status = box.folder.status(folder, ["UIDVALIDITY", "MESSAGES"])
        validity = int(status["UIDVALIDITY"])
        is_rescan = state.uid_validity is not None and state.uid_validity != validity
        if state.uid_validity != validity:
            state = FetchState(validity, 0)
        wanted = _wanted(box, state, known)
    except (ImapToolsError, imaplib.IMAP4.error, OSError) as error:
        raise MailboxUnreachable(f"{type(error).__name__} while listing the mailbox.") from error
    fetched = stubbed = 0
    for uid in wanted[:limit]:
        raw, is_stub = _fetch(box, uid, max_bytes)
        store(raw, external_id(validity, uid))
        fetched += 1
        stubbed += is_stub
        state = FetchState(validity, max(state.last_uid, uid))
        advance(state)
    if state.last_uid == 0 or not wanted:
        advance(state)
    return FetchResult(state, fetched, stubbed, int(status["MESSAGES"]), is_rescan)


def missing_uids(box: BaseMailBox, folder: str, known: Known) -> list[int]:
    """UIDs in the folder that are not stored, the whole folder compared. Raises MailboxUnreachable."""
    try:
        validity = int(box.folder.status(folder, ["UIDVALIDITY"])["UIDVALIDITY"])
        return _unknown(validity, _search(box, "ALL"), known)
    except (ImapToolsError, imaplib.IMAP4.error, OSError) as error:
        raise MailboxUnreachable(f"{type(error).__name__} while comparing the mailbox.") from error


def _wanted(box: BaseMailBox, state: FetchState, known: Known) -> list[int]:
    start = max(1, state.last_uid + 1 - GAP_WINDOW)
    listed = _search(box, f"UID {start}:*")
    # "n:*" names the last mail even when its UID is below n.
    late = [uid for uid in listed if start <= uid <= state.last_uid]
    new = [uid for uid in listed if uid > state.last_uid]
    return sorted({*_unknown(state.uid_validity or 0, late, known), *new})


def _unknown(validity: int, uids: Iterable[int], known: Known) -> list[int]:
    names = {external_id(validity, uid): uid for uid in uids}
    stored = set(known(list(names))) if names else set()
    return sorted(uid for name, uid in names.items() if name not in stored)


def _search(box: BaseMailBox, criteria: str) -> list[int]:
    return sorted(int(uid) for uid in box.uids(criteria))


def _fetch(box: BaseMailBox, uid: int, max_bytes: int) -> tuple[bytes, bool]:
    """The mail's source, cut one byte beyond `max_bytes`; else its headers; else a stub that names the UID."""
    for section in (f"BODY.PEEK[]<0.{max_bytes + 1}>", "BODY.PEEK[HEADER]"):
        try:
            answer, data = box.client.uid("FETCH", str(uid), f"(UID {section})")
        except imaplib.IMAP4.abort as error:
            raise MailboxUnreachable("The connection was lost while fetching.") from error
        except imaplib.IMAP4.error:
            continue
        except OSError as error:
            raise MailboxUnreachable("The connection was lost while fetching.") from error
        if answer == "OK" and (raw := _literal(data)) is not None:
            return raw, section.endswith("[HEADER]")
    return f"X-Continuo-Stub: UID {uid} could not be fetched\r\n\r\n".encode(), True


def _literal(data: list[object]) -> bytes | None:
    for item in data:
        if isinstance(item, tuple) and len(item) > 1 and isinstance(item[1], bytes) and item[1].strip():
            return item[1]
    return None
