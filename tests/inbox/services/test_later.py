"""Sending later, at once after all, and taking back: never both taken back and sent."""

import threading
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from contact_center.common.errors import Conflict, Refused
from inbox.enums import GateDecision, InteractionStatus, MessageStatus, NotificationKind
from inbox.gate import GateReason
from inbox.models import Interaction, Message, Notification
from inbox.selectors.outbox import outbox_summary
from inbox.selectors.uploads import waiting_uploads
from inbox.services.inbound import receive_message
from inbox.services.interactions import close
from inbox.services.later import reschedule, send_now, take_back
from inbox.services.outbox import deliver_message, drain_outboxes
from inbox.services.replies import reply
from tests.factories.inbox import DispositionFactory, InteractionFactory, MessageFactory, ReasonFactory
from tests.factories.patients import PatientFactory
from tests.inbox.services.test_safety import mail
from tests.inbox.services.test_uploads import file, keep

pytestmark = pytest.mark.django_db
M = MessageStatus
MIAMI = ZoneInfo("America/New_York")
MORNING = datetime(2026, 3, 10, 10, 0, tzinfo=MIAMI)
NEXT_MORNING = datetime(2026, 3, 11, 9, 0, tzinfo=MIAMI)


@pytest.fixture
def clock():
    with time_machine.travel(MORNING, tick=False) as traveller:
        yield traveller


@pytest.fixture
def by_sms(clock, sms_channel, agent):
    patient = PatientFactory(time_zone="America/New_York")
    asked_at = timezone.now() - timedelta(minutes=20)
    row = InteractionFactory(
        channel=sms_channel, contact_value="+13055550123", owner=agent, patient=patient, last_inbound_at=asked_at
    )
    MessageFactory(interaction=row, occurred_at=asked_at)
    return row


@pytest.fixture
def by_mail(email_channel, agent):
    row = InteractionFactory(channel=email_channel, contact_value="ana@example.org", owner=agent)
    MessageFactory(interaction=row, text="When?", occurred_at=row.last_inbound_at)
    return row


def put_off(interaction, at=NEXT_MORNING, text="Good morning", **given):
    return reply(actor=interaction.owner, interaction_id=interaction.pk, text=text, scheduled_at=at, **given)


def fresh(row):
    return type(row).objects.get(pk=row.pk)


def test_a_message_that_is_put_off_leaves_at_its_time_and_not_before(by_sms, clock, twilio_accepts):
    message = put_off(by_sms)
    drain_outboxes()
    before = (fresh(message).status, fresh(by_sms).waiting_since_at, fresh(by_sms).first_reply_at, len(twilio_accepts))
    clock.move_to(NEXT_MORNING + timedelta(seconds=3))
    drain_outboxes()
    sent, row = fresh(message), fresh(by_sms)
    assert before == (M.QUEUED, by_sms.waiting_since_at, None, 0)
    assert (sent.status, sent.occurred_at, len(twilio_accepts)) == (M.SENT, NEXT_MORNING + timedelta(seconds=3), 1)
    assert (row.waiting_since_at, row.first_reply_at, row.snippet) == (None, sent.occurred_at, "Good morning")


def test_it_holds_up_nothing_and_nothing_holds_it_up(by_sms, clock, twilio_accepts):
    later = put_off(by_sms)
    now = reply(actor=by_sms.owner, interaction_id=by_sms.pk, text="At once")
    drain_outboxes()
    first = [fresh(row).status for row in (later, now)]
    clock.move_to(NEXT_MORNING)
    drain_outboxes()
    assert (first, fresh(later).status) == ([M.QUEUED, M.SENT], M.SENT)


def test_a_moment_in_the_patients_night_becomes_the_morning(by_sms, clock):
    by_sms.patient.time_zone = "America/Los_Angeles"
    by_sms.patient.save()
    message = put_off(by_sms, datetime(2026, 3, 11, 9, 0, tzinfo=MIAMI))
    assert message.scheduled_at == datetime(2026, 3, 11, 8, 0, tzinfo=ZoneInfo("America/Los_Angeles"))


def test_a_run_that_comes_late_at_night_leaves_it_for_the_morning(by_sms, clock, twilio_accepts):
    message = put_off(by_sms, datetime(2026, 3, 10, 20, 30, tzinfo=MIAMI))
    clock.move_to(datetime(2026, 3, 10, 23, 0, tzinfo=MIAMI))
    drain_outboxes()
    row = fresh(message)
    assert (row.status, row.gate_reason, row.next_attempt_at) == (
        M.QUEUED,
        GateReason.QUIET_HOURS,
        datetime(2026, 3, 11, 8, 0, tzinfo=MIAMI),
    )


