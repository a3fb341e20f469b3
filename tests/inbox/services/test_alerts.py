"""Whom the desk tells what, and how rarely."""

from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.db import connection, transaction
from django.utils import timezone

from contact_center.accounts.enums import PresenceState
from contact_center.accounts.services import set_presence
from inbox.enums import Direction
from inbox.enums import NotificationKind as K
from inbox.models import Notification, NotificationPreference, Task
from inbox.services.alerts import tell_of_due_steps, tell_of_new_work
from inbox.services.interactions import assign
from inbox.services.notifications import mark_read, notify, send_notices
from inbox.services.setbacks import note_setback
from tests.factories.inbox import CaseFactory, InteractionFactory, MessageFactory
from tests.factories.patients import PatientFactory

pytestmark = pytest.mark.django_db


def told(user):
    return list(Notification.objects.filter(user=user).order_by("pk").values_list("kind", flat=True))


@pytest.fixture
def interaction(sms_channel, agent):
    return InteractionFactory(channel=sms_channel, owner=agent, contact_value="+13055550123")


def test_the_owner_hears_of_an_answer_once_per_turn(agent, interaction, patient_writes, sms_channel):
    for text in ("Hello?", "Are you there?"):
        patient_writes(text, to=sms_channel)
    first = told(agent)
    interaction.refresh_from_db()
    interaction.waiting_since_at = None  # somebody answered
    interaction.save()
    patient_writes("One more thing", to=sms_channel)
    assert (first, told(agent)) == (["patient_replied"], ["patient_replied", "patient_replied"])


def test_a_stop_or_a_reaction_of_an_unowned_conversation_tells_nobody(patient_writes, sms_channel):
    patient_writes("Hello", to=sms_channel)
    assert Notification.objects.count() == 0


def test_whoever_gets_work_assigned_is_told_by_whom(agent, second_agent, interaction):
    assign(actor=agent, interaction_id=interaction.pk, assignee=second_agent)
    assert list(Notification.objects.values_list("user", "kind", "actor")) == [(second_agent.pk, "assigned", agent.pk)]


def test_the_author_hears_once_that_a_message_failed(agent, interaction):
    message = MessageFactory(
        interaction=interaction, direction=Direction.OUTBOUND, author=agent, status="failed", attempts=1
    )
    with transaction.atomic():
        note_setback(message)
        note_setback(message)
    assert told(agent) == ["send_failed"]


def test_taking_work_oneself_tells_nobody(agent, sms_channel):
    free = InteractionFactory(channel=sms_channel)
    assign(actor=agent, interaction_id=free.pk, assignee=agent)
    assert told(agent) == []


def test_new_work_is_told_to_the_available_once_until_they_look(agent, second_agent, outsider, sms_channel):
    set_presence(user=agent, state=PresenceState.ONLINE)
    set_presence(user=outsider, state=PresenceState.ONLINE)
    set_presence(user=second_agent, state=PresenceState.AWAY, reason="lunch")
    InteractionFactory(channel=sms_channel)
    assert [tell_of_new_work(), tell_of_new_work()] == [1, 0]
    assert (told(agent), told(second_agent), told(outsider)) == (["new_work"], [], [])
    with time_machine.travel(timezone.now() + timedelta(minutes=11), tick=False):
        InteractionFactory(channel=sms_channel)
        assert tell_of_new_work() == 0  # not looked at yet
        mark_read(actor=agent)
        assert tell_of_new_work() == 1


def test_what_is_due_today_is_told_once(agent, interaction):
    today = timezone.localdate()
    Task.objects.create(interaction=interaction, title="Call", owner=agent, due_date=today)
    Task.objects.create(interaction=interaction, title="Later", owner=agent, due_date=today + timedelta(days=1))
    Task.objects.create(
        interaction=interaction, title="Done", owner=agent, due_date=today, done_at=timezone.now(), done_by=agent
    )
    CaseFactory(owner=agent, next_step_date=today)
    CaseFactory(owner=agent, next_step_date=today - timedelta(days=3))
    assert [tell_of_due_steps(), tell_of_due_steps()] == [2, 0]
    assert told(agent) == ["task_due", "task_due"]


def test_a_mail_has_a_link_and_no_patient(agent, sms_channel):
    patient = PatientFactory(given_name="María", family_name="Quispe", phone="+13055550142")
    interaction = InteractionFactory(channel=sms_channel, owner=agent, patient=patient, snippet="my results")
    NotificationPreference.objects.create(user=agent, kind=K.PATIENT_REPLIED, email=True)
    notify(user=agent, kind=K.PATIENT_REPLIED, interaction=interaction)
    assert [send_notices(), send_notices()] == [1, 0]
    sent = mail.outbox[0]
    assert (sent.to, sent.subject) == ([agent.email], "New message in General")
    assert "/notifications/" in sent.body
    for secret in ("María", "Quispe", "305555", "results", f"/inbox/{interaction.pk}"):
        assert secret not in sent.body + sent.subject


def test_a_mail_that_cannot_leave_is_tried_again_and_holds_up_nothing(agent, monkeypatch):
    NotificationPreference.objects.create(user=agent, kind=K.TASK_DUE, email=True)
    row = notify(user=agent, kind=K.TASK_DUE)

    def refuse(*args, **kwargs):
        raise ConnectionRefusedError

    monkeypatch.setattr("inbox.services.notifications.send_mail", refuse)
    assert send_notices() == 0
    monkeypatch.undo()
    assert send_notices() == 0  # not at once
    with time_machine.travel(timezone.now() + timedelta(minutes=3)):
        assert send_notices() == 1
    row.refresh_from_db()
    assert row.mail_due_at is None


@pytest.mark.django_db(transaction=True)
def test_nothing_is_held_while_the_mail_server_is_asked(agent, monkeypatch):
    NotificationPreference.objects.create(user=agent, kind=K.TASK_DUE, email=True)
    notify(user=agent, kind=K.TASK_DUE)
    held = []
    monkeypatch.setattr(
        "inbox.services.notifications.send_mail", lambda *args, **kwargs: held.append(connection.in_atomic_block)
    )
    assert (send_notices(), held) == (1, [False])


def test_a_mail_that_breaks_lets_the_next_one_leave(agent, second_agent, monkeypatch):
    for user in (agent, second_agent):
        NotificationPreference.objects.create(user=user, kind=K.TASK_DUE, email=True)
        notify(user=user, kind=K.TASK_DUE)
    told = []

    def send(title, text, sender, to):
        if to == [agent.email]:
            raise ValueError("no header")
        told.append(to)

    monkeypatch.setattr("inbox.services.notifications.send_mail", send)
    assert ([send_notices(), send_notices()], told) == ([0, 1], [[second_agent.email]])
