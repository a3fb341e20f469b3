"""The e-mail adapter: raw mail in, events out; one Message-ID for every attempt; nobody's line breaks."""

import smtplib
import socket
import threading
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from aiosmtpd.controller import Controller
from anymail.inbound import AnymailInboundMessage
from anymail.signals import AnymailTrackingEvent
from django.core import mail as django_mail

from inbox.adapters.base import AdapterError, SignatureError, UnparseablePayload
from inbox.adapters.email import EmailAdapter, EmailConfig, raw_of_anymail_inbound
from inbox.adapters.email_errors import send_error, smtp_error
from inbox.adapters.email_tracking import tracking_payload
from inbox.adapters.events import Address, DeliveryReport, InboundFile, OutboundMessage
from inbox.adapters.registry import build_adapter
from inbox.mail import tokens
from inbox.mail.limits import MailLimits
from tests.inbox.adapters.contract_cases import AdapterContract
from tests.inbox.mail.mails import mail, report

KEY = b"k" * 32
OUR_ID = "7b1c7c1e-1111-4222-8333-444455556666"
SMTP_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
LOCMEM = "django.core.mail.backends.locmem.EmailBackend"


def config(**changes):
    return EmailConfig(**{"backend": LOCMEM, "message_id_domain": "aurora.test", "reply_key": KEY, **changes})


@pytest.fixture
def adapter():
    return EmailAdapter(config())


def outbound(**changes):
    values = {
        "our_id": OUR_ID,
        "channel_kind": "email",
        "sender": Address("email", "care@aurora.test", "care@aurora.test"),
        "recipient": Address("email", "ana@patient.example", "ana@patient.example"),
        "text": "Your visit is on Monday.",
        "subject": "Re: A question",
    }
    return OutboundMessage(**{**values, **changes})


class TestContract(AdapterContract):
    key = "email"
    payloads = "email"


# ---- in ----


def test_a_mail_becomes_one_message_from_one_person(adapter):
    raw = mail(
        "I will come.\r\n\r\nOn 3 Mar 2025 Care wrote:\r\n> Old\r\n",
        to="Care <care@aurora.test>",
        Cc="son@x.example",
        Delivered_To="care@aurora.test",
        In_Reply_To="<m-1@aurora.test>",
        References="<root@x> <m-1@aurora.test>",
        Date="Mon, 3 Mar 2025 12:00:00 +0000",
    )
    (event,) = adapter.parse({"raw": raw, "received_at": datetime.now(UTC)})
    assert (event.provider, event.external_id, event.channel_kind, event.kind) == (
        "email",
        "q1@patient.example",
        "email",
        "text",
    )
    assert event.sender == Address("email", "ana@patient.example", "ana@patient.example")
    assert event.recipient == Address("email", "care@aurora.test", "care@aurora.test")
    assert (event.sender_name, event.subject, event.text) == ("Ana Ruiz", "A question", "I will come.")
    assert event.payload == {
        "recipients": ["care@aurora.test", "son@x.example"],
        "cc": ["son@x.example"],
        "quoted_text": "On 3 Mar 2025 Care wrote:\n> Old",
        "may_answer_itself": True,
    }
    assert (event.in_reply_to, event.references) == ("m-1@aurora.test", ("root@x", "m-1@aurora.test"))
    assert event.occurred_at == datetime(2025, 3, 3, 12, tzinfo=UTC)
    assert adapter.parse({"raw": raw}) == [event]


def test_files_come_with_the_message(adapter):
    raw = (
        mail("", Content_Type='multipart/mixed; boundary="b"')
        + b'--b\r\n\r\nSee file\r\n--b\r\nContent-Type: text/csv; name="a.csv"\r\n'
        + b"Content-Disposition: attachment\r\n\r\n1,2\r\n--b--"
    )
    (event,) = adapter.parse({"raw": raw})
    assert event.files == (InboundFile("a.csv", "text/csv", b"1,2"),)


def test_a_signed_reply_address_names_the_interaction_and_the_plain_mailbox(adapter):
    address = tokens.reply_address("care@aurora.test", 42, KEY)
    (event,) = adapter.parse({"raw": mail(to=address)})
    assert (event.payload["interaction_id"], event.payload["recipients"]) == (42, ["care@aurora.test"])
    forged = address.replace("+r-16", "+r-17")
    (event,) = adapter.parse({"raw": mail(to=forged)})
    assert "interaction_id" not in event.payload