@pytest.mark.parametrize("at", [MORNING, MORNING - timedelta(days=1), MORNING + timedelta(days=61)])
def test_a_moment_that_has_passed_or_is_too_far_is_refused(by_sms, at):
    with pytest.raises(Refused):
        put_off(by_sms, at)
    assert Message.objects.filter(scheduled_at__isnull=False).count() == 0


def test_free_text_beyond_the_whatsapp_window_is_refused_when_it_is_put_off(clock, whatsapp_channel, agent):
    row = InteractionFactory(channel=whatsapp_channel, contact_value="+13055550123", owner=agent)
    MessageFactory(interaction=row, occurred_at=timezone.now())
    with pytest.raises(Refused, match="window is closed by then"):
        put_off(row, MORNING + timedelta(hours=24))
    assert put_off(row, MORNING + timedelta(hours=9)).scheduled_at == MORNING + timedelta(hours=9)


def finish(interaction):
    close(
        actor=interaction.owner, interaction_id=interaction.pk, reason=ReasonFactory(), disposition=DispositionFactory()
    )


def test_in_a_conversation_that_was_closed_it_is_cancelled_and_its_author_is_told(by_sms, clock, twilio_accepts):
    message = put_off(by_sms)
    finish(by_sms)
    clock.move_to(NEXT_MORNING)
    drain_outboxes()
    row = fresh(message)
    assert (row.status, row.gate_reason, twilio_accepts) == (M.CANCELLED, GateReason.CONVERSATION_CLOSED, [])
    assert fresh(by_sms).status == InteractionStatus.CLOSED
    told = Notification.objects.filter(user=by_sms.owner, kind=NotificationKind.SEND_FAILED)
    assert list(told.values_list("interaction_id", flat=True)) == [by_sms.pk]


def test_what_the_patient_wrote_meanwhile_still_waits_after_it_left(by_sms, clock, twilio_accepts):
    put_off(by_sms)
    clock.shift(timedelta(hours=1))
    asked_at = timezone.now()
    Interaction.objects.filter(pk=by_sms.pk).update(waiting_since_at=asked_at, last_inbound_at=asked_at)
    clock.move_to(NEXT_MORNING)
    drain_outboxes()
    assert (fresh(by_sms).waiting_since_at, len(twilio_accepts)) == (asked_at, 1)


def test_the_gate_decides_when_it_leaves_not_when_it_was_put_off(by_sms, clock, twilio_accepts):
    message = put_off(by_sms)
    by_sms.channel.is_active = False
    by_sms.channel.save()
    clock.move_to(NEXT_MORNING)
    drain_outboxes()
    row = fresh(message)
    assert (row.status, row.gate_decision, twilio_accepts) == (M.SUPPRESSED, GateDecision.SUPPRESS, [])


def test_one_put_off_for_days_is_tried_again_like_any_other(by_sms, clock, twilio_api):
    import responses

    message = put_off(by_sms, MORNING + timedelta(days=5))
    clock.move_to(MORNING + timedelta(days=5, seconds=1))
    twilio_api.add(responses.POST, twilio_api.messages_url, json={"code": 20429, "status": 429}, status=429)
    drain_outboxes()
    assert fresh(message).status == M.QUEUED


def test_one_that_is_due_in_days_is_no_alarm(by_sms, clock, supervisor):
    put_off(by_sms, MORNING + timedelta(days=5))
    clock.move_to(MORNING + timedelta(days=5, seconds=1))
    assert outbox_summary(supervisor)["is_alarm"] is False
    clock.shift(timedelta(hours=1))
    assert outbox_summary(supervisor)["is_alarm"] is True


def test_another_moment_can_be_chosen_or_now(by_sms, clock, twilio_accepts):
    message = put_off(by_sms)
    reschedule(actor=by_sms.owner, message_id=message.pk, at=NEXT_MORNING + timedelta(hours=2))
    clock.move_to(NEXT_MORNING)
    drain_outboxes()
    waited = fresh(message).status
    send_now(actor=by_sms.owner, message_id=message.pk)
    drain_outboxes()
    assert (waited, fresh(message).status, fresh(message).occurred_at) == (M.QUEUED, M.SENT, NEXT_MORNING)


def test_now_means_now_even_at_night(by_sms, clock, twilio_accepts):
    message = put_off(by_sms)
    clock.move_to(datetime(2026, 3, 10, 23, 0, tzinfo=MIAMI))
    send_now(actor=by_sms.owner, message_id=message.pk)
    drain_outboxes()
    assert fresh(message).status == M.SENT


