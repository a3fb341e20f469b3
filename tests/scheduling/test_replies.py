"""What patients answer to reminders: done and said back, or left to a person; never for the wrong visit."""

from datetime import timedelta

import pytest
from django.db import OperationalError

from inbox.models import Interaction, Message, OptOut
from scheduling.models import Appointment, Reminder
from scheduling.services import attendance
from tests.factories.accounts import UserFactory
from tests.factories.patients import ConsentFactory, PatientFactory
from tests.factories.scheduling import ServiceFactory
from tests.scheduling.conftest import NOON, PHONE

DECLINED = "Thank you for telling us. Choose another time or cancel your visit on Thursday 11 June at 09:00 here:"
pytestmark = pytest.mark.django_db


def answers():
    """What we said back, oldest first, without links."""
    rows = Message.objects.filter(idempotency_key__startswith="visit-answer").order_by("pk")
    return [text.partition(" http")[0] for text in rows.values_list("text", flat=True)]


def confirmation(visit):
    return Appointment.objects.get(pk=visit.pk).confirmation


@pytest.fixture
def asked(clock, told, ana, visit_of, sms_channel):
    """One visit of Ana's, of which she was told."""
    visit = visit_of(ana)
    told()
    return visit


@pytest.mark.parametrize(
    ("text", "state", "answer", "reply"),
    [
        ("1", "confirmed", "confirm", "Thank you. We expect you on Thursday 11 June at 09:00."),
        ("Yes I'll be there", "confirmed", "confirm", "Thank you. We expect you on Thursday 11 June at 09:00."),
        ("2", "unconfirmed", "move", "Choose another time here:"),
        ("3", "declined", "decline", DECLINED),
        ("no puedo", "declined", "decline", DECLINED),
    ],
)  # fmt: skip
def test_an_answer_is_done_said_back_and_makes_no_work(asked, sms_channel, writes, text, state, answer, reply):
    talk = writes(text, to=sms_channel)
    row = Reminder.objects.get(appointment=asked, answer=answer)
    assert (confirmation(asked), answers(), row.reply.text) == (state, [reply], text)
    assert Interaction.objects.get(pk=talk.pk).status == "closed"


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("can we move it to Friday after 3", "?from=2026-06-05&until=2026-06-05&day=4&after=15%3A00%3A00"),
        ("please reschedule my appointment on Thursday 11 June", ""),  # names the visit, not the wish
        ("reschedule, any day but Friday", ""),
    ],
)
def test_whoever_wants_another_day_is_led_to_its_times(asked, sms_channel, writes, text, query):
    writes(text, to=sms_channel)
    told = Message.objects.filter(idempotency_key__startswith="visit-answer").latest("pk").text
    link = next(word for word in told.split() if word.startswith("http"))
    assert (link.partition("?")[1] + link.partition("?")[2], confirmation(asked)) == (query, "unconfirmed")


def test_cancelling_in_plain_words_cancels(asked, sms_channel, writes):
    writes("please cancel my appointment", to=sms_channel)
    assert Appointment.objects.get(pk=asked.pk).status == "cancelled"
    assert answers() == ["Your visit on Thursday 11 June at 09:00 is cancelled. To book another one, write to us here."]


def test_what_is_not_understood_waits_for_a_person_with_the_visit_beside_it(asked, sms_channel, writes, ana):
    talk = Interaction.objects.get(pk=writes("my chest hurts, what should I do?", to=sms_channel).pk)
    assert (talk.status, talk.patient, answers(), confirmation(asked)) == ("queued", ana, [], "unconfirmed")
    assert Reminder.objects.get(answer="unclear").reply.text.startswith("my chest")


def test_an_answer_with_a_question_is_done_and_stays_for_a_person(asked, sms_channel, writes):
    talk = writes("Yes, what should I bring?", to=sms_channel)
    assert (confirmation(asked), Interaction.objects.get(pk=talk.pk).status) == ("confirmed", "queued")


