"""FHIR R4 in and out: taken in whole or refused in words, found again, given back as it came."""

import json
from pathlib import Path

import pytest
from django.urls import reverse
from rest_framework.test import APIClient

from contact_center.accounts import services as accounts
from contact_center.accounts.enums import Role
from contact_center.audit.models import AuditEntry
from patients.fhir.reading import READ, outcome, read
from patients.management.commands.fhir_import import import_files, line_of
from patients.models import Consent, Coverage, Patient, RelatedPerson
from patients.selectors.fhir import bundle, everything
from patients.services.fhir import take_in
from tests.factories.patients import ConsentFactory, PatientFactory, PostalAddressFactory, RelatedPersonFactory

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "fhir"
pytestmark = pytest.mark.django_db


def patient(**more):
    return {
        "resourceType": "Patient",
        "id": "p1",
        "identifier": [{"system": "https://ids.example", "value": "AB-12"}],
        "name": [{"use": "official", "family": "Soler", "given": ["Ana", "María"]}],
        "birthDate": "1984-03-09",
        "gender": "female",
        "telecom": [{"system": "phone", "value": "+34600112233", "use": "mobile"}, {"system": "fax", "value": "1"}],
        "address": [{"line": ["Calle Mayor 1", "2B"], "city": "Madrid", "postalCode": "28013"}],
    } | more


def related(**more):
    code = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode", "code": "MTH"}]}
    name = [{"family": "Vidal", "given": ["Eva"]}]
    about = {"reference": "Patient/p1"}
    return {"resourceType": "RelatedPerson", "id": "r1", "patient": about, "name": name, "relationship": [code]} | more


def coverage(**more):
    about, payer = {"reference": "Patient/p1"}, [{"display": "Seguros del Sur"}]
    return {"resourceType": "Coverage", "id": "c1", "status": "active", "beneficiary": about, "payor": payer} | more


def bundle_of(*resources):
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in resources]}


def test_a_bundle_is_taken_in_with_the_patient_first(supervisor):
    taken = take_in(actor=supervisor, data=bundle_of(coverage(), related(), patient()))
    assert [(one.kind, one.status) for one in taken] == [
        ("Patient", "created"), ("Coverage", "created"), ("RelatedPerson", "created"),
    ]  # fmt: skip
    ana = Patient.objects.get()
    assert (ana.given_name, ana.family_name, str(ana.birth_date), ana.gender) == (
        "Ana María", "Soler", "1984-03-09", "female",
    )  # fmt: skip
    assert ana.contact_points.get().value == "+34600112233"
    assert (ana.postal_addresses.get().extra_line, ana.identifiers.get().value) == ("2B", "AB12")
    assert (RelatedPerson.objects.get().relation, Coverage.objects.get().payer) == ("parent", "Seguros del Sur")
    assert [issue.where for issue in taken[0].issues] == ["Patient.telecom"]


def test_the_same_again_changes_nothing_and_news_are_taken_over(supervisor):
    data = bundle_of(patient(), related(), coverage())
    take_in(actor=supervisor, data=data)
    assert {one.status for one in take_in(actor=supervisor, data=data)} == {"unchanged"}
    newer = patient(birthDate="1984-03-10")
    assert [one.status for one in take_in(actor=supervisor, data=newer)] == ["updated"]
    assert (Patient.objects.count(), str(Patient.objects.get().birth_date)) == (1, "1984-03-10")


@pytest.mark.parametrize(
    ("resource", "code", "words"),
    [
        ({"resourceType": "Slot"}, "not-supported", "Slot is not taken in here."),
        ({}, "not-supported", "? is not taken in here."),
        (patient(gender=["x"]), "structure", ""),
        (patient(name=[]), "required", "A name is needed."),
        (patient(birthDate="soon"), "structure", ""),
        (related(), "not-found", "Its patient is not here."),
        (coverage(payor=[{"reference": ""}]), "", ""),
    ],
)
def test_what_cannot_be_taken_in_is_answered_with_why(supervisor, resource, code, words):
    taken = take_in(actor=supervisor, data=resource)
    issues = taken[0].outcome["issue"]
    assert (taken[0].status, Patient.objects.count()) == ("refused", 0)
    assert issues[0]["severity"] == "error"
    assert issues[0]["code"].startswith(code) and words in issues[0]["diagnostics"]


def test_a_partial_birth_date_and_an_unknown_day_of_death_are_told(supervisor):
    taken = take_in(actor=supervisor, data=patient(birthDate="1984-03", deceasedBoolean=True))
    ana = Patient.objects.get()
    assert (taken[0].status, ana.birth_date, ana.is_do_not_contact) == ("created", None, True)
    assert [issue.where for issue in taken[0].issues] == ["Patient.birthDate", "Patient.deceased", "Patient.telecom"]


def test_ids_of_another_system_are_followed_only_when_it_is_named(supervisor):
    take_in(actor=supervisor, data=patient(), source="ehr.example")
    assert [one.status for one in take_in(actor=supervisor, data=coverage())] == ["refused"]
    assert [one.status for one in take_in(actor=supervisor, data=coverage(), source="other.example")] == ["refused"]
    assert [one.status for one in take_in(actor=supervisor, data=coverage(), source="ehr.example")] == ["created"]


