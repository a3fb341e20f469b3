"""Visits, free times and the waitlist for machines: the pages' rights, services and refusals."""

from datetime import timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from contact_center.accounts import services as accounts
from contact_center.accounts.enums import Role
from contact_center.audit.models import AuditEntry
from scheduling.api.appointments import AppointmentViewSet
from scheduling.enums import AppointmentStatus
from scheduling.models import Appointment, WaitlistEntry
from tests.factories.patients import PatientFactory
from tests.factories.scheduling import (
    AppointmentFactory,
    EntryFactory,
    LocationFactory,
    PractitionerFactory,
    ScheduleFactory,
    ServiceFactory,
    a_day_at,
)

pytestmark = pytest.mark.django_db
V1, ZONE = "/api/v1", ZoneInfo("America/New_York")


def key_of(role, **more):
    client = APIClient()
    text = accounts.create_api_key(actor=None, name="Agenda", role=role, **more)[1]
    client.credentials(HTTP_AUTHORIZATION=f"Token {text}")
    return client


@pytest.fixture
def machine():
    return key_of(Role.SUPERVISOR)


@pytest.fixture
def agenda():
    """One practitioner who sees patients every day from nine to five."""
    schedule = ScheduleFactory(location=LocationFactory(name="Brickell", time_zone=ZONE.key))
    service = ServiceFactory()
    schedule.practitioner.services.set([service])
    return schedule


@pytest.fixture
def a_time(agenda):
    """`a_time(hour)` is what books the one practitioner in three days."""

    def make(hour=10, **more):
        at, who = a_day_at(hour, ZONE), agenda.practitioner
        return {"starts_at": at.isoformat(), "practitioner": who.pk, "location": agenda.location_id} | more

    return make


@pytest.fixture
def book(machine, agenda, a_time):
    def make(patient=None, **more):
        ids = {"patient": (patient or PatientFactory()).pk, "service": agenda.practitioner.services.get().pk}
        return machine.post(f"{V1}/appointments/", ids | a_time() | more, format="json")

    return make


def test_the_first_free_times_are_found_in_the_sites_own_time(machine, agenda):
    day = a_day_at(9, ZONE)
    words = {"service": agenda.practitioner.services.get().pk, "from_date": day.date().isoformat(), "limit": 2}
    found = machine.post(f"{V1}/slots/search/", words | {"not_before": "14:00"}, format="json")
    begin = day.replace(hour=14)
    names = {
        "practitioner": agenda.practitioner_id,
        "practitioner_name": agenda.practitioner.name,
        "room": None,
        "places_left": None,
    }
    place = {"location": agenda.location_id, "location_name": "Brickell"}
    spans = [(begin + timedelta(minutes=30 * n), begin + timedelta(minutes=30 * n + 30)) for n in range(2)]
    assert (found.status_code, found.json()) == (
        200, [{"starts_at": a.isoformat(), "ends_at": b.isoformat()} | names | place for a, b in spans],
    )  # fmt: skip


def test_a_visit_is_booked_once_for_one_key(book):
    key, patient = str(uuid4()), PatientFactory()
    first, again = (book(patient, idempotency_key=key, note="Brings an interpreter") for _ in range(2))
    assert (first.status_code, again.status_code, first.json()["id"]) == (201, 201, again.json()["id"])
    visit = Appointment.objects.get()
    assert (visit.note, visit.status, visit.booked_by.role) == ("Brings an interpreter", "booked", Role.SUPERVISOR)


def test_the_loser_of_a_time_gets_free_ones(book):
    book()
    lost = book()
    at = a_day_at(10, ZONE)
    assert lost.status_code == 409
    assert [one["starts_at"] for one in lost.json()["alternatives"]] == [
        at.replace(hour=9).isoformat(), at.replace(hour=9, minute=30).isoformat(),
        at.replace(hour=10, minute=30).isoformat(),
    ]  # fmt: skip


def test_a_visit_is_moved_and_the_chain_kept(machine, book, a_time):
    old = book(note="Fasting").json()["id"]
    said = a_time(11) | {"asked_by": "patient", "reason": "Works in the morning"}
    moved = machine.post(f"{V1}/appointments/{old}/move/", said, format="json")
    assert (moved.status_code, moved.json()["previous"], moved.json()["note"]) == (200, old, "Fasting")
    assert Appointment.objects.get(pk=old).cancel_reason == "Works in the morning"


