"""The provider's memory: one SQLite file that survives a restart and a kill.

Every call is short and runs on the event loop: a single process with a local file needs no pool.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS message (
  id INTEGER PRIMARY KEY AUTOINCREMENT, sid TEXT UNIQUE NOT NULL, direction TEXT NOT NULL,
  sender TEXT NOT NULL, recipient TEXT NOT NULL, body TEXT NOT NULL DEFAULT '', status TEXT NOT NULL,
  created REAL NOT NULL, updated REAL NOT NULL, sent REAL, service_sid TEXT, error_code INTEGER, error_message TEXT,
  callback_url TEXT, our_id TEXT, content_sid TEXT, extras TEXT NOT NULL DEFAULT '{}', announced TEXT);
CREATE INDEX IF NOT EXISTS message_recipient ON message (recipient, id);
CREATE INDEX IF NOT EXISTS message_sender ON message (sender, id);
CREATE INDEX IF NOT EXISTS message_our_id ON message (our_id) WHERE our_id IS NOT NULL;
CREATE TABLE IF NOT EXISTS media (
  sid TEXT PRIMARY KEY, message_sid TEXT NOT NULL, content_type TEXT NOT NULL, content BLOB NOT NULL,
  created REAL NOT NULL);
CREATE INDEX IF NOT EXISTS media_message ON media (message_sid);
CREATE TABLE IF NOT EXISTS step (
  id INTEGER PRIMARY KEY AUTOINCREMENT, message_sid TEXT NOT NULL, status TEXT NOT NULL, due REAL NOT NULL, done REAL);
CREATE INDEX IF NOT EXISTS step_open ON step (due) WHERE done IS NULL;
CREATE TABLE IF NOT EXISTS opt_out (ours TEXT NOT NULL, theirs TEXT NOT NULL, PRIMARY KEY (ours, theirs));
CREATE TABLE IF NOT EXISTS content (sid TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS mail (
  id INTEGER PRIMARY KEY AUTOINCREMENT, direction TEXT NOT NULL, owner TEXT NOT NULL, message_id TEXT, subject TEXT,
  received REAL NOT NULL, source BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS mail_owner ON mail (owner, id);
CREATE TABLE IF NOT EXISTS counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
TABLES = ("message", "media", "step", "opt_out", "mail", "counter", "setting")


def new_sid(prefix: str) -> str:
    """An id in Twilio's form."""
    return prefix + secrets.token_hex(16)