def test_a_bare_cancel_is_asked_about_and_opts_nobody_out(asked, sms_channel, writes):
    writes("CANCEL", to=sms_channel)
    assert (OptOut.objects.count(), Appointment.objects.get(pk=asked.pk).status) == (0, "booked")
    assert answers() == [
        "Do you want to cancel your visit on Thursday 11 June at 09:00? Then reply 3. If you want no more messages from"
        " us, reply STOP."
    ]
    talk = writes("3", to=sms_channel)
    assert (Appointment.objects.get(pk=asked.pk).status, Interaction.objects.get(pk=talk.pk).status) == (
        "cancelled",
        "closed",
    )


def test_after_the_question_stop_stops_and_without_a_reminder_cancel_is_stop(asked, sms_channel, writes):
    writes("cancel", to=sms_channel)
    writes("STOP", to=sms_channel)
    assert (OptOut.objects.get().address, Appointment.objects.get(pk=asked.pk).status) == (PHONE, "booked")
    writes("CANCEL", to=sms_channel, sender="+13055550188")
    assert OptOut.objects.filter(address="+13055550188").count() == 1


def test_two_visits_of_two_days_are_asked_about_and_the_number_decides(clock, told, ana, visit_of, sms_channel, writes):
    first, second = visit_of(ana), visit_of(ana, days=12)
    told()
    talk = writes("yes", to=sms_channel)
    assert (confirmation(first), confirmation(second)) == ("unconfirmed", "unconfirmed")
    assert answers() == [
        "You have several visits. Which one do you mean? Reply 1 for Thursday 11 June at 09:00,"
        " 2 for Saturday 13 June at 09:00."
    ]
    writes("2", to=sms_channel)
    assert (confirmation(first), confirmation(second)) == ("unconfirmed", "confirmed")
    assert Interaction.objects.get(pk=talk.pk).status == "closed"


def test_the_day_or_the_hour_names_the_visit(clock, told, ana, visit_of, sms_channel, writes):
    first, second, third = visit_of(ana), visit_of(ana, days=12), visit_of(ana, days=12, hour=15)
    told()
    writes("sí, el jueves", to=sms_channel)
    writes("I can't come on saturday at 3pm", to=sms_channel)
    assert [confirmation(one) for one in (first, second, third)] == ["confirmed", "unconfirmed", "declined"]


def test_one_yes_is_for_all_visits_of_a_message(clock, told, ana, visit_of, sms_channel, writes):
    both = visit_of(ana), visit_of(ana, hour=15)
    told()
    writes("1", to=sms_channel)
    assert [confirmation(one) for one in both] == ["confirmed", "confirmed"]


def test_a_family_on_one_phone_never_confirms_the_wrong_child(clock, told, ana, visit_of, sms_channel, writes):
    luis = PatientFactory(given_name="Luis", phone=PHONE, time_zone=ana.time_zone)
    hers, his = visit_of(ana), visit_of(luis)
    told()
    writes("1", to=sms_channel)
    assert (confirmation(hers), confirmation(his)) == ("unconfirmed", "unconfirmed")
    writes("Luis", to=sms_channel)
    assert (confirmation(hers), confirmation(his)) == ("unconfirmed", "confirmed")
    writes("1", to=sms_channel)
    assert (confirmation(hers), confirmation(his)) == ("confirmed", "confirmed")


def test_a_yes_to_a_visit_that_needs_something_first_is_told_so_and_a_person_sees_it(
    clock, told, ana, visit_of, sms_channel, writes
):
    from scheduling.services.needs import ask_for_needs

    visit = visit_of(ana, service=ServiceFactory(needs=["authorisation"]))
    ask_for_needs(visit)
    told()
    talk = writes("1", to=sms_channel)
    assert answers() == [
        "Thank you. Before we can confirm your visit on Thursday 11 June at 09:00, we still arrange: authorisation of"
        " the insurer. We will write to you."
    ]
    assert (confirmation(visit), Interaction.objects.get(pk=talk.pk).status) == ("unconfirmed", "queued")


def test_ok_after_the_preparation_says_that_it_was_read_and_confirms_nothing(
    clock, told, ana, visit_of, sms_channel, writes
):
    visit = visit_of(ana, service=ServiceFactory(preparation={"en": "Do not eat."}))
    told()
    clock.move_to(NOON + timedelta(days=7))
    assert told()[-1].startswith("Ana, please read how to prepare for your visit on Thursday 11 June at 09:00: http")
    writes("Ok, thanks", to=sms_channel)
    row = Appointment.objects.get(pk=visit.pk)
    assert (row.prepared_at is not None, row.confirmation) == (True, "unconfirmed")