def test_our_own_mail_coming_back_is_a_loop(adapter):
    raw = mail(sender="care@aurora.test", X_Continuo_Loop="care@aurora.test")
    assert adapter.parse({"raw": raw})[0].payload["loop"] is True
    assert "loop" not in adapter.parse({"raw": mail(X_Continuo_Loop="care@aurora.test")})[0].payload


def test_an_automatic_answer_says_so(adapter):
    (event,) = adapter.parse({"raw": mail(Auto_Submitted="auto-replied")})
    assert event.payload["is_auto_reply"] is True


@pytest.mark.parametrize(
    ("status", "words", "expected"),
    [
        ("5.1.1", "smtp; 550 5.1.1 User unknown", ("failed", "bad_address", "This address does not exist.")),
        ("5.2.2", "smtp; 552 5.2.2 Mailbox full", ("failed", "unreachable", "The mailbox is full.")),
        ("4.1.1", "smtp; 450 4.1.1 User unknown", ("failed", "unreachable", "This address does not exist.")),
    ],
)
def test_a_bounce_is_a_report_about_our_message(adapter, status, words, expected):
    fields = "Final-Recipient: rfc822; ana@patient.example\r\nAction: failed\r\n"
    fields += f"Status: {status}\r\nDiagnostic-Code: {words}\r\n"
    raw = report(fields, original_id=f"m-{OUR_ID}@aurora.test")
    (found,) = adapter.parse({"raw": raw})
    assert isinstance(found, DeliveryReport)
    assert (found.external_id, found.our_id) == (f"m-{OUR_ID}@aurora.test", OUR_ID)
    assert (found.status, found.reason, found.error_text) == expected
    assert (found.error_code, found.recipient.value) == (status, "ana@patient.example")


def test_a_delay_does_not_fail_the_message(adapter):
    fields = "Final-Recipient: rfc822; a@b.example\r\nAction: delayed\r\nStatus: 4.4.1\r\n"
    (found,) = adapter.parse({"raw": report(fields)})
    assert (found.status, found.reason) == ("sent", None)


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"raw": "text"},
        {"raw": b"no sender\r\n\r\nx"},
        {"raw": b"X-Continuo-Stub: UID 7\r\n\r\n"},
        {"raw": b"x" * 2000},
    ],
)
def test_what_cannot_be_read_goes_to_quarantine(payload):
    with pytest.raises(UnparseablePayload):
        EmailAdapter(config(limits=MailLimits(max_bytes=1000))).parse(payload)


def test_no_webhook_is_believed_by_the_adapter_itself(adapter):
    with pytest.raises(SignatureError):
        adapter.verify("/webhooks/email/x/", {}, b"", {})


def test_an_anymail_inbound_message_is_read_like_any_mail():
    message = AnymailInboundMessage.construct(
        from_email="Ana <ana@patient.example>", to="care@aurora.test", subject="Olá", text="Bom dia"
    )
    (event,) = EmailAdapter(config()).parse({"raw": raw_of_anymail_inbound(message)})
    assert (event.sender.value, event.subject, event.text) == ("ana@patient.example", "Olá", "Bom dia")


@pytest.mark.parametrize(
    ("event_type", "words", "expected"),
    [
        ("delivered", "", ("delivered", None)),
        ("opened", "", ("read", None)),
        ("deferred", "", ("sent", None)),
        ("bounced", "550 5.1.1 no such user", ("failed", "bad_address")),
        ("bounced", "552 5.2.2 over quota", ("failed", "unreachable")),
        ("rejected", "", ("failed", "unknown")),
    ],
)
def test_a_tracking_event_is_a_report(adapter, event_type, words, expected):
    event = AnymailTrackingEvent(
        event_type=event_type,
        timestamp=datetime(2025, 3, 3, tzinfo=UTC),
        event_id="e1",
        message_id="<prov-1>",
        recipient="Ana@patient.example",
        metadata={"our_id": OUR_ID},
        mta_response=words,
    )
    (found,) = adapter.parse(tracking_payload(event))
    assert (found.status, found.reason) == expected
    assert (found.our_id, found.external_id, found.recipient.value) == (OUR_ID, "prov-1", "ana@patient.example")
    assert found.occurred_at == datetime(2025, 3, 3, tzinfo=UTC)


