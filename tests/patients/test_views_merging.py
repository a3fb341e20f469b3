"""Pages of duplicates and merges through real HTTP."""

from datetime import date

import pytest
from django.urls import reverse

from contact_center.audit.models import AuditEntry
from patients.models import DuplicateSuggestion, Patient, PatientMerge
from patients.services import duplicates
from tests.factories.patients import ContactPointFactory, PatientFactory

pytestmark = pytest.mark.django_db
BORN = date(1984, 3, 9)


@pytest.fixture
def pair():
    old = PatientFactory(given_name="Inigo", family_name="Arregui", birth_date=BORN, phone="+13055550100")
    new = PatientFactory(given_name="Íñigo", family_name="Arregui", birth_date=BORN, email="i@x.example")
    duplicates.compare_records([old.pk, new.pk])
    return old, new


@pytest.fixture
def lead(signed_in, supervisor):
    return signed_in(supervisor)


def test_the_worklist_names_pairs_with_reasons_and_leaves_a_trace(lead, pair):
    page = lead.get(reverse("patients:duplicates")).content.decode()
    assert [text in page for text in ("Inigo Arregui", "Íñigo Arregui", "Same birth date", "Certain")] == [True] * 4
    entry = AuditEntry.objects.get(action="searched")
    assert entry.detail["found"] == [pair[0].pk, pair[1].pk]
    assert "Inigo" not in lead.get(reverse("patients:duplicates"), {"level": "possible"}).content.decode()


@pytest.mark.parametrize("count", [1, 3])
def test_the_worklist_asks_as_often_for_one_pair_as_for_three(lead, count, django_assert_num_queries):
    for number in range(count):
        twins = PatientFactory.create_batch(
            2, given_name=f"Xu{number}", family_name="Li", birth_date=date(1990, 1, number + 1)
        )
        duplicates.compare_records([twin.pk for twin in twins])
    lead.get(reverse("patients:duplicates"))
    with django_assert_num_queries(13):
        lead.get(reverse("patients:duplicates"))


def test_a_pair_is_merged_as_chosen_and_the_merge_undone(lead, pair):
    old, new = pair
    url = reverse("patients:merge-pair", args=[old.pk, new.pk])
    assert lead.get(url).status_code == 200
    assert [entry.patient_id for entry in AuditEntry.objects.filter(action="viewed").order_by("pk")] == [old.pk, new.pk]
    answer = lead.post(url, {"keep": new.pk, "given_name": old.pk})
    merge = PatientMerge.objects.get()
    assert (answer.url, merge.source, merge.target) == (reverse("patients:merge", args=[merge.pk]), old, new)
    assert Patient.objects.get(pk=new.pk).given_name == "Inigo"
    added = ContactPointFactory(patient=new, value="+13055550177")
    assert "Added since the merge" in lead.get(answer.url).content.decode()
    lead.post(reverse("patients:unmerge", args=[merge.pk]), {"give_back": f"patients.ContactPoint.patient:{added.pk}"})
    assert set(old.contact_points.values_list("value", flat=True)) == {"+13055550100", "+13055550177"}
    assert Patient.objects.get(pk=new.pk).given_name == "Íñigo"
    assert "Undone by" in lead.get(answer.url).content.decode()
    assert "Undone" in lead.get(reverse("patients:merges")).content.decode()


def test_an_old_address_leads_to_the_joined_record(lead, pair, signed_in, auditor):
    old, new = pair
    lead.post(reverse("patients:merge-pair", args=[old.pk, new.pk]), {"keep": new.pk})
    page = reverse("patients:record", args=[old.pk])
    assert lead.get(page).url == reverse("patients:record", args=[new.pk])
    Patient.objects.filter(pk=new.pk).update(sensitivity="vip")
    assert lead.get(page).status_code == 404


def test_what_cannot_be_merged_is_said_on_the_page(lead, pair):
    old, new = pair
    url = reverse("patients:merge-pair", args=[old.pk, new.pk])
    without = lead.post(url, {})
    itself = lead.post(reverse("patients:merge-pair", args=[old.pk, old.pk]), {"keep": old.pk})
    assert (without.status_code, itself.status_code, PatientMerge.objects.count()) == (422, 422, 0)
    assert "Choose which record goes on." in without.content.decode()
    assert "cannot be merged with itself" in itself.content.decode()
    assert lead.get(reverse("patients:merge-pair", args=[old.pk, 10**9])).status_code == 404


def test_the_other_record_is_found_by_name(lead, pair):
    old, new = pair
    page = lead.post(reverse("patients:merge-find", args=[old.pk]), {"q": "Arregui"}).content.decode()
    assert (reverse("patients:merge-pair", args=[old.pk, new.pk]) in page, "Nobody found" in page) == (True, False)


def test_two_people_are_kept_apart_and_asked_again(lead, pair):
    suggestion = DuplicateSuggestion.objects.get()
    lead.post(reverse("patients:duplicate-dismiss", args=[suggestion.pk]))
    again = lead.post(reverse("patients:duplicate-dismiss", args=[suggestion.pk]), follow=True)
    assert "decided on this already" in again.content.decode()
    page = lead.get(reverse("patients:duplicates"), {"status": "dismissed"}).content.decode()
    assert "Ask again" in page
    lead.post(reverse("patients:duplicate-reopen", args=[suggestion.pk]))
    assert DuplicateSuggestion.objects.get().status == "open"


def test_all_records_are_searched_in_the_background(lead, pair):
    answer = lead.post(reverse("patients:duplicate-scan"))
    assert answer.url.startswith("/jobs/")


def test_hidden_records_are_not_there_for_a_merge(lead, pair):
    old, new = pair
    Patient.objects.filter(pk=new.pk).update(sensitivity="vip")
    assert lead.get(reverse("patients:merge-pair", args=[old.pk, new.pk])).status_code == 404
    assert "Arregui" not in lead.get(reverse("patients:duplicates")).content.decode()
