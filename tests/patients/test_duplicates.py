"""Suggestions of duplicates: found when records change, kept as people decided, hidden from those who may not merge."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from contact_center.audit.models import AuditEntry
from contact_center.common.errors import Conflict
from contact_center.jobs import worker
from contact_center.jobs.models import Job
from patients.matching.blocking import CROWD
from patients.models import DuplicateSuggestion, MatchProfile, Patient
from patients.selectors.duplicates import open_counts, reasons_of, worklist
from patients.selectors.matching import Described, forget_rarity
from patients.services import duplicates, records
from patients.services.addresses import NewAddress
from tests.factories.patients import ContactPointFactory, PatientFactory, PostalAddressFactory, RelatedPersonFactory

pytestmark = pytest.mark.django_db
BORN = date(1984, 3, 9)


@pytest.fixture(autouse=True)
def _names_counted_anew():
    forget_rarity()
    yield
    forget_rarity()


def pair(**more):
    """The same person twice: accents lost, two letters changed places."""
    one = PatientFactory(given_name="Íñigo", family_name="Arregui", birth_date=BORN, **more)
    return one, PatientFactory(given_name="Inigo", family_name="Arergui", birth_date=BORN, **more)


def suggested():
    return {(row.first_id, row.second_id): (row.level, row.status) for row in DuplicateSuggestion.objects.all()}


def test_two_records_of_one_person_are_suggested_once_whoever_is_looked_at():
    one, other = pair()
    PatientFactory(given_name="Zoe", family_name="Wexler", birth_date=date(1950, 1, 1))
    for ids in ([one.pk], [other.pk], [one.pk, other.pk]):
        duplicates.refresh_profiles([one.pk, other.pk])
        duplicates.compare_records(ids)
    assert suggested() == {(one.pk, other.pk): ("certain", "open")}
    assert [why.words for why in reasons_of(DuplicateSuggestion.objects.get())] == [
        "Same given name",
        "Family names much alike",
        "Same birth date",
    ]


def test_a_new_record_is_compared_with_those_that_are_here(django_capture_on_commit_callbacks):
    known, _other = pair(phone="+13055550100")
    duplicates.refresh_profiles([known.pk])
    with django_capture_on_commit_callbacks(execute=True):
        fresh = records.create_patient(
            actor=None,
            addresses=[NewAddress("phone", "+1 305 555 0100")],
            given_name="Inigo",
            family_name="Arregui",
            birth_date=BORN,
        )
    assert duplicates.compare_waiting() == 2
    assert suggested() == {(known.pk, fresh.pk): ("certain", "open")}
    assert not MatchProfile.objects.filter(compared_at=None).exists()


def test_what_was_dismissed_is_asked_again_only_when_the_data_changed(supervisor, django_capture_on_commit_callbacks):
    one, other = pair()
    duplicates.compare_records([one.pk, other.pk])
    duplicates.compare_records([one.pk])
    suggestion = DuplicateSuggestion.objects.get()
    duplicates.dismiss(actor=supervisor, suggestion_id=suggestion.pk)
    duplicates.compare_records([one.pk, other.pk])
    assert suggested() == {(one.pk, other.pk): ("certain", "dismissed")}
    with django_capture_on_commit_callbacks(execute=True):
        records.update_patient(actor=supervisor, patient_id=other.pk, family_name="Arregui")
    duplicates.compare_waiting()
    assert suggested() == {(one.pk, other.pk): ("certain", "open")}


def test_a_suggestion_goes_when_the_data_no_longer_speak_for_it():
    one, other = pair()
    duplicates.compare_records([one.pk, other.pk])
    duplicates.compare_records([one.pk])
    other.given_name, other.family_name, other.birth_date = "Zoe", "Wexler", date(1950, 1, 1)
    other.save()
    duplicates.compare_records([other.pk])
    assert suggested() == {}


def test_relatives_are_not_suggested():
    one, other = pair()
    RelatedPersonFactory(patient=one, relative=other, name="Inigo")
    duplicates.compare_records([one.pk, other.pk])
    duplicates.compare_records([one.pk])
    assert suggested() == {}


def test_a_phone_of_a_crowd_makes_no_pairs():
    crowd = [PatientFactory(birth_date=None, given_name=f"N{n}x", family_name=f"F{n}y") for n in range(CROWD + 5)]
    for member in crowd:
        ContactPointFactory(patient=member, value="+13055550177")
    duplicates.refresh_profiles([member.pk for member in crowd])
    assert duplicates.compare_records([member.pk for member in crowd]) == 0


def test_a_scan_finds_every_pair_as_background_work(supervisor):
    one, other = pair()
    third = PatientFactory(given_name="Íñigo", family_name="Arregui", birth_date=BORN)
    job = duplicates.start_scan(actor=supervisor)
    worker.run_jobs()
    assert Job.objects.get(pk=job.pk).status == "done"
    assert set(suggested()) == {(one.pk, other.pk), (one.pk, third.pk), (other.pk, third.pk)}


def test_a_scan_reads_a_record_again_when_it_changed_between_two_steps():
    one, other = pair()
    duplicates.refresh_profiles([one.pk, other.pk])
    known = Described()
    assert known.of([one.pk, other.pk])[other.pk].family == "arergui"
    Patient.objects.filter(pk=other.pk).update(family_name="Zubiri")
    duplicates.refresh_profiles([other.pk])
    MatchProfile.objects.filter(patient=one).delete()
    assert {pk: person.family for pk, person in known.of([one.pk, other.pk]).items()} == {other.pk: "zubiri"}


def test_a_scan_reads_each_record_once_however_many_steps_need_it(django_assert_num_queries):
    ids = [patient.pk for patient in pair()]
    duplicates.refresh_profiles(ids)
    known = Described()
    known.of(ids)
    with django_assert_num_queries(1):
        known.of(ids)
    known.keep(first=ids[0], most=2)
    with django_assert_num_queries(1):
        known.of(ids)
    known.keep(first=ids[1], most=2)
    with django_assert_num_queries(5):
        known.of(ids)


def test_records_that_were_never_compared_or_not_for_a_day_are_swept():
    one, other = pair()
    assert duplicates.sweep() == 2
    assert duplicates.compare_waiting() == 2
    assert duplicates.sweep() == 0
    MatchProfile.objects.filter(patient=one).update(compared_at=timezone.now() - timedelta(hours=25))
    assert duplicates.sweep() == 1
    assert suggested() == {(one.pk, other.pk): ("certain", "open")}


def test_the_surest_come_first_and_only_for_those_who_may_merge(supervisor, agent):
    one, other = pair()
    twin = PatientFactory(given_name="Zoe", family_name="Arregui", birth_date=BORN)
    for patient in (one, twin):
        PostalAddressFactory(patient=patient)
    duplicates.refresh_profiles([one.pk, other.pk, twin.pk])
    duplicates.compare_records([one.pk, other.pk, twin.pk])
    assert [(row.first_id, row.second_id, row.level) for row in worklist(supervisor)][:2] == [
        (one.pk, other.pk, "certain"),
        (one.pk, twin.pk, "likely"),
    ]
    assert [row.pk for row in worklist(supervisor, level="likely")] == [worklist(supervisor)[1].pk]
    assert sum(open_counts(supervisor).values()) == len(suggested())
    assert list(worklist(agent)) == []


def test_a_decision_is_recorded_for_both_and_made_once(supervisor, agent):
    one, other = pair()
    duplicates.compare_records([one.pk, other.pk])
    duplicates.compare_records([one.pk])
    pk = DuplicateSuggestion.objects.get().pk
    with pytest.raises(PermissionDenied):
        duplicates.dismiss(actor=agent, suggestion_id=pk)
    duplicates.dismiss(actor=supervisor, suggestion_id=pk)
    with pytest.raises(Conflict):
        duplicates.dismiss(actor=supervisor, suggestion_id=pk)
    trail = AuditEntry.objects.filter(object_type="duplicatesuggestion").values_list("patient_id", flat=True)
    assert sorted(trail) == [one.pk, other.pk]
    assert duplicates.reopen(actor=supervisor, suggestion_id=pk).status == "open"


@pytest.mark.parametrize("count", [1, 6])
def test_comparing_asks_as_often_for_one_record_as_for_six(count, django_assert_num_queries):
    ids = [patient.pk for _ in range(count) for patient in pair()]
    duplicates.refresh_profiles(ids)
    duplicates.compare_records(ids)
    with django_assert_num_queries(14):
        duplicates.compare_records(ids)
