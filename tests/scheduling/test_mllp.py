"""HL7 v2 by MLLP: real sockets, frames in any pieces, and an answer only to what is kept."""

import asyncio
import ssl
import subprocess
from ipaddress import ip_network

import pytest
from django.core.management import CommandError, call_command

from contact_center.accounts.enums import Role
from inbox.enums import EventStatus
from inbox.models import WebhookEvent
from scheduling.adapters import er7
from scheduling.adapters.mllp import END, START, Listener, Terms
from scheduling.management.commands import hl7_intake
from scheduling.models import Appointment
from scheduling.services.hl7 import refuse
from tests.factories.accounts import UserFactory

MOST = 200
NOT_FRAMED = "This is no HL7 message in a frame of MLLP."


def framed(text):
    return START + text.encode() + END


async def listening(answer=lambda raw: b"got " + raw, peers=("127.0.0.1/32",), tls=None, **terms):
    server = Listener(answer, lambda words: words.encode(), Terms([ip_network(one) for one in peers], MOST, **terms))
    return server, await server.start("127.0.0.1", 0, tls)


async def said(reader, count=1):
    return [(await reader.readuntil(END)).removeprefix(START).removesuffix(END).decode() for _ in range(count)]


@pytest.mark.parametrize(
    "pieces",
    [
        [framed("one") + framed("two")],
        [START, b"one", END[:1], END[1:] + START + b"tw", b"o" + END],
        [b"\r\n" + framed("one") + b"\r\n", framed("two")],
        [START + b"cut of" + framed("one"), framed("two")],
        [bytes([sign]) for sign in framed("one") + framed("two")],
    ],
)
async def test_messages_are_answered_in_order_however_they_are_cut_and_joined(pieces):
    server, address = await listening()
    reader, writer = await asyncio.open_connection(*address)
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0)
    assert await said(reader, 2) == ["got one", "got two"]
    await server.stop()
    assert await reader.read() == b""


def broken(raw):
    raise RuntimeError("the database is away")


@pytest.mark.parametrize(
    ("sent", "options", "heard"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", {}, START + NOT_FRAMED.encode() + END),
        (framed("x" * 300), {"answer": lambda raw: str(len(raw)).encode()}, START + b"201" + END),
        (framed("one") + framed("two"), {"answer": broken}, b""),
        (START + b"never ends", {"frame_seconds": 0.05}, b""),
        (b"", {"idle_seconds": 0.05}, b""),
        (framed("one"), {"peers": ("10.0.0.0/8", "::1/128")}, b""),
        (framed("one"), {"most_connections": 0}, b""),
    ],
    ids=["another protocol", "too large", "not kept", "too slow", "idle", "a stranger", "crowded"],
)
async def test_what_cannot_be_borne_is_told_or_left_and_the_connection_ends(sent, options, heard):
    server, address = await listening(**options)
    reader, writer = await asyncio.open_connection(*address)
    writer.write(sent)
    found = b""
    try:
        while part := await reader.read(1000):
            found += part
    except ConnectionResetError:  # closed while something of ours was unread
        pass
    assert found == heard
    await server.stop()


async def test_who_left_in_the_middle_hinders_nobody_and_what_is_being_answered_is_answered_before_the_end():
    begun, go_on = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def answer(raw):
        loop.call_soon_threadsafe(begun.set)
        asyncio.run_coroutine_threadsafe(go_on.wait(), loop).result()
        return raw

    server, address = await listening(answer)
    _reader, leaver = await asyncio.open_connection(*address)
    leaver.write(START + b"half")
    leaver.close()
    reader, writer = await asyncio.open_connection(*address)
    writer.write(framed("one"))
    await begun.wait()
    stopping = asyncio.create_task(server.stop())
    await asyncio.sleep(0)
    go_on.set()
    assert await said(reader) == ["one"]
    await stopping


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """One that signs itself, for both sides."""
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", folder / "key", "-out",
         folder / "cert"],
        check=True, capture_output=True,
    )  # fmt: skip
    return str(folder / "cert"), str(folder / "key")


@pytest.mark.parametrize("has_certificate", [True, False])
async def test_with_tls_only_who_has_a_certificate_is_heard(certificates, settings, has_certificate):
    settings.HL7_TLS_CERTIFICATE, settings.HL7_TLS_KEY = certificates
    settings.HL7_TLS_CLIENTS = certificates[0]
    server, address = await listening(tls=hl7_intake.tls())
    mine = ssl.create_default_context(cafile=certificates[0])
    if has_certificate:
        mine.load_cert_chain(*certificates)
    try:
        reader, writer = await asyncio.open_connection(*address, ssl=mine, server_hostname="localhost")
        writer.write(framed("one"))
        heard = await reader.read(1000)
    except (ssl.SSLError, ConnectionResetError, asyncio.IncompleteReadError):
        heard = b""
    assert heard == (framed("got one") if has_certificate else b"")
    await server.stop()


# ---- what becomes of a message ----


@pytest.fixture
def interface(settings, db):
    settings.HL7_ACCOUNT = "interface@care.example"
    return UserFactory(email=settings.HL7_ACCOUNT, role=Role.SUPERVISOR)


def msa(raw):
    found = er7.read(raw).first("MSA")
    return found.get(1), found.get(2)


def test_a_message_is_kept_before_it_is_answered_and_done_once(ward, siu_message, interface):
    raw = siu_message(number="M1")
    assert [msa(hl7_intake.answer(raw)) for _ in range(2)] == [("AA", "M1")] * 2
    assert (Appointment.objects.count(), WebhookEvent.objects.get().status) == (1, EventStatus.PROCESSED)
    assert msa(hl7_intake.answer(siu_message(number="M2", doctor="D9"))) == ("AE", "M2")
    assert msa(hl7_intake.answer(b"MSH|^~\\&|HIS\rhello")) == ("AR", "")
    assert WebhookEvent.objects.filter(status=EventStatus.QUARANTINED).count() == 2


def test_without_an_account_that_may_book_nothing_is_answered_and_nobody_listens(
    ward, siu_message, interface, settings
):
    interface.is_active = False
    interface.save()
    with pytest.raises(type(interface).DoesNotExist):
        hl7_intake.answer(siu_message(number="M1"))
    settings.HL7_PORT = 1
    with pytest.raises(CommandError, match="HL7_ACCOUNT must be"):
        call_command("hl7_intake")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"HL7_PEERS": ["10.0.0.1/8"]}, "HL7_PEERS: 10.0.0.1/8 has host bits set."),
        ({"HL7_TLS_CLIENTS": "/clients"}, "HL7_TLS_CLIENTS needs HL7_TLS_CERTIFICATE as well."),
        ({"HL7_TLS_CERTIFICATE": "/none"}, "The certificates of HL7_TLS_… cannot be used: [Errno 2] No such file or"),
    ],
)
def test_settings_that_cannot_be_meant_are_told(settings, given, words):
    for name, value in given.items():
        setattr(settings, name, value)
    with pytest.raises(CommandError) as refused:
        hl7_intake.listener()
        hl7_intake.tls()
    assert str(refused.value).startswith(words)


def test_what_is_no_message_gets_an_acknowledgement_that_says_so():
    assert msa(refuse(NOT_FRAMED)) == ("AR", "")
