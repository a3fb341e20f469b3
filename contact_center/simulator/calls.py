"""The phone calls of the simulated provider: it follows TwiML, keeps rooms, and tells the product what happens."""

from __future__ import annotations

import asyncio
import contextlib
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any

from contact_center.simulator.config import Config
from contact_center.simulator.courier import Courier
from contact_center.simulator.deliveries import Deliveries
from contact_center.simulator.store import Store, new_sid

__all__ = ["Calls", "Room", "SimulatedCall"]
OVER = frozenset({"completed", "busy", "no-answer", "canceled", "failed"})
MOST_STEPS = 200
FALLBACK = "(The clinic does not answer. The call ends.)"


@dataclass
class Room:
    """A conference."""

    name: str
    sid: str = field(default_factory=lambda: new_sid("CF"))
    members: list[SimulatedCall] = field(default_factory=list)
    created: float = field(default_factory=time.time)


@dataclass(eq=False)
class SimulatedCall:
    """One leg: a patient's phone, or the device of somebody at the desk (`client:…`)."""

    sender: str
    recipient: str
    direction: str
    sid: str = field(default_factory=lambda: new_sid("CA"))
    status: str = "ringing"
    created: float = field(default_factory=time.time)
    ended: float | None = None
    callback: str = ""
    heard: list[dict[str, str]] = field(default_factory=list)
    given: asyncio.Queue[tuple[str, str]] = field(default_factory=asyncio.Queue)
    room: Room | None = None
    left_room: asyncio.Event = field(default_factory=asyncio.Event)
    is_last: bool = True
    is_held: bool = False
    is_muted: bool = False
    coaches: str = ""
    is_asked: str = ""
    room_callback: str = ""
    sequence: int = 0
    task: asyncio.Task[Any] | None = None

    @property
    def is_over(self) -> bool:
        """Nobody is on this leg any more."""
        return self.status in OVER

    @property
    def patient(self) -> str:
        """The number of the phone that takes part, "" for a device of the desk."""
        number = self.sender if self.direction == "inbound" else self.recipient
        return number if number.startswith("+") else ""

    def hear(self, text: str, who: str = "clinic") -> None:
        """One more line on the phone's screen."""
        self.heard.append({"who": who, "text": text})


