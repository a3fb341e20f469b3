"""The patient's own page: a code and a birth date open it, nothing tells who exists, and a proxy sees what they may."""

import re
from datetime import date, timedelta

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from contact_center.audit.models import AuditEntry
from inbox import portal
from inbox.enums import AttachmentStatus, Direction, MessageStatus
from inbox.models import Interaction, Message, OneTimeCode, PortalSession
from inbox.services.codes import digits_of
from inbox.services.outbox import drain_outboxes
from inbox.services.portal import send_waiting_codes
from patients.models import Consent
from tests.factories.inbox import AttachmentFactory, CaseFactory, InteractionFactory, MessageFactory, ReasonFactory
from tests.factories.patients import PatientFactory, RelatedPersonFactory

pytestmark = pytest.mark.django_db
PHONE, BORN = "+13055550123", {"day": "14", "month": "3", "year": "1967"}


@pytest.fixture
def patient(sms_channel):
    return PatientFactory(given_name="María", birth_date=date(1967, 3, 14), phone=PHONE, language="en")


def asked(client, address="(305) 555-0123"):
    return client.post(reverse("my:sign-in"), {"address": address})


def signed_in_as(address="(305) 555-0123", born=BORN):
    client = Client()
    assert asked(client, address).status_code == 302
    send_waiting_codes()
    digits = digits_of(OneTimeCode.objects.order_by("-pk").first())
    answer = client.post(reverse("my:code"), {"code": digits, **born})
    assert answer.status_code == 302, answer.content.decode()
    return client


def home(client):
    return client.get(reverse("my:home")).content.decode()


def sensitive(patient, channel, **fields):
    talk = InteractionFactory(channel=channel, patient=patient)
    given = {"status": MessageStatus.SENT, "gate_decision": "send"} | fields
    return MessageFactory(interaction=talk, direction=Direction.OUTBOUND, is_sensitive=True, text="Benign.", **given)


def test_a_code_and_a_birth_date_open_the_page_and_nothing_else_does(patient, twilio_accepts):
    client = Client()
    asked(client)
    send_waiting_codes()
    drain_outboxes()
    code = OneTimeCode.objects.get()
    wrong = client.post(reverse("my:code"), {"code": digits_of(code), **BORN, "year": "1968"})
    assert (wrong.status_code, PortalSession.objects.count(), len(twilio_accepts)) == (422, 0, 1)
    assert client.get(reverse("my:home")).headers["Location"] == reverse("my:sign-in")
    assert client.post(reverse("my:code"), {"code": digits_of(code), **BORN}).headers["Location"] == reverse("my:home")
    assert "Hello, María" in home(client)


def test_of_twins_with_one_phone_the_one_whose_name_is_given_signs_in_and_nobody_guesses(patient):
    twin = PatientFactory(given_name="Lucía Inés", birth_date=patient.birth_date, phone=PHONE)
    opened = {}
    for name in ("", "maria", "Lucía"):
        client = Client()
        asked(client)
        digits = digits_of(OneTimeCode.objects.order_by("-pk").first())
        answer = client.post(reverse("my:code"), {"code": digits, **BORN, "first_name": name})
        newest = PortalSession.objects.order_by("-pk").first()
        opened[name] = (answer.status_code, newest and newest.patient_id)
    assert opened == {"": (422, None), "maria": (302, patient.pk), "Lucía": (302, twin.pk)}


def test_two_records_of_one_person_do_not_lock_them_out(patient):
    PatientFactory(given_name="Maria", birth_date=patient.birth_date, phone=PHONE)
    assert "Hello, María" in home(signed_in_as())


