"""The patient's phone: pages on which a person plays a patient."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
import sys
from asyncio.subprocess import PIPE
from datetime import datetime
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from aiohttp import web
from django.template import Context, Engine

from contact_center.simulator import screens
from contact_center.simulator.calls import Calls, SimulatedCall
from contact_center.simulator.control import Control
from contact_center.simulator.deliveries import BadRequest, Deliveries
from contact_center.simulator.faults import Faults
from contact_center.simulator.mail import Draft, MailRefused, MailRoom
from contact_center.simulator.people import Person, people_found, person_at
from contact_center.simulator.store import Store
from contact_center.simulator.voice_api import DEEDS, act

HERE = Path(__file__).resolve().parent
BASE_DIR = HERE.parent.parent
APP_STATIC = BASE_DIR / "static"
MAX_FILE_BYTES = 16 * 1024 * 1024
TABS = {
    "whatsapp": ("WhatsApp", "i-whatsapp"),
    "sms": ("SMS", "i-message-square-text"),
    "call": ("Call", "i-phone"),
    "email": ("E-mail", "i-mail"),
    "forms": ("Forms", "i-clipboard-list"),
}
TROUBLES: dict[str, tuple[str, list[dict[str, Any]]]] = {
    "none": ("All is well", []),
    "receipts": ("Receipts get lost", [{"match": {"endpoint": "callback", "probability": 0.5}, "effect": "drop"}]),
    "order": (
        "Receipts come twice and turned around",
        [
            {"match": {"endpoint": "callback"}, "effect": "reorder"},
            {"match": {"endpoint": "callback"}, "effect": "duplicate"},
        ],
    ),
    "off": ("Phones are off (30003)", [{"match": {"endpoint": "delivery"}, "effect": {"type": "fail", "code": 30003}}]),
    "busy": ("Too many requests (429)", [{"match": {"endpoint": "create"}, "effect": {"type": "http", "status": 429}}]),
    "cut": ("Accepts, then cuts the line", [{"match": {"endpoint": "create"}, "effect": "accept_then_cut"}]),
}
SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; font-src 'self';"
        " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_PHONE = re.compile(r"\+[1-9][0-9]{6,14}|[A-Z]{2}\.[A-Za-z0-9.]{1,160}")
_SPACING = re.compile(r"[\s().-]+")


class Phone:
    """The routes of the phone. Every page works without scripts; scripts only keep it fresh."""

    def __init__(
        self, store: Store, deliveries: Deliveries, mail_room: MailRoom, control: Control, calls: Calls
    ) -> None:
        self.store = store
        self.deliveries = deliveries
        self.config = deliveries.config
        self.mail_room = mail_room
        self.control = control
        self.calls = calls
        self.engine = Engine(dirs=[str(HERE / "templates")], autoescape=True)

    def routes(self) -> list[web.AbstractRouteDef]:
        """The routes of this part."""
        return [
            web.get("/", self.page),
            web.get("/_phone/people", self.people),
            web.get("/_phone/thread", self.thread),
            web.get("/_phone/provider", self.provider),
            web.get("/_phone/media/{sid}", self.media),
            web.post("/_phone/send", self.send),
            web.post("/_phone/call", self.call),
            web.post("/_phone/mail", self.write_mail),
            web.post("/_phone/trouble", self.trouble),
            web.post("/_phone/next-day", self.next_day),
            web.static("/assets/phone", HERE / "static" / "simulator"),
            *([web.static("/assets/app", APP_STATIC)] if APP_STATIC.is_dir() else []),
        ]

    # ---- pages ----
    async def page(self, request: web.Request) -> web.Response:
        """The whole page for one person and one tab."""
        chosen = await self._chosen(request.query)
        found = await people_found(self.store, request.query.get("q", ""))
        context = chosen | {
            "people": [self._listed(person, chosen) for person in found],
            "q": request.query.get("q", ""),
            "tabs": [
                {"key": key, "name": name, "icon": icon, "url": self._url(chosen, tab=key)}
                for key, (name, icon) in TABS.items()
            ],
            "app_url": self.config.public_base_url,
            "forms_url": f"{self.config.public_base_url}/forms/",
            "now": datetime.now().astimezone(),
            "troubles": [{"key": key, "name": name} for key, (name, _) in TROUBLES.items()],
            "trouble": self.store.setting("trouble", "none"),
            "error": request.query.get("error", ""),
        }
        return self._html("simulator/phone.html", context | self._provider() | self._thread(chosen))

    async def people(self, request: web.Request) -> web.Response:
        """The list of people alone, as one types."""
        chosen = await self._chosen(request.query)
        found = await people_found(self.store, request.query.get("q", ""))
        return self._html("simulator/_people.html", {"people": [self._listed(person, chosen) for person in found]})

    async def thread(self, request: web.Request) -> web.Response:
        """The conversation alone; 304 when it is what the page already shows."""
        chosen = await self._chosen(request.query)
        return self._fresh(request, self._html("simulator/_thread.html", chosen | self._thread(chosen)))

    async def provider(self, request: web.Request) -> web.Response:
        """What the provider did last."""
        return self._fresh(request, self._html("simulator/_provider.html", self._provider()))

    async def media(self, request: web.Request) -> web.Response:
        """An attachment for the page; anything a browser might run is a download."""
        row = self.store.row("SELECT * FROM media WHERE sid = ?", request.match_info["sid"])
        if row is None:
            raise web.HTTPNotFound
        content_type = row["content_type"]
        is_shown = content_type.startswith(screens.INLINE_TYPES) and "svg" not in content_type
        headers = SECURITY_HEADERS | {"Content-Type": content_type if is_shown else "application/octet-stream"}
        headers["Content-Disposition"] = "inline" if is_shown else "attachment"
        return web.Response(body=row["content"], headers=headers)

    # ---- doing ----
    async def send(self, request: web.Request) -> web.StreamResponse:
        """Write an SMS or WhatsApp message as the patient."""
        form = await request.post()
        chosen = await self._chosen(form)
        try:
            await self.deliveries.inject(await self._message(chosen, form) | {"wait": False})
        except BadRequest as error:
            return self._answer(request, chosen, str(error))
        return self._answer(request, chosen)

    async def _message(self, chosen: dict[str, Any], form: Any) -> dict[str, Any]:
        if not chosen["phone"]:
            raise BadRequest("Choose a person, or give a phone number with its country code, such as +1 305 555 0123.")
        is_whatsapp = chosen["tab"] == "whatsapp"
        if not is_whatsapp and not chosen["phone"].startswith("+"):
            raise BadRequest("This person has no phone number, only a WhatsApp name: use WhatsApp.")
        names = ("body", "type", "in_reply_to", "latitude", "longitude", "label")
        message: dict[str, Any] = {name: str(form[name]) for name in names if form.get(name)}
        message |= self._tapped(message.get("in_reply_to", ""), str(form.get("tap", "")))
        message["from"] = f"whatsapp:{chosen['phone']}" if is_whatsapp else chosen["phone"]
        message["profile_name"] = chosen["name"] if chosen["name"] != chosen["phone"] else ""
        attached = _file(form)
        if attached:
            _name, content_type, content = attached
            message["media"] = [{"content_type": content_type, "content_base64": base64.b64encode(content).decode()}]
        if not (message.get("body") or attached or message.get("type")):
            raise BadRequest("Write something first.")
        return message

    def _tapped(self, sid: str, number: str) -> dict[str, str]:
        row = self.store.message(sid)
        buttons = json.loads(row["extras"]).get("buttons", []) if row and number.isdigit() else []
        if int(number or 0) >= len(buttons):
            return {}
        button = buttons[int(number or 0)]
        if "payload" not in button:  # a link: whoever follows it answers nothing
            return {}
        return {"body": button["text"], "button_text": button["text"], "button_payload": button["payload"]}

    async def call(self, request: web.Request) -> web.StreamResponse:
        """Call the clinic, press a key, speak, take a call of theirs, or hang up."""
        form = await request.post()
        chosen = await self._chosen(form)
        do, value = str(form.get("do", "")), str(form.get("value", "")).strip()[:2000]
        if not chosen["phone"].startswith("+"):
            return self._answer(request, chosen, "Give this person a phone number first.")
        present = self._present_call(chosen["phone"])
        if do == "dial" and present is None:
            self.calls.dial(chosen["phone"], self.config.voice_number)
        elif do in DEEDS and present is not None and (value or do not in ("press", "say")):
            act(self.calls, present, do, value)
        return self._answer(request, chosen)

    def _present_call(self, number: str) -> SimulatedCall | None:
        mine = [call for call in self.calls.calls.values() if call.patient == number and not call.is_over]
        return mine[-1] if mine else None

    async def write_mail(self, request: web.Request) -> web.StreamResponse:
        """Send an e-mail to the clinic as the patient."""
        form = await request.post()
        chosen = await self._chosen(form)
        replied_to = str(form.get("replied_to", ""))
        try:
            if not chosen["email"]:
                raise MailRefused("Give this person an e-mail address first.")
            draft = Draft(
                sender=chosen["email"],
                name=chosen["name"] if "@" not in chosen["name"] and not chosen["name"].startswith("+") else "",
                subject=str(form.get("subject", "")),
                body=str(form.get("body", "")),
                replied_to=int(replied_to) if replied_to.isdigit() else None,
                attachment=_file(form),
            )
            await self.mail_room.send(draft)
        except (MailRefused, BadRequest) as error:
            return self._answer(request, chosen, str(error))
        return self._answer(request, chosen)

    async def trouble(self, request: web.Request) -> web.StreamResponse:
        """Put one of the prepared kinds of trouble in force."""
        form = await request.post()
        key = str(form.get("trouble", "none"))
        rules = TROUBLES.get(key, TROUBLES["none"])[1]
        self.deliveries.faults = Faults.read(rules)
        self.store.keep_setting("faults", rules)
        self.store.keep_setting("trouble", key)
        return self._answer(request, await self._chosen(form))

    async def next_day(self, request: web.Request) -> web.StreamResponse:
        """Let a day of the clinic pass: reminders fall due, visits are attended or missed."""
        program = [sys.executable, "-W", "ignore", "manage.py", "next_day"]  # the agenda's rules are not loaded here
        process = await asyncio.create_subprocess_exec(*program, cwd=BASE_DIR, stdout=PIPE, stderr=PIPE)
        _said, why = await process.communicate()
        error = why.decode(errors="replace").strip().rpartition("\n")[2] if process.returncode else ""
        return self._answer(request, await self._chosen(await request.post()), error)

    # ---- helpers ----
    async def _chosen(self, given: Any) -> dict[str, Any]:
        written = str(given.get("phone", "")).strip().removeprefix("whatsapp:")
        phone = _SPACING.sub("", written) if written.startswith("+") else written
        email = parseaddr(str(given.get("email", "")))[1].lower()
        phone = phone if _PHONE.fullmatch(phone) else ""
        name = str(given.get("name", "")).strip()[:80]
        known = await person_at(phone, email) if (phone or email) and not name else None
        name = name or (known.name if known else "") or phone or email
        tab = str(given.get("tab", "whatsapp"))
        email = email or (known.email if known else "")
        phone = phone or (known.phone if known else "")
        person = Person(name, phone, email)
        return {
            "phone": phone,
            "email": email,
            "name": name,
            "initials": person.initials if name else "",
            "tab": tab if tab in TABS else "whatsapp",
            "open_thread": str(given.get("open", "")),
        }

    def _thread(self, chosen: dict[str, Any]) -> dict[str, Any]:
        if chosen["tab"] == "email":
            threads = screens.mail_threads(self.store, chosen["email"]) if chosen["email"] else []
            opened = next((thread for thread in threads if thread.key == chosen["open_thread"]), None)
            listed = [(thread, self._url(chosen, tab="email", open=thread.key)) for thread in threads]
            return {"threads": listed, "opened": opened, "mailbox_url": self._url(chosen, tab="email")}
        if chosen["tab"] == "call":
            mine = [call for call in self.calls.calls.values() if call.patient == chosen["phone"]]
            return {"call": mine[-1] if mine else None, "keys": "123456789*0#"}
        prefix = "whatsapp:" if chosen["tab"] == "whatsapp" else ""
        return {"days": screens.conversation(self.store, prefix + chosen["phone"]) if chosen["phone"] else []}

    def _provider(self) -> dict[str, Any]:
        state = self.control.brief()
        answers = {
            kind: [(_outcome(name), times) for name, times in found.items()]
            for kind, found in state["webhooks"].items()
        }
        return {
            "state": state,
            "answers": answers,
            "troubles_applied": sum(rule.applied for rule in self.deliveries.faults.rules),
        }

    def _listed(self, person: Person, chosen: dict[str, Any]) -> dict[str, Any]:
        is_current = bool(person.phone and person.phone == chosen["phone"]) or bool(
            not person.phone and person.email and person.email == chosen["email"]
        )
        target = {"name": person.name, "phone": person.phone, "email": person.email}
        return {"person": person, "url": self._url(target, tab=chosen["tab"]), "is_current": is_current}

    def _url(self, chosen: dict[str, Any], **change: str) -> str:
        kept = {name: chosen.get(name, "") for name in ("phone", "email", "name", "tab")} | change
        return "/?" + urlencode({name: value for name, value in kept.items() if value})

    def _answer(self, request: web.Request, chosen: dict[str, Any], error: str = "") -> web.StreamResponse:
        """For a script the outcome; for a plain form the page again."""
        if request.headers.get("X-Requested-With") == "fetch":
            return web.json_response({"error": error}, status=422 if error else 200)
        opened = {"open": chosen["open_thread"]} if chosen["open_thread"] else {}
        failed = {"error": error} if error else {}
        raise web.HTTPSeeOther(self._url(chosen, **opened, **failed))

    def _html(self, template: str, context: dict[str, Any]) -> web.Response:
        text = self.engine.get_template(template).render(Context(context))
        return web.Response(text=text, content_type="text/html", headers=SECURITY_HEADERS)

    @staticmethod
    def _fresh(request: web.Request, response: web.Response) -> web.Response:
        tag = hashlib.sha256((response.text or "").encode()).hexdigest()[:32]
        if request.headers.get("If-None-Match") == f'"{tag}"':
            return web.Response(status=304)
        response.headers["ETag"] = f'"{tag}"'
        return response


@web.middleware
async def only_from_here(request: web.Request, handler: Any) -> web.StreamResponse:
    """Pages and levers answer this machine's browser only: no foreign site, no rebound name."""
    if request.path == "/" or request.path.startswith("/_"):
        host = urlsplit(f"//{request.host}").hostname
        is_foreign = request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site")
        if host not in ("127.0.0.1", "localhost", "::1") or (is_foreign and request.method not in ("GET", "HEAD")):
            raise web.HTTPForbidden(text="The simulator answers this machine only.")
    response: web.StreamResponse = await handler(request)
    return response


def _outcome(name: str) -> str:
    words = {
        "connect": "found nobody",
        "timeout_or_cut": "got no answer",
        "retried": "tried again",
        "dropped": "lost on purpose",
    }
    return words.get(name, f"answered {name.removeprefix('http_')}")


def _file(form: Any) -> tuple[str, str, bytes] | None:
    found = form.get("file")
    if not isinstance(found, web.FileField) or not found.filename:
        return None
    content = found.file.read(MAX_FILE_BYTES + 1)
    if len(content) > MAX_FILE_BYTES:
        raise BadRequest("The file is larger than 16 MB.")
    return found.filename, found.content_type, content