def test_tracking_events_that_change_nothing_are_no_reports(adapter):
    event = SimpleNamespace(
        event_type="subscribed",
        event_id="",
        message_id="",
        recipient="",
        reject_reason="",
        description="",
        mta_response="",
    )
    assert adapter.parse(tracking_payload(event)) == []


@pytest.mark.parametrize(
    ("sender", "reply_to", "writer", "told"),
    [
        ("ana@patient.example", None, "ana@patient.example", None),
        ("ana@patient.example", "ana@patient.example, care@aurora.test", "ana@patient.example", None),
        ("ana@patient.example", "other@evil.example", "ana@patient.example", ["other@evil.example"]),
        ("noreply@site.example", "Ana <ana@patient.example>", "ana@patient.example", None),
        ("care@aurora.test", "ana@patient.example", "ana@patient.example", None),
        ("noreply@site.example", None, "noreply@site.example", None),
    ],
)
def test_a_machines_reply_to_is_the_writer_and_a_persons_is_only_told(adapter, sender, reply_to, writer, told):
    (event,) = adapter.parse({"raw": mail(sender=sender, Reply_To=reply_to)})
    assert (event.sender.value, event.payload.get("reply_to")) == (writer, told)


# ---- out ----


def test_a_reply_threads_by_our_own_message_id(adapter):
    message = outbound(
        in_reply_to="q1@patient.example", references=("root@x", "m-0@aurora.test"), cc=("son@x.example",)
    )
    result = adapter.send(message)
    (sent,) = django_mail.outbox
    source = sent.message()
    assert (result.external_id, result.status) == (f"m-{OUR_ID}@aurora.test", "sent")
    assert source["Message-ID"] == f"<m-{OUR_ID}@aurora.test>"
    assert source["In-Reply-To"] == "<q1@patient.example>"
    assert source["References"].split() == ["<root@x>", "<m-0@aurora.test>", "<q1@patient.example>"]
    assert (sent.to, sent.cc, sent.subject) == (["ana@patient.example"], ["son@x.example"], "Re: A question")
    assert source["Auto-Submitted"] is None


def test_a_second_attempt_has_the_same_message_id(adapter):
    assert adapter.send(outbound()).external_id == adapter.send(outbound()).external_id
    assert len({sent.message()["Message-ID"] for sent in django_mail.outbox}) == 1


def test_an_automatic_mail_says_so(adapter):
    adapter.send(outbound(is_automatic=True))
    source = django_mail.outbox[0].message()
    assert (source["Auto-Submitted"], source["X-Auto-Response-Suppress"]) == ("auto-replied", "All")
    assert source["X-Continuo-Loop"] == "care@aurora.test"


def test_a_long_chain_keeps_its_root_and_its_newest(adapter):
    adapter.send(outbound(references=tuple(f"r{number}@x" for number in range(100)), in_reply_to="last@x"))
    chain = django_mail.outbox[0].message()["References"].split()
    assert (len(chain), chain[0], chain[-1]) == (30, "<r0@x>", "<last@x>")


def test_html_and_our_name_leave_too():
    EmailAdapter(config(from_name='Aurora "Health"')).send(outbound(html="<b>Monday</b>"))
    (sent,) = django_mail.outbox
    assert sent.from_email == '"Aurora Health" <care@aurora.test>'
    assert [(part.content, part.mimetype) for part in sent.alternatives] == [("<b>Monday</b>", "text/html")]


@pytest.mark.parametrize("line_break", ["\n", "\r", "\r\n", "\x00", "\u2028", "\x0b"])
@pytest.mark.parametrize("place", ["subject", "recipient", "cc", "sender", "header", "in_reply_to"])
def test_header_injection_is_refused_before_anything_leaves(adapter, place, line_break):
    evil = f"a@b.example{line_break}Bcc: victim@x.example"
    changes = {
        "subject": {"subject": f"Hi{line_break}Bcc: victim@x.example"},
        "recipient": {"recipient": Address("email", evil, evil)},
        "cc": {"cc": (evil,)},
        "sender": {"sender": Address("email", evil, evil)},
        "header": {"headers": {"X-Note": f"x{line_break}Bcc: victim@x.example"}},
        "in_reply_to": {"in_reply_to": evil},
    }[place]
    with pytest.raises(AdapterError) as refused:
        adapter.send(outbound(**changes))
    assert (refused.value.permanent, refused.value.code) == (True, "header_injection")
    assert django_mail.outbox == []


