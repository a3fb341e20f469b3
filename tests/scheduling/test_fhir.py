"""The agenda as FHIR R4: valid resources, search and pages, Appointments booked and changed, refusals as outcomes."""

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
from patients.fhir.reading import MRN_SYSTEM, invalid
from scheduling.enums import Confirmation
from scheduling.foreign import Misunderstood, span_of
from scheduling.models import Appointment, ExternalCode, ExternalVisit
from scheduling.services.booking import Wish, book, cancel
from scheduling.services.holds import hold_slot
from scheduling.services.sessions import cancel_session
from tests.factories.patients import PatientFactory
from tests.factories.scheduling import ServiceFactory, a_day_at, an_open_visit

pytestmark = pytest.mark.django_db
BASE, ZONE = "/api/v1/fhir", ZoneInfo("America/New_York")
EXAMPLES = Path(__file__).resolve().parents[3] / "shared" / "data" / "fhir" / "hl7-r4-examples"


class Machine:
    """Speaks FHIR with a key."""

    def __init__(self, role=Role.SUPERVISOR):
        self.client = APIClient()
        text = accounts.create_api_key(actor=None, name="EHR", role=role)[1]
        self.client.credentials(HTTP_AUTHORIZATION=f"Token {text}")

    def get(self, path, **words):
        return self.client.get(f"{BASE}/{path}", words)

    def send(self, method, path, resource, **headers):
        body = json.dumps(resource)
        return self.client.generic(
            method, f"{BASE}/{path}", body, content_type="application/fhir+json", headers=headers
        )


@pytest.fixture
def ehr():
    return Machine()


@pytest.fixture
def visit():
    return an_open_visit(starts_at=a_day_at(10, ZONE), location__time_zone=ZONE.key, location__name="Brickell")


def appointment(visit, *, patient=None, hour=11, **more):
    """A new Appointment with the same practitioner, site and service."""
    actors = {
        "Patient": (patient or PatientFactory()).pk, "Practitioner": visit.practitioner_id,
        "Location": visit.location_id, "HealthcareService": visit.service_id,
    }  # fmt: skip
    start = a_day_at(hour, ZONE)
    parts = [{"actor": {"reference": f"{kind}/{pk}"}, "status": "needs-action"} for kind, pk in actors.items()]
    end = (start + timedelta(minutes=30)).isoformat()
    whole = {"resourceType": "Appointment", "status": "booked", "start": start.isoformat(), "end": end}
    return whole | {"participant": parts} | more


def found(answer):
    return [entry["resource"]["id"] for entry in answer.json().get("entry", [])]


def issue(answer):
    (one,) = answer.json()["issue"]
    return answer.status_code, one["code"], one["diagnostics"]


def test_everything_that_is_answered_is_as_the_standard_says(ehr, visit):
    visit.service.preparation = {"en": "Come fasting."}
    visit.service.save()
    code = visit.service.code
    answers = [ehr.get(kind) for kind in ("Appointment", "Schedule", "HealthcareService", "Practitioner", "Location")]
    answers += [ehr.get("Slot", **{"service-type": code}), ehr.get(f"Appointment/{visit.pk}"), ehr.get("metadata")]
    assert [answer.status_code for answer in answers] == [200] * 8
    for answer in answers:
        said = answer.json()
        assert invalid(said["resourceType"], said) == []
        for entry in said.get("entry", []):
            assert invalid(entry["resource"]["resourceType"], entry["resource"]) == []
    assert answers[6].json()["participant"][0]["actor"] == {"reference": f"Patient/{visit.patient_id}"}
    assert answers[6]["Content-Type"] == "application/fhir+json"


