"""Twilio's HTTP interface for calls and conferences, and the levers by which tests and the phone page call."""

from __future__ import annotations

from email.utils import formatdate
from typing import Any

from aiohttp import web

from contact_center.simulator.calls import Calls, Room, SimulatedCall
from contact_center.simulator.config import Config
from contact_center.simulator.twilio_words import API, Refusal

DEEDS = ("press", "say", "answer", "hang_up")


class VoiceApi:
    """Calls, Conferences and Participants; `/_calls` for whoever plays the patient."""

    def __init__(self, config: Config, calls: Calls) -> None:
        self.config = config
        self.calls = calls

    def routes(self, guard: Any) -> list[web.RouteDef]:
        """The routes; `guard(point, handler)` authenticates and makes trouble."""
        root = f"{API}/{{account}}"
        return [
            web.post(f"{root}/Calls/{{sid:[A-Za-z0-9]+}}.json", guard("call", self.update_call)),
            web.get(f"{root}/Conferences.json", guard("fetch", self.list_rooms)),
            web.post(f"{root}/Conferences/{{room}}/Participants.json", guard("call", self.create_participant)),
            web.post(f"{root}/Conferences/{{room}}/Participants/{{sid}}.json", guard("call", self.update_participant)),
            web.get("/_calls", self.show),
            web.post("/_calls", self.dial),
            web.post("/_calls/{sid}", self.deed),
            web.put("/_calls/pace", self.put_pace),
        ]

    # ---- Twilio's ----
    def _call(self, request: web.Request) -> SimulatedCall:
        call = self.calls.calls.get(request.match_info["sid"])
        if call is None:
            raise Refusal(20404, request.path)
        return call

    async def update_call(self, request: web.Request) -> web.Response:
        """Send a call to another document, or end it."""
        call, form = self._call(request), await request.post()
        if call.is_over:
            raise Refusal(21220)
        if form.get("Status") == "completed":
            self.calls.hang_up(call)
        elif form.get("Url"):
            self.calls.send_to(call, str(form["Url"]))
        return web.json_response(self._call_json(call))

    async def list_rooms(self, request: web.Request) -> web.Response:
        """Conferences in progress of one name."""
        name = request.query.get("FriendlyName")
        rooms = [room for room in self.calls.rooms.values() if name in (None, room.name)]
        page = {"page": 0, "page_size": 50, "start": 0, "end": max(0, len(rooms) - 1), "uri": request.path_qs}
        page |= {"first_page_uri": request.path_qs, "next_page_uri": None, "previous_page_uri": None}
        return web.json_response(page | {"conferences": [self._room_json(room) for room in rooms]})

    async def create_participant(self, request: web.Request) -> web.Response:
        """Call somebody into a room; the room is made with its first participant."""
        form = await request.post()
        for name, code in (("From", 21603), ("To", 21604)):
            if not form.get(name):
                raise Refusal(code)
        call = self.calls.invite(
            request.match_info["room"],
            str(form["From"]),
            str(form["To"]),
            str(form.get("StatusCallback", "")),
            is_last=str(form.get("EndConferenceOnExit", "false")).lower() == "true",
            seconds=int(str(form.get("Timeout", "60"))),
            is_muted=_is_true(form.get("Muted")),
            coaches=self._coached(form),
        )
        return web.json_response(self._participant_json(call, call.room), status=201)

    async def update_participant(self, request: web.Request) -> web.Response:
        """Hold somebody, or say whether the room ends with them."""
        call, form = self._call(request), await request.post()
        if call.room is None:
            raise Refusal(20404, request.path)
        if "Hold" in form:
            call.is_held = str(form["Hold"]).lower() == "true"
            call.hear("♪" if call.is_held else "(They are back.)", "note")
        if "EndConferenceOnExit" in form:
            call.is_last = _is_true(form["EndConferenceOnExit"])
        if "Muted" in form:
            call.is_muted = _is_true(form["Muted"])
        if "Coaching" in form or "CallSidToCoach" in form:
            call.coaches = self._coached(form)
        if form.get("AnnounceUrl"):
            self.calls.deliveries.spawn(self.calls.announce(call, str(form["AnnounceUrl"])))
        return web.json_response(self._participant_json(call, call.room))

    def _coached(self, form: Any) -> str:
        """The leg that is coached; it must be a call there is."""
        coached = str(form.get("CallSidToCoach", ""))
        if _is_true(form.get("Coaching", "true" if coached else "false")):
            if coached not in self.calls.calls:
                raise Refusal(21220)
            return coached
        return ""

    def _times(self, moment: float) -> dict[str, str]:
        return {"date_created": formatdate(moment), "date_updated": formatdate(moment)}

    def _call_json(self, call: SimulatedCall) -> dict[str, Any]:
        uri = f"{API}/{self.config.account_sid}/Calls/{call.sid}.json"
        facts = {"sid": call.sid, "account_sid": self.config.account_sid, "status": call.status, "uri": uri}
        return (
            facts | self._times(call.created) | {"from": call.sender, "to": call.recipient, "direction": call.direction}
        )

    def _room_json(self, room: Room) -> dict[str, Any]:
        uri = f"{API}/{self.config.account_sid}/Conferences/{room.sid}.json"
        facts = {"sid": room.sid, "friendly_name": room.name, "account_sid": self.config.account_sid, "uri": uri}
        return (
            facts | self._times(room.created) | {"status": "in-progress", "region": "us1", "api_version": "2010-04-01"}
        )

    def _participant_json(self, call: SimulatedCall, room: Room | None) -> dict[str, Any]:
        room_sid = room.sid if room else ""
        uri = f"{API}/{self.config.account_sid}/Conferences/{room_sid}/Participants/{call.sid}.json"
        return self._times(call.created) | {
            "account_sid": self.config.account_sid,
            "call_sid": call.sid,
            "conference_sid": room_sid,
            "label": None,
            "call_sid_to_coach": call.coaches or None,
            "coaching": bool(call.coaches),
            "end_conference_on_exit": call.is_last,
            "start_conference_on_enter": True,
            "muted": call.is_muted,
            "hold": call.is_held,
            "status": "queued" if call.status == "ringing" else "connected",
            "queue_time": "0",
            "uri": uri,
        }

    # ---- levers ----
    async def show(self, _request: web.Request) -> web.Response:
        """Every call with what was heard on it."""
        return web.json_response({"calls": [described(call) for call in self.calls.calls.values()]})

    async def dial(self, request: web.Request) -> web.Response:
        """{"from": "+1…", "to": "+1…"}: a patient calls."""
        given = await request.json()
        return web.json_response(described(self.calls.dial(str(given["from"]), str(given["to"]))))

    async def deed(self, request: web.Request) -> web.Response:
        """{"do": "press", "value": "1"}; also say, answer, hang_up."""
        given = await request.json()
        call = self.calls.calls.get(request.match_info["sid"])
        if call is None or given.get("do") not in DEEDS:
            return web.json_response({"error": f"do is one of {', '.join(DEEDS)}, of a call there is."}, status=400)
        act(self.calls, call, given["do"], str(given.get("value", "")))
        return web.json_response(described(call))

    async def put_pace(self, request: web.Request) -> web.Response:
        """Seconds per spoken word and of music, share of the time to press a key, seconds until a device answers."""
        self.calls.pace |= {
            name: float(value) for name, value in (await request.json()).items() if name in self.calls.pace
        }
        return web.json_response(self.calls.pace)


def _is_true(value: object) -> bool:
    return str(value).lower() == "true"


def act(calls: Calls, call: SimulatedCall, do: str, value: str) -> None:
    """What a person at the phone does; nothing on a call that is over."""
    if call.is_over:
        return
    if do in ("press", "say"):
        getattr(calls, do)(call, value)
    elif do == "answer":
        calls.answer(call)
    else:
        calls.hang_up(call)


def described(call: SimulatedCall) -> dict[str, Any]:
    """A call as JSON."""
    names = ("sid", "sender", "recipient", "direction", "status", "heard", "is_held", "is_asked", "is_muted", "coaches")
    return {name: getattr(call, name) for name in names} | {"room": call.room.name if call.room else None}
