"""Twilio's adapter: the contract, the signature, sending, doubt, lists and attachments, over a real wire."""

import socket
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from inbox.adapters.base import AdapterError, MediaRefused, SignatureError, UnparseablePayload
from inbox.adapters.events import Address, MediaRef, OutboundMessage
from inbox.adapters.twilio_errors import ERRORS, explain
from inbox.adapters.twilio_http import TwilioConfig
from inbox.adapters.twilio_messaging import TwilioMessagingAdapter
from tests.inbox.adapters.contract_cases import AdapterContract
from tests.simulator.fixtures import ACCOUNT_SID, AUTH_TOKEN, wait_for

PUBLIC = "https://care.aurora.example"
PATH = "/webhooks/twilio/messaging"
OURS, HERS = Address("phone", "+15005550100", ""), Address("phone", "+13055550123", "")
WA_OURS = Address("phone", "+15005550199", "")
TEXT = OutboundMessage(our_id="0b5a-1", channel_kind="sms", sender=OURS, recipient=HERS, text="Good morning")


def config(**change):
    return replace(TwilioConfig(ACCOUNT_SID, AUTH_TOKEN, PUBLIC, "http://127.0.0.1:9", 2.0), **change)


@pytest.fixture
def adapter():
    return TwilioMessagingAdapter(config())


@pytest.fixture
def wired(simulator_server, webhook_receiver):
    """The adapter on a running simulator, with status callbacks going to the receiver."""
    return TwilioMessagingAdapter(config(api_base_url=simulator_server.url, public_base_url=webhook_receiver.url))


class TestContract(AdapterContract):
    key = "twilio_messaging"
    payloads = "twilio/messaging"


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "MessageSid",
                "From",
                "To",
                "Body",
                "NumMedia",
                "MediaUrl0",
                "MessageStatus",
                "SmsStatus",
                "Latitude",
                "Longitude",
                "ListId",
                "MessageType",
                "DateSent",
                "RawDlrDoneDate",
                "ErrorCode",
            ]
        ),
        st.text(max_size=40),
    )
)
def test_no_payload_raises_anything_but_unparseable(payload):
    try:
        TwilioMessagingAdapter(config()).parse({"MessageSid": "SM1"} | payload)
    except UnparseablePayload:
        return


# ---- signatures ----
PARAMS = {"AccountSid": ACCOUNT_SID, "MessageSid": "SM1", "Body": "¿Qué tal?", "From": "+13055550123"}


def signed(url=f"{PUBLIC}{PATH}", params=PARAMS, token=AUTH_TOKEN):
    return {"X-Twilio-Signature": RequestValidator(token).compute_signature(url, params)}


def test_a_signed_request_passes_whatever_host_a_proxy_wrote(adapter):
    adapter.verify(PATH, signed(), b"", PARAMS)
    adapter.verify(f"http://10.0.0.7:8000{PATH}", signed(), b"", PARAMS)
    adapter.verify(PATH, {"x-twilio-signature": signed()["X-Twilio-Signature"]}, b"", PARAMS)


def test_the_query_is_part_of_what_is_signed(adapter):
    url = f"{PATH}?message=0b5a"
    adapter.verify(url, signed(PUBLIC + url), b"", PARAMS)
    with pytest.raises(SignatureError):
        adapter.verify(f"{PATH}?message=other", signed(PUBLIC + url), b"", PARAMS)


def test_a_query_dict_with_a_repeated_and_a_new_parameter_passes(adapter):
    params = QueryDict(urlencode([*PARAMS.items(), ("NewOne", "b"), ("NewOne", "a")]))
    adapter.verify(PATH, signed(params=params), b"", params)


@pytest.mark.parametrize(
    ("headers", "params"),
    [
        ({}, PARAMS),
        ({"X-Twilio-Signature": ""}, PARAMS),
        ({"X-Twilio-Signature": "ñ"}, PARAMS),
        (signed(token="another"), PARAMS),
        (signed(), PARAMS | {"Body": "changed"}),
        (signed(), PARAMS | {"Extra": "x"}),
        (signed(url=f"http://care.aurora.example{PATH}"), PARAMS),
        (signed() | {"X-Twilio-Webhooks-Signature-Settings": "key=k,algorithm=HMAC_MD5"}, PARAMS),
    ],
)
def test_a_request_that_is_not_twilios_is_refused(adapter, headers, params):
    with pytest.raises(SignatureError):
        adapter.verify(PATH, headers, b"", params)


