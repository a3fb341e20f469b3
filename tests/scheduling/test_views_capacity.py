"""The page of freed times, waitlist and missed visits, through real HTTP."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from scheduling.models import FreedSlot, NoShowRecovery, SlotOffer, WaitlistEntry
from scheduling.services import attendance, booking, offers
from tests.factories.patients import PatientFactory
from tests.factories.scheduling import AppointmentFactory, EntryFactory, RulesFactory, ScheduleFactory, ServiceFactory

pytestmark = pytest.mark.django_db
CAPACITY = "/schedule/capacity/"


@pytest.fixture
def browser(client, agent):
    client.force_login(agent)
    return client


def test_a_person_is_put_on_the_waitlist_with_what_they_want(browser):
    patient, service = PatientFactory(), ServiceFactory()
    wishes = {"service": service.pk, "urgency": "soon", "mode": "on_site", "notice_minutes": "1440", "weekdays": [0, 2]}
    bad = browser.post(f"/patients/{patient.pk}/waitlist/", wishes | {"notice_minutes": "1"})
    assert (bad.status_code, WaitlistEntry.objects.count()) == (422, 0)
    late = browser.post(f"/patients/{patient.pk}/waitlist/", wishes | {"not_before": "12:00", "not_after": "09:00"})
    assert "The last hour must come after the first." in late.content.decode()
    assert browser.post(f"/patients/{patient.pk}/waitlist/", wishes).status_code == 302
    entry = WaitlistEntry.objects.get()
    assert (entry.patient, entry.urgency, entry.weekdays, entry.notice_minutes) == (patient, "soon", [0, 2], 1440)
    assert patient.full_name in browser.get(CAPACITY).content.decode()
    browser.post(f"{CAPACITY}entry/{entry.pk}/leave/")
    entry.refresh_from_db()
    assert entry.closed_for == "withdrawn"


def test_an_agent_takes_an_offer_for_a_patient_on_the_phone(browser, clock, sms_channel):
    visit = AppointmentFactory(starts_at=timezone.now() + timedelta(days=2))
    RulesFactory(service=visit.service)
    ScheduleFactory(practitioner=visit.practitioner, location=visit.location)
    visit.practitioner.services.add(visit.service)
    waiting = PatientFactory(phone="+13055550177", time_zone="America/New_York")
    EntryFactory(service=visit.service, patient=waiting)
    booking.cancel(actor=None, appointment_id=visit.pk, asked_by="patient", reason="Ill")
    offers.run_waves()
    offer = SlotOffer.objects.get()
    shown = browser.get(CAPACITY).content.decode()
    assert (waiting.full_name in shown, "Takes it" in shown) == (True, True)
    browser.post(f"{CAPACITY}offer/{offer.pk}/accept/")
    assert FreedSlot.objects.get().filled_by.patient == waiting
    assert browser.post(f"{CAPACITY}offer/{offer.pk}/dance/").status_code == 404
    assert browser.post(f"{CAPACITY}offer/0/accept/").status_code == 404


def test_a_missed_visit_is_worked_on_from_the_page(browser):
    visit = AppointmentFactory(
        starts_at=timezone.now() - timedelta(hours=1), patient=PatientFactory(birth_date=date(1970, 1, 1))
    )
    attendance.mark_missed(actor=None, appointment_id=visit.pk)
    row = NoShowRecovery.objects.get()
    assert browser.post(f"{CAPACITY}recovery/{row.pk}/barrier/", {"barrier": "boredom"}).status_code == 422
    browser.post(f"{CAPACITY}recovery/{row.pk}/barrier/", {"barrier": "cost"})
    browser.post(f"{CAPACITY}recovery/{row.pk}/called/")
    row.refresh_from_db()
    assert (row.barrier, row.calls, row.status) == ("cost", 1, "contacting")
    shown = browser.get(CAPACITY).content.decode()
    assert ("1 call reached nobody" in shown, "Cost" in shown) == (True, True)


def test_the_page_asks_the_same_number_of_questions_for_many(browser, django_assert_max_num_queries):
    service = ServiceFactory()
    for _number in range(3):
        EntryFactory(service=service)
        AppointmentFactory(service=service, starts_at=timezone.now() + timedelta(hours=20))
    with django_assert_max_num_queries(40):
        assert browser.get(CAPACITY).status_code == 200