def test_verbs_say_what_became_of_a_visit(machine):
    visit = AppointmentFactory()
    address = f"{V1}/appointments/{visit.pk}"
    assert machine.post(f"{address}/confirm/").json()["confirmation"] == "confirmed"
    told = [machine.post(f"{address}/{verb}/").json()["status"] for verb in ("arrive", "check-in", "fulfil")]
    assert told == ["arrived", "checked-in", "fulfilled"]
    refused = machine.post(f"{address}/cancel/", {"asked_by": "patient", "reason": "Ill"}, format="json")
    words = "This visit has begun or is over, so it cannot be moved or cancelled."
    assert (refused.status_code, refused.json()) == (422, {"detail": words})


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"starts_at": "2026-12-01T09:00:00"}, "starts_at"),
        ({"starts_at": "soon"}, "starts_at"),
        ({"starts_at": "9999-12-31T23:59:59-14:00"}, "starts_at"),
        ({"service": 2**63}, "service"),
        ({"mode": "teleport"}, "mode"),
        ({"idempotency_key": "x"}, "idempotency_key"),
    ],
)
def test_what_is_malformed_is_told_at_its_field(book, change, field):
    answer = book(**change)
    assert (answer.status_code, list(answer.json())) == (400, [field])


def test_the_past_and_closed_hours_are_refused_in_words(book):
    early = book(starts_at=a_day_at(3, ZONE).isoformat())
    past = book(starts_at=(timezone.now() - timedelta(days=1)).isoformat())
    assert [(one.status_code, one.json()["detail"]) for one in (early, past)] == [
        (422, "Nobody sees patients at that time. Choose another one."),
        (422, "This time is over. Choose a later one."),
    ]


def test_lists_are_narrowed_and_leave_one_entry(machine):
    mine, _other = AppointmentFactory(), AppointmentFactory()
    before = AuditEntry.objects.count()
    listed = machine.get(f"{V1}/appointments/", {"practitioner": mine.practitioner_id, "status": "booked"})
    assert [one["id"] for one in listed.json()["results"]] == [mine.pk]
    entry = AuditEntry.objects.latest("pk")
    assert (AuditEntry.objects.count() - before, entry.detail["patients"]) == (1, [mine.patient_id])


def test_a_protected_patients_visit_is_not_there(machine):
    hidden = AppointmentFactory(patient__sensitivity="vip")
    assert machine.get(f"{V1}/appointments/").json()["results"] == []
    address = f"{V1}/appointments/{hidden.pk}"
    assert {machine.get(f"{address}/").status_code, machine.post(f"{address}/confirm/").status_code} == {404}


def test_a_key_that_only_reads_books_nothing():
    reader, visit = key_of(Role.SUPERVISOR, scopes=["visits:read"]), AppointmentFactory()
    assert reader.get(f"{V1}/appointments/{visit.pk}/").status_code == 200
    answers = [
        reader.post(f"{V1}/appointments/{visit.pk}/cancel/", {"asked_by": "patient", "reason": "x"}, format="json"),
        reader.post(f"{V1}/appointments/", {}, format="json"),
        reader.post(f"{V1}/waitlist/", {}, format="json"),
    ]
    assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert reader.post(f"{V1}/slots/search/", {}, format="json").status_code == 400
    visit.refresh_from_db()
    assert visit.status == AppointmentStatus.BOOKED


