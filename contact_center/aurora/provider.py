"""The simulated provider remembers the seeded messages as well, as a real one would."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from contact_center.simulator.store import Store

COLUMNS = ("sid", "direction", "sender", "recipient", "body", "status", "created", "updated", "sent")
TAKEN = "ok"


def _store() -> Store | None:
    return Store(settings.DATA_DIR / "simulator.sqlite3") if settings.SIMULATOR else None


def remember(messages: list[dict[str, Any]]) -> None:
    """Put messages into its list, oldest first. Without a simulator nothing happens."""
    store = _store()
    if store is None:
        return
    ordered = sorted(messages, key=lambda one: one["created"])
    rows = [(*[message[column] for column in COLUMNS], TAKEN) for message in ordered]
    marks = ", ".join("?" * (len(COLUMNS) + 1))
    store.db.execute("BEGIN")
    store.db.executemany(f"INSERT OR IGNORE INTO message ({', '.join(COLUMNS)}, announced) VALUES ({marks})", rows)  # noqa: S608
    store.db.execute("COMMIT")
    store.close()


def forget() -> None:
    """Empty its list."""
    store = _store()
    if store is not None:
        store.reset()
        store.close()