def test_a_signed_request_for_another_account_is_refused(adapter):
    params = PARAMS | {"AccountSid": "AC" + "1" * 32}
    with pytest.raises(SignatureError):
        adapter.verify(PATH, signed(params=params), b"", params)


# ---- sending ----
def test_a_text_is_sent_once_and_reported_under_our_id(wired, simulator_server, webhook_receiver):
    result = wired.send(TEXT)
    simulator_server.settle()
    assert result.status == "queued"
    assert {hook.path for hook in webhook_receiver.received} == {"/webhooks/twilio/message-status?message=0b5a-1"}
    reports = [wired.parse(hook.params | {"message": "0b5a-1"})[0] for hook in webhook_receiver.received]
    assert [(report.status, report.our_id, report.external_id) for report in reports] == [
        (status, "0b5a-1", result.external_id) for status in ("queued", "sent", "delivered")
    ]


def test_our_webhooks_signature_passes_end_to_end(wired, simulator_server, webhook_receiver):
    simulator_server.inject_inbound(from_="+13055550123", body="hola ñ 👍")
    (hook,) = webhook_receiver.received
    wired.verify(hook.path, hook.headers, b"", hook.params)
    assert wired.parse(hook.params)[0].text == "hola ñ 👍"


def test_whatsapp_goes_out_with_its_prefix_and_to_a_user_id_too(wired, simulator_server):
    message = replace(TEXT, channel_kind="whatsapp", sender=WA_OURS)
    stranger = Address("whatsapp_user_id", "US.13491208655302741918", "")
    wired.send(message)
    wired.send(replace(message, recipient=stranger))
    now = datetime.now(UTC)
    simulator_server.settle()
    found = list(wired.list_messages(now - timedelta(hours=1), now + timedelta(hours=1)))
    assert [(record.channel_kind, record.recipient.scheme, record.recipient.raw) for record in found] == [
        ("whatsapp", "whatsapp_user_id", "whatsapp:US.13491208655302741918"),
        ("whatsapp", "phone", "whatsapp:+13055550123"),
    ]


def test_a_template_goes_out_with_its_variables(wired, simulator_server):
    template = next(item for item in wired.list_templates() if item.name == "appointment_reminder_en")
    wired.send(
        replace(
            TEXT,
            channel_kind="whatsapp",
            sender=WA_OURS,
            template_sid=template.external_id,
            template_variables={"1": "Ana", "2": "Brickell", "3": "Friday", "4": "9:40"},
        )
    )
    simulator_server.settle()
    assert simulator_server.state()["by_status"] == {"read": 1}
    assert (template.language, template.is_approved, template.buttons, template.category) == (
        "en",
        True,
        ("Yes, I will come", "Change it"),
        "UTILITY",
    )
    assert template.variables == {"1": "Ana", "2": "Aurora Brickell", "3": "20 November", "4": "9:40"}


def rule(effect, **match):
    return {"match": {"endpoint": "create"} | match, "effect": effect}


@pytest.mark.parametrize(
    ("effect", "permanent", "doubtful", "reason", "code", "accepted"),
    [
        ({"type": "http", "status": 429, "retry_after": 3}, False, False, "rate_limited", "20429", 0),
        ({"type": "http", "status": 500}, False, True, "provider_down", "20500", 0),
        ({"type": "http", "status": 503}, False, True, "provider_down", "20503", 0),
        ({"type": "accept_then_http", "status": 500}, False, True, "provider_down", "20500", 1),
        ({"type": "cut"}, False, True, "provider_down", None, 0),
        ({"type": "accept_then_cut"}, False, True, "provider_down", None, 1),
        ({"type": "malformed"}, False, True, "provider_down", None, 0),
        ({"type": "error", "code": 21610}, True, False, "opted_out", "21610", 0),
        ({"type": "error", "code": 21211}, True, False, "bad_address", "21211", 0),
        ({"type": "error", "code": 21408}, True, False, "not_authorised", "21408", 0),
        ({"type": "error", "code": 20003}, False, False, "not_authorised", "20003", 0),
    ],
)
def test_a_failure_says_whether_to_give_up_try_again_or_look_first(
    wired, simulator_server, effect, permanent, doubtful, reason, code, accepted
):
    simulator_server.set_faults(rule(effect))
    with pytest.raises(AdapterError) as caught:
        wired.send(TEXT)
    error = caught.value
    assert (error.permanent, error.doubtful, error.reason, error.code) == (permanent, doubtful, reason, code)
    assert error.retry_after == (3.0 if reason == "rate_limited" else None)
    assert simulator_server.state()["accepted"] == accepted


