"""Every state of every machine × every transition: the listed moves work, all others are refused."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django_fsm import TransitionNotAllowed

from contact_center.common.machines import document
from inbox.enums import (
    AttachmentStatus,
    CallbackStatus,
    CallStatus,
    CaseStatus,
    EventStatus,
    GateDecision,
    InteractionStatus,
    MessageStatus,
    RecordingStatus,
    ScanStatus,
)
from inbox.models import Attachment, Call, Callback, Case, Interaction, Message, Recording, Upload, WebhookEvent
from tests.factories.inbox import InteractionFactory

NOW = timezone.now()
LATER = NOW + timedelta(hours=1)

MACHINES = {
    Interaction: (
        InteractionStatus,
        {
            "offer": ({"queued"}, "offered", ()),
            "take": ({"queued", "offered", "snoozed", "active", "bot"}, "active", ()),
            "return_to_queue": ({"active", "offered", "wrap_up", "snoozed"}, "queued", ()),
            "snooze": ({"active"}, "snoozed", (LATER,)),
            "wake": ({"snoozed"}, "active", ()),
            "start_wrap_up": ({"active", "snoozed"}, "wrap_up", ()),
            "resume": ({"wrap_up"}, "active", ()),
            "close": ({"wrap_up"}, "closed", ()),
            "merge": ({"bot", "queued", "offered", "active", "snoozed", "wrap_up"}, "closed", (Interaction(pk=9),)),
            "unmerge": ({"closed"}, "queued", ()),
            "settle": ({"queued", "bot"}, "closed", ()),
            "abandon": ({"queued"}, "abandoned", ()),
            "come_back": ({"abandoned"}, "queued", ()),
            "reopen": ({"closed"}, "queued", ()),
        },
    ),
    Call: (
        CallStatus,
        {
            "enter_menu": ({"ringing"}, "ivr", ()),
            "wait": ({"ringing", "ivr"}, "waiting", (NOW,)),
            "connect": ({"ringing", "waiting"}, "connected", (NOW,)),
            "hold": ({"connected"}, "held", (NOW,)),
            "resume": ({"held"}, "connected", (NOW,)),
            "requeue": ({"connected", "held"}, "waiting", (NOW,)),
            "complete": ({"waiting", "connected", "held", "abandoned"}, "completed", (NOW, "patient")),
            "abandon": ({"ringing", "ivr", "waiting"}, "abandoned", (NOW,)),
            "take_message": ({"ringing", "ivr", "waiting", "abandoned"}, "voicemail", ()),
            "ask_callback": ({"ringing", "ivr", "waiting", "abandoned"}, "callback_requested", ()),
            "dial": ({"waiting"}, "ringing", ()),
            "fail": ({"ringing", "waiting"}, "failed", (NOW, "system")),
        },
    ),
    Callback: (
        CallbackStatus,
        {
            "attempt": ({"due"}, "attempting", ()),
            "retry": ({"attempting"}, "due", (LATER,)),
            "reach": ({"attempting"}, "connected", (NOW,)),
            "reopen": ({"connected"}, "attempting", ()),
            "give_up": ({"attempting"}, "exhausted", (NOW,)),
            "cancel": ({"due", "attempting"}, "cancelled", ("staff",)),
        },
    ),
    Case: (
        CaseStatus,
        {
            "wait": ({"open"}, "waiting", ()),
            "reopen": ({"waiting", "resolved", "closed"}, "open", ()),
            "resolve": ({"open", "waiting"}, "resolved", ()),
            "close": ({"resolved"}, "closed", ()),
        },
    ),
    Message: (
        MessageStatus,
        {
            "queue": ({"draft"}, "queued", ()),
            "claim": ({"queued"}, "sending", ()),
            "release": ({"sending"}, "queued", (LATER,)),
            "mark_sent": ({"sending"}, "sent", ("SM1", NOW)),
            "mark_delivered": ({"sending", "sent", "failed"}, "delivered", (NOW,)),
            "mark_read": ({"sending", "sent", "delivered", "failed"}, "read", (NOW,)),
            "fail": ({"queued", "sending", "sent"}, "failed", ("30003", "Unreachable", NOW)),
            "suppress": ({"queued", "sending"}, "suppressed", ()),
            "cancel": ({"draft", "queued", "failed", "suppressed"}, "cancelled", ()),
            "retry": ({"failed", "suppressed"}, "queued", ()),
        },
    ),
    WebhookEvent: (
        EventStatus,
        {
            "complete": ({"received"}, "processed", ()),
            "ignore": ({"received"}, "ignored", ("not ours",)),
            "quarantine": ({"received"}, "quarantined", ("unreadable",)),
            "release": ({"quarantined"}, "received", ()),
        },
    ),
    Attachment: (
        AttachmentStatus,
        {
            "accept": ({"pending"}, "clean", ()),
            "hold": ({"pending"}, "scanning", ()),
            "pass_scan": ({"scanning"}, "clean", ()),
            "quarantine": ({"scanning"}, "infected", ()),
            "give_up_scan": ({"scanning"}, "unchecked", ()),
            "rescan": ({"unchecked", "clean"}, "scanning", ()),
            "refuse": ({"pending"}, "refused", ("too large",)),
            "fail": ({"pending"}, "failed", ("gone",)),
            "retry": ({"failed"}, "pending", ()),
        },
    ),
    Recording: (
        RecordingStatus,
        {
            "pause": ({"active"}, "paused", (NOW, "payment")),
            "resume": ({"paused"}, "active", (NOW,)),
            "end": ({"active", "paused"}, "ended", (NOW,)),
            "keep": ({"ended"}, "stored", (NOW,)),
            "lose": ({"ended"}, "missing", ("Nothing was recorded.",)),
            "retry": ({"missing"}, "ended", ()),
        },
    ),
    Upload: (
        ScanStatus,
        {
            "hold": ({"unscanned"}, "scanning", ()),
            "pass_scan": ({"scanning"}, "clean", ()),
            "quarantine": ({"scanning"}, "infected", ()),
            "give_up_scan": ({"scanning"}, "unchecked", ()),
        },
    ),
}
CASES = [
    pytest.param(model, state, name, sources, target, args, id=f"{model.__name__}-{state}-{name}")
    for model, (states, moves) in MACHINES.items()
    for name, (sources, target, args) in moves.items()
    for state in states.values
]


@pytest.mark.parametrize(("model", "state", "name", "sources", "target", "args"), CASES)
def test_a_move_works_from_its_states_only(model, state, name, sources, target, args):
    row = model(status=state)
    if state in sources:
        getattr(row, name)(*args)
        assert row.status == target
    else:
        with pytest.raises(TransitionNotAllowed):
            getattr(row, name)(*args)
        assert row.status == state


@pytest.mark.parametrize("model", MACHINES)
def test_the_table_above_names_every_transition(model):
    field = model._meta.get_field("status")
    assert {move.name for move in field.get_all_transitions(model)} == set(MACHINES[model][1])


@pytest.mark.parametrize("model", MACHINES)
def test_a_status_cannot_be_assigned(model):
    states, _ = MACHINES[model]
    row = model(status=states.values[0])
    with pytest.raises(AttributeError):
        row.status = states.values[1]


@pytest.mark.django_db
def test_a_reload_shows_the_present_status():
    row = InteractionFactory()
    same = Interaction.objects.get(pk=row.pk)
    same.abandon()
    same.save()
    row.refresh_from_db()
    assert row.status == InteractionStatus.ABANDONED


@pytest.mark.django_db
def test_a_deferred_field_can_be_read_and_the_row_still_moves():
    row = InteractionFactory(snippet="Hello")
    part = Interaction.objects.defer("snippet").get(pk=row.pk)
    assert (part.snippet, part.status) == ("Hello", InteractionStatus.QUEUED)
    part.abandon()
    part.save()
    assert Interaction.objects.get(pk=row.pk).status == InteractionStatus.ABANDONED


@pytest.mark.django_db
def test_the_database_refuses_a_second_live_interaction_of_a_thread(sms_channel):
    first = InteractionFactory(channel=sms_channel, thread_key="+13055550123")
    with pytest.raises(IntegrityError), transaction.atomic():
        InteractionFactory(channel=sms_channel, thread_key="+13055550123")
    first.abandon()
    first.save()
    assert InteractionFactory(channel=sms_channel, thread_key="+13055550123").pk != first.pk


@pytest.mark.django_db
def test_the_database_refuses_an_open_case_without_a_dated_next_step(agent):
    with pytest.raises(IntegrityError), transaction.atomic():
        Case.objects.create(reference="K-1", title="Result", owner=agent)


@pytest.mark.django_db
def test_the_database_refuses_a_sent_message_that_no_gate_allowed(sms_channel):
    interaction = InteractionFactory(channel=sms_channel)
    common = {"interaction": interaction, "channel": sms_channel, "channel_kind": "sms", "direction": "outbound"}
    with pytest.raises(IntegrityError), transaction.atomic():
        Message(status=MessageStatus.SENT, **common).save()
    Message(status=MessageStatus.SENT, gate_decision=GateDecision.SEND, **common).save()


def test_the_diagrams_in_the_documentation_are_those_of_the_code():
    assert (settings.BASE_DIR / "docs" / "state-machines.md").read_text() == document()
