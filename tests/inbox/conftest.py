"""Twilio's side of the desk's tests: signed webhooks in, recorded calls out."""

import itertools
from urllib.parse import urlencode

import pytest
import responses
from django.conf import settings
from django.test import Client
from twilio.request_validator import RequestValidator

from inbox.services.ledger import drain_ledger

_numbers = itertools.count(1)


@pytest.fixture
def post_twilio():
    """`post_twilio(path, **params)` posts as Twilio would, signed; `signature=` overrides it."""

    def post(path, *, signature=None, query="", **params):
        params.setdefault("AccountSid", settings.TWILIO_ACCOUNT_SID)
        url = settings.PUBLIC_BASE_URL + path + query
        signature = signature or RequestValidator(settings.TWILIO_AUTH_TOKEN).compute_signature(url, params)
        return Client().post(
            path + query,
            urlencode(params),
            content_type="application/x-www-form-urlencoded",
            headers={"X-Twilio-Signature": signature},
        )

    return post


@pytest.fixture
def patient_writes(post_twilio):
    """`patient_writes("Hello", to=channel)` is one inbound message, stored and processed."""

    def write(text, *, to, sender="+13055550123", sid=None, **extra):
        prefix = "whatsapp:" if to.kind == "whatsapp" else ""
        answer = post_twilio(
            "/webhooks/twilio/messaging",
            MessageSid=sid or f"SM{next(_numbers):032x}",
            From=prefix + sender,
            To=prefix + to.address,
            Body=text,
            NumMedia="0",
            SmsStatus="received",
            **extra,
        )
        assert answer.status_code == 200
        drain_ledger()
        return to.interactions.order_by("-id").first()

    return write


@pytest.fixture
def twilio_api():
    """Twilio's HTTP interface as a recorder; a test says what it answers."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as recorder:
        recorder.messages_url = (
            f"{settings.TWILIO_API_BASE_URL}/2010-04-01/Accounts/{settings.TWILIO_ACCOUNT_SID}/Messages.json"
        )
        yield recorder


@pytest.fixture
def twilio_accepts(twilio_api):
    """Twilio takes every message; the fixture lists the request bodies it got."""
    sent = []

    def accept(request):
        sent.append(request.body)
        sid = f"SM{next(_numbers):032x}"
        return 201, {}, f'{{"sid": "{sid}", "status": "queued", "direction": "outbound-api"}}'

    twilio_api.add_callback(responses.POST, twilio_api.messages_url, callback=accept, content_type="application/json")
    return sent