def test_taking_back_cancels_and_the_patient_waits_as_before(by_mail):
    asked_at = by_mail.waiting_since_at
    message = reply(actor=by_mail.owner, interaction_id=by_mail.pk, text="At nine", held_seconds=10)
    answered = fresh(by_mail).waiting_since_at
    take_back(actor=by_mail.owner, message_id=message.pk)
    row = fresh(by_mail)
    assert (fresh(message).status, answered) == (M.CANCELLED, None)
    assert (row.waiting_since_at, row.first_reply_at, row.snippet) == (asked_at, None, "When?")


def test_taking_back_one_of_two_answers_leaves_the_other_the_answer(by_mail):
    reply(actor=by_mail.owner, interaction_id=by_mail.pk, text="First")
    message = reply(actor=by_mail.owner, interaction_id=by_mail.pk, text="Second", held_seconds=10)
    take_back(actor=by_mail.owner, message_id=message.pk)
    row = fresh(by_mail)
    assert (row.waiting_since_at, row.snippet, row.first_reply_at is None) == (None, "First", False)


def test_a_mail_is_held_so_long_that_it_can_be_taken_back(by_mail, mailoutbox):
    message = reply(actor=by_mail.owner, interaction_id=by_mail.pk, text="At nine", held_seconds=10)
    drain_outboxes()
    held = (fresh(message).status, len(mailoutbox))
    with time_machine.travel(timezone.now() + timedelta(seconds=11)):
        drain_outboxes()
    assert (held, fresh(message).status, len(mailoutbox)) == ((M.QUEUED, 0), M.SENT, 1)


def test_the_files_of_what_was_taken_back_wait_in_the_box_again(by_mail):
    ids = keep(by_mail, file())
    message = reply(actor=by_mail.owner, interaction_id=by_mail.pk, text="x", upload_ids=ids, held_seconds=10)
    take_back(actor=by_mail.owner, message_id=message.pk)
    waiting = [one.upload.pk for one in waiting_uploads(by_mail.owner, by_mail)]
    again = reply(actor=by_mail.owner, interaction_id=by_mail.pk, text="x", upload_ids=waiting)
    assert (waiting, again.attachments.get().file.read()) == (ids, message.attachments.get().file.read())


@pytest.mark.parametrize("verb", [take_back, send_now])
@pytest.mark.parametrize("status", [M.SENDING, M.SENT, M.DELIVERED, M.CANCELLED])
def test_what_has_left_cannot_be_taken_back_or_hurried(verb, status, by_mail):
    message = reply(actor=by_mail.owner, interaction_id=by_mail.pk, text="x", held_seconds=10)
    Message.objects.filter(pk=message.pk).update(status=status, gate_decision=GateDecision.SEND)
    with pytest.raises(Conflict, match="too late"):
        verb(actor=by_mail.owner, message_id=message.pk)
    assert fresh(message).status == status


def test_a_colleague_without_the_conversation_cannot_take_it_back(by_mail, second_agent):
    message = reply(actor=by_mail.owner, interaction_id=by_mail.pk, text="x", held_seconds=10)
    with pytest.raises(Refused):
        take_back(actor=second_agent, message_id=message.pk)
    assert fresh(message).status == M.QUEUED


def test_a_newer_mail_of_the_patient_changes_nothing_about_one_that_is_held(by_mail):
    message = reply(actor=by_mail.owner, interaction_id=by_mail.pk, text="x", held_seconds=10)
    newer = mail("And coffee?", sender="ana@example.org", message_id="<m9@example.org>")
    receive_message(newer, received_at=timezone.now())
    assert fresh(message).status == M.QUEUED


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("attempt", range(8))
def test_a_worker_and_an_undo_at_one_moment_send_it_or_take_it_back_never_both(attempt, by_mail, mailoutbox):
    message = reply(actor=by_mail.owner, interaction_id=by_mail.pk, text="x")
    start, outcomes = threading.Barrier(2), {}

    def run(name, work):
        try:
            start.wait(10)
            work()
            outcomes[name] = True
        except Conflict:
            outcomes[name] = False
        finally:
            connection.close()

    works = {
        "sent": lambda: deliver_message(message.pk),
        "taken back": lambda: take_back(actor=by_mail.owner, message_id=message.pk),
    }
    threads = [threading.Thread(target=run, args=item) for item in works.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    status = fresh(message).status
    if status == M.QUEUED:  # the worker stepped aside, and the undo came too late: the next run sends it
        drain_outboxes()
        status = fresh(message).status
    assert (status, len(mailoutbox)) == ((M.CANCELLED, 0) if outcomes["taken back"] else (M.SENT, 1))