def test_a_hanging_provider_is_left_after_the_timeout_in_doubt(simulator_server):
    adapter = TwilioMessagingAdapter(config(api_base_url=simulator_server.url, timeout_seconds=0.5))
    simulator_server.set_faults(rule({"type": "accept_then_hang", "seconds": 5}))
    started = time.monotonic()
    with pytest.raises(AdapterError) as caught:
        adapter.send(TEXT)
    assert time.monotonic() - started < 2
    assert (caught.value.permanent, caught.value.doubtful) == (False, True)
    assert simulator_server.state()["accepted"] == 1


def test_a_provider_nobody_reached_leaves_no_doubt(adapter):
    with pytest.raises(AdapterError) as caught:
        adapter.send(TEXT)
    assert (caught.value.permanent, caught.value.doubtful) == (False, False)


def test_wrong_credentials_can_be_mended_and_lose_nothing(simulator_server):
    adapter = TwilioMessagingAdapter(config(api_base_url=simulator_server.url, auth_token="wrong"))
    with pytest.raises(AdapterError) as caught:
        adapter.send(TEXT)
    assert (caught.value.permanent, caught.value.doubtful, caught.value.reason) == (False, False, "not_authorised")


def test_permanent_and_doubtful_exclude_each_other():
    with pytest.raises(ValueError, match="exclude"):
        AdapterError("x", permanent=True, doubtful=True)


# ---- doubt and lists ----
def test_a_message_accepted_before_the_cut_is_found_and_one_never_accepted_is_not(wired, simulator_server):
    since = datetime.now(UTC)
    simulator_server.set_faults(rule("accept_then_cut"))
    with pytest.raises(AdapterError):
        wired.send(TEXT)
    found = wired.find_sent(TEXT, since)
    sid = simulator_server.call("GET", f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json").json()["messages"][0]["sid"]
    assert found.external_id == sid
    assert wired.find_sent(replace(TEXT, text="Another"), since) is None
    assert wired.find_sent(replace(TEXT, recipient=Address("phone", "+13055550124", "")), since) is None
    assert wired.find_sent(TEXT, since + timedelta(hours=1)) is None


def test_two_equal_texts_to_one_person_are_told_apart_by_the_ids_already_bound(wired):
    since = datetime.now(UTC)
    first, second = wired.send(TEXT), wired.send(TEXT)
    assert wired.find_sent(TEXT, since).external_id == first.external_id
    assert wired.find_sent(TEXT, since, {first.external_id}).external_id == second.external_id
    assert wired.find_sent(TEXT, since, {first.external_id, second.external_id}) is None


def test_an_inbound_message_that_never_reached_us_comes_from_the_list_in_webhook_shape(wired, simulator_server):
    simulator_server.set_faults({"match": {"endpoint": "inbound"}, "effect": "drop"})
    given = {"content_type": "image/png", "content_base64": "iVBORw0KGgo="}
    simulator_server.inject_inbound(from_="whatsapp:+13055550123", body="did you get this?", media=[given])
    now = datetime.now(UTC)
    (record,) = wired.list_messages(now - timedelta(minutes=5), now + timedelta(minutes=5))
    (message,) = wired.parse(record.payload)
    assert (record.direction, record.status, record.external_id) == ("inbound", "received", message.external_id)
    assert (message.kind, message.text, message.channel_kind) == ("media", "did you get this?", "whatsapp")
    assert message.occurred_at == record.occurred_at
    assert wired.fetch_media(message.media[0], 1000).content.read() == b"\x89PNG\r\n\x1a\n"


def test_the_list_is_read_over_all_pages(wired, simulator_server):
    simulator_server.inject_inbound(from_="+13055550123", body="x", count=450)
    now = datetime.now(UTC)
    found = [record.external_id for record in wired.list_messages(now - timedelta(hours=1), now + timedelta(hours=1))]
    assert (len(found), len(set(found))) == (450, 450)


def test_a_failing_list_is_an_adapter_error(wired, simulator_server):
    now = datetime.now(UTC)
    for effect in ({"type": "http", "status": 503}, "cut", "malformed"):
        simulator_server.set_faults({"match": {"endpoint": "list"}, "effect": effect})
        with pytest.raises(AdapterError) as caught:
            list(wired.list_messages(now - timedelta(hours=1), now))
        assert caught.value.permanent is False


# ---- attachments ----
def media_of(simulator_server, content="iVBORw0KGgo="):
    sent = simulator_server.inject_inbound(
        from_="+13055550123", media=[{"content_type": "image/png", "content_base64": content}]
    )
    return sent["messages"][0]["sid"]


def test_an_attachment_is_fetched_with_our_credentials(wired, simulator_server, webhook_receiver):
    media_of(simulator_server)
    (message,) = wired.parse(webhook_receiver.received[0].params)
    fetched = wired.fetch_media(message.media[0], 8)
    assert (fetched.content.read(), fetched.content_type, fetched.size) == (b"\x89PNG\r\n\x1a\n", "image/png", 8)


def test_an_attachment_over_the_limit_is_refused(wired, simulator_server, webhook_receiver):
    media_of(simulator_server)
    (message,) = wired.parse(webhook_receiver.received[0].params)
    with pytest.raises(MediaRefused):
        wired.fetch_media(message.media[0], 7)


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://127.0.0.1:1/x",
        "http://[::ffff:127.0.0.1]/x",
        "https://localhost/x",
        "https://evil.example/x",
        "https://api.twilio.com.evil.example/x",
        "https://eviltwiliocdn.com/x",
        "https://api.twilio.com@evil.example/x",
        "https://user:secret@api.twilio.com/x",
        "https://media.twiliocdn.com:8443/x",
        "http://media.twiliocdn.com/x",
        "file:///etc/passwd",
        "ftp://api.twilio.com/x",
        "//api.twilio.com/x",
        "http://[",
        "",
    ],
)
def test_no_connection_is_made_to_an_address_that_is_not_the_providers(url, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise AssertionError("a connection was made")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_k: [(2, 1, 6, "", ("93.184.216.34", 443))])
    adapter = TwilioMessagingAdapter(config(api_base_url="https://api.twilio.com"))
    with pytest.raises(MediaRefused):
        adapter.fetch_media(MediaRef(url), 1000)


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.8", "169.254.169.254", "::1", "::ffff:10.0.0.1", "fd00::1"])
def test_a_provider_name_that_leads_into_a_private_network_is_refused(address, monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_k: [(2, 1, 6, "", (address, 443))])
    adapter = TwilioMessagingAdapter(config(api_base_url="http://127.0.0.1:9"))
    with pytest.raises(MediaRefused):
        adapter.fetch_media(MediaRef("https://media.twiliocdn.com/x"), 1000)


