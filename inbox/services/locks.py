"""Advisory locks by name; the database drops them with the session or transaction that holds them."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


def lock_key(*parts: object) -> int:
    """A stable signed 64-bit key for these words."""
    digest = hashlib.blake2b("\x1f".join(map(str, parts)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def hold_for_transaction(*parts: object) -> None:
    """Wait for the lock of this name and hold it until the caller's transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [lock_key(*parts)])


@contextmanager
def try_held(*parts: object, shared: bool = False) -> Iterator[bool]:
    """True while this process holds the lock, False when somebody else does; never waits.

    Lasts across transactions and needs a direct connection, not a transaction pooler. Shared holders only keep out
    exclusive ones.
    """
    kind = "_shared" if shared else ""
    key = lock_key(*parts)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_try_advisory_lock{kind}(%s)", [key])
        is_mine = bool(cursor.fetchone()[0])
    try:
        yield is_mine
    finally:
        if is_mine:
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT pg_advisory_unlock{kind}(%s)", [key])
