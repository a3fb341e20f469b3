"""Reminders are planned with the visit, handed to the outbox once, merged by day, and judged again when they leave."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from contact_center.common.errors import Refused
from inbox.models import Interaction, Message, OptOut
from patients.enums import ConsentPurpose, ConsentStatus
from scheduling.enums import Confirmation
from scheduling.models import Appointment, Reminder
from scheduling.services import attendance, booking
from scheduling.services.handing_over import hand_over_due, take_up_outdated
from scheduling.services.reminders import plan_missing, send_again
from tests.factories.inbox import InteractionFactory, MessageTemplateFactory
from tests.factories.patients import ConsentFactory, PatientFactory
from tests.factories.scheduling import ScheduleFactory, ServiceFactory
from tests.scheduling.conftest import NOON, PHONE

pytestmark = pytest.mark.django_db


def states(visit):
    rows = Reminder.objects.filter(appointment=visit).order_by("due_at", "pk")
    return {row.kind: row.drop_reason or ("handed" if row.handed_at else "planned") for row in rows}


def test_an_unconfirmed_visit_is_told_at_booking_and_seven_two_and_one_days_before(
    clock, told, ana, visit_of, sms_channel
):
    visit_of(ana)
    heard = {}
    for hours in range(0, 240, 4):
        clock.move_to(NOON + timedelta(hours=hours))
        for text in told():
            heard[hours // 24] = text.partition(" http")[0]
    assert {day: text[:30] for day, text in heard.items()} == {
        0: "Ana, your visit is booked: Thu",
        3: "Ana, you have a visit: Thursda",
        8: "Ana, you have a visit: Thursda",
        9: "Ana, you have a visit: Thursda",
    }
    assert heard[9] == (
        "Ana, you have a visit: Thursday 11 June, 09:00 with Dr. Mehrotra, Brickell."
        " Reply 1 if you will come, 2 for another time, 3 if you cannot come."
    )


def test_a_confirmed_visit_is_told_the_day_before_only_and_nothing_is_asked(clock, told, ana, visit_of, sms_channel):
    visit = visit_of(ana)
    told()
    attendance.confirm(actor=None, appointment_id=visit.pk)
    heard = []
    for day in range(1, 10):
        clock.move_to(NOON + timedelta(days=day))
        heard += told()
    assert len(heard) == 1
    assert "You have said that you will come. If that changes: http" in heard[0]
    assert states(visit) == {"booked": "handed", "days_7": "confirmed", "days_2": "confirmed", "day_1": "handed"}


def test_visits_of_one_day_share_a_message_and_those_of_two_patients_do_not(clock, told, ana, visit_of, sms_channel):
    luis = PatientFactory(given_name="Luis", language="es", phone=PHONE, time_zone=ana.time_zone)
    visit_of(ana)
    visit_of(ana, hour=11, minute=30)
    visit_of(luis)
    texts = sorted(text.partition(" http")[0] for text in told())
    assert texts == [
        "Ana, your visits are booked: Thursday 11 June, 09:00 with Dr. Mehrotra, Brickell; 11:30 with Dr. Mehrotra,"
        " Brickell. Reply 1 if you will come, 2 for another time, 3 if you cannot come.",
        texts[1],
    ]
    assert (len(texts), texts[1][:5]) == (2, "Luis,")


def test_nothing_is_told_of_a_cancelled_visit_and_what_waits_in_the_outbox_is_taken_back(
    clock, told, ana, visit_of, sms_channel
):
    kept, gone = visit_of(ana), visit_of(ana, hour=11)
    hand_over_due()
    assert Message.objects.get().status == "queued"
    booking.cancel(actor=None, appointment_id=gone.pk, asked_by="patient", reason="Ill")
    assert Message.objects.get().status == "cancelled"
    assert set(states(gone).values()) == {"cancelled"}
    texts = told()
    assert (len(texts), "11:00" in texts[0], states(kept)["booked"]) == (1, False, "handed")


def test_the_gate_asks_again_when_the_message_leaves_and_what_is_still_so_is_planned_anew(
    clock, told, ana, visit_of, sms_channel
):
    kept, gone = visit_of(ana), visit_of(ana, hour=11)
    hand_over_due()
    visit = Appointment.objects.get(pk=gone.pk)  # as if it were cancelled while the message was being written
    visit.cancel(asked_by="patient", reason="Ill")
    visit.save()
    assert told() == []
    assert set(Message.objects.values_list("status", "gate_reason")) == {("suppressed", "out_of_date")}
    assert (take_up_outdated(), states(gone)["booked"], states(kept)["booked"]) == (1, "cancelled", "planned")
    assert len(told()) == 1


def test_a_moved_visit_is_told_anew_and_the_old_one_no_more(clock, told, agent, ana, sms_channel, visit_of):
    service = ServiceFactory(name="Eyes")
    old = visit_of(ana, service=service)
    told()
    ScheduleFactory(practitioner=old.practitioner, location=old.location)
    wish = booking.Wish(service.pk, old.starts_at + timedelta(days=1), old.practitioner_id, old.location_id)
    new = booking.move(actor=agent, appointment_id=old.pk, wish=wish, asked_by="patient", reason="Work")
    assert told()[0].startswith("Ana, your visit was moved. It is now: Friday 12 June, 09:00")
    assert states(old) == {"booked": "handed"} | dict.fromkeys(("days_7", "days_2", "day_1"), "cancelled")
    assert set(states(new).values()) == {"handed", "planned"}


def test_after_an_outage_the_latest_is_told_once_and_what_is_stale_is_not(clock, told, ana, visit_of, sms_channel):
    visit = visit_of(ana)
    clock.move_to(NOON + timedelta(days=9, hours=1))
    assert len(told()) == 1
    assert states(visit) == {"booked": "overtaken", "days_7": "overtaken", "days_2": "overtaken", "day_1": "handed"}
    assert told() == []


def test_the_outbox_is_never_flooded(clock, provider, ana, visit_of, sms_channel):
    for number in range(6):
        visit_of(PatientFactory(phone=f"+1305555{number:04d}"))
    assert hand_over_due(most_waiting=4, batch=2) == 4
    assert Message.objects.filter(status="queued").count() == 4


def test_it_goes_by_the_patients_way_and_wishes(
    clock, told, ana, visit_of, sms_channel, whatsapp_channel, email_channel
):
    MessageTemplateFactory(name="appointment_reminder", language="en", body="Hello {{1}}: {{2}}, {{3}}, {{4}}.")
    ana.preferred_channel = "whatsapp"
    ana.save()
    visit_of(ana)
    assert told() == ["Hello Ana: Brickell, Thursday 11 June, 09:00."]
    OptOut.objects.create(channel_kind="whatsapp", address=PHONE, started_at=timezone.now())
    visit_of(ana, days=12)
    assert (len(told()), Message.objects.latest("pk").channel_kind) == (1, "sms")
    ConsentFactory(patient=ana, purpose=ConsentPurpose.REMINDERS, status=ConsentStatus.WITHDRAWN, channel_kind="")
    third = visit_of(ana, days=14)
    assert (told(), states(third)["booked"]) == ([], "not_wanted")
    nowhere = visit_of(PatientFactory())
    assert (told(), states(nowhere)["booked"]) == ([], "no_way")


def test_nothing_leaves_in_the_night_nor_to_whoever_must_not_be_contacted(clock, told, ana, visit_of, sms_channel):
    clock.move_to(NOON + timedelta(hours=11))
    visit_of(ana)
    other = visit_of(PatientFactory(phone="+13055550177", is_do_not_contact=True))
    assert told() == []
    clock.move_to(NOON + timedelta(hours=20, minutes=1))
    assert (len(told()), states(other)["booked"]) == (1, "not_wanted")


def test_a_reminder_makes_no_work_and_joins_an_open_conversation_of_the_same_patient(
    clock, told, ana, visit_of, sms_channel
):
    visit_of(ana)
    told()
    thread = Interaction.objects.get()
    assert (thread.status, thread.patient, thread.direction) == ("closed", ana, "outbound")
    visit_of(ana, days=12)
    told()
    assert Interaction.objects.count() == 1
    open_talk = InteractionFactory(channel=sms_channel, contact_value=PHONE, thread_key=PHONE, patient=ana)
    visit_of(ana, days=14)
    told()
    assert Message.objects.latest("pk").interaction == open_talk


def test_thanks_and_the_question_follow_a_visit_and_words_a_missed_one(clock, told, agent, ana, visit_of, sms_channel):
    ConsentFactory(patient=ana, purpose=ConsentPurpose.SURVEYS, status=ConsentStatus.GRANTED, channel_kind="")
    luis = PatientFactory(given_name="Luis", phone="+13055550177", birth_date=date(1980, 5, 1))
    came, missed = visit_of(ana, days=1), visit_of(luis, days=1)
    clock.move_to(came.ends_at + timedelta(minutes=30))
    attendance.arrive(actor=agent, appointment_id=came.pk)
    attendance.fulfil(actor=agent, appointment_id=came.pk)
    attendance.mark_missed(actor=agent, appointment_id=missed.pk)
    assert [text[:40] for text in told()] == ["Luis, we missed you on Tuesday 2 June at"]
    clock.move_to(came.ends_at + timedelta(hours=3, minutes=1))
    assert told() == ["Ana, thank you for coming. If a question about your visit comes up, write to us here."]
    clock.move_to(came.ends_at + timedelta(days=1, hours=3))
    assert [text[:20] for text in told()] == ["Ana, how was your vi"]
    attendance.take_back_missed(actor=agent, appointment_id=missed.pk)
    attendance.mark_missed(actor=agent, appointment_id=missed.pk)
    assert Reminder.objects.filter(appointment=missed, kind="missed").count() == 1


def test_imported_visits_are_planned_once_and_not_told_as_booked(clock, ana, visit_of):
    visit = visit_of(ana, is_planned=False)
    assert (plan_missing(), plan_missing()) == (1, 0)
    assert set(states(visit)) == {"days_7", "days_2", "day_1"}


def test_a_person_may_tell_once_more_and_a_second_click_sends_nothing(clock, told, agent, ana, visit_of, sms_channel):
    visit = visit_of(ana)
    told()
    assert send_again(actor=agent, appointment_id=visit.pk) == send_again(actor=agent, appointment_id=visit.pk)
    assert len(told()) == 1
    clock.move_to(visit.starts_at)
    with pytest.raises(Refused):
        send_again(actor=agent, appointment_id=visit.pk)


def test_what_is_obligatory_must_be_arranged_before_a_visit_can_be_confirmed(clock, agent, ana, visit_of):
    from scheduling.enums import NeedKind
    from scheduling.services.needs import ask_for_needs, reopen_need, settle_need

    visit = visit_of(ana, service=ServiceFactory(needs=["authorisation"]))
    ask_for_needs(visit)
    with pytest.raises(attendance.NeedsOpen, match="Authorisation of the insurer"):
        attendance.confirm(actor=agent, appointment_id=visit.pk)
    settle_need(actor=agent, appointment_id=visit.pk, kind=NeedKind.AUTHORISATION)
    attendance.confirm(actor=agent, appointment_id=visit.pk)
    assert Appointment.objects.get(pk=visit.pk).confirmation == Confirmation.CONFIRMED
    reopen_need(actor=agent, appointment_id=visit.pk, kind=NeedKind.AUTHORISATION)
    with pytest.raises(attendance.NeedsOpen):
        attendance.confirm(actor=agent, appointment_id=visit.pk)
