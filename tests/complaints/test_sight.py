"""Every way of seeing a complaint: nobody learns of a protected one but its owner, its handlers, and under glass."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from rest_framework.test import APIClient

from complaints.policies import can_approve, can_work
from complaints.selectors import complaints_of, complaints_visible_to, figures
from complaints.services.reading import break_glass_by_reference, open_complaint
from contact_center.accounts import services as accounts
from contact_center.accounts.enums import Role
from contact_center.audit.models import AuditEntry
from contact_center.audit.selectors import looks_at
from contact_center.common.errors import Refused
from inbox.models import Notification
from inbox.services.searching import search_desk
from patients.journey import next_steps_for
from patients.models import BreakGlass
from patients.selectors.access import may_open
from patients.services import glass
from patients.timeline import Look, timeline_of
from tests.factories.accounts import UserFactory
from tests.factories.complaints import ComplaintFactory
from tests.factories.patients import PatientFactory

pytestmark = pytest.mark.django_db
WHY, WORDS = "She asks about it on the phone", "He asks me about my family"


@pytest.fixture
def sealed(talk):
    """A protected complaint of the patient whom the front desk serves, in the hands of a supervisor."""
    return ComplaintFactory(patient=talk.patient, interaction=talk, protection="staff", words=WORDS)


def in_pages(person, complaint, browser):
    """Which pages show that complaint to this person."""
    patient = complaint.patient_id
    pages = {
        "record": f"/patients/{patient}/",
        "line": f"/patients/{patient}/timeline/?kind=complaint",
        "panel": f"/patients/{patient}/pieces/complaints/",
        "conversation": f"/inbox/{complaint.interaction_id}/",
        "page": f"/complaints/{complaint.pk}/",
        "list": "/complaints/",
    }
    told = (complaint.reference, complaint.words)
    shown = {name: browser.get(url).content.decode() for name, url in pages.items()}
    return {name for name, text in shown.items() if any(word in text for word in told)}


def in_data(person, complaint):
    """In which lists, counts, previews, searches and next steps this person finds it."""
    patient, found = complaint.patient, set()
    if complaints_visible_to(person).filter(pk=complaint.pk).exists():
        found.add("rows")
    if figures(person)["open"]:
        found.add("counts")
    if complaints_of(person, patient):
        found.add("previews")
    if may_open(person, patient) and any(
        entry.kind == "complaint" for entry in timeline_of(person, patient, Look()).entries
    ):
        found.add("timeline")
    if may_open(person, patient) and any(
        step.source == complaint.reference for step in next_steps_for(person, patient)
    ):
        found.add("next steps")
    if search_desk(actor=person, text=complaint.reference).matters:
        found.add("search")
    return found


EVERYWHERE = {"rows", "counts", "previews", "timeline", "next steps", "search"}


@pytest.mark.parametrize(("who", "plain", "protected"), [
    ("agent", EVERYWHERE, set()),
    ("clinical_agent", EVERYWHERE, set()),
    ("outsider", set(), set()),
    ("partner_agent", set(), set()),
    ("auditor", set(), set()),
    ("supervisor", EVERYWHERE, EVERYWHERE),
    ("admin", EVERYWHERE, EVERYWHERE),
])  # fmt: skip
def test_who_finds_a_complaint_where(everybody, talk, who, plain, protected):
    person, row = getattr(everybody, who), ComplaintFactory(patient=talk.patient, interaction=talk)
    assert in_data(person, row) == plain
    row.protection = "confidential"
    row.save()
    assert in_data(person, row) == protected


def test_pages_show_a_plain_one_to_those_who_serve_the_patient_and_a_sealed_one_to_handlers(
    agent, supervisor, sealed, signed_in
):
    browsers = {person: signed_in(person) for person in (agent, supervisor)}
    everywhere = {"record", "line", "panel", "page", "list"}
    assert in_pages(supervisor, sealed, browsers[supervisor]) == everywhere
    assert in_pages(agent, sealed, browsers[agent]) == set()
    sealed.protection = "none"
    sealed.save()
    assert in_pages(agent, sealed, browsers[agent]) == {"record", "line", "panel", "page"}


def test_who_registered_or_owns_it_or_is_of_its_team_sees_it_without_serving_the_patient(outsider, other_team, talk):
    for mine in ({"registered_by": outsider, "owner": UserFactory()}, {"owner": outsider}, {"team": other_team}):
        row = ComplaintFactory(patient=PatientFactory(), **mine)
        assert set(complaints_visible_to(outsider)) == {row}
        row.protection = "staff"
        row.save()
        assert set(complaints_visible_to(outsider)) == ({row} if row.owner == outsider else set())
        row.delete()


def test_of_a_protected_patient_as_everywhere_nobody_sees_it_but_its_owner_handlers_and_under_glass(
    agent, second_agent, supervisor, talk
):
    row = ComplaintFactory(patient=talk.patient)
    type(talk.patient).objects.update(sensitivity="vip")
    assert [set(complaints_visible_to(one)) for one in (agent, second_agent)] == [set(), set()]
    row.owner = second_agent
    row.save()
    assert set(complaints_visible_to(second_agent)) == {row}
    glass.break_glass(actor=agent, patient_id=talk.patient_id, reason=WHY)
    assert set(complaints_visible_to(agent)) == set(complaints_visible_to(supervisor)) == {row}


def test_broken_glass_opens_a_sealed_complaint_for_one_person_and_is_on_record(
    agent, second_agent, admin, sealed, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        grant, found = break_glass_by_reference(actor=agent, reference=f" {sealed.reference.lower()} ", reason=WHY)
    assert (grant.patient, found) == (sealed.patient, sealed)
    assert (in_data(agent, sealed), in_data(second_agent, sealed)) == (EVERYWHERE, set())
    assert set(Notification.objects.filter(kind="glass_broken").values_list("user", flat=True)) == {admin.pk}
    open_complaint(actor=agent, complaint_id=sealed.pk)
    seen = AuditEntry.objects.filter(object_type="complaint").get()
    assert (seen.action, seen.detail) == ("viewed", {"glass": grant.pk, "sealed": True})
    assert looks_at(sealed.patient_id) == []
    glass.close_glass(actor=agent, patient_id=sealed.patient_id)
    assert in_data(agent, sealed) == set()


def test_glass_is_broken_with_a_reason_on_what_exists_is_sealed_and_whose_record_is_open(agent, partner_agent, sealed):
    plain = ComplaintFactory()
    hidden = ComplaintFactory(protection="staff", patient=PatientFactory(sensitivity="vip"))
    nobody = ComplaintFactory(protection="staff", patient=None)
    for reference in ("Q-NOSUCH", plain.reference, hidden.reference, nobody.reference):
        with pytest.raises(Refused, match="No protected complaint has this number"):
            break_glass_by_reference(actor=agent, reference=reference, reason=WHY)
    with pytest.raises(ValidationError):
        break_glass_by_reference(actor=agent, reference=sealed.reference, reason="because")
    with pytest.raises(PermissionDenied):
        break_glass_by_reference(actor=partner_agent, reference=sealed.reference, reason=WHY)
    assert BreakGlass.objects.count() == 0


@pytest.mark.parametrize("who", ["supervisor", "admin", "agent", "clinical_agent"])
def test_nobody_finds_or_handles_or_opens_a_complaint_that_speaks_of_them(everybody, talk, who, signed_in):
    person, other = getattr(everybody, who), UserFactory(role="supervisor")
    row = ComplaintFactory(patient=talk.patient, interaction=talk, protection="staff", owner=other, words=WORDS)
    row.about_staff.add(person)
    glass.break_glass_on(actor=person, patient=talk.patient, reason=WHY)
    assert (in_data(person, row), in_data(other, row)) == (set(), EVERYWHERE)
    assert in_pages(person, row, signed_in(person)) == set()
    with pytest.raises(Refused, match="No protected complaint has this number"):
        break_glass_by_reference(actor=person, reference=row.reference, reason=WHY)
    for own in (person, other):
        row.owner = own
        assert (can_work(own, row), can_approve(own, row)) == (own == other, own == other)


def test_the_page_behind_the_number_opens_it_and_a_miss_is_on_record(agent, sealed, signed_in):
    browser, url = signed_in(agent), reverse("complaints:protected")
    missed = browser.post(url, {"reference": "Q-2222222", "reason": WHY})
    assert (missed.status_code, "No protected complaint has this number" in missed.content.decode()) == (422, True)
    assert AuditEntry.objects.filter(action="searched", detail__reason="glass").count() == 1
    found = browser.post(url, {"reference": sealed.reference, "reason": WHY})
    assert (found.status_code, found.url) == (302, f"/complaints/{sealed.pk}/")
    assert WORDS in browser.get(found.url).content.decode()


def key_of(role):
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {accounts.create_api_key(actor=None, name='x', role=role)[1]}")
    return client


def test_the_api_lists_and_reads_what_its_role_sees(sealed):
    plain = ComplaintFactory()
    lead, agent = key_of(Role.SUPERVISOR), key_of(Role.AGENT)
    listed = [row["id"] for row in lead.get("/api/v1/complaints/?severity=moderate").json()["results"]]
    assert (sorted(listed), agent.get("/api/v1/complaints/").json()["results"]) == ([sealed.pk, plain.pk], [])
    assert [one.get(f"/api/v1/complaints/{sealed.pk}/").status_code for one in (lead, agent)] == [200, 404]
    assert lead.get(f"/api/v1/complaints/{sealed.pk}/").json()["words"] == WORDS
    assert key_of(Role.PARTNER_AGENT).get("/api/v1/complaints/").status_code == 403
    assert looks_at(sealed.patient_id) == []


def test_the_number_of_questions_does_not_grow_with_the_complaints(supervisor, agent, talk, signed_in):
    counts = []
    pages = [(signed_in(supervisor), "/complaints/"), (signed_in(agent), f"/patients/{talk.patient_id}/")]
    for wanted in (1, 3):
        while talk.patient.complaints.count() < wanted:
            ComplaintFactory(patient=talk.patient, owner=UserFactory())
        for browser, url in pages:
            browser.get(url)
            with CaptureQueriesContext(connection) as asked:
                browser.get(url)
            counts.append(len(asked))
    assert counts[:2] == counts[2:]
