"""What happens to a message after it was accepted, and how an inbound one is announced."""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import logging
import sqlite3
import time
from typing import Any

import aiohttp

from contact_center.simulator.config import Config
from contact_center.simulator.courier import Courier, Delivery
from contact_center.simulator.faults import Faults
from contact_center.simulator.store import Store, new_sid
from contact_center.simulator.twilio_words import (
    API,
    DELIVERY_ERRORS,
    START_WORDS,
    STOP_WORDS,
    callback_params,
    inbound_params,
)

WINDOW_SECONDS = 24 * 3600
MAX_MEDIA_BYTES = 16 * 1024 * 1024
MAX_COUNT = 10_000
MAX_UNDER_WAY = 200
KINDS = frozenset(
    {"text", "image", "audio", "video", "document", "sticker", "location", "contacts", "button", "interactive"}
    | {"list", "reaction", "deleted", "unsupported", "order"}
)
_log = logging.getLogger(__name__)


class BadRequest(ValueError):
    """What was asked of the simulator cannot be done; its text says what to change."""


class Deliveries:
    """Moves accepted messages through their statuses and tells the product; takes inbound messages."""

    def __init__(self, config: Config, store: Store, courier: Courier) -> None:
        self.config = config
        self.store = store
        self.courier = courier
        self.faults = Faults()
        self.delays = dict(config.delays)
        self.own_url = config.own_url or ""
        self._wake = asyncio.Event()
        self._carried: set[int] = set()
        self._tasks: set[asyncio.Task[Any]] = set()

    # ---- outbound ----
    def plan(self, row: sqlite3.Row, failure: int | None) -> None:
        """Plan the statuses of a newly accepted message; `failure` is the code it ends with, if any."""
        names = ["queued", "sent", "delivered"]
        if row["recipient"].startswith("whatsapp:"):
            names.append("read")
        if failure is not None:
            word = "failed" if failure >= 60000 else "undelivered"
            names = ["queued", f"{word}:{failure}"] if word == "failed" else ["queued", "sent", f"{word}:{failure}"]
        start = time.time()
        steps = []
        for name in names:
            delay = self.delays.get(name, self.delays.get("delivered", 0.9) if ":" in name else None)
            if delay is not None:
                steps.append((name, start + delay))
        self.store.plan(row["sid"], steps)
        self._wake.set()

    def failure_of(self, row: sqlite3.Row, *, is_approved_template: bool) -> int | None:
        """The code this message will fail with: by a rule, or because WhatsApp's 24 hours are over."""
        effect = self.faults.at("delivery", to=row["recipient"], **{"from": row["sender"]})
        if effect:
            return int(effect["code"])
        if row["recipient"].startswith("whatsapp:") and not is_approved_template:
            last = self.store.last_inbound_at(row["recipient"], row["sender"])
            if last is None or time.time() - last > WINDOW_SECONDS:
                return 63016
        return None

    async def run(self) -> None:
        """Take every planned step at its moment, for ever. Steps planned before a restart are taken too."""
        while True:
            self._wake.clear()
            now = time.time()
            room = MAX_UNDER_WAY - len(self._carried)
            if room > 0:
                due = self.store.due_steps(now, limit=MAX_UNDER_WAY)
                for step in [step for step in due if step["id"] not in self._carried][:room]:
                    self._carried.add(step["id"])
                    self.spawn(self._step(step))
            next_due = self.store.next_due(now)
            with contextlib.suppress(TimeoutError):
                # Not wait_for: until Python 3.12 it can swallow the cancellation that ends this loop.
                async with asyncio.timeout(60 if next_due is None else max(0.005, next_due - now)):
                    await self._wake.wait()

    def spawn(self, work: Any) -> asyncio.Task[Any]:
        """Start a task that is not forgotten half way."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def stop(self) -> None:
        """Cancel what is under way; planned steps stay planned."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _step(self, step: sqlite3.Row) -> None:
        try:
            status, _, code = step["status"].partition(":")
            number = int(code) if code else None
            words = DELIVERY_ERRORS.get(number, "Unknown error") if number else None
            self.store.set_status(step["message_sid"], status, number, words)
            row = self.store.message(step["message_sid"])
            if row is not None and row["callback_url"]:
                await self._call_back(row, status)
            self.store.finish_step(step["id"])
        except sqlite3.ProgrammingError:
            return  # the file was closed under us: the step comes again after the restart
        finally:
            self._carried.discard(step["id"])
            self._wake.set()

    async def _call_back(self, row: sqlite3.Row, status: str) -> None:
        params = callback_params(row, self.config.account_sid, status, time.time())
        times, pause, is_signed = 1, 0.0, True
        effects = self.faults.all_at("callback", to=row["recipient"], status=status, **{"from": row["sender"]})
        for effect in effects:
            kind = effect["type"]
            if kind == "drop":
                self.store.count("webhook.status.dropped")
                return
            if kind == "duplicate":
                times += effect.get("times", 1)
            elif kind == "delay":
                pause += effect.get("seconds", 5.0)
            elif kind == "reorder":
                latest = max(self.delays.values(), default=0.0)
                pause += 2 * (latest - self.delays.get(status, latest))
            elif kind == "bad_signature":
                is_signed = False
        await asyncio.sleep(pause)
        posts = [self.courier.post("status", row["callback_url"], params, is_signed=is_signed) for _ in range(times)]
        await asyncio.gather(*posts)

    async def fetch_media(self, sid: str, urls: list[str]) -> bool:
        """Get the attachments of an outbound message from the product. False when one cannot be had."""
        assert self.courier.session is not None
        for url in urls:
            if not url.startswith(f"{self.config.public_base_url.rstrip('/')}/"):
                return False
            try:
                async with self.courier.session.get(url, allow_redirects=False) as response:
                    content = await response.content.read(MAX_MEDIA_BYTES + 1)
                    if response.status != 200 or len(content) > MAX_MEDIA_BYTES:
                        return False
                    self.store.add_media(sid, content, response.content_type)
            except (TimeoutError, aiohttp.ClientError, OSError):
                return False
        return True

    # ---- inbound ----
    async def inject(self, given: dict[str, Any]) -> dict[str, Any]:
        """Take an inbound message and announce it. See docs of `/_inbound`. Raises BadRequest."""
        count, repeats = _number(given, "count", MAX_COUNT), _number(given, "concurrent", 50)
        rows = [self._take(given) for _ in range(count)]
        announced = [self.announce(row, repeats) for row in rows]
        if not given.get("wait", True):
            for work in announced:
                self.spawn(work)
            return {"messages": [{"sid": row["sid"], "deliveries": []} for row in rows]}
        limit = asyncio.Semaphore(int(given.get("parallel", 20)))

        async def _bounded(work: Any) -> list[Delivery]:
            async with limit:
                result: list[Delivery] = await work
                return result

        results = await asyncio.gather(*[_bounded(work) for work in announced])
        return {
            "messages": [
                {
                    "sid": row["sid"],
                    "deliveries": [{"status": d.status, "ms": round(d.seconds * 1000, 1)} for d in found],
                }
                for row, found in zip(rows, results, strict=True)
            ]
        }

    async def announce(self, row: sqlite3.Row, repeats: int = 1) -> list[Delivery]:
        """Post the webhook of an inbound message, `repeats` times at once."""
        media = [
            (
                f"{self.own_url}{API}/{self.config.account_sid}/Messages/{row['sid']}/Media/{item['sid']}",
                item["content_type"],
            )
            for item in self.store.media_of(row["sid"])
        ]
        params = inbound_params(row, self.config.account_sid, media)
        is_signed = True
        for effect in self.faults.all_at("inbound", to=row["recipient"], **{"from": row["sender"]}):
            if effect["type"] == "drop":
                self.store.count("webhook.inbound.dropped")
                self.store.set_announced(row["sid"], "dropped")
                return []
            if effect["type"] == "duplicate":
                repeats += effect.get("times", 1)
            elif effect["type"] == "delay":
                await asyncio.sleep(effect.get("seconds", 5.0))
            elif effect["type"] == "bad_signature":
                is_signed = False
        posts = [
            self.courier.post("inbound", self.config.inbound_url, params, is_signed=is_signed) for _ in range(repeats)
        ]
        found = list(await asyncio.gather(*posts))
        worst = next((delivery for delivery in found if not delivery.is_ok), None)
        self.store.set_announced(row["sid"], "ok" if worst is None else str(worst.status or worst.error))
        return found

    def _take(self, given: dict[str, Any]) -> sqlite3.Row:
        kind = str(given.get("type", "text"))
        if kind not in KINDS:
            raise BadRequest(f"type is one of {', '.join(sorted(KINDS))}.")
        sender, recipient, body = str(given.get("from", "")), str(given.get("to", "")), str(given.get("body", ""))
        if not recipient:
            recipient = self._own_number(sender)
        media = [_decoded(item) for item in given.get("media", [])]
        sid = new_sid("MM" if media else "SM")
        row = self.store.add_message(
            sid=sid,
            direction="inbound",
            sender=sender,
            recipient=recipient,
            body=body,
            status="received",
            sent=time.time(),
            extras=_extras(given, kind, recipient, media),
        )
        for content, content_type in media:
            self.store.add_media(sid, content, content_type)
        self._heed_keywords(sender, recipient, body)
        return row

    def _own_number(self, sender: str) -> str:
        return f"whatsapp:{self.config.whatsapp_number}" if sender.startswith("whatsapp:") else self.config.sms_number

    def _heed_keywords(self, sender: str, recipient: str, body: str) -> None:
        word = body.strip().upper()
        if not recipient.startswith("whatsapp:") and word in STOP_WORDS | START_WORDS:
            self.store.set_opt_out(recipient, sender, is_out=word in STOP_WORDS)