@pytest.mark.parametrize(
    ("words", "is_found"),
    [
        (lambda visit: {"patient": f"Patient/{visit.patient_id}"}, True),
        (lambda visit: {"actor": f"Practitioner/{visit.practitioner_id}"}, True),
        (lambda visit: {"location": visit.location_id, "status": "booked,arrived"}, True),
        (lambda visit: {"service-type": f"urn:continuo:service|{visit.service.code}"}, True),
        (lambda visit: {"date": visit.starts_at.astimezone(ZONE).date().isoformat()}, True),
        (
            lambda visit: {
                "date": f"ge{(visit.starts_at + timedelta(seconds=1)).isoformat()}",
                "patient": visit.patient_id,
            },
            False,
        ),
        (lambda visit: {"date": f"lt{visit.starts_at.isoformat()}"}, False),
        (lambda visit: {"identifier": f"urn:continuo:visit|{visit.pk}"}, True),
        (lambda visit: {"identifier": "urn:his|H-1"}, True),
        (lambda visit: {"identifier": "urn:other|H-1"}, False),
        (lambda visit: {"status": "cancelled"}, False),
    ],
)
def test_visits_are_searched_by_ids_codes_and_dates(ehr, visit, words, is_found):
    an_open_visit(starts_at=timezone.now() + timedelta(days=40))
    ExternalVisit.objects.create(source="urn:his", value="H-1", appointment=visit)
    expected = [str(visit.pk)] if is_found else []
    given = words(visit)
    assert found(ehr.get("Appointment", **given)) == expected
    posted = ehr.client.generic(
        "POST", f"{BASE}/Appointment/_search",
        "&".join(f"{name}={str(value).replace('+', '%2B')}" for name, value in given.items()),
        content_type="application/x-www-form-urlencoded",
    )  # fmt: skip
    assert found(posted) == expected


@pytest.mark.parametrize(
    ("path", "words", "told"),
    [
        ("Appointment", {"patient.name": "Ana"}, "Appointment cannot be searched by “patient.name”."),
        ("Appointment", {"patient": "Practitioner/1"}, "A reference such as Patient/12 is expected."),
        ("Appointment", {"date": "xx2026"}, "A date such as ge2026-11-30 or lt2026-12-01T09:00:00Z is expected."),
        ("Appointment", {"date": "2026-13-40"}, "This is not a date."),
        ("Practitioner", {"name": "\0"}, "A word holds a sign that is none."),
        ("Appointment", {"_count": "many"}, "A whole number is expected."),
        ("Slot", {"start": "ge2026-11-30"}, "Say for which service, by service-type."),
        ("Slot/1-1-x", {}, "This is not the id of a slot."),
    ],
)
def test_what_a_search_cannot_mean_is_refused_and_never_ignored(ehr, path, words, told):
    assert issue(ehr.get(path, **words)) == (400, "invalid", told)


def test_pages_follow_each_other_without_gap_or_repetition(ehr, visit):
    rows = [visit, *(an_open_visit(service=visit.service) for _ in range(4))]
    shown, answer = [], ehr.get("Appointment", _count=2)
    while True:
        shown += found(answer)
        following = [link["url"] for link in answer.json()["link"] if link["relation"] == "next"]
        if not following:
            break
        answer = ehr.client.get(following[0])
    assert shown == [str(row.pk) for row in rows]
    assert AuditEntry.objects.filter(object_type="appointment", action="searched").count() == 3


def test_free_slots_are_those_that_nobody_has_and_can_be_booked(ehr, visit):
    day, code = a_day_at(9, ZONE).date(), visit.service.code
    words = {"service-type": code, "start": day.isoformat(), "schedule.actor": f"Location/{visit.location_id}"}
    slots = ehr.get("Slot", **words, _count=3).json()
    starts = [entry["resource"]["start"] for entry in slots["entry"]]
    wanted = [a_day_at(9, ZONE), a_day_at(9, ZONE, minute=30), a_day_at(10, ZONE, minute=30)]  # ten is taken
    assert starts == [one.astimezone(ZoneInfo("UTC")).isoformat() for one in wanted]
    assert [link["relation"] for link in slots["link"]] == ["self", "next"]
    first = slots["entry"][0]["resource"]["id"]
    patient = [{"actor": {"reference": f"Patient/{PatientFactory().pk}"}, "status": "accepted"}]
    resource = {"resourceType": "Appointment", "status": "booked", "slot": [{"reference": f"Slot/{first}"}]}
    booked = ehr.send("POST", "Appointment", resource | {"participant": patient})
    assert (booked.status_code, booked.json()["start"]) == (201, starts[0])
    assert ehr.get(f"Slot/{first}").json()["status"] == "busy"
    assert found(ehr.get("Slot", **words, status="busy")) == []