def test_numbers_of_two_records_and_protected_ones_are_refused(supervisor):
    take_in(actor=supervisor, data=patient())
    Patient.objects.update(sensitivity="vip")
    assert [one.outcome["issue"][0]["code"] for one in take_in(actor=supervisor, data=patient(gender="male"))] == [
        "forbidden"
    ]


def test_what_goes_out_is_valid_and_comes_back_as_it_was(supervisor):
    one = PatientFactory(phone="+34600112233", email="a@x.example", given_name="Ana María")
    PostalAddressFactory(patient=one)
    RelatedPersonFactory(patient=one)
    ConsentFactory(patient=one)
    Coverage.objects.create(patient=one, payer="Seguros del Sur", plan="Oro")
    out = bundle(everything(one))
    assert [resource["resourceType"] for resource in (entry["resource"] for entry in out["entry"])] == list(READ)
    assert {issue.severity for entry in out["entry"] for issue in read(entry["resource"]).issues} == set()
    again = take_in(actor=supervisor, data=json.loads(json.dumps(out)))
    assert [(taken.kind, taken.status) for taken in again] == [(kind, "unchanged") for kind in READ]


def test_an_outcome_without_issues_says_that_all_is_well():
    assert outcome([])["issue"] == [{"severity": "information", "code": "informational", "diagnostics": "All is well."}]


# ---- addresses ----


@pytest.fixture
def machine():
    client = APIClient()
    key = accounts.create_api_key(actor=None, name="ehr", role=Role.SUPERVISOR)[1]
    client.credentials(HTTP_AUTHORIZATION=f"Token {key}")
    return client


def test_machines_import_read_and_search(machine):
    sent = machine.post("/api/v1/fhir/$import/", json.dumps(patient()), content_type="application/fhir+json")
    ana = Patient.objects.get()
    assert (sent.status_code, sent["Location"], sent["Content-Type"]) == (
        201, f"Patient/{ana.pk}", "application/fhir+json",
    )  # fmt: skip
    batch = machine.post("/api/v1/fhir/$import/", bundle_of(patient(), related(name=[])), format="json").json()
    assert [entry["response"]["status"] for entry in batch["entry"]] == ["200", "422"]
    assert machine.get(f"/api/v1/fhir/Patient/{ana.pk}/").json()["name"][0]["family"] == "Soler"
    assert machine.get("/api/v1/fhir/Patient/999999/").json()["resourceType"] == "OperationOutcome"
    search = "/api/v1/fhir/Patient/_search/"
    found = machine.post(search, {"identifier": "https://ids.example|ab12", "family": "sol"}, format="json")
    assert (found.json()["total"], machine.post(search, {}, format="json").status_code) == (1, 400)
    everything = machine.get(f"/api/v1/fhir/Patient/{ana.pk}/$everything/").json()
    assert [entry["resource"]["resourceType"] for entry in everything["entry"]] == ["Patient"]
    assert AuditEntry.objects.filter(action="exported", patient_id=ana.pk).count() == 1


def test_a_key_that_may_not_import_is_refused():
    client = APIClient()
    key = accounts.create_api_key(actor=None, name="desk", role=Role.AGENT)[1]
    client.credentials(HTTP_AUTHORIZATION=f"Token {key}")
    assert client.post("/api/v1/fhir/$import/", patient(), format="json").status_code == 403


def test_the_page_takes_in_a_file_and_gives_one_out(supervisor, signed_in, tmp_path):
    lead = signed_in(supervisor)
    file = tmp_path / "ana.json"
    file.write_text(json.dumps(bundle_of(patient(), related(name=[]))))
    with file.open("rb") as sent:
        page = lead.post(reverse("patients:import-fhir"), {"file": sent}).content.decode()
    assert ["Created" in page, "A related person needs a name." in page] == [True, True]
    file.write_text("<xml/>")
    with file.open("rb") as sent:
        assert lead.post(reverse("patients:import-fhir"), {"file": sent}).status_code == 422
    given = lead.get(reverse("patients:export-fhir", args=[Patient.objects.get().pk]))
    assert (given["Content-Type"], given.json()["type"]) == ("application/fhir+json", "collection")


@pytest.mark.skipif(not FOLDER.is_dir(), reason="needs the FHIR samples")
def test_every_sample_of_these_types_is_taken_in_or_says_why_not(supervisor):
    taken = import_files(supervisor, [FOLDER], "samples")
    for path, one in taken:
        print(line_of(path, one))
    kinds = [one.kind for _path, one in taken]
    done = [one for _path, one in taken if one.status in ("created", "updated", "unchanged")]
    print(f"FHIR: {len(taken)} resources, {len(done)} taken in, {len(taken) - len(done)} refused with their reason")
    assert set(kinds) == set(READ)
    assert all(one.issues and one.issues[-1].words for _path, one in taken if one.status == "refused")
    assert len(done) >= 15
    assert Consent.objects.count() == 0