class Calls:
    """All calls of one running simulator; they end with it, as a provider's do."""

    def __init__(self, config: Config, store: Store, courier: Courier, deliveries: Deliveries) -> None:
        self.config, self.store, self.courier, self.deliveries = config, store, courier, deliveries
        self.calls: dict[str, SimulatedCall] = {}
        self.rooms: dict[str, Room] = {}
        self.when_over: list[Callable[[SimulatedCall], None]] = []
        self.when_said: list[Callable[[SimulatedCall, str], None]] = []
        self.keep_message: Callable[[SimulatedCall], dict[str, str]] = lambda call: {}
        self.pace = {"word": 0.02, "music": 8.0, "key": 1.0, "answer": 0.2}

    # ---- what people do ----
    def dial(self, sender: str, recipient: str) -> SimulatedCall:
        """A patient calls the clinic."""
        call = self._keep(SimulatedCall(sender, recipient, "inbound"))
        base = self.config.public_base_url.rstrip("/")
        call.callback = f"{base}/webhooks/twilio/voice-status"
        self._start(call, f"{base}/webhooks/twilio/voice", {})
        return call

    def press(self, call: SimulatedCall, key: str) -> None:
        """Press a key."""
        call.hear(f"⌨ {key}", "patient")
        call.given.put_nowait(("Digits", key[:1]))

    def say(self, call: SimulatedCall, words: str) -> None:
        """Say something; whoever is in the same room hears it."""
        call.hear(words, "patient")
        call.given.put_nowait(("SpeechResult", words))
        for listener in self.when_said:
            listener(call, words)

    def answer(self, call: SimulatedCall) -> None:
        """Take a call of the clinic."""
        if call.status == "ringing" and call.direction != "inbound":
            call.status = "in-progress"
            self._tell(call)
            self._enter(call)

    def hang_up(self, call: SimulatedCall, status: str = "completed") -> None:
        """Put the phone down, or end the leg by order of the product."""
        if call.is_over:
            return
        call.status = status if call.status != "ringing" or call.direction == "inbound" else "no-answer"
        call.ended = time.time()
        if call.task is not None and call.task is not asyncio.current_task():
            call.task.cancel()
        self._leave(call)
        call.hear("(The call has ended.)", "note")
        for listener in self.when_over:
            listener(call)
        self._tell(call)

    # ---- what the product orders ----
    def send_to(self, call: SimulatedCall, url: str) -> None:
        """Follow another document from now on."""
        if call.task is not None:
            call.task.cancel()
        self._leave(call, is_redirected=True)
        self._start(call, url, {})

    def invite(
        self, name: str, sender: str, recipient: str, callback: str, *, is_last: bool, seconds: int, **given: Any
    ) -> SimulatedCall:
        """Call a phone or a device, to meet in a room. Devices of the desk answer by themselves."""
        call = self._keep(SimulatedCall(sender, recipient, "outbound-api", callback=callback, is_last=is_last, **given))
        call.room = self.rooms.setdefault(name, Room(name))
        is_device = recipient.startswith("client:")
        call.task = self.deliveries.spawn(self._ring(call, self.pace["answer"] if is_device else seconds, is_device))
        return call

    async def announce(self, call: SimulatedCall, url: str) -> None:
        """One party of a room hears a document; the others do not."""
        delivery = await self.courier.post("voice", url, self._params(call))
        root = _document(delivery.body) if delivery.is_ok else None
        for verb in root if root is not None else ():
            await self._sound(call, verb)

    async def _ring(self, call: SimulatedCall, seconds: float, is_device: bool) -> None:
        self._tell(call)
        await asyncio.sleep(seconds)
        if call.status == "ringing":
            if is_device:
                self.answer(call)
            else:
                self.hang_up(call, "no-answer")

    # ---- documents ----
    def _keep(self, call: SimulatedCall) -> SimulatedCall:
        self.calls[call.sid] = call
        self.store.count(f"call.{call.direction}")
        return call

    def _start(self, call: SimulatedCall, url: str, params: dict[str, str]) -> None:
        call.task = self.deliveries.spawn(self._follow(call, url, params))

    async def _follow(self, call: SimulatedCall, url: str, params: dict[str, str]) -> None:
        for _ in range(MOST_STEPS):
            delivery = await self.courier.post("voice", url, self._params(call) | params)
            call.status = "in-progress" if not call.is_over else call.status
            root = _document(delivery.body) if delivery.is_ok else None
            if root is None:
                call.hear(FALLBACK, "note")
                break
            following = await self._perform(call, root)
            if following is None:
                break
            url, params = following
        self.hang_up(call)

    async def _perform(self, call: SimulatedCall, root: ET.Element) -> tuple[str, dict[str, str]] | None:
        for verb in root:
            text = (verb.text or "").strip()
            if verb.tag in ("Say", "Play", "Pause"):
                await self._sound(call, verb)
            elif verb.tag == "Redirect":
                return text, {}
            elif verb.tag == "Hangup":
                return None
            elif verb.tag == "Gather":
                given = await self._gather(call, verb)
                if given is not None:
                    return verb.get("action", ""), dict([given])
            elif verb.tag == "Record":
                return await self._record(call, verb)
            elif verb.tag == "Dial":
                await self._meet(call, verb)
                if call.is_over or not verb.get("action"):
                    return None
                return verb.get("action", ""), {"DialCallStatus": "completed"}
        return None

    async def _sound(self, call: SimulatedCall, verb: ET.Element) -> None:
        if verb.tag == "Say":
            call.hear((verb.text or "").strip())
            await asyncio.sleep(self.pace["word"] * len((verb.text or "").split()))
        else:
            call.hear("♪")
            await asyncio.sleep(self.pace["music"] if verb.tag == "Play" else float(verb.get("length", "1")))

    async def _gather(self, call: SimulatedCall, gather: ET.Element) -> tuple[str, str] | None:
        call.is_asked = "key"
        speaking = asyncio.ensure_future(self._speak(call, gather))
        heard = asyncio.ensure_future(call.given.get())
        try:
            await asyncio.wait({speaking, heard}, return_when=asyncio.FIRST_COMPLETED)
            if not heard.done():
                limit = float(gather.get("timeout", "5")) * self.pace["key"]
                await asyncio.wait({heard}, timeout=limit)
            return heard.result() if heard.done() else None
        finally:
            call.is_asked = ""
            for task in (speaking, heard):
                task.cancel()

    async def _speak(self, call: SimulatedCall, gather: ET.Element) -> None:
        for part in gather:
            await self._sound(call, part)

    async def _record(self, call: SimulatedCall, verb: ET.Element) -> tuple[str, dict[str, str]]:
        call.hear("(Beep. Speak, then hang up.)", "note")
        call.is_asked = "voice"
        words = ""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(float(verb.get("maxLength", "120"))):
                words = (await call.given.get())[1]
        call.is_asked = ""
        kept = self.keep_message(call)
        if words and verb.get("transcribeCallback"):
            told = {"TranscriptionText": words, "TranscriptionSid": new_sid("TR"), "TranscriptionStatus": "completed"}
            params = self._params(call) | told | {"RecordingSid": kept.get("RecordingSid", "")}
            self.deliveries.spawn(self.courier.post("voice-status", verb.get("transcribeCallback", ""), params))
        return verb.get("action", ""), kept

    # ---- rooms ----
    async def _meet(self, call: SimulatedCall, dial: ET.Element) -> None:
        conference = dial.find("Conference")
        if conference is None:
            return
        name = (conference.text or "").strip()
        call.is_last = conference.get("endConferenceOnExit") == "true"
        call.room_callback = conference.get("statusCallback", "")
        call.room = self.rooms.setdefault(name, Room(name))
        self._enter(call)
        await call.left_room.wait()

    def _enter(self, call: SimulatedCall) -> None:
        assert call.room is not None
        call.left_room.clear()
        call.room.members.append(call)
        for member in call.room.members:
            if member is not call and not (call.is_muted or call.coaches):
                member.hear(f"({call.recipient if call.direction != 'inbound' else call.sender} joins)", "note")
        call.hear("(You are connected.)", "note")
        self._tell_room(call, "participant-join")

    def _leave(self, call: SimulatedCall, *, is_redirected: bool = False) -> None:
        room, call.room = call.room, None
        call.is_held = False
        call.left_room.set()
        if room is None or call not in room.members:
            return
        room.members.remove(call)
        self._tell_room(call, "participant-leave", room)
        if call.is_last or not room.members:
            self.rooms.pop(room.name, None)
            for member in list(room.members):
                room.members.remove(member)
                member.room = None
                member.left_room.set()
                if member.direction != "inbound":  # a leg that we made has no document to go on with
                    self.hang_up(member)

    # ---- telling the product ----
    def _params(self, call: SimulatedCall) -> dict[str, str]:
        return {
            "CallSid": call.sid,
            "AccountSid": self.config.account_sid,
            "From": call.sender,
            "To": call.recipient,
            "CallStatus": call.status,
            "Direction": call.direction,
            "ApiVersion": "2010-04-01",
        }

    def _tell(self, call: SimulatedCall) -> None:
        is_told = call.is_over or call.direction != "inbound"
        if not (call.callback and is_told):
            return
        params = self._params(call) | {"SequenceNumber": str(call.sequence), "Timestamp": formatdate(usegmt=False)}
        if call.is_over:
            params["CallDuration"] = str(int((call.ended or call.created) - call.created))
        call.sequence += 1
        self.deliveries.spawn(self._carry(call, call.callback, params))

    def _tell_room(self, call: SimulatedCall, event: str, room: Room | None = None) -> None:
        room = room or call.room
        if not call.room_callback or room is None:
            return
        params = {
            "StatusCallbackEvent": event,
            "ConferenceSid": room.sid,
            "FriendlyName": room.name,
            "CallSid": call.sid,
            "AccountSid": self.config.account_sid,
            "SequenceNumber": str(call.sequence),
        }
        call.sequence += 1
        self.deliveries.spawn(self._carry(call, call.room_callback, params))

    def tell(self, call: SimulatedCall, url: str, params: dict[str, str]) -> None:
        """Post something about a call, with the trouble that is ordered for callbacks."""
        self.deliveries.spawn(self._carry(call, url, params))

    async def _carry(self, call: SimulatedCall, url: str, params: dict[str, str]) -> None:
        """Post a status, late, twice, out of order or not at all where a rule says so."""
        times = 1
        facts = {"to": call.recipient, "status": params.get("CallStatus", ""), "from": call.sender}
        for effect in self.deliveries.faults.all_at("callback", **facts):
            if effect["type"] == "drop":
                return
            times += effect.get("times", 1) if effect["type"] == "duplicate" else 0
            pause = {"delay": effect.get("seconds", 5.0), "reorder": 1.0 if not call.is_over else 0.0}
            await asyncio.sleep(pause.get(effect["type"], 0.0))
        for _ in range(times):
            await self.courier.post("voice-status", url, params)


def _document(text: str) -> ET.Element | None:
    try:
        root = ET.fromstring(text)  # noqa: S314 - the product's own words
    except ET.ParseError:
        return None
    return root if root.tag == "Response" else None