def test_a_time_that_is_held_is_busy(ehr, visit, supervisor):
    at = a_day_at(12, ZONE)
    hold_slot(actor=supervisor, wish=Wish(visit.service_id, at, visit.practitioner_id, visit.location_id))
    schedule = visit.practitioner.schedules.get()
    assert ehr.get(f"Slot/{schedule.pk}-{visit.service_id}-{int(at.timestamp())}").json()["status"] == "busy"
    night = int(a_day_at(3, ZONE).timestamp())
    assert ehr.get(f"Slot/{schedule.pk}-{visit.service_id}-{night}").json()["status"] == "busy-unavailable"
    assert issue(ehr.get(f"Slot/999-{visit.service_id}-{night}")) == (404, "not-found", "No such resource.")


def test_a_slot_of_a_group_says_its_places_and_a_visit_its_group_but_not_who_else_comes(ehr, visit, supervisor):
    group = ServiceFactory(code="prenatal-class", places=2, minutes=60, step_minutes=60)
    visit.practitioner.services.add(group)
    at, words = a_day_at(14, ZONE), {"service-type": group.code, "start": a_day_at(14, ZONE).date().isoformat()}
    wish = Wish(group.pk, at, visit.practitioner_id, visit.location_id)
    first, other = (book(actor=None, patient_id=PatientFactory().pk, wishes=[wish])[0] for _ in range(2))
    said = ehr.get(f"Appointment/{first.pk}").json()
    value = {"system": "urn:continuo:group-session", "value": str(first.session_id)}
    assert (said["extension"], invalid("Appointment", said)) == (
        [{"url": "urn:continuo:group-session", "valueIdentifier": value}],
        [],
    )
    assert [one["actor"]["reference"] for one in said["participant"] if "Patient" in one["actor"]["reference"]] == [
        f"Patient/{first.patient_id}"
    ]
    (service,) = ehr.get("HealthcareService", identifier=group.code).json()["entry"]
    assert service["resource"]["comment"] == "60 min, 2 places"
    where = f"Slot/{visit.practitioner.schedules.get().pk}-{group.pk}-{int(at.timestamp())}"

    def told():
        """Status and places of the slot by itself, and its places as the search says."""
        slots = [entry["resource"] for entry in ehr.get("Slot", **words).json().get("entry", [])]
        alone = ehr.get(where).json()
        return alone["status"], alone.get("comment"), [one["comment"] for one in slots if one["id"] == alone["id"]]

    assert told() == ("busy", "0 places left", [])
    cancel(actor=None, appointment_id=other.pk, asked_by="patient", reason="Ill")
    assert told() == ("free", "1 places left", ["1 places left"])
    cancel_session(actor=supervisor, session_id=first.session_id, asked_by="organisation", reason="Too few")
    assert told() == ("busy-unavailable", "0 places left", [])


def test_a_visit_is_booked_once_for_one_identifier(ehr, visit):
    resource = appointment(visit, identifier=[{"system": "urn:his", "value": "H-7"}], comment="Brings a report")
    first, again = (ehr.send("POST", "Appointment/", resource) for _ in range(2))
    assert (first.status_code, again.status_code, first.json()["id"]) == (201, 200, again.json()["id"])
    new = Appointment.objects.exclude(pk=visit.pk).get()
    assert first["Location"].endswith(f"/fhir/Appointment/{new.pk}")
    assert (new.note, new.external_ids.get().value) == ("Brings a report", "H-7")


def test_codes_and_numbers_of_another_system_are_looked_up(ehr, visit):
    patient = PatientFactory()
    ExternalCode.objects.create(source="urn:his", value="DOC-9", practitioner=visit.practitioner)
    resource = appointment(visit, patient=patient)
    resource["participant"][0]["actor"] = {
        "type": "Patient", "identifier": {"system": MRN_SYSTEM, "value": patient.mrn},
    }  # fmt: skip
    resource["participant"][1]["actor"] = {
        "type": "Practitioner", "identifier": {"system": "urn:his", "value": "DOC-9"},
    }  # fmt: skip
    made = ehr.send("POST", "Appointment", resource)
    new = Appointment.objects.get(pk=made.json()["id"])
    assert (made.status_code, new.patient, new.practitioner) == (201, patient, visit.practitioner)
    resource["participant"][1]["actor"]["identifier"]["value"] = "DOC-10"
    words = "Nobody has said yet which Practitioner this code means."
    assert issue(ehr.send("POST", "Appointment", resource)) == (400, "invalid", words)


