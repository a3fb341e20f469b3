"""Simulated patients: they write, mail, fill in forms and answer, through the same doors as real ones.

What to write is read from the clinic's own tables; everything that is sent goes over the wire.
"""

from __future__ import annotations

import base64
import heapq
import json
import random
import re
import smtplib
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, formataddr
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from contact_center.aurora.clinic import REASON_WEIGHTS, SITES
from contact_center.aurora.files import picture
from contact_center.aurora.texts import Script, circumstances, filled, form_of, scripts
from inbox.enums import ChannelKind, Direction, InteractionStatus, MessagePurpose, MessageStatus
from inbox.models import Interaction, Message
from patients.enums import ContactScheme
from patients.models import ContactPoint, Patient

MOST_WAITING = 60
MOST_ANSWERS = 3
REPLY_SECONDS = (12.0, 75.0)
TIMEOUT_SECONDS = 10
DONE = [InteractionStatus.CLOSED, InteractionStatus.ABANDONED]
ARRIVED = [MessageStatus.SENT, MessageStatus.DELIVERED, MessageStatus.READ]
KINDS = {ChannelKind.WHATSAPP: 40, ChannelKind.SMS: 25, ChannelKind.EMAIL: 20, ChannelKind.FORM: 15}
_TOKEN = re.compile(r'name="form_token" value="([^"]+)"')

LAST_WORDS = {
    "en": (
        "Thank you, that helps a lot.",
        "Great, thank you!",
        "OK, that works for me.",
        "One more thing: do I need to bring anything?",
    ),
    "es": (
        "Gracias, me ayuda mucho.",
        "¡Perfecto, gracias!",
        "Bueno, me parece bien.",
        "Una cosa más: ¿tengo que llevar algo?",
    ),
    "pt": (
        "Obrigado, ajudou muito.",
        "Ótimo, obrigado!",
        "Tudo bem, para mim serve.",
        "Só mais uma coisa: preciso levar algo?",
    ),
}


class Unreachable(Exception):
    """A server is not there, or not yet."""


@dataclass(frozen=True, slots=True)
class Doors:
    """Where patients come in. Addresses without a slash at the end."""

    web: str
    simulator: str
    smtp_host: str
    smtp_port: int
    mailbox: str


class Person(NamedTuple):
    """Who writes. A stranger has no `patient_id`."""

    patient_id: int | None
    given: str
    family: str
    born: str
    language: str
    site: str
    phone: str
    email: str

    @property
    def name(self) -> str:
        return f"{self.given} {self.family}"


@dataclass(order=True, slots=True)
class Answer:
    """What a patient is going to reply, and when (monotonic seconds)."""

    due: float
    message_id: int = field(compare=False)


