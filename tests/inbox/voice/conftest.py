"""A line with a menu, and a caller who speaks to it as Twilio would."""

import itertools
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.utils import timezone
from lxml import etree

from contact_center.accounts.services import set_presence
from inbox.enums import ChannelKind
from inbox.models import Call
from inbox.services.ledger import drain_ledger
from tests.factories.inbox import ChannelFactory, ReasonFactory
from tests.factories.voice import MenuOptionFactory, VoiceLineFactory

NUMBER = "+15005550111"
CALLER = "+13055550123"
sids = itertools.count(1)


@pytest.fixture
def voice_channel(queue):
    return ChannelFactory(name="Main line", kind=ChannelKind.VOICE, address=NUMBER, queue=queue)


@pytest.fixture
def line(voice_channel, queue, clinical_queue):
    """Two languages; 1 goes to the front desk, 2 to the nurse line."""
    line = VoiceLineFactory(channel=voice_channel, languages=["en", "es"])
    reason = ReasonFactory(name="Results", code="results")
    MenuOptionFactory(line=line, key="1", labels={"en": "appointments", "es": "citas"}, queue=queue)
    MenuOptionFactory(
        line=line, key="2", labels={"en": "a nurse", "es": "enfermería"}, queue=clinical_queue, reason=reason
    )
    return line


class Caller:
    """One call from a phone. What is heard is kept in `heard`; `go` posts what a step asks for."""

    def __init__(self, post, number=CALLER, to=NUMBER):
        self.post, self.number, self.to = post, number, to
        self.sid = f"CA{next(sids):032x}"
        self.heard = []
        self.twiml = None

    def step(self, path="/webhooks/twilio/voice", **params):
        """Fetch the next script; returns its words."""
        path, _, query = path.partition("?")
        response = self.post(path, query=f"?{query}" if query else "", **self._params() | params)
        assert response.status_code == 200, response.content
        self.twiml = etree.fromstring(response.content)
        words = [say.text for say in self.twiml.iter("Say")]
        self.heard += words
        return words

    def dial(self):
        """Begin the call."""
        return self.step(CallStatus="ringing", Direction="inbound")

    def follow(self, tag="Redirect", **params):
        """Go where the script sends the caller: by `Gather` with a key, else by its redirect."""
        element = next(self.twiml.iter(tag))
        return self.step(self._path(element.get("action") or element.text), **params)

    def press(self, key):
        """Press a key where one is asked for."""
        return self.follow("Gather", Digits=key)

    def say(self, words):
        """Answer aloud."""
        return self.follow("Gather", SpeechResult=words)

    def wait_in_line(self, key="1"):
        """Dial, choose English and a matter, and come to the queue."""
        self.dial()
        self.press("1")
        self.press(key)
        self.follow()
        return self.settle()

    def tell(self, status, sequence=0, **params):
        """A status callback of the caller's leg."""
        given = {"CallStatus": status, "SequenceNumber": str(sequence)} | params
        response = self.post("/webhooks/twilio/voice-status", **self._params() | given)
        assert response.status_code == 204, response.content

    def hang_up(self):
        """The caller's phone is put down."""
        self.tell("completed", 9, CallDuration="42")
        return self.settle()

    def settle(self):
        """Let the workers note everything; returns the call."""
        drain_ledger()
        return Call.objects.select_related("interaction", "queue").get(external_id=self.sid)

    def _params(self):
        return {"CallSid": self.sid, "From": self.number, "To": self.to, "Direction": "inbound"}

    @staticmethod
    def _path(url):
        return "/webhooks" + url.split("/webhooks", 1)[1]


@pytest.fixture
def caller(line, post_twilio):
    return Caller(post_twilio)


@pytest.fixture
def another(line, post_twilio):
    """`another(number)` is one more caller."""
    return lambda number="+13055550124": Caller(post_twilio, number)


@pytest.fixture
def ready():
    """`ready(user, minutes)` makes somebody available, idle for so long."""

    def make(user, minutes=1):
        presence = set_presence(user=user, state="online")
        presence.since_at = timezone.now() - timedelta(minutes=minutes)
        presence.save()
        return user

    return make


@pytest.fixture
def provider(monkeypatch):
    """The telephone service at the network's edge: what it was asked, and which questions it does not answer."""
    from inbox.adapters.base import AdapterError
    from inbox.adapters.twilio_voice import TwilioVoiceAdapter

    state = SimpleNamespace(asked=[], down=set(), legs=itertools.count(1))

    def answer(name):
        def asked(self, *args, **given):
            state.asked.append((name, *args, given) if given else (name, *args))
            if name in state.down:
                raise AdapterError("Twilio cannot be reached.", permanent=False, reason="provider_down")
            return f"CL{next(state.legs):032x}"

        return asked

    steering = ("call_agent", "call_number", "consult", "send_to", "hang_up", "hold", "make_last")
    recording = ("start_recording", "pause_recording", "resume_recording", "stop_recording", "delete_recording")
    for name in (*steering, *recording, "transcribe", "stop_transcribing", "supervise", "let_speak", "announce"):
        monkeypatch.setattr(TwilioVoiceAdapter, name, answer(name))
    return state