@pytest.mark.parametrize(
    ("change", "status", "code", "words"),
    [
        ({"status": "proposed"}, 422, "business-rule", "Only a visit with the status booked can be created."),
        ({"start": None}, 400, "invalid", "This is needed: start."),
        ({"participant": []}, 400, "invalid", "This is needed: Patient, Practitioner, Location, HealthcareService"),
        ({"start": "soon"}, 400, "invalid", "Appointment.start"),
        ({"status": "maybe"}, 422, "business-rule", "Only a visit with the status booked can be created."),
        ({"resourceType": "Slot"}, 400, "invalid", "A FHIR Appointment is expected."),
    ],
)
def test_what_is_no_visit_is_refused_with_why(ehr, visit, change, status, code, words):
    resource = {name: value for name, value in (appointment(visit) | change).items() if value is not None}
    if change == {"start": None}:
        del resource["end"]
    got = issue(ehr.send("POST", "Appointment", resource))
    assert (got[:2], got[2].startswith(words)) == ((status, code), True), got
    assert Appointment.objects.count() == 1


def test_a_taken_time_is_a_conflict_that_names_free_ones(ehr, visit):
    lost = issue(ehr.send("POST", "Appointment", appointment(visit, hour=10)))
    first = a_day_at(9, ZONE).astimezone(ZoneInfo("UTC")).isoformat()
    assert lost[:2] == (409, "conflict")
    assert lost[2].startswith(f"This time has just been taken. Choose another one. {first}")


def test_an_update_needs_the_version_that_was_read(ehr, visit):
    read = ehr.get(f"Appointment/{visit.pk}")
    said = read.json() | {"status": "arrived"}
    check = ehr.send("PUT", f"Appointment/{visit.pk}", said, **{"If-Match": 'W/"1"'})
    assert issue(check) == (412, "conflict", "Somebody else changed this visit meanwhile. Read it again.")
    done = ehr.send("PUT", f"Appointment/{visit.pk}", said, **{"If-Match": read["ETag"]})
    assert (done.status_code, done.json()["status"], done["ETag"] != read["ETag"]) == (200, "arrived", True)
    again = ehr.send(
        "PUT", f"Appointment/{visit.pk}", done.json() | {"status": "fulfilled"}, **{"If-Match": read["ETag"]}
    )
    assert again.status_code == 412


def test_another_time_moves_the_visit_and_its_names_go_along(ehr, visit):
    ExternalVisit.objects.create(source="urn:his", value="H-1", appointment=visit)
    said = ehr.get(f"Appointment/{visit.pk}").json()
    said |= {"start": a_day_at(14, ZONE).isoformat(), "end": a_day_at(14, ZONE, minute=30).isoformat()}
    moved = ehr.send("PUT", f"Appointment/{visit.pk}", said)
    new = Appointment.objects.get(previous=visit)
    assert (moved.status_code, moved.json()["id"]) == (200, str(new.pk))
    assert moved["Content-Location"].endswith(f"Appointment/{new.pk}")
    assert moved.json()["extension"][0]["valueReference"] == {"reference": f"Appointment/{visit.pk}"}
    assert ExternalVisit.objects.get().appointment == new
    gone = ehr.send("PUT", f"Appointment/{visit.pk}", said | {"status": "booked"})
    assert issue(gone)[:2] == (422, "business-rule")


def test_a_visit_goes_back_to_an_earlier_time_and_nobody_answers_for_the_patient(ehr, visit):
    ExternalVisit.objects.create(source="urn:his", value="H-1", appointment=visit)
    Appointment.objects.filter(pk=visit.pk).update(confirmation=Confirmation.CONFIRMED)
    said = ehr.get(f"Appointment/{visit.pk}").json()
    for hour in (14, 10):
        said |= {"start": a_day_at(hour, ZONE).isoformat(), "end": a_day_at(hour, ZONE, minute=30).isoformat()}
        said = ehr.send("PUT", f"Appointment/{said['id']}", said).json()
    rows = Appointment.objects.order_by("pk").values_list("status", "starts_at", "confirmation")
    first, _second, third = rows
    assert (first[0], third) == ("cancelled", ("booked", visit.starts_at, Confirmation.UNCONFIRMED))