class Store:
    """Messages, attachments, planned steps, opt-outs, mails and counters."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.db.row_factory = sqlite3.Row
        self.db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=5000;" + SCHEMA)

    def close(self) -> None:
        """Release the file."""
        self.db.close()

    def reset(self) -> None:
        """Forget everything but the templates."""
        for table in TABLES:
            self.db.execute(f"DELETE FROM {table}")  # noqa: S608 - names from this file

    def rows(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        """All rows of a query."""
        return self.db.execute(sql, values).fetchall()

    def row(self, sql: str, *values: Any) -> sqlite3.Row | None:
        """The first row of a query, or None."""
        found: sqlite3.Row | None = self.db.execute(sql, values).fetchone()
        return found

    def value(self, sql: str, *values: Any) -> Any:
        """The first column of the first row, or None."""
        found = self.row(sql, *values)
        return None if found is None else found[0]

    # ---- messages ----
    def add_message(self, **fields: Any) -> sqlite3.Row:
        """Store one message; `extras` is a dict. Returns the row."""
        now = time.time()
        fields = {"created": now, "updated": now, **fields}
        fields["extras"] = json.dumps(fields.get("extras", {}))
        names = ", ".join(fields)
        marks = ", ".join("?" * len(fields))
        self.db.execute(f"INSERT INTO message ({names}) VALUES ({marks})", tuple(fields.values()))  # noqa: S608
        self.count("message.inbound" if fields["direction"] == "inbound" else "message.accepted")
        found = self.message(fields["sid"])
        assert found is not None
        return found

    def message(self, sid: str) -> sqlite3.Row | None:
        """The message of this id, or None."""
        return self.row("SELECT * FROM message WHERE sid = ?", sid)

    def set_status(self, sid: str, status: str, code: int | None = None, words: str | None = None) -> None:
        """Move a message to a status; the time of sending is set once."""
        now = time.time()
        self.db.execute(
            "UPDATE message SET status = ?, updated = ?, error_code = COALESCE(?, error_code),"
            " error_message = COALESCE(?, error_message), sent = CASE WHEN ? IN ('queued', 'accepted') THEN sent"
            " ELSE COALESCE(sent, ?) END WHERE sid = ?",
            (status, now, code, words, status, now, sid),
        )

    def set_announced(self, sid: str, outcome: str) -> None:
        """How the product took an inbound message: `ok`, or why not."""
        self.db.execute("UPDATE message SET announced = ?, updated = ? WHERE sid = ?", (outcome, time.time(), sid))

    def last_inbound_at(self, sender: str, recipient: str) -> float | None:
        """When `sender` last wrote to `recipient`, in seconds since the epoch."""
        found: float | None = self.value(
            "SELECT created FROM message WHERE direction = 'inbound' AND sender = ? AND recipient = ?"
            " ORDER BY id DESC LIMIT 1",
            sender,
            recipient,
        )
        return found

    def conversation(self, address: str, limit: int = 200) -> list[sqlite3.Row]:
        """The newest messages from or to an address, oldest first."""
        return self.rows(
            "SELECT * FROM (SELECT * FROM message WHERE sender = ? OR recipient = ? ORDER BY id DESC LIMIT ?)"
            " ORDER BY id",
            address,
            address,
            limit,
        )

    # ---- attachments ----
    def add_media(self, message_sid: str, content: bytes, content_type: str) -> str:
        """Keep an attachment; returns its id."""
        sid = new_sid("ME")
        self.db.execute(
            "INSERT INTO media VALUES (?, ?, ?, ?, ?)", (sid, message_sid, content_type, content, time.time())
        )
        return sid

    def media_of(self, message_sid: str) -> list[sqlite3.Row]:
        """The attachments of a message without their content."""
        return self.rows(
            "SELECT sid, message_sid, content_type, created FROM media WHERE message_sid = ? ORDER BY rowid",
            message_sid,
        )

    # ---- planned steps ----
    def plan(self, message_sid: str, steps: Iterable[tuple[str, float]]) -> None:
        """Plan statuses at moments (seconds since the epoch)."""
        self.db.executemany(
            "INSERT INTO step (message_sid, status, due) VALUES (?, ?, ?)", [(message_sid, *step) for step in steps]
        )

    def due_steps(self, now: float, limit: int = 500) -> list[sqlite3.Row]:
        """Open steps whose moment has come, oldest first."""
        return self.rows("SELECT * FROM step WHERE done IS NULL AND due <= ? ORDER BY due, id LIMIT ?", now, limit)

    def next_due(self, now: float) -> float | None:
        """The moment of the next open step after `now`, or None."""
        found: float | None = self.value("SELECT min(due) FROM step WHERE done IS NULL AND due > ?", now)
        return found

    def finish_step(self, step_id: int) -> None:
        """The step is taken and never comes again."""
        self.db.execute("UPDATE step SET done = ? WHERE id = ?", (time.time(), step_id))

    # ---- opt-outs ----
    def set_opt_out(self, ours: str, theirs: str, *, is_out: bool) -> None:
        """Remember or forget that `theirs` replied STOP to `ours`."""
        sql = (
            "INSERT OR IGNORE INTO opt_out VALUES (?, ?)"
            if is_out
            else "DELETE FROM opt_out WHERE ours = ? AND theirs = ?"
        )
        self.db.execute(sql, (ours, theirs))

    def is_opted_out(self, ours: str, theirs: str) -> bool:
        """Whether `theirs` replied STOP to `ours`."""
        return self.row("SELECT 1 FROM opt_out WHERE ours = ? AND theirs = ?", ours, theirs) is not None

    # ---- mails ----
    def add_mail(self, direction: str, owner: str, message_id: str, subject: str, source: bytes) -> int:
        """Keep a mail in the box of `owner`; `direction` is `to_patient` or `from_patient`. Returns its number."""
        cursor = self.db.execute(
            "INSERT INTO mail (direction, owner, message_id, subject, received, source) VALUES (?, ?, ?, ?, ?, ?)",
            (direction, owner.lower(), message_id, subject, time.time(), source),
        )
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def mails(self, owner: str, limit: int = 100) -> list[sqlite3.Row]:
        """The newest mails of one person, oldest first."""
        return self.rows(
            "SELECT * FROM (SELECT * FROM mail WHERE owner = ? ORDER BY id DESC LIMIT ?) ORDER BY id",
            owner.lower(),
            limit,
        )

    def mail(self, number: int) -> sqlite3.Row | None:
        """One mail, or None."""
        return self.row("SELECT * FROM mail WHERE id = ?", number)

    # ---- counters and settings ----
    def count(self, name: str, by: int = 1) -> None:
        """Add to a counter."""
        self.db.execute(
            "INSERT INTO counter VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = value + excluded.value",
            (name, by),
        )

    def counters(self, prefix: str) -> dict[str, int]:
        """Counters whose name starts with `prefix.`, without it."""
        found = self.rows("SELECT name, value FROM counter WHERE name LIKE ? ORDER BY name", f"{prefix}.%")
        return {row["name"][len(prefix) + 1 :]: row["value"] for row in found}

    def setting(self, name: str, default: Any = None) -> Any:
        """A kept setting, from JSON."""
        found = self.value("SELECT value FROM setting WHERE name = ?", name)
        return default if found is None else json.loads(found)

    def keep_setting(self, name: str, value: Any) -> None:
        """Keep a setting as JSON."""
        self.db.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (name, json.dumps(value)))

    # ---- templates ----
    def contents(self) -> list[dict[str, Any]]:
        """Every template, newest first."""
        return [json.loads(row["value"]) for row in self.rows("SELECT value FROM content ORDER BY rowid DESC")]

    def content(self, sid: str) -> dict[str, Any] | None:
        """One template, or None."""
        found = self.value("SELECT value FROM content WHERE sid = ?", sid)
        return None if found is None else json.loads(found)

    def put_content(self, value: dict[str, Any]) -> None:
        """Keep a template, replacing the one with its id."""
        self.db.execute(
            "INSERT INTO content VALUES (?, ?) ON CONFLICT (sid) DO UPDATE SET value = excluded.value",
            (value["sid"], json.dumps(value)),
        )
