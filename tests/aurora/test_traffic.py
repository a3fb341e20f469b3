"""Simulated patients come in through the real doors."""

import random
import time

import pytest
from django.core.management import CommandError, call_command

from contact_center.accounts.models import User
from contact_center.aurora import seeding, traffic
from contact_center.aurora.traffic import Doors, Traffic, Unreachable
from inbox.enums import ChannelKind, MessageStatus
from inbox.mail.smtp_intake import IntakeServer
from inbox.models import Message
from inbox.services.ledger import drain_ledger, receive_raw_mail
from inbox.services.replies import reply


@pytest.fixture
def clinic(transactional_db, settings, tmp_path):
    settings.DATA_DIR = tmp_path / "data"
    settings.PUBLIC_FORM_LIMIT = 1000
    return seeding.seed(patients=40, number=7)


@pytest.fixture
def doors(clinic, live_server, settings, make_simulator):
    """Web, simulator and mail intake, all of them real."""
    settings.PUBLIC_BASE_URL = live_server.url
    simulator = make_simulator(live_server.url)

    def store(raw, _sender, recipient):
        receive_raw_mail(raw=raw, transport="smtp", mailbox=recipient, envelope_to=recipient)

    intake = IntakeServer(store, host="127.0.0.1", port=0, max_bytes=1_000_000)
    intake.start()
    yield Doors(live_server.url, simulator.url, *intake.address, "care@aurora.example")
    intake.stop()


def _only(monkeypatch, kind):
    monkeypatch.setattr(traffic, "KINDS", {kind: 1})


@pytest.mark.parametrize("kind", [ChannelKind.SMS, ChannelKind.WHATSAPP, ChannelKind.EMAIL, ChannelKind.FORM])
def test_every_channel_brings_a_new_interaction(doors, monkeypatch, kind):
    _only(monkeypatch, kind)
    crowd = Traffic(doors, random.Random(5))
    crowd.start()
    before = Message.objects.filter(direction="inbound", channel_kind=kind).count()
    assert [crowd.step() for _ in range(4)] == [kind] * 4
    drain_ledger()
    assert Message.objects.filter(direction="inbound", channel_kind=kind).count() == before + 4


def test_nobody_new_comes_while_too_many_wait(doors, monkeypatch):
    monkeypatch.setattr(traffic, "MOST_WAITING", 1)
    crowd = Traffic(doors, random.Random(5))
    crowd.start()
    before = Message.objects.count()
    assert crowd.step() == "quiet"
    drain_ledger()
    assert Message.objects.count() == before


@pytest.mark.parametrize("kind", [ChannelKind.WHATSAPP, ChannelKind.EMAIL])
def test_a_patient_answers_what_an_agent_wrote_in_the_same_conversation(doors, monkeypatch, kind):
    _only(monkeypatch, kind)
    monkeypatch.setattr(traffic, "REPLY_SECONDS", (0.0, 0.0))
    monkeypatch.setattr(traffic, "MOST_ANSWERS", 99)
    crowd = Traffic(doors, random.Random(2))
    crowd.start()
    agent = User.objects.get(email="supervisor@aurora.example")
    crowd.step()
    drain_ledger()
    interaction = Message.objects.filter(direction="inbound", channel_kind=kind).latest("id").interaction
    before = interaction.messages.filter(direction="inbound").count()
    for number in range(4):  # most replies are answered, not each
        sent = reply(actor=agent, interaction_id=interaction.pk, text="How can we help?", idempotency_key=str(number))
        Message.objects.filter(pk=sent.pk).update(
            status=MessageStatus.SENT, gate_decision="send", external_id=f"m-{sent.public_id}@aurora.example"
        )
    monkeypatch.setattr(traffic, "MOST_WAITING", 0)
    steps = [crowd.step() for _ in range(5)]
    time.sleep(0.01)
    drain_ledger()
    assert "answer" in steps
    assert interaction.messages.filter(direction="inbound").count() == before + steps.count("answer")


def test_servers_that_are_not_up_are_named(clinic, monkeypatch):
    _only(monkeypatch, ChannelKind.SMS)
    crowd = Traffic(Doors("http://127.0.0.1:9", "http://127.0.0.1:9", "127.0.0.1", 9, "x@y.example"), random.Random(1))
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1:9"):
        crowd.step()


def test_the_command_needs_the_simulator(settings):
    settings.SIMULATOR = False
    with pytest.raises(CommandError, match="SIMULATOR=1"):
        call_command("traffic")


def test_the_rate_is_bounded():
    crowd = Traffic(Doors("", "", "", 0, ""), random.Random(1), rate=6)
    pauses = crowd.pauses()
    total = sum(next(pauses) for _ in range(600))
    assert 5000 < total < 7000