def test_too_many_requests_are_put_off(machine, monkeypatch):
    monkeypatch.setattr(AppointmentViewSet, "requests_per_minute", 2)
    answers = [machine.get(f"{V1}/appointments/") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[-1]["Retry-After"] == "60"


@pytest.fixture
def weekly(agenda):
    """What asks for three visits at ten, a week apart, for one patient."""
    first = a_day_at(10, ZONE)
    return {
        "patient": PatientFactory().pk, "service": agenda.practitioner.services.get().pk,
        "practitioner": agenda.practitioner_id, "location": agenda.location_id,
        "first_date": first.date().isoformat(), "at": "10:00", "count": 3,
    }  # fmt: skip


def test_a_series_is_seen_day_by_day_and_what_was_chosen_is_booked_once(machine, agenda, book, weekly):
    first = a_day_at(10, ZONE)
    assert book(starts_at=(first + timedelta(days=7)).isoformat()).status_code == 201
    seen = machine.post(f"{V1}/series/preview/", weekly, format="json").json()
    taken = [f"{agenda.practitioner.name} is taken from 10:00 to 10:30."]
    assert [(row["number"], row["slot"] is not None, row["problems"]) for row in seen] == [
        (1, True, []), (2, False, taken), (3, True, []),
    ]  # fmt: skip
    other = seen[1]["others"][0]
    assert other["starts_at"][11:16] == "09:30"
    chosen = [
        {"number": row["number"], "starts_at": (row["slot"] or other)["starts_at"]} for row in seen
    ]  # fmt: skip
    wanted = weekly | {"visits": chosen, "idempotency_key": str(uuid4())}
    answers = [machine.post(f"{V1}/series/", wanted, format="json") for _ in range(2)]
    made = [(answer.status_code, [visit["id"] for visit in answer.json()["visits"]]) for answer in answers]
    assert made[0] == made[1] == (201, [row["id"] for row in answers[0].json()["visits"]])
    listed = machine.get(f"{V1}/appointments/", {"series": answers[0].json()["id"]}).json()["results"]
    assert sorted((row["series_number"], row["id"]) for row in listed) == list(enumerate(made[0][1], start=1))
    lost = machine.post(f"{V1}/series/", wanted | {"idempotency_key": str(uuid4())}, format="json")
    assert (lost.status_code, Appointment.objects.count()) == (422, 4)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"count": None}, "count"),
        ({"first_date": "0001-01-01"}, "first_date"),
        ({"first_date": a_day_at(10, ZONE, days=-1).date().isoformat()}, "first_date"),
        ({"every": 0}, "every"),
        ({"visits": []}, "visits"),
        ({"visits": [{"number": 1, "starts_at": "2026-06-02T10:00:00Z"}] * 2}, "visits"),
    ],
)
def test_what_is_wrong_with_a_series_is_told_at_its_field(machine, weekly, change, field):
    wanted = weekly | {"visits": [{"number": 1, "starts_at": "2026-06-02T10:00:00Z"}], "idempotency_key": str(uuid4())}
    answer = machine.post(f"{V1}/series/", wanted | change, format="json")
    assert (answer.status_code, list(answer.json())) == (400, [field])


def test_a_series_is_booked_on_its_own_days_and_for_patients_one_may_see(machine, weekly):
    at = {"number": 1, "starts_at": (a_day_at(10, ZONE) + timedelta(days=1)).isoformat()}
    another_day = machine.post(
        f"{V1}/series/", weekly | {"visits": [at], "idempotency_key": str(uuid4())}, format="json"
    )
    hidden = machine.post(
        f"{V1}/series/preview/", weekly | {"patient": PatientFactory(sensitivity="vip").pk}, format="json"
    )
    assert (another_day.status_code, hidden.status_code, Appointment.objects.count()) == (422, 404, 0)


def test_a_group_is_found_with_its_places_and_each_patient_takes_one(machine, agenda, book, weekly):
    agenda.practitioner.services.update(places=2)
    visits = [book() for _ in range(3)]
    assert [answer.status_code for answer in visits] == [201, 201, 409]
    assert visits[0].json()["session"] == visits[1].json()["session"] is not None
    seen = machine.post(f"{V1}/series/preview/", weekly, format="json").json()
    assert [row["slot"] and row["slot"]["places_left"] for row in seen] == [None, 2, 2]


def test_a_patient_joins_the_waitlist_once_and_leaves(machine):
    patient, service, doctor = PatientFactory(), ServiceFactory(), PractitionerFactory()
    words = {"patient": patient.pk, "service": service.pk, "weekdays": [0, 2], "urgency": "soon"}
    first = machine.post(f"{V1}/waitlist/", words | {"practitioners": [doctor.pk, 987654]}, format="json")
    again = machine.post(f"{V1}/waitlist/", words, format="json")
    assert (first.status_code, again.status_code, first.json()["id"]) == (201, 201, again.json()["id"])
    assert (first.json()["weekdays"], first.json()["practitioners"]) == ([0, 2], [doctor.pk])
    left = machine.post(f"{V1}/waitlist/{again.json()['id']}/leave/")
    assert left.json()["closed_for"] == "withdrawn"


def test_only_visible_entries_are_listed(machine):
    entry = EntryFactory()
    EntryFactory(patient__sensitivity="staff")
    listed = machine.get(f"{V1}/waitlist/", {"is_open": "true"}).json()["results"]
    assert ([one["id"] for one in listed], WaitlistEntry.objects.count()) == ([entry.pk], 2)


def test_a_search_from_the_last_day_of_all_finds_nothing(machine, agenda):
    words = {"service": agenda.practitioner.services.get().pk, "from_date": "9999-12-31"}
    found = machine.post(f"{V1}/slots/search/", words, format="json")
    assert (found.status_code, found.json()) == (200, [])