def test_a_reply_in_spanish_is_answered_in_the_patients_language(clock, told, ana, visit_of, sms_channel, writes):
    ana.language = "es"
    ana.save()
    visit = visit_of(ana)
    told()
    writes("Sí, voy a ir", to=sms_channel)
    assert confirmation(visit) == "confirmed"


@pytest.mark.parametrize("text", ["yes, friday", "I can come at 5", "sí, a las 15:00"])
def test_a_yes_to_another_day_or_hour_confirms_nothing(asked, sms_channel, writes, text):
    talk = writes(text, to=sms_channel)
    assert (confirmation(asked), Interaction.objects.get(pk=talk.pk).status) == ("unconfirmed", "queued")


def test_a_yes_that_names_the_visit_confirms_it(asked, sms_channel, writes):
    writes("yes, thursday at 9", to=sms_channel)
    assert confirmation(asked) == "confirmed"


def test_a_reminder_after_our_question_is_what_the_next_answer_is_about(asked, clock, told, sms_channel, writes):
    writes("cancel", to=sms_channel)
    told()
    clock.move_to(NOON + timedelta(days=8))
    assert told()[-1].startswith("Ana, you have a visit:")
    writes("yes", to=sms_channel)
    row = Appointment.objects.get(pk=asked.pk)
    assert (row.status, row.confirmation) == ("booked", "confirmed")


def test_no_to_the_question_whether_to_cancel_is_nothing_against_the_visit(asked, sms_channel, writes):
    writes("cancel", to=sms_channel)
    talk = writes("no", to=sms_channel)
    row, talk = Appointment.objects.get(pk=asked.pk), Interaction.objects.get(pk=talk.pk)
    assert (row.status, row.confirmation, talk.status) == ("booked", "unconfirmed", "queued")


def test_cancel_after_a_yes_is_asked_about_too_and_opts_nobody_out(asked, sms_channel, writes):
    writes("1", to=sms_channel)
    writes("Cancel", to=sms_channel)
    assert (OptOut.objects.count(), answers()[-1].startswith("Do you want to cancel your visit")) == (0, True)
    writes("3", to=sms_channel)
    assert (Appointment.objects.get(pk=asked.pk).status, OptOut.objects.count()) == ("cancelled", 0)


def test_an_answer_that_meets_a_lock_is_tried_again_and_not_given_up(asked, sms_channel, writes, monkeypatch):
    def locked(**_given):
        raise OperationalError

    with monkeypatch.context() as broken, pytest.raises(OperationalError):
        broken.setattr("scheduling.services.replies.attendance.confirm", locked)
        writes("1", to=sms_channel)
    assert Message.objects.filter(direction="inbound").count() == 0
    writes("1", to=sms_channel)
    assert confirmation(asked) == "confirmed"


def test_cancel_after_the_visit_stops_all_messages(asked, clock, told, ana, sms_channel, writes):
    ConsentFactory(patient=ana, purpose="surveys", channel_kind="")
    writes("1", to=sms_channel)
    clock.move_to(NOON + timedelta(days=10))
    attendance.fulfil(actor=UserFactory(), appointment_id=attendance.check_in(actor=None, appointment_id=asked.pk).pk)
    clock.move_to(NOON + timedelta(days=12))
    assert "how was your visit" in "".join(told())
    writes("cancel", to=sms_channel)
    assert OptOut.objects.count() == 1


def test_a_reminder_to_one_child_beside_a_conversation_about_the_other_keeps_the_phone_open(
    clock, told, ana, visit_of, sms_channel, writes
):
    talk = writes("My daughter Ana has a question about her results", to=sms_channel)
    visit_of(PatientFactory(given_name="Luis", phone=PHONE, time_zone=ana.time_zone))
    assert told()[0].startswith("Luis, your visit is booked")
    assert Interaction.objects.filter(thread_key=PHONE).count() == 2
    assert writes("Please answer me", to=sms_channel) == talk
