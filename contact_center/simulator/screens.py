"""What the phone shows: conversations and mails as plain values for the templates."""

from __future__ import annotations

import json
import re
import sqlite3
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from contact_center.simulator import mail
from contact_center.simulator.store import Store

INLINE_TYPES = ("image/", "audio/", "video/")
_ADDRESS = re.compile(r"(https?://[^\s<>\"]*[^\s<>\".,;:!?)\]])")


def linked(text: str) -> SafeString:
    """Markup of what people wrote, nothing of which is markup; web addresses in it can be followed, as on a phone."""
    parts = enumerate(_ADDRESS.split(text))  # every other one is an address
    marked = '<a href="{}" target="_blank" rel="noopener">{}</a>'
    return format_html_join("", "{}", ((format_html(marked, part, part) if n % 2 else part,) for n, part in parts))


@dataclass(frozen=True)
class Bubble:
    """One message on the phone. `ticks` is waiting, sent, delivered, read or failed."""

    sid: str
    is_mine: bool
    text: str
    at: datetime
    ticks: str
    note: str
    media: list[dict[str, str]]
    place: dict[str, str]
    buttons: list[dict[str, str]]
    kind: str = "text"

    @property
    def linked(self) -> SafeString:
        """See `linked`."""
        return linked(self.text)


@dataclass
class Day:
    """The messages of one day."""

    date: datetime
    bubbles: list[Bubble] = field(default_factory=list)


def conversation(store: Store, address: str) -> list[Day]:
    """All messages from and to an address, by day."""
    rows = store.conversation(address)
    last_answer = max((row["id"] for row in rows if row["direction"] != "inbound"), default=0)
    days: list[Day] = []
    for row in rows:
        bubble = _bubble(store, row, is_answered=row["id"] < last_answer)
        if not days or days[-1].date.date() != bubble.at.date():
            days.append(Day(bubble.at))
        days[-1].bubbles.append(bubble)
    return days


def _bubble(store: Store, row: sqlite3.Row, *, is_answered: bool) -> Bubble:
    extras: dict[str, Any] = json.loads(row["extras"])
    is_mine = row["direction"] == "inbound"
    ticks, note = _my_ticks(row, is_answered=is_answered) if is_mine else _their_ticks(row)
    return Bubble(
        sid=row["sid"],
        is_mine=is_mine,
        text=row["body"],
        at=datetime.fromtimestamp(row["created"]).astimezone(),
        ticks=ticks,
        note=note,
        media=[_media(item) for item in store.media_of(row["sid"])],
        place={name: extras[name] for name in ("Latitude", "Longitude", "Label") if name in extras},
        buttons=[] if is_mine else extras.get("buttons", []),
        kind=str(extras.get("MessageType", "text")),
    )


def _media(item: sqlite3.Row) -> dict[str, str]:
    content_type = item["content_type"]
    shape = content_type.split("/")[0] if content_type.startswith(INLINE_TYPES) else "file"
    return {"url": f"/_phone/media/{item['sid']}", "shape": shape, "content_type": content_type}


def _my_ticks(row: sqlite3.Row, *, is_answered: bool) -> tuple[str, str]:
    announced = row["announced"]
    if announced is None:
        return "waiting", "On its way to the clinic"
    if announced == "ok":
        return ("read", "Answered") if is_answered else ("delivered", "The clinic has it")
    reasons = {"connect": "the clinic does not answer", "dropped": "its webhook was dropped"}
    return "sent", f"With the provider; {reasons.get(announced, f'the clinic answered {announced}')}"


def _their_ticks(row: sqlite3.Row) -> tuple[str, str]:
    if row["status"] in ("failed", "undelivered"):
        return "failed", f"Not delivered: {row['error_message'] or 'no reason'} ({row['error_code']})"
    words = {"queued": "waiting", "accepted": "waiting", "sent": "sent", "delivered": "delivered", "read": "read"}
    return words.get(row["status"], "waiting"), row["status"].capitalize()


@dataclass(frozen=True)
class Letter:
    """One mail on the phone."""

    number: int
    is_mine: bool
    who: str
    text: str
    at: datetime
    files: list[str]

    @property
    def linked(self) -> SafeString:
        """See `linked`."""
        return linked(self.text)


@dataclass
class Thread:
    """Mails that answer one another, oldest first."""

    key: str
    subject: str
    letters: list[Letter] = field(default_factory=list)

    @property
    def last(self) -> Letter:
        """The newest mail."""
        return self.letters[-1]

    @property
    def last_received(self) -> int | None:
        """The number of the newest mail from the clinic, which a reply answers; else the newest of all."""
        return next((letter.number for letter in reversed(self.letters) if not letter.is_mine), self.last.number)


def mail_threads(store: Store, owner: str) -> list[Thread]:
    """The mails of one person in threads, the most recent thread first."""
    threads: dict[str, Thread] = {}
    for row in store.mails(owner):
        message = mail.read(row["source"])
        key = mail.thread_key(message) or f"mail-{row['id']}"
        thread = threads.setdefault(key, Thread(key, row["subject"] or "(no subject)"))
        thread.letters.append(
            Letter(
                number=row["id"],
                is_mine=row["direction"] == "from_patient",
                who=str(message.get("From", "")),
                text=mail.shown_text(message),
                at=datetime.fromtimestamp(row["received"]).astimezone(),
                files=mail.attachment_names(message),
            )
        )
    return sorted(threads.values(), key=lambda thread: thread.last.number, reverse=True)