@pytest.mark.parametrize("address", ["", "ana", "a@b, c@d.example", "a b@c.example", "<a@b.example>", "a@b.example>"])
def test_what_is_no_single_address_is_refused(adapter, address):
    with pytest.raises(AdapterError) as refused:
        adapter.send(outbound(recipient=Address("email", address, address)))
    assert (refused.value.permanent, refused.value.code) == (True, "invalid_address")


@pytest.mark.parametrize("name", ["Bcc", "From", "Message-ID", "X Note", "X:Y", ""])
def test_our_own_headers_cannot_be_overridden(adapter, name):
    with pytest.raises(AdapterError) as refused:
        adapter.send(outbound(headers={name: "x"}))
    assert refused.value.code == "header_refused"


# ---- a real SMTP server on the other side ----


class Answers:
    """Answers of a mail server, by SMTP command."""

    def __init__(self, rcpt="250 OK", data="250 OK"):
        self.rcpt, self.data, self.got = rcpt, data, []

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.rcpt.startswith("2"):
            envelope.rcpt_tos.append(address)
        return self.rcpt

    async def handle_DATA(self, server, session, envelope):
        self.got.append(envelope.content)
        if self.data == "cut":
            server.transport.abort()
        return self.data if self.data != "cut" else "250 OK"


@pytest.fixture
def smtp_server(settings):
    servers = []

    def start(**answers):
        handler = Answers(**answers)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        server = Controller(handler, hostname="127.0.0.1", port=port)
        server.start()
        servers.append(server)
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", port, 5
        settings.EMAIL_USE_TLS, settings.EMAIL_HOST_USER = False, ""
        return handler

    yield start
    for server in servers:
        server.stop()


def test_a_mail_reaches_a_real_server(smtp_server):
    server = smtp_server()
    EmailAdapter(config(backend=SMTP_BACKEND)).send(outbound())
    assert f"Message-ID: <m-{OUR_ID}@aurora.test>".encode() in server.got[0]


@pytest.mark.parametrize(
    ("answers", "permanent", "doubtful", "code", "reason"),
    [
        ({"rcpt": "550 5.1.1 User unknown"}, True, False, "550", "bad_address"),
        ({"rcpt": "450 4.2.0 Greylisted"}, False, False, "450", "unknown"),
        ({"data": "552 5.2.2 Mailbox full"}, True, False, "552", "unreachable"),
        ({"data": "451 4.3.0 Try later"}, False, False, "451", "unknown"),
        ({"data": "cut"}, False, True, "no_answer", "unknown"),
    ],
)
def test_the_answers_of_a_real_server_are_told_apart(smtp_server, answers, permanent, doubtful, code, reason):
    smtp_server(**answers)
    with pytest.raises(AdapterError) as failed:
        EmailAdapter(config(backend=SMTP_BACKEND)).send(outbound())
    found = failed.value
    assert (found.permanent, found.doubtful, found.code, found.reason) == (permanent, doubtful, code, reason)


def test_a_server_that_is_not_there_leaves_no_doubt(settings):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", closed.getsockname()[1]
        with pytest.raises(AdapterError) as failed:
            EmailAdapter(config(backend=SMTP_BACKEND)).send(outbound())
    assert (failed.value.permanent, failed.value.doubtful, failed.value.code) == (False, False, "unreachable")


def test_a_silent_server_is_given_up_on_in_time(settings):
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=listener.accept, daemon=True).start()
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", listener.getsockname()[1], 0.5
    with pytest.raises(AdapterError) as failed:
        EmailAdapter(config(backend=SMTP_BACKEND)).send(outbound())
    assert failed.value.code == "unreachable"
    listener.close()


def test_wrong_credentials_are_not_the_patients_fault():
    assert smtp_error(535, b"5.7.8 bad credentials").permanent is False
    assert isinstance(send_error(smtplib.SMTPServerDisconnected()), AdapterError)


def test_the_registry_builds_it_from_settings(settings):
    built = build_adapter("email", EmailConfig.from_settings(settings))
    assert isinstance(built, EmailAdapter)
    assert EmailConfig.from_settings(settings) == EmailConfig.from_settings(settings)
    assert settings.SECRET_KEY.encode() not in built.config.reply_key
