"""Every call our adapter makes, and every answer the simulator gives, against Twilio's published specification.

The specification is not ours to carry: the test runs where a copy lies beside the project.
"""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import jsonschema
import pytest
import requests

from inbox.adapters.base import AdapterError
from inbox.adapters.events import Address, MediaRef, OutboundMessage
from inbox.adapters.twilio_account import TwilioAccount
from inbox.adapters.twilio_device import DeviceConfig
from inbox.adapters.twilio_http import TwilioConfig
from inbox.adapters.twilio_messaging import TwilioMessagingAdapter
from inbox.adapters.twilio_voice import TwilioVoiceAdapter
from tests.simulator.fixtures import ACCOUNT_SID, AUTH_TOKEN, wait_for

SPECS = Path(__file__).resolve().parents[3] / "shared" / "data" / "twilio" / "openapi"
MESSAGES = f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json"
NAMES = {
    "/2010-04-01/": "twilio_api_v2010.json",
    "/v1/Content": "twilio_content_v1.json",
    "/v1/Services": "twilio_messaging_v1.json",
}

pytestmark = pytest.mark.skipif(not SPECS.is_dir(), reason="Twilio's OpenAPI specification is not beside the project")


class Specification:
    """Finds the operation of a request and the schema of its answer."""

    def __init__(self, path: str):
        self.text = json.loads((SPECS / path).read_text())
        self.paths = [
            (re.compile(re.sub(r"\{[^}]+\}", "[^/]+", template)), operations)
            for template, operations in sorted(self.text["paths"].items(), key=lambda item: item[0].count("{"))
        ]

    def operation(self, method, path):
        for pattern, operations in self.paths:
            if pattern.fullmatch(path) and method.lower() in operations:
                return operations[method.lower()], operations.get("parameters", [])
        raise AssertionError(f"no operation {method} {path}")

    def resolved(self, schema):
        """The schema without references and with `nullable` in JSON Schema's words."""
        if isinstance(schema, list):
            return [self.resolved(item) for item in schema]
        if not isinstance(schema, dict):
            return schema
        if "$ref" in schema:
            target = self.text
            for step in schema["$ref"].removeprefix("#/").split("/"):
                target = target[step]
            return self.resolved(target)
        found = {name: self.resolved(value) for name, value in schema.items() if name not in ("example", "examples")}
        if found.pop("nullable", False) and isinstance(found.get("type"), str):
            found["type"] = [found["type"], "null"]
        return found


def operations_called(recorded) -> Iterator:
    specifications = {prefix: Specification(name) for prefix, name in NAMES.items()}
    for response in recorded:
        url = urlsplit(response.request.url)
        specification = next(spec for prefix, spec in specifications.items() if url.path.startswith(prefix))
        yield response, url, specification, *specification.operation(response.request.method, url.path)