@dataclass(slots=True)
class Traffic:
    """One crowd of patients. `rate` is new contacts and answers per minute, at most."""

    doors: Doors
    rng: random.Random
    rate: float = 4.0
    answers: list[Answer] = field(default_factory=list)
    last_seen_id: int = 0
    counts: dict[str, int] = field(default_factory=dict)

    def start(self) -> None:
        """Answers given before now are nobody's concern."""
        self.last_seen_id = Message.objects.order_by("-id").values_list("id", flat=True).first() or 0

    def pauses(self) -> Iterator[float]:
        """Seconds until the next event: irregular, at most `rate` events per minute on average."""
        while True:
            yield min(max(self.rng.expovariate(self.rate / 60), 2.0), 240 / self.rate)

    def step(self) -> str:
        """One event; returns what happened: a channel, `answer`, or `quiet` when enough people wait already.

        Raises Unreachable when a server does not take it, django.db.Error when the database is away.
        """
        self._listen()
        now = time.monotonic()
        if self.answers and self.answers[0].due <= now:
            what = self._answer(heapq.heappop(self.answers).message_id)
        elif Interaction.objects.exclude(status__in=DONE).filter(owner=None).count() >= MOST_WAITING:
            what = "quiet"
        else:
            what = self._begin()
        self.counts[what] = self.counts.get(what, 0) + 1
        return what

    # ---- a new contact ----
    def _begin(self) -> str:
        kind = self.rng.choices(list(KINDS), list(KINDS.values()))[0]
        person = self._somebody(kind)
        if person is None:
            return "quiet"
        script = self._script(person.language)
        values = self._values(person)
        if kind == ChannelKind.FORM:
            self._fill_in(person, script, values)
        elif kind == ChannelKind.EMAIL:
            body = f"{filled(script.turns[0].text, values)}\n\n{person.name}"
            self._mail(person, filled(script.subject, values), body)
        else:
            self._write(kind, person, filled(script.turns[0].text, values))
        return str(kind)

    def _script(self, language: str) -> Script:
        reason = self.rng.choices(list(REASON_WEIGHTS), list(REASON_WEIGHTS.values()))[0]
        return self.rng.choice(scripts(language)[reason])

    def _values(self, person: Person) -> dict[str, str]:
        return circumstances(
            self.rng, person.language, first=person.given, site=person.site or SITES[0].name, agent="Aurora"
        )

    def _somebody(self, kind: ChannelKind) -> Person | None:
        if kind in (ChannelKind.WHATSAPP, ChannelKind.SMS) and self.rng.random() < 0.08:
            phone = f"+1305555{self.rng.randrange(10_000):04d}"
            return Person(None, "Alex", "Romero", "", self.rng.choice(("en", "es", "pt")), "", phone, "")
        scheme = ContactScheme.PHONE if kind in (ChannelKind.WHATSAPP, ChannelKind.SMS) else ContactScheme.EMAIL
        points = ContactPoint.objects.filter(scheme=scheme, patient__deceased_date=None)
        bounds = [points.order_by(order).values_list("id", flat=True).first() for order in ("id", "-id")]
        if bounds[0] is None or bounds[1] is None:
            return None
        start = self.rng.randint(bounds[0], bounds[1])
        point = points.filter(id__gte=start).order_by("id").select_related("patient").first()
        return _person(point.patient) if point else None

    # ---- ways in ----
    def _write(self, kind: ChannelKind, person: Person, body: str) -> None:
        prefix = "whatsapp:" if kind == ChannelKind.WHATSAPP else ""
        message: dict[str, Any] = {"from": prefix + person.phone, "body": body, "profile_name": person.name}
        luck = self.rng.random()
        if luck < 0.05:
            image = base64.b64encode(picture(240, 150, (176, 150, 120))).decode()
            message["media"] = [{"content_type": "image/png", "content_base64": image}]
        elif luck < 0.07 and prefix:
            message |= {"type": "location", "latitude": "25.7617", "longitude": "-80.1918", "label": "Brickell"}
        _post_json(f"{self.doors.simulator}/_inbound", message)

    def _mail(self, person: Person, subject: str, body: str, *, references: tuple[str, ...] = ()) -> None:
        message = EmailMessage()
        message["From"] = formataddr((person.name, person.email), "utf-8")
        message["To"] = self.doors.mailbox
        message["Subject"] = subject
        message["Date"] = format_datetime(datetime.now(UTC))
        message["Message-ID"] = f"<{uuid.UUID(int=self.rng.getrandbits(128))}@{person.email.rpartition('@')[2]}>"
        if references:
            message["In-Reply-To"] = f"<{references[-1]}>"
            message["References"] = " ".join(f"<{one}>" for one in references)
        message.set_content(body)
        try:
            with smtplib.SMTP(self.doors.smtp_host, self.doors.smtp_port, timeout=TIMEOUT_SECONDS) as server:
                server.send_message(message, from_addr=person.email, to_addrs=[self.doors.mailbox])
        except (OSError, smtplib.SMTPException) as error:
            raise Unreachable("the mail intake") from error

    def _fill_in(self, person: Person, script: Script, values: dict[str, str]) -> None:
        slug = form_of(script)
        answers = {
            "given-name": person.given,
            "family-name": person.family,
            "birth-date": person.born,
            "email": person.email,
            "phone": person.phone,
            "message": filled(script.turns[0].text, values),
            "consent": "on",
        }
        if slug == "refill":
            answers |= {"medicine": values["medicine"], "days-left": "4", "pharmacy": values["pharmacy"]}
        elif slug == "contact":
            answers["topic"] = "An appointment" if script.reason in ("booking", "rescheduling") else "Something else"
        page = f"{self.doors.web}/forms/{slug}/"
        if self.rng.random() < 0.5:
            key = f"{self.rng.getrandbits(96):024x}"
            _post_json(f"{page}submit.json", {"answers": answers, "idempotency_key": key})
            return
        token = _TOKEN.search(_fetch(Request(page)))  # noqa: S310 - our own address, from the settings
        if token is None:
            raise Unreachable("the form")
        _fetch(Request(page, urlencode(answers | {"form_token": token[1]}).encode()))  # noqa: S310

    # ---- answers ----
    def _listen(self) -> None:
        """Notice what agents wrote since the last look; most of it gets an answer after a while."""
        said = Message.objects.filter(
            id__gt=self.last_seen_id, direction=Direction.OUTBOUND, purpose=MessagePurpose.REPLY, author__isnull=False
        )
        for message_id in said.order_by("id").values_list("id", flat=True)[:50]:
            self.last_seen_id = message_id
            if self.rng.random() < 0.65:
                heapq.heappush(self.answers, Answer(time.monotonic() + self.rng.uniform(*REPLY_SECONDS), message_id))

    def _answer(self, message_id: int) -> str:
        heard = (
            Message.objects.select_related("interaction__patient")
            .filter(pk=message_id, status__in=ARRIVED, interaction__status=InteractionStatus.ACTIVE)
            .first()
        )
        if heard is None or heard.interaction.messages.filter(direction=Direction.INBOUND).count() > MOST_ANSWERS:
            return "quiet"
        known = heard.interaction.patient
        language = heard.interaction.language if heard.interaction.language in LAST_WORDS else "en"
        person = _person(known) if known else Person(None, "Alex", "Romero", "", language, "", "", "")
        words = self.rng.choice(LAST_WORDS[language])
        if heard.channel_kind == ChannelKind.EMAIL:
            quote = "\n".join(f"> {line}" for line in heard.text.splitlines())
            heading = f"On {heard.occurred_at:%a, %d %b %Y at %H:%M}, Aurora Health wrote:"
            body = f"{words}\n\n{person.name}\n\n{heading}\n{quote}\n"
            references = (*heard.references[-20:], heard.external_id)
            self._mail(person._replace(email=heard.address), heard.subject, body, references=references)
        else:
            self._write(ChannelKind(heard.channel_kind), person._replace(phone=heard.address), words)
        return "answer"


def _person(patient: Patient) -> Person:
    points = {point.scheme: point.value for point in patient.contact_points.order_by("-rank")}
    return Person(
        patient.pk,
        patient.given_name,
        patient.family_name,
        patient.birth_date.isoformat() if patient.birth_date else "",
        patient.language if patient.language in LAST_WORDS else "en",
        patient.site_name,
        points.get(ContactScheme.PHONE, ""),
        points.get(ContactScheme.EMAIL, ""),
    )


def _post_json(url: str, content: dict[str, Any]) -> None:
    headers = {"Content-Type": "application/json"}
    _fetch(Request(url, json.dumps(content).encode(), headers))  # noqa: S310


def _fetch(request: Request) -> str:
    """The page behind a request. Raises Unreachable for any other answer than success."""
    try:
        with urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
            text: str = answer.read().decode("utf-8", "replace")
            return text
    except HTTPError as error:
        raise Unreachable(f"{request.host} (it answers {error.code})") from error
    except OSError as error:
        raise Unreachable(request.host) from error