def test_a_redirect_is_checked_like_the_first_address(redirecting):
    adapter = TwilioMessagingAdapter(config(api_base_url=redirecting.url))
    with pytest.raises(MediaRefused):
        adapter.fetch_media(MediaRef(f"{redirecting.url}/to-metadata"), 1000)
    with pytest.raises(MediaRefused, match="too often"):
        adapter.fetch_media(MediaRef(f"{redirecting.url}/round"), 1000)
    assert redirecting.paths == ["/to-metadata", *["/round"] * 4]


@pytest.fixture
def redirecting():
    """A media host that sends its visitors elsewhere."""
    import threading
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
    from types import SimpleNamespace

    seen = SimpleNamespace(url="", paths=[])

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            seen.paths.append(self.path)
            self.send_response(302)
            target = "http://169.254.169.254/" if self.path == "/to-metadata" else "/round"
            self.send_header("Location", target)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_words):
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    seen.url = f"http://127.0.0.1:{server.server_port}"
    yield seen
    server.shutdown()
    server.server_close()


# ---- errors in words ----
def test_every_known_error_is_a_sentence_without_the_providers_jargon():
    for code, explanation in ERRORS.items():
        assert explanation.sentence[0].isupper(), code
        assert explanation.sentence.endswith("."), code
        assert code not in explanation.sentence


def test_an_unknown_error_keeps_the_providers_words_or_its_number():
    assert explain(99999, "Odd thing").sentence == "Odd thing"
    assert explain("99999").sentence == "Twilio reported error 99999."


def test_nothing_of_a_message_is_logged(wired, simulator_server, caplog):
    with caplog.at_level("DEBUG"):
        wired.send(replace(TEXT, text="a private matter"))
        simulator_server.inject_inbound(from_="+13055550123", body="a private answer")
    wait_for(lambda: simulator_server.state()["inbound"] == 1)
    assert [word for word in ("private", "13055550123") if word in caplog.text] == []