def test_an_identifier_books_for_one_patient_and_while_the_visit_stands(ehr, visit):
    resource = appointment(visit, identifier=[{"system": "urn:his", "value": "H-7"}])
    made = ehr.send("POST", "Appointment", resource).json()
    refused = (422, "business-rule", "Another visit has this identifier.")
    other = appointment(visit, hour=12, identifier=resource["identifier"])
    assert issue(ehr.send("POST", "Appointment", other)) == refused
    ehr.send("PUT", f"Appointment/{made['id']}", made | {"status": "cancelled"})
    assert issue(ehr.send("POST", "Appointment", resource)) == refused


def test_the_patients_word_and_the_end_of_a_visit_are_taken_over(ehr, visit):
    address, said = f"Appointment/{visit.pk}", ehr.get(f"Appointment/{visit.pk}").json()
    said["participant"][0]["status"] = "accepted"
    assert ehr.send("PUT", address, said).status_code == 200
    visit.refresh_from_db()
    assert visit.confirmation == Confirmation.CONFIRMED
    why = {"coding": [{"code": "pat-crs", "display": "Patient: Changed"}]}
    ended = ehr.send("PUT", address, said | {"status": "cancelled", "cancelationReason": why})
    visit.refresh_from_db()
    assert (ended.status_code, visit.cancelled_for, visit.cancel_reason) == (200, "patient", "Patient: Changed")
    assert ended.json()["cancelationReason"] == {"text": "Patient: Changed"}


def test_no_visit_is_given_to_another_patient_and_no_other_kind_is_written(ehr, visit):
    said = ehr.get(f"Appointment/{visit.pk}").json()
    said["participant"][0]["actor"]["reference"] = f"Patient/{PatientFactory().pk}"
    words = "A visit cannot be given to another patient."
    assert issue(ehr.send("PUT", f"Appointment/{visit.pk}", said)) == (422, "business-rule", words)
    refused = issue(ehr.send("POST", "Practitioner", {"resourceType": "Practitioner"}))
    assert refused == (405, "not-supported", "Practitioner is only read here.")


def test_what_one_may_not_see_is_not_there(ehr):
    hidden = an_open_visit(patient__sensitivity="vip")
    assert found(ehr.get("Appointment")) == []
    gone = (404, "not-found", "No such resource.")
    assert issue(ehr.get(f"Appointment/{hidden.pk}")) == gone
    body = appointment(hidden) | {"status": "cancelled"}
    assert issue(ehr.send("PUT", f"Appointment/{hidden.pk}", body)) == gone


def test_a_key_without_the_right_gets_an_outcome(visit):
    answer = issue(Machine(Role.PARTNER_AGENT).get("Appointment"))
    assert answer == (403, "forbidden", "This API key does not carry the scope that this address needs.")
    unknown = APIClient().get(f"{BASE}/Appointment")
    assert (unknown.status_code, unknown.json()["issue"][0]["code"]) == (401, "login")


@pytest.mark.parametrize(
    ("text", "begin", "end"),
    [
        ("2026-11", "2026-11-01T00:00:00-04:00", "2026-12-01T00:00:00-05:00"),
        ("2026", "2026-01-01T00:00:00-05:00", "2027-01-01T00:00:00-05:00"),
        ("gt2026-12-31", "2027-01-01T00:00:00-05:00", None),
        ("le2026-03-08", None, "2026-03-09T00:00:00-04:00"),
        ("2026-03-08T06:59:59Z", "2026-03-08T06:59:59+00:00", "2026-03-08T07:00:00+00:00"),
    ],
)
def test_a_date_means_a_day_of_the_house_across_changes_of_the_clock(text, begin, end):
    shown = tuple(one and one.isoformat() for one in span_of(text, ZONE))
    assert shown == (begin, end)


@pytest.mark.parametrize("text", ["", "soon", "ne2026-01-01", "0001-01-01", "2026-02-30", "2026-01-01Tx"])
def test_what_is_no_date_is_not_guessed(text):
    with pytest.raises(Misunderstood):
        span_of(text, ZONE)


@pytest.mark.skipif(not EXAMPLES.is_dir(), reason="the examples are not here")
def test_the_standards_own_examples_are_read_as_what_they_are():
    kinds = ("slot-example", "practitioner-example", "location-example-ukpharmacy")
    problems = {}
    for name in kinds:
        resource = json.loads((EXAMPLES / f"{name}.json").read_text())
        problems[name] = invalid(resource["resourceType"], resource)
    print(f"FHIR: {len(kinds)} examples of the standard, {sum(map(len, problems.values()))} found invalid")
    assert problems == {name: [] for name in kinds}