def _number(given: dict[str, Any], name: str, most: int) -> int:
    value = given.get(name, 1)
    if not isinstance(value, int) or not 1 <= value <= most:
        raise BadRequest(f"{name} is a whole number from 1 to {most}.")
    return value


def _decoded(item: Any) -> tuple[bytes, str]:
    try:
        content = base64.b64decode(item["content_base64"], validate=True)
        return content, str(item["content_type"])
    except (KeyError, TypeError, binascii.Error) as error:
        raise BadRequest('An attachment is {"content_type": "image/png", "content_base64": "..."}.') from error


def _extras(given: dict[str, Any], kind: str, recipient: str, media: list[Any]) -> dict[str, str]:
    """Parameters that only some messages have, under Twilio's names."""
    extras: dict[str, str] = {str(name): str(value) for name, value in (given.get("params") or {}).items()}
    if recipient.startswith("whatsapp:"):
        extras.setdefault("ProfileName", str(given.get("profile_name", "")))
        if kind == "text" and media:
            kind = media[0][1].split("/")[0].replace("application", "document").replace("text", "contacts")
        extras.setdefault("MessageType", "interactive" if kind == "list" else kind)
    names = {
        "latitude": "Latitude",
        "longitude": "Longitude",
        "label": "Label",
        "address": "Address",
        "button_text": "ButtonText",
        "button_payload": "ButtonPayload",
        "list_id": "ListId",
        "list_title": "ListTitle",
        "list_description": "ListDescription",
        "in_reply_to": "OriginalRepliedMessageSid",
        "emoji": "ReactionEmoji",
        "whatsapp_user_id": "ExternalUserId",
    }
    extras |= {theirs: str(given[ours]) for ours, theirs in names.items() if ours in given}
    return extras
