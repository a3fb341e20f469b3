"""A hospital's scheduling messages (HL7 v2 SIU): read as they are meant, done once, or kept with the reason."""

import json
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from contact_center.accounts import services as accounts
from contact_center.accounts.enums import Role
from contact_center.audit.models import AuditEntry
from inbox.enums import EventStatus
from inbox.models import WebhookEvent
from inbox.services.ledger import process_event, retry_event
from patients.models import Identifier, Patient
from scheduling.adapters import er7, siu
from scheduling.models import Absence, Appointment, ExternalCode, ExternalVisit
from scheduling.services import mass_moves
from scheduling.services.booking import Wish, move
from tests.factories.patients import PatientFactory
from tests.factories.scheduling import a_day_at

ZONE = ZoneInfo("America/New_York")
EXPECTED = Path(__file__).resolve().parents[3] / "shared" / "data" / "hl7v2" / "siu-adt-expected.json"
PLACES = {
    "msh.message_datetime": ("MSH", 7, 1, 0), "msh.message_type": ("MSH", 9, 1, 0),
    "msh.message_type_ref": ("MSH", 9, 2, 0), "msh.message_control_id": ("MSH", 10, 1, 0),
    "msh.principal_language_of_message": ("MSH", 17, 1, 0), "msh.character_set": ("MSH", 18, 1, 0),
    "pid.id": ("PID", 3, 1, 0), "pid.origin": ("PID", 3, 4, 0), "pid.first_name": ("PID", 5, 2, 0),
    "pid.last_name": ("PID", 5, 1, 0), "pid.birthdate": ("PID", 7, 1, 0), "pid.gender": ("PID", 8, 1, 0),
    "pid.street_name": ("PID", 11, 1, 0), "pid.city": ("PID", 11, 3, 0), "pid.phone[0]": ("PID", 13, 1, 0),
    "pid.phone[1]": ("PID", 13, 1, 1), "pid.email[0]": ("PID", 13, 4, 0), "pid.email[1]": ("PID", 13, 4, 1),
    "sch.id": ("SCH", 2, 1, 0), "sch.origin": ("SCH", 2, 2, 0), "sch.length": ("SCH", 6, 1, 0),
    "sch.minutes": ("SCH", 11, 3, 0), "sch.start": ("SCH", 11, 4, 0), "sch.last_name": ("SCH", 16, 2, 0),
    "sch.first_name": ("SCH", 16, 3, 0), "sch.source": ("SCH", 20, 1, 0), "sch.status": ("SCH", 25, 1, 0),
    "rgs.id": ("RGS", 1, 1, 0), "aig.id": ("AIG", 1, 1, 0), "aig.rpps_finess": ("AIG", 4, 1, 0),
    "nte.comment": ("NTE", 3, 1, 0),
}  # fmt: skip


@pytest.mark.skipif(not EXPECTED.exists(), reason="the messages are not here")
def test_every_expected_field_of_the_messages_is_read():
    right = wrong = 0
    for one in json.loads(EXPECTED.read_text()):
        message = er7.read(one["er7"].encode())
        for name, value in one["expected"].items():
            segment, number, component, repetition = PLACES[name]
            is_right = message.first(segment).get(number, component, repetition) == value
            right, wrong = right + is_right, wrong + (not is_right)
    print(f"HL7: {right} of {right + wrong} expected fields read as they are meant")
    assert (wrong, right > 20) == (0, True)
    told = siu.read(er7.read(json.loads(EXPECTED.read_text())[0]["er7"].encode()))
    assert (told.action, told.start, told.minutes) == (siu.BOOK, "20161231110000", 30)
    assert told.patients == [("123456", "ODS")]
    assert told.practitioners[:2] == [("10101041431@750057689", ""), ("10101041431", "")]


@pytest.mark.skipif(not EXPECTED.exists(), reason="the messages are not here")
def test_messages_of_other_kinds_are_read_and_not_taken():
    messages = json.loads(EXPECTED.with_name("messages.json").read_text())
    for one in messages:
        message = er7.read(one["er7"].encode())
        assert "^".join(part for part in message.first("MSH").all(9)[0]) == one["type"]
        with pytest.raises(siu.Unsupported):
            siu.read(message)
    print(f"HL7: {len(messages)} messages of other kinds read, none taken for a visit")


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "The message does not begin with MSH."),
        (b"PID|1", "The message does not begin with MSH."),
        (b"MSH|||||", "The signs of MSH-1 and MSH-2 are not those of a message."),
        (b"MSH|^~\\&|A\rhello", "A line does not begin with the name of a segment."),
        (b"MSH|^~\\&|A\rPID|\xff", "The message is not written in the character set that MSH-18 names."),
        (b"MSH|^~\\&" + b"|" * 16 + b"KLINGON\r", "The character set of MSH-18 is not known here."),
        (b"MSH|^~\\&|A\rPID|\0", "The message holds a sign that is none."),
        (b"MSH|^~\\&|" + b"x" * er7.MOST_BYTES, "The message is too large."),
    ],
)
def test_what_is_no_message_is_told(raw, why):
    with pytest.raises(er7.Unreadable) as refused:
        er7.read(raw)
    assert str(refused.value) == why