def unknown_parameters(recorded):
    unknown = []
    for response, url, specification, operation, shared in operations_called(recorded):
        named = specification.resolved(operation.get("parameters", []) + shared)
        query = {item["name"] for item in named if item["in"] == "query"}
        unknown += [(url.path, name) for name, _ in parse_qsl(url.query) if name not in query]
        if response.request.body:
            form = operation["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]
            properties = specification.resolved(form)["properties"]
            for name, value in parse_qsl(response.request.body):
                if name not in properties:
                    unknown.append((url.path, name))
                elif properties[name].get("type") == "string":
                    jsonschema.validate(value, properties[name])
    return unknown


def check_answer(response, specification, operation):
    answers = operation["responses"]
    assert str(response.status_code) in answers, (response.request.url, response.status_code)
    content = answers[str(response.status_code)].get("content")
    if not content:
        return
    schema = specification.resolved(content["application/json"]["schema"])
    answer = response.json()
    jsonschema.Draft202012Validator(schema).validate(answer)
    assert set(answer) - set(schema["properties"]) == set(), response.request.url
    for name, shape in schema["properties"].items():
        for item in answer.get(name) or [] if shape.get("type") == "array" else []:
            assert set(item) - set(shape["items"]["properties"]) == set(), name


@pytest.fixture
def recorded(monkeypatch):
    """Every answer that came over the wire, with its request."""
    answers = []
    send = requests.Session.send

    def record(session, request, **options):
        response = send(session, request, **options)
        if not options.get("stream"):
            answers.append(response)
        return response

    monkeypatch.setattr(requests.Session, "send", record)
    return answers


@pytest.fixture
def everything_once(recorded, simulator_server, webhook_receiver):
    """One call of every kind that the adapter can make."""
    given = {"content_type": "image/png", "content_base64": "iVBORw0KGgo="}
    simulator_server.inject_inbound(from_="whatsapp:+13055550123", body="hola", media=[given])
    (hook,) = webhook_receiver.received
    recorded.clear()
    adapter = TwilioMessagingAdapter(TwilioConfig(ACCOUNT_SID, AUTH_TOKEN, webhook_receiver.url, simulator_server.url))
    text = OutboundMessage(
        our_id="m1",
        channel_kind="whatsapp",
        sender=Address("phone", "+15005550199", ""),
        recipient=Address("phone", "+13055550123", ""),
        text="hola",
        validity_seconds=3600,
    )
    template = next(adapter.list_templates())
    adapter.send(text)
    adapter.send(replace(text, media_urls=(f"{webhook_receiver.url}/picture.png",)))
    adapter.send(replace(text, template_sid=template.external_id, template_variables={"1": "Ana"}))
    adapter.send(replace(text, sender=Address("unknown", "MG" + "0" * 32, "")))
    now = datetime.now(UTC)
    adapter.find_sent(text, now)
    list(adapter.list_messages(now - timedelta(days=1), now + timedelta(days=1)))
    adapter.fetch_media(MediaRef(hook.params["MediaUrl0"]), 1000)
    return recorded


def test_no_call_carries_a_parameter_that_twilio_does_not_know(everything_once):
    called = [(answer.request.method, urlsplit(answer.request.url).path) for answer in everything_once]
    assert called == [("GET", "/v1/ContentAndApprovals")] + [("POST", MESSAGES)] * 4 + [("GET", MESSAGES)] * 2
    assert unknown_parameters(everything_once) == []


def test_every_answer_of_the_simulator_fits_twilios_schema(everything_once):
    checked = 0
    for response, _url, specification, operation, _shared in operations_called(everything_once):
        check_answer(response, specification, operation)
        checked += 1
    assert checked == len(everything_once)


def test_the_routes_the_adapter_does_not_use_fit_the_schema_as_well(recorded, simulator_server):
    created = simulator_server.call(
        "POST",
        f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json",
        data={"To": "+13055550123", "From": "+15005550100", "Body": "x"},
    ).json()
    sid = next(item["sid"] for item in simulator_server.call("GET", "/v1/Content").json()["contents"])
    media = simulator_server.inject_inbound(
        from_="+13055550123", media=[{"content_type": "image/png", "content_base64": "iVBORw0KGgo="}]
    )["messages"][0]["sid"]
    root = f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages"
    listed = simulator_server.call("GET", f"{root}/{media}/Media.json").json()["media_list"]
    recorded.clear()
    for path in (created["uri"], f"/v1/Content/{sid}", f"/v1/Content/{sid}/ApprovalRequests", listed[0]["uri"]):
        assert simulator_server.call("GET", path).status_code == 200
    for response, _url, specification, operation, _shared in operations_called(recorded):
        check_answer(response, specification, operation)


def called(recorded):
    """Method and path of each call, without the ids in it."""
    ids = re.compile(r"/(?:[A-Z]{2}[0-9a-f]{32}|room|Twilio\.CURRENT)(?=[/.])")
    return [f"{one.request.method} {ids.sub('/*', urlsplit(one.request.url).path)}" for one in recorded]


@pytest.fixture
def every_step_of_a_call(recorded, simulator_server, webhook_receiver):
    """One call of every kind by which calls are steered, recorded and supervised."""
    simulator_server.call("PUT", "/_calls/pace", json={"word": 0, "music": 0.2, "key": 0.3, "answer": 0})
    voice = TwilioVoiceAdapter(TwilioConfig(ACCOUNT_SID, AUTH_TOKEN, webhook_receiver.url, simulator_server.url))
    recorded.clear()
    agent = voice.call_agent("room", 7, "+15005550111", "1")
    patient = voice.call_number("room", "+13055550123", "+15005550111", "1")
    voice.consult("room", 8, "+15005550111", "1")
    simulator_server.call("POST", f"/_calls/{patient}", json={"do": "answer"})
    wait_for(lambda: len(connected(simulator_server)) == 3)
    del recorded[3:]
    voice.hold("room", patient, True)
    voice.make_last("room", agent, False)
    supervisor = voice.supervise("room", 9, "+15005550111", "1", is_heard=True, agent_leg=agent)
    voice.let_speak("room", supervisor, is_heard=False)
    voice.announce("room", patient, "/webhooks/twilio/voice?step=announcement")
    recording, transcript = "RE" + "1" * 32, "GT" + "1" * 32
    for ask in (
        lambda: voice.start_recording(patient, "1"),
        lambda: voice.pause_recording(patient, recording),
        lambda: voice.resume_recording(patient, recording),
        lambda: voice.transcribe(patient, "es", "1"),
        lambda: voice.stop_transcribing(patient, transcript),
        lambda: voice.stop_recording(patient),
    ):
        with suppress(AdapterError):  # what the simulator does not know is asked in Twilio's words all the same
            ask()
    voice.send_to(patient, "/webhooks/twilio/voice?step=wait")
    voice.hang_up(agent)
    return recorded


def connected(simulator_server):
    calls = simulator_server.call("GET", "/_calls").json()["calls"]
    return [one for one in calls if one["room"] == "room" and one["status"] == "in-progress"]


def test_calls_are_steered_with_parameters_that_twilio_knows_and_answered_in_its_words(every_step_of_a_call):
    assert unknown_parameters(every_step_of_a_call) == []
    for response, _url, specification, operation, _shared in operations_called(every_step_of_a_call):
        if response.ok:
            check_answer(response, specification, operation)
    stopped = [one for one in every_step_of_a_call if "Twilio.CURRENT" in one.request.url]
    assert [one.json()["status"] for one in stopped] == ["completed"]
    root = "/2010-04-01/Accounts/*"
    assert set(called(every_step_of_a_call)) == {
        f"POST {root}/Conferences/*/Participants.json",
        f"POST {root}/Conferences/*/Participants/*.json",
        f"GET {root}/Conferences.json",
        f"POST {root}/Calls/*.json",
        f"POST {root}/Calls/*/Recordings.json",
        f"POST {root}/Calls/*/Recordings/*.json",
        f"POST {root}/Calls/*/Transcriptions.json",
        f"POST {root}/Calls/*/Transcriptions/*.json",
    }


def test_the_account_is_asked_with_what_twilio_knows_and_answers_in_its_words(recorded, make_simulator):
    key, secret, app = "SK" + "1" * 32, "s" * 32, "AP" + "2" * 32
    simulator = make_simulator("https://care.example.org", api_key_sid=key, api_key_secret=secret)
    config = TwilioConfig(ACCOUNT_SID, AUTH_TOKEN, "https://care.example.org", simulator.url)
    account = TwilioAccount(config, DeviceConfig(ACCOUNT_SID, key, secret, app))
    account.status(), account.app(), account.number("+15005550111"), account.service("MG" + "3" * 32)
    assert (len(recorded), unknown_parameters(recorded)) == (4, [])
    for response, _url, specification, operation, _shared in operations_called(recorded):
        check_answer(response, specification, operation)