def test_known_and_unknown_addresses_are_answered_alike_and_do_the_same_work(patient, django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    answers, work = [], []
    for address in ("305 555 0123", "305 555 0199"):
        client = Client()
        with CaptureQueriesContext(connection) as queries:
            sent = asked(client, address)
        work.append([re.sub(r"'[^']*'|\d+", "?", query["sql"]) for query in queries])
        shown = client.get(reverse("my:code"))
        tried = client.post(reverse("my:code"), {"code": "123456", **BORN})
        bodies = [re.sub(r'value="[^"]{40,}"', "", page.content.decode()) for page in (shown, tried)]
        answers.append((sent.status_code, sent.headers["Location"], tried.status_code, bodies))
    assert answers[0] == answers[1]
    assert work[0] == work[1]


def test_only_a_known_address_gets_a_message_and_the_thread_of_codes_is_nobodys_work(patient):
    for address in ("305 555 0123", "305 555 0199"):
        asked(Client(), address)
    assert (send_waiting_codes(), send_waiting_codes()) == (1, 0)
    row = Interaction.objects.get()
    assert (row.status, row.direction, row.closed_at, row.patient) == ("closed", "outbound", None, patient)
    assert list(Message.objects.values_list("address", "purpose", "author")) == [(PHONE, "code", None)]


def test_after_three_codes_the_page_says_the_same_and_sends_nothing(patient):
    answers = [asked(Client()).headers["Location"] for _turn in range(5)]
    assert (set(answers), send_waiting_codes()) == ({reverse("my:code")}, 3)


def test_guessing_is_refused_and_counted(patient, settings):
    client = Client()
    asked(client)
    right = digits_of(OneTimeCode.objects.get())
    for number in range(3):
        client.post(reverse("my:code"), {"code": f"{(int(right) + 1 + number) % 1_000_000:06d}", **BORN})
    assert client.post(reverse("my:code"), {"code": right, **BORN}).status_code == 422
    assert AuditEntry.objects.filter(object_type="onetimecode", action="sign_in_failed").count() == 4
    settings.OWN_PAGE_TRIES_PER_NETWORK = 5
    statuses = [client.post(reverse("my:code"), {"code": "000000", **BORN}).status_code for _turn in range(3)]
    assert statuses == [422, 429, 429]


def test_one_network_cannot_ask_for_codes_without_end(settings):
    settings.OWN_PAGE_CODES_PER_NETWORK = 2
    assert [asked(Client(), f"305 555 010{n}").status_code for n in range(3)] == [302, 302, 429]


def test_a_mistake_is_told_at_its_field_with_what_was_typed():
    answer = asked(Client(), "hello")
    assert (answer.status_code, answer.content.decode().count('value="hello"')) == (422, 1)
    client = Client()
    asked(client)
    wrong = client.post(reverse("my:code"), {"code": "123456", "day": "31", "month": "2", "year": "1990"})
    assert (wrong.status_code, sorted(wrong.context["form"].errors)) == (422, ["day"])


def test_the_page_is_private_unlisted_and_signs_out_after_idling(patient, time_machine):
    time_machine.move_to("2026-03-11T16:00:00+00:00", tick=False)
    client = signed_in_as()
    page = client.get(reverse("my:home"))
    assert (page["Cache-Control"], page["X-Robots-Tag"]) == ("no-store", "noindex, nofollow")
    assert "unsafe" not in page["Content-Security-Policy"]
    assert client.cookies["my"]["httponly"] is True
    time_machine.move_to("2026-03-11T16:19:00+00:00", tick=False)
    assert client.get(reverse("my:home")).status_code == 200
    time_machine.move_to("2026-03-11T16:39:30+00:00", tick=False)
    assert client.get(reverse("my:home")).status_code == 302


def test_signing_out_ends_the_session_in_our_books_too(patient):
    client = signed_in_as()
    key = client.cookies["my"].value
    client.post(reverse("my:sign-out"))
    client.cookies["my"] = key
    assert client.get(reverse("my:home")).status_code == 302


def test_a_key_that_was_changed_opens_nothing_and_staff_have_no_page_here(patient, agent, signed_in):
    client = signed_in_as()
    client.cookies["my"] = client.cookies["my"].value[:-2] + "xx"
    assert client.get(reverse("my:home")).status_code == 302
    assert signed_in(agent).get(reverse("my:home")).status_code == 302
    stranger = signed_in_as()
    assert stranger.get(reverse("inbox:list")).headers["Location"].startswith("/accounts/login/")


def test_requests_say_where_they_stand_what_is_next_and_who_owns_it(patient, sms_channel, agent):
    agent.first_name = "Rosa"
    agent.save()
    InteractionFactory(channel=sms_channel, patient=patient, owner=agent, reason=ReasonFactory(name="MRI"))
    CaseFactory(patient=patient, owner=agent, next_step="We call you", reason=ReasonFactory(name="Authorisation"))
    InteractionFactory(channel=sms_channel, reason=ReasonFactory(name="Somebody else's"))
    shown = home(signed_in_as())
    assert ["MRI" in shown, "Rosa is working on it" in shown, "We call you" in shown] == [True] * 3
    assert "Somebody else" not in shown
    assert AuditEntry.objects.filter(object_type="portalsession", action="viewed", patient_id=patient.pk).count() == 1


def test_a_sensitive_message_is_read_here_and_staff_see_that(patient, sms_channel):
    message = sensitive(patient, sms_channel)
    url = reverse("my:message", args=[message.public_id])
    client = Client()
    assert client.get(url).headers["Location"] == reverse("my:sign-in")
    asked(client)
    digits = digits_of(OneTimeCode.objects.get())
    assert client.post(reverse("my:code"), {"code": digits, **BORN}).headers["Location"] == url
    assert "Benign." in client.get(url).content.decode()
    message.refresh_from_db()
    assert message.status == MessageStatus.READ


def test_files_come_with_the_message_only_and_only_when_clean(patient, sms_channel):
    message = sensitive(patient, sms_channel)
    clean = AttachmentFactory(message=message, status=AttachmentStatus.CLEAN)
    clean.file.save("x", ContentFile(b"x"))
    held = AttachmentFactory(message=message, status=AttachmentStatus.PENDING)
    client = signed_in_as()

    def status(row, of=message):
        return client.get(reverse("my:message-file", args=[of.public_id, row.pk])).status_code

    other = AttachmentFactory(status=AttachmentStatus.CLEAN)
    other.file.save("y", ContentFile(b"y"))
    assert (status(clean), status(held), status(other)) == (200, 404, 404)


def test_nobody_reads_the_message_of_somebody_else_or_one_that_was_stopped(patient, sms_channel):
    client = signed_in_as()
    others = sensitive(PatientFactory(), sms_channel)
    stopped = sensitive(patient, sms_channel, status=MessageStatus.SUPPRESSED)
    waiting = sensitive(patient, sms_channel, status=MessageStatus.QUEUED)
    plain = MessageFactory(interaction=stopped.interaction, direction=Direction.OUTBOUND)
    assert "There is no message." in home(client)
    for message in (others, stopped, waiting, plain):
        assert client.get(reverse("my:message", args=[message.public_id])).status_code == 404


@pytest.fixture
def child(patient):
    child = PatientFactory(given_name="Ana", birth_date=timezone.localdate() - timedelta(days=3000))
    RelatedPersonFactory(
        patient=child, relative=patient, is_proxy=True, scopes=["appointments"], is_for_minor=True, relation="parent"
    )
    return child


def test_a_proxy_sees_what_their_scopes_say_and_decides_for_a_minor(patient, child, sms_channel):
    message = sensitive(child, sms_channel)
    client = signed_in_as()
    assert client.post(reverse("my:choose"), {"patient": child.pk}).status_code == 302
    shown = home(client)
    assert ["The page of Ana" in shown, "What you asked for" in shown, "Messages for you" in shown] == [
        True,
        True,
        False,
    ]
    assert client.get(reverse("my:message", args=[message.public_id])).status_code == 404
    assert client.get(reverse("my:preferences")).status_code == 200


def test_a_right_that_ends_while_one_looks_closes_the_page(patient, child, sms_channel):
    client = signed_in_as()
    client.post(reverse("my:choose"), {"patient": child.pk})
    child.related_persons.update(ended_at=timezone.now())
    shown = home(client)
    assert ["What you asked for" in shown, reverse("my:preferences") in shown] == [False, False]
    assert client.get(reverse("my:preferences")).status_code == 404


def test_nobody_turns_to_the_page_of_a_stranger(patient):
    client = signed_in_as()
    for chosen in (PatientFactory().pk, "x", "0"):
        assert client.post(reverse("my:choose"), {"patient": chosen}).status_code == 404


def test_two_patients_with_one_phone_are_told_apart_by_their_birth_dates(patient):
    PatientFactory(given_name="Luis", birth_date=date(1990, 1, 2), phone=PHONE)
    assert "Hello, Luis" in home(signed_in_as(born={"day": "2", "month": "1", "year": "1990"}))
    assert "Hello, María" in home(signed_in_as())


def test_the_last_of_fifty_with_one_phone_signs_in_and_sees_nobody_else(patient):
    PatientFactory.create_batch(49, given_name="Resident", birth_date=None, phone=PHONE)
    PatientFactory(given_name="Luis", birth_date=date(1990, 1, 2), phone=PHONE)
    page = home(signed_in_as(born={"day": "2", "month": "1", "year": "1990"}))
    assert ("Hello, Luis" in page, "Resident" in page) == (True, False)


def test_the_dead_and_the_merged_are_signed_out(patient, sms_channel):
    client = signed_in_as()
    type(patient).objects.filter(pk=patient.pk).update(deceased_date=timezone.localdate())
    assert client.get(reverse("my:home")).status_code == 302
    asked(Client())
    assert send_waiting_codes() == 0


def test_consent_is_written_down_as_it_was_changed_with_its_source(patient):
    client, url = signed_in_as(), reverse("my:consent")
    page = client.get(url).content.decode()
    given = re.findall(r'name="([a-z]+-[a-z]+)" checked', page)
    assert sorted(given) == ["care-sms", "care-whatsapp", "reminders-sms", "reminders-whatsapp"]
    client.post(url, dict.fromkeys(["care-sms", "care-whatsapp", "reminders-sms", "surveys-sms"], "on"))
    rows = Consent.objects.order_by("purpose").values_list("purpose", "channel_kind", "status", "source")
    assert list(rows) == [
        ("reminders", "whatsapp", "withdrawn", "patient page"),
        ("surveys", "sms", "granted", "patient page"),
    ]


def test_preferences_are_the_patients_to_change(patient):
    client, url = signed_in_as(), reverse("my:preferences")
    given = {"language": "es", "preferred_channel": "sms", "contact_from": "17:00", "contact_until": "20:00"}
    wrong = client.post(url, given | {"contact_until": ""})
    assert (wrong.status_code, sorted(wrong.context["form"].errors)) == (422, ["contact_until"])
    assert client.post(url, given).headers["Location"] == reverse("my:saved")
    patient.refresh_from_db()
    assert (patient.language, patient.preferred_channel, patient.contact_from.hour) == ("es", "sms", 17)


def test_other_apps_add_their_sections(patient):
    section = portal.Section("x", "Your parcels", "my/saved.html", 1, "appointments", lambda about, viewer: None)
    portal.register(section)
    try:
        assert "Your parcels" not in home(signed_in_as())
    finally:
        portal.withdraw("x")


@pytest.mark.parametrize("language", ["es", "pt"])
def test_the_page_speaks_the_patients_language(patient, language):
    type(patient).objects.filter(pk=patient.pk).update(language=language)
    assert f'lang="{language}"' in home(signed_in_as())