def test_signs_that_were_escaped_are_given_back():
    message = er7.read(b"\x0bMSH|^~\\&|A\rNTE|1||Tom \\T\\ Ana \\F\\ \\X41\\\\.br\\next\x1c\r")
    assert message.first("NTE").get(3) == "Tom & Ana | A\nnext"
    hard = "a|b^c&d~e\\f"
    assert er7.read(b"MSH|^~\\&|A\rNTE|" + er7.escaped(hard).encode()).first("NTE").get(1) == hard


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("202611300900", "2026-11-30T09:00:00-05:00"),
        ("20260701090000", "2026-07-01T09:00:00-04:00"),
        ("20261130090000.123+0100", "2026-11-30T09:00:00+01:00"),
        ("20261101013000-0500", "2026-11-01T01:30:00-05:00"),
    ],
)
def test_a_time_is_the_sites_or_says_its_offset(text, shown):
    assert siu.moment(text, ZONE).isoformat() == shown


@pytest.mark.parametrize(
    "text",
    [
        "", "2026", "20261301090000", "202611010130", "202603080230", "20261130090000+9900", "99991231235900",
        "99991231235900-1400", "00010101000000+1400", "18991231235900",
    ],
)  # fmt: skip
def test_a_time_that_would_have_to_be_guessed_is_not_taken(text):
    with pytest.raises(er7.Unreadable):
        siu.moment(text, ZONE)


# ---- what is done ----


@pytest.fixture
def sends(db, siu_message):
    text = accounts.create_api_key(actor=None, name="HIS", role=Role.SUPERVISOR)[1]
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {text}")

    def send(*what, raw=None, **words):
        body = siu_message(*what, **words) if raw is None else raw
        answer = client.generic("POST", "/api/v1/hl7/", body, content_type="application/hl7-v2")
        message = er7.read(answer.content)
        return message.first("MSA").get(1), message.first("MSA").get(3)

    return send


def visits():
    return list(Appointment.objects.order_by("pk").values_list("status", flat=True))


def test_a_visit_is_booked_moved_and_cancelled(ward, sends):
    assert sends(note="Fasting") == ("AA", "")
    booked = Appointment.objects.get()
    assert (booked.patient, booked.practitioner, booked.note) == (ward, ward.doctor, "Fasting")
    assert booked.starts_at == a_day_at(10, ZONE)
    assert sends("S13", hour=14) == ("AA", "")
    assert sends("S14", hour=14) == ("AA", "")  # says nothing new
    assert visits() == ["cancelled", "booked"]
    assert ExternalVisit.objects.get().appointment.starts_at == a_day_at(14, ZONE)
    assert sends("S15", hour=14) == ("AA", "")
    assert visits() == ["cancelled", "cancelled"]
    assert Appointment.objects.latest("pk").cancel_reason == "Ward round"


def test_a_visit_is_missed_or_was_never_there(ward, sends):
    sends()
    assert sends("S26") == ("AE", "The time of this visit has not come yet.")
    Appointment.objects.update(starts_at=timezone.now() - timedelta(hours=1), ends_at=timezone.now())
    assert [sends("S26"), sends("S26")] == [("AA", "")] * 2
    assert visits() == ["noshow"]
    assert [sends("S17"), sends("S17")] == [("AA", "")] * 2
    assert visits() == ["entered-in-error"]


def test_time_is_blocked_and_opened(ward, sends):
    assert [sends("S23", hour=9), sends("S23", hour=9)] == [("AA", "")] * 2
    away = Absence.objects.get()
    assert (away.practitioner, away.starts_at, away.ends_at - away.starts_at) == (
        ward.doctor, a_day_at(9, ZONE), timedelta(minutes=30),
    )  # fmt: skip
    assert sends("S24", hour=9) == ("AA", "")
    assert sends("S24", hour=9) == ("AE", "No such time is blocked here.")
    kept = AuditEntry.objects.filter(object_type="absence", object_id=str(away.pk)).order_by("pk")
    assert [entry.action for entry in kept] == ["created", "deleted"]


def test_a_time_about_which_patients_are_told_is_opened_by_a_person(ward, sends, supervisor):
    day = {"starts_at": a_day_at(9, ZONE), "ends_at": a_day_at(9, ZONE) + timedelta(minutes=30)}
    move = mass_moves.start(actor=supervisor, whom=ward.doctor, reason="sickness", **day)
    assert sends("S24", hour=9) == ("AE", f"Somebody is absent: /schedule/absences/{move.pk}/")
    assert Absence.objects.count() == 1


