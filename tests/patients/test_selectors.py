"""Who may see whom, who has this address, who is meant by this text."""

import pytest
from django.db.models import Q

from contact_center.accounts.enums import Role
from patients.enums import ContactScheme
from patients.models import Patient
from patients.selectors import people, search
from tests.factories.patients import ContactPointFactory, PatientFactory


@pytest.fixture
def ana(db):
    return PatientFactory(
        given_name="Ana", family_name="Núñez Łukasz", mrn="A-77", phone="+5511987654321", email="ana@example.org"
    )


def test_one_patient_with_the_address_is_the_one_match(ana):
    PatientFactory(phone="+13055550111")
    assert people.match_patients(ContactScheme.PHONE, "+5511987654321") == [ana]


def test_a_number_matches_under_its_other_spelling(ana):
    assert people.match_patients(ContactScheme.PHONE, "+551187654321") == [ana]


def test_a_family_on_one_phone_are_several_matches(ana):
    child = PatientFactory(phone="+5511987654321")
    assert people.match_patients(ContactScheme.PHONE, "+5511987654321") == [ana, child]


def test_an_unknown_address_matches_nobody(ana):
    assert people.match_patients(ContactScheme.EMAIL, "other@example.org") == []


def test_one_address_twice_in_both_spellings_is_still_one_person(ana):
    ContactPointFactory(patient=ana, value="+551187654321")
    assert people.match_patients(ContactScheme.PHONE, "+551187654321") == [ana]


def test_a_merged_record_is_not_matched(ana):
    PatientFactory(phone="+5511987654321", merged_into=ana)
    assert people.match_patients(ContactScheme.PHONE, "+5511987654321") == [ana]


def test_a_whatsapp_user_id_is_its_own_scheme(ana):
    ContactPointFactory(patient=ana, scheme=ContactScheme.WHATSAPP_USER, value="US.13491208655302741918")
    assert people.match_patients(ContactScheme.WHATSAPP_USER, "US.13491208655302741918") == [ana]
    assert people.match_patients(ContactScheme.PHONE, "US.13491208655302741918") == []


def test_matching_costs_one_query_however_many_match(db, django_assert_num_queries):
    for _ in range(3):
        PatientFactory(phone="+13055550123")
    with django_assert_num_queries(1):
        assert len(people.match_patients(ContactScheme.PHONE, "+13055550123")) == 3


@pytest.mark.parametrize(
    "text",
    [
        "ana",
        "NUÑEZ",
        "nunez ana",
        "lukasz",
        "A-77",
        "a-77",
        "+55 (11) 98765-4321",
        "whatsapp:+5511987654321",
        "0055 11 8765 4321",
        "11 98765",
        "98765-4321",
        "ana@example.org",
        "Ana@Exam",
        "Anna Nunes",
    ],
)
def test_a_patient_is_found_by_name_number_mail_or_record(ana, agent, text):
    PatientFactory(given_name="Bob", family_name="Stone", phone="+13055550111", email="bob@example.com")
    assert search.search_patients(agent, text) == [ana]


@pytest.mark.parametrize("text", ["", "a", " ", "zzzz qqqq", "%", "___", "\x00\x00", "9999999999", "@@", "'; DROP"])
def test_text_that_means_nobody_finds_nobody(ana, agent, text):
    assert search.search_patients(agent, text) == []


def test_search_costs_the_same_for_one_and_three_rows(ana, agent, django_assert_num_queries):
    with django_assert_num_queries(2):
        search.search_patients(agent, "ana")
    PatientFactory(given_name="Ana", phone="+13055550111")
    PatientFactory(given_name="Ana", phone="+13055550112")
    with django_assert_num_queries(2):
        found = search.search_patients(agent, "ana")
        assert sorted(len(patient.contact_points.all()) for patient in found) == [1, 1, 2]


def test_search_returns_no_more_than_asked_for(agent):
    PatientFactory.create_batch(4, given_name="Maria")
    assert len(search.search_patients(agent, "maria", limit=3)) == 3


def test_what_each_role_sees_of_three_kinds_of_records(everybody, monkeypatch):
    monkeypatch.setattr(people, "_partner_scopes", [])
    plain = PatientFactory()
    for sensitivity in ("vip", "staff", "protected"):
        PatientFactory(sensitivity=sensitivity)
    PatientFactory(merged_into=plain)
    seen = {name: set(people.patients_visible_to(user)) for name, user in vars(everybody).items()}
    staff = {plain}
    assert seen == {
        "agent": staff,
        "clinical_agent": staff,
        "partner_agent": set(),
        "supervisor": staff,
        "admin": staff,
        "auditor": set(),
        "outsider": staff,
    }


def test_partner_teams_see_only_whom_their_work_concerns(partner_agent, agent, monkeypatch):
    monkeypatch.setattr(people, "_partner_scopes", [])
    theirs, other, hidden = PatientFactory(), PatientFactory(), PatientFactory(sensitivity="vip")
    people.register_partner_scope(lambda user: Q(pk__in=[theirs.pk, hidden.pk]))
    assert list(people.patients_visible_to(partner_agent)) == [theirs]
    assert search.search_patients(partner_agent, other.mrn) == []
    assert set(people.patients_visible_to(agent)) == {theirs, other}


def test_somebody_disabled_sees_nobody(agent):
    PatientFactory()
    agent.is_active = False
    assert list(people.patients_visible_to(agent)) == []


def test_a_hidden_record_is_as_absent_as_a_missing_one(partner_agent, agent):
    patient = PatientFactory()
    assert people.get_patient_for(agent, patient.pk) == patient
    with pytest.raises(Patient.DoesNotExist):
        people.get_patient_for(partner_agent, patient.pk)
    assert partner_agent.role == Role.PARTNER_AGENT
