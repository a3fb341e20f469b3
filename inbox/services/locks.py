"""Advisory locks by name; the database drops them with the session or transaction that holds them."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection


def lock_key(*parts: object) -> int:
    """A stable signed 64-bit key for these words."""
    digest = hashlib.blake2b("\x1f".join(map(str, parts)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def hold_for_transaction(*parts: object, wait_seconds: float | None = None) -> None:
    """Wait for the lock of this name and hold it until the caller's transaction ends.

    Raises OperationalError when it is not free in `wait_seconds`, without them after the database's own limit.
    """
    with connection.cursor() as cursor:
        if wait_seconds is None:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [lock_key(*parts)])
            return
        cursor.execute("SELECT current_setting('lock_timeout'), current_setting('statement_timeout')")
        usual = cursor.fetchone()
        limits = "SELECT set_config('lock_timeout', %s, true), set_config('statement_timeout', %s, true)"
        cursor.execute(limits, [f"{int(wait_seconds * 1000)}ms", f"{int(wait_seconds * 1000) + 1000}ms"])
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [lock_key(*parts)])
        cursor.execute(limits, usual)


@contextmanager
def try_held(*parts: object) -> Iterator[bool]:
    """True while this process holds the lock, False when somebody else does; never waits.

    Lasts across transactions, so it needs a direct connection: a transaction pooler would take the lock on one
    session and give it back on another. Raises ImproperlyConfigured where DATABASE_POOLED is set.
    """
    if settings.DATABASE_POOLED:
        raise ImproperlyConfigured("Session locks need a direct DATABASE_URL; DATABASE_POOLED says it is a pooler's.")
    key = lock_key(*parts)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [key])
        is_mine = bool(cursor.fetchone()[0])
    try:
        yield is_mine
    finally:
        if is_mine:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [key])