def test_a_number_books_for_one_patient_and_while_the_visit_stands(ward, sends):
    sends()
    other = PatientFactory(birth_date="1992-05-06")
    Identifier.objects.create(patient=other, system="HIS", value="P777", raw="P-777")
    refused = ("AE", "Another visit has this identifier.")
    assert sends(patient="P-777") == refused
    sends("S15")
    assert (sends(), visits()) == (refused, ["cancelled"])


def test_a_number_of_a_visit_that_the_key_may_not_see_opens_nothing(ward, sends):
    sends()
    Patient.objects.filter(pk=ward.pk).update(sensitivity="vip")
    assert sends("S15") == ("AE", "No visit here has the number of this message.")
    assert visits() == ["booked"]


def test_what_another_system_calls_a_visit_goes_along_however_it_is_moved(ward, sends):
    sends()
    visit = Appointment.objects.get()
    wish = Wish(visit.service_id, a_day_at(14, ZONE), visit.practitioner_id, visit.location_id)
    move(actor=None, appointment_id=visit.pk, wish=wish, asked_by="patient", reason="Work")
    assert sends("S15", hour=14) == ("AA", "")
    assert visits() == ["cancelled", "cancelled"]


def test_the_same_message_again_is_done_once_and_another_under_its_number_is_not_taken(ward, sends):
    assert [sends(number="7"), sends(number="7")] == [("AA", "")] * 2
    assert (visits(), WebhookEvent.objects.count()) == (["booked"], 1)
    assert sends(number="7", hour=12) == ("AR", "Another message had this control id (MSH-10).")
    assert visits() == ["booked"]
    kept = WebhookEvent.objects.order_by("pk").values_list("status", "error")
    assert list(kept) == [("processed", ""), ("quarantined", "Another message had this control id (MSH-10).")]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ({"doctor": "D9"}, "Nobody has said yet which practitioner “D9” of “HIS” is."),
        ({"patient": "P-9"}, "No patient here has the number of this message."),
        ({"born": "19700101"}, "The patient with this number has another birth date here."),
        ({"visit": ""}, "The message gives the visit no number."),
        ({"hour": 3}, "Nobody sees patients at that time. Choose another one."),
        ({"days": -1}, "This time is over. Choose a later one."),
        ({"days": 40_000}, "This time lies too far ahead. Choose an earlier one."),
        ({"days": 2_900_000}, "The time of the visit lies outside every agenda."),
        ({"event": "S23", "days": 40_000}, "An absence lasts a year at most and lies within ten years."),
        ({"event": "S24", "days": 2_900_000}, "The time of the visit lies outside every agenda."),
        ({"event": "S13"}, "No visit here has the number of this message."),
        ({"event": "S20"}, "A part of a visit was taken away: a person must see to it."),
    ],
)
def test_what_would_have_to_be_guessed_waits_in_quarantine_with_the_reason(ward, sends, words, why):
    assert sends(**words) == ("AE", why)
    event = WebhookEvent.objects.get()
    assert (event.status, event.error, visits()) == (EventStatus.QUARANTINED, why, [])


def test_what_was_explained_is_done_when_it_is_tried_again(ward, sends, supervisor):
    sends(doctor="D9", number="9")
    ExternalCode.objects.create(source="HIS", value="D9", practitioner=ward.doctor)
    event = WebhookEvent.objects.get()
    retry_event(actor=supervisor, event_id=event.pk)
    process_event(event.pk)
    assert (visits(), sends(doctor="D9", number="9")) == (["booked"], ("AA", ""))


def test_a_number_that_is_booked_for_another_time_is_not_moved_by_a_booking(ward, sends):
    sends()
    assert sends() == ("AA", "")
    assert sends(hour=12) == ("AE", "A visit with this number is booked for another time.")
    assert visits() == ["booked"]


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"MSH|^~\\&|HIS||||||ADT^A01|1|P|2.5", "Only SIU S12 to S24 and S26 are taken here."),
        (b"MSH|^~\\&|HIS||||||SIU^S12|1|P|3.0", "Only version 2 is taken here."),
        (b"MSH|^~\\&|HIS||||||SIU^S12||P|2.5", "MSH-10 is empty: the message cannot be told from others."),
        (b"hello", "The message does not begin with MSH."),
        (b"", "The message does not begin with MSH."),
    ],
)
def test_what_is_not_for_us_is_kept_and_rejected(sends, raw, why):
    assert [sends(raw=raw), sends(raw=raw)] == [("AR", why)] * 2
    event = WebhookEvent.objects.get()
    assert (event.status, event.error, bytes(event.body)) == (EventStatus.QUARANTINED, why, raw)


def test_only_a_key_with_the_scope_is_heard(ward):
    text = accounts.create_api_key(actor=None, name="HIS", role=Role.AGENT, scopes=["visits:read"])[1]
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {text}")
    assert client.generic("POST", "/api/v1/hl7/", b"MSH|", content_type="text/plain").status_code == 403
