"""Who may act for whom: in which matters, from when to when, and never after a minor has come of age."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from contact_center.audit.models import AuditEntry
from patients.enums import ProxyScope, Relation
from patients.models import RelatedPerson
from patients.policies import comes_of_age_on
from patients.selectors.family import family_of, may_act_for, proxies_of
from patients.services.family import add_related_person, change_related_person, end_related_person
from patients.services.records import update_patient
from patients.services.rules import save_care_rule
from tests.factories.patients import PatientFactory

pytestmark = pytest.mark.django_db
BIRTHDAY = date(2010, 6, 15)


@pytest.fixture
def mother():
    return PatientFactory(given_name="Lucía", family_name="Mamani", birth_date=date(1985, 2, 1))


@pytest.fixture
def child():
    return PatientFactory(given_name="Ana", birth_date=BIRTHDAY, site_name="Aurelia Norte")


@pytest.fixture
def as_mother(mother, child, agent, time_machine):
    """`as_mother(scopes=[...])` notes the mother as proxy of the child, in the summer of 2026."""
    time_machine.move_to("2026-06-20T12:00:00+00:00", tick=False)

    def note(**fields):
        given = {"is_proxy": True, "scopes": [ProxyScope.APPOINTMENTS]} | fields
        return add_related_person(
            actor=agent, patient_id=child.pk, name="Lucía", relation=Relation.PARENT, relative_id=mother.pk, **given
        )

    return note


def test_a_proxy_may_do_what_was_named_and_nothing_else(as_mother, mother, child):
    as_mother(scopes=["appointments", "billing"])
    rights = {scope.value: may_act_for(mother, child, scope) for scope in ProxyScope}
    assert rights == {"appointments": True, "results": False, "billing": True}
    assert [may_act_for(child, mother, scope) for scope in ProxyScope] == [False, False, False]
    assert all(may_act_for(child, child, scope) for scope in ProxyScope)


@pytest.mark.parametrize(
    ("day", "may"),
    [
        (date(2026, 6, 30), False),
        (date(2026, 7, 1), True),
        (date(2026, 9, 30), True),
        (date(2026, 10, 1), False),
    ],
)
def test_a_proxy_holds_from_its_first_to_its_last_day(as_mother, mother, child, day, may):
    as_mother(valid_from_date=date(2026, 7, 1), valid_until_date=date(2026, 9, 30))
    assert may_act_for(mother, child, "appointments", day) is may


def test_a_parents_right_ends_the_day_before_the_child_comes_of_age(as_mother, mother, child):
    link = as_mother()
    assert (link.is_for_minor, may_act_for(mother, child, "appointments", date(2028, 6, 14))) == (True, True)
    assert may_act_for(mother, child, "appointments", date(2028, 6, 15)) is False


def test_a_site_may_let_its_patients_decide_earlier(as_mother, mother, child, admin):
    as_mother()
    save_care_rule(actor=admin, site_name="Aurelia Norte", adult_age=16, warning_days=10)
    assert may_act_for(mother, child, "appointments", date(2026, 6, 20)) is False
    save_care_rule(actor=admin, site_name="Aurelia Norte", adult_age=17, warning_days=10)
    assert may_act_for(mother, child, "appointments", date(2026, 6, 20)) is True


def test_without_a_birth_date_nobody_acts_as_a_minors_proxy(as_mother, mother, child, agent):
    as_mother()
    update_patient(actor=agent, patient_id=child.pk, birth_date=None)
    child.refresh_from_db()
    assert may_act_for(mother, child, "appointments") is False


def test_a_proxy_of_an_adult_does_not_end_with_age_but_ends_with_life(mother, agent):
    father = PatientFactory(birth_date=date(1950, 1, 1))
    given = {"actor": agent, "patient_id": father.pk, "name": "Lucía", "relation": "child", "relative_id": mother.pk}
    link = add_related_person(**given, is_proxy=True, scopes=["billing"], proof="power_of_attorney")
    assert (link.is_for_minor, may_act_for(mother, father, "billing")) == (False, True)
    update_patient(actor=agent, patient_id=father.pk, deceased_date=timezone.localdate())
    father.refresh_from_db()
    assert may_act_for(mother, father, "billing") is False


def test_an_ended_proxy_stays_as_history_and_cannot_be_changed(as_mother, mother, child, agent):
    link = as_mother()
    for _turn in range(2):
        end_related_person(actor=agent, related_person_id=link.pk)
    assert (may_act_for(mother, child, "appointments"), RelatedPerson.objects.count()) == (False, 1)
    with pytest.raises(ValidationError, match="has ended"):
        change_related_person(actor=agent, related_person_id=link.pk, name="Lucía", relation="parent")
    ends = AuditEntry.objects.filter(object_type="relatedperson", detail__fields=["ended_at"])
    assert ends.count() == 1


@pytest.mark.parametrize(
    ("fields", "at"),
    [
        ({"scopes": []}, "scopes"),
        ({"scopes": ["everything"]}, "scopes"),
        ({"valid_from_date": date(2026, 8, 1), "valid_until_date": date(2026, 7, 1)}, "valid_until_date"),
        ({"valid_until_date": date(2026, 6, 1)}, "valid_until_date"),
        ({"proof": "a feeling"}, "proof"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(as_mother, fields, at):
    with pytest.raises(ValidationError) as refused:
        as_mother(**fields)
    assert list(refused.value.message_dict) == [at]


def test_the_list_says_who_acts_now_and_whose_right_ends_soon(as_mother, child, agent):
    as_mother(valid_until_date=date(2026, 7, 10))
    add_related_person(actor=agent, patient_id=child.pk, name="Luis", relation="sibling")
    found = [(member.link.name, member.holds, member.last_day, member.is_ending) for member in family_of(agent, child)]
    assert found == [("Lucía", True, date(2026, 7, 10), True), ("Luis", False, None, False)]


def test_a_person_finds_those_they_may_act_for_today(as_mother, mother, child, time_machine):
    as_mother()
    assert [link.patient for link in proxies_of(mother)] == [child]
    time_machine.move_to("2028-06-15T12:00:00+00:00", tick=False)
    assert proxies_of(mother) == []


def test_partner_agents_change_nobodys_family(as_mother, partner_agent):
    link = as_mother()
    with pytest.raises((PermissionDenied, RelatedPerson.DoesNotExist)):
        end_related_person(actor=partner_agent, related_person_id=link.pk)


@pytest.mark.parametrize(
    ("born", "of_age"),
    [(date(2008, 2, 29), date(2026, 3, 1)), (date(2008, 2, 28), date(2026, 2, 28)), (BIRTHDAY, date(2028, 6, 15))],
)
def test_the_day_of_coming_of_age(born, of_age):
    assert comes_of_age_on(born, 18) == of_age
    assert of_age - timedelta(days=1) >= date(2026, 2, 27)
