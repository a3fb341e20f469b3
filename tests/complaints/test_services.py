"""Registering complaints and moving them on: who may, what is kept, what is refused."""

from datetime import timedelta

import pytest
from django.utils import timezone

from complaints.models import Complaint
from complaints.selectors import figures
from complaints.services import moves
from complaints.services.concluding import Step
from complaints.services.following import follow_conversation
from complaints.services.registering import Told, register_complaint
from complaints.terms import last_day
from contact_center.accounts import services as accounts
from contact_center.audit.models import AuditEntry
from contact_center.common.errors import Conflict, Refused
from inbox.models import Notification
from inbox.selectors.notifications import notices
from inbox.selectors.topics import allowed_topics
from inbox.services.linking import link_patient, unlink_patient
from tests.factories.accounts import TeamFactory, UserFactory
from tests.factories.complaints import ComplaintFactory
from tests.factories.patients import PatientFactory, RelatedPersonFactory

pytestmark = pytest.mark.django_db
WORDS = "Two people told me two things"


def step(days=2):
    return Step("Call her", timezone.localdate() + timedelta(days=days))


def registered(actor, talk=None, **told):
    given = {"patient": told.pop("patient")} if "patient" in told else {}
    told = Told(**{"words": WORDS} | told)
    return register_complaint(actor=actor, told=told, interaction_id=talk.pk if talk else None, **given)


@pytest.fixture
def touched(monkeypatch):
    """The live topics that were counted."""
    topics = []
    monkeypatch.setattr("inbox.realtime._count", lambda found: topics.append(set(found)))
    return topics


def test_a_complaint_from_a_conversation_is_about_its_patient_and_came_its_way(agent, talk, touched):
    made = registered(agent, talk, wanted="A sure answer", category="communication", kind="grievance")
    row = Complaint.objects.get()
    assert (row.patient, row.interaction, row.received_by, row.owner) == (talk.patient, talk, "sms", agent)
    assert (row.status, row.next_step, row.kind) == ("received", "Acknowledge the complaint", "grievance")
    assert row.next_step_date == max(last_day(row.acknowledge_by_at), timezone.localdate())
    assert (len(row.reference), row.reference[:2]) == (9, "Q-")
    trail = AuditEntry.objects.get(object_type="complaint")
    assert (trail.action, trail.object_id, trail.patient_id) == ("created", made.pk, talk.patient_id)
    assert (trail.detail, WORDS in str(trail.detail)) == ({"to": "register"}, False)
    assert touched == [{"complaints", f"agent.{agent.pk}", f"interaction.{talk.pk}"}]


def test_of_a_protected_complaint_nobody_at_the_conversation_hears(agent, supervisor, talk, touched):
    told = Told(words=WORDS, protection="staff")
    made = register_complaint(actor=agent, told=told, interaction_id=talk.pk, owner=supervisor)
    assert touched.pop() == {"complaints", f"agent.{supervisor.pk}"}
    assert (allowed_topics(agent, ["complaints"]), allowed_topics(supervisor, ["complaints"])) == (
        set(),
        {"complaints"},
    )
    moves.protect(actor=supervisor, complaint_id=made.pk, note="She agrees", protection="none")
    assert touched.pop() == {"complaints", f"agent.{supervisor.pk}", f"interaction.{talk.pk}"}


@pytest.mark.parametrize("told", [
    {"words": " \x00 "},
    {"received_at": timezone.now() + timedelta(days=2)},
    {"complainant": "relative"},
])  # fmt: skip
def test_what_cannot_be_so_is_refused(agent, patient, told):
    with pytest.raises(Refused):
        registered(agent, patient=patient, **told)
    assert Complaint.objects.count() == 0


def test_a_relative_must_be_one_of_the_patients(agent, patient):
    stranger, mother = RelatedPersonFactory(patient=PatientFactory()), RelatedPersonFactory(patient=patient, name="Ana")
    with pytest.raises(Refused):
        registered(agent, patient=patient, complainant="relative", relative=stranger)
    row = registered(agent, patient=patient, complainant="relative", relative=mother)
    assert (row.relative, row.complainant_name) == (mother, "Ana")
    assert registered(agent, patient=patient, complainant="other", complainant_name=" Eva ").complainant_name == "Eva"
    assert registered(agent, patient=patient, complainant="anonymous", complainant_name="Eva").complainant_name == ""


def test_partner_agents_and_auditors_register_nothing_and_own_nothing(partner_agent, auditor, agent, patient):
    for person in (partner_agent, auditor):
        with pytest.raises(Refused):
            registered(person, patient=patient)
        with pytest.raises(Refused):
            register_complaint(actor=agent, told=Told(words=WORDS), patient=patient, owner=person)


def test_a_complaint_goes_from_the_first_word_to_the_last(supervisor, agent, patient):
    other = UserFactory(role="supervisor")
    pk = registered(agent, patient=patient, kind="grievance").pk
    on = {"complaint_id": pk, "note": "Because", "step": step()}
    moves.acknowledge(actor=agent, **on)
    moves.triage(actor=supervisor, **on, kind="grievance", category="care", severity="critical")
    moves.start_investigation(actor=agent, **on)
    moves.propose_response(actor=supervisor, **on, response=" We are sorry. ")
    with pytest.raises(Conflict):
        moves.answer(actor=agent, **on)
    with pytest.raises(Refused, match="Somebody else"):
        moves.approve_response(actor=supervisor, **on)
    with pytest.raises(Refused, match="Somebody else"):
        moves.approve_response(actor=agent, **on)
    moves.approve_response(actor=other, **on)
    moves.answer(actor=agent, **on)
    moves.follow_up(actor=agent, **on)
    row = moves.close(actor=agent, complaint_id=pk, note="It is good now")
    assert (row.status, row.severity, row.category, row.response) == ("closed", "critical", "care", "We are sorry.")
    assert (row.approved_by, row.next_step, row.next_step_date) == (other, "", None)
    stamps = ("acknowledged_at", "triaged_at", "investigation_began_at", "proposed_at", "approved_at", "answered_at")
    moments = [getattr(row, name) for name in (*stamps, "follow_up_began_at", "closed_at")]
    assert moments == sorted(moments)
    told = list(row.events.order_by("pk").values_list("verb", "status", "actor"))
    assert told == [
        ("register", "received", agent.pk),
        ("acknowledge", "acknowledged", agent.pk),
        ("triage", "triaged", supervisor.pk),
        ("start_investigation", "investigating", agent.pk),
        ("propose_response", "response_review", supervisor.pk),
        ("approve_response", "response_review", other.pk),
        ("answer", "answered", agent.pk),
        ("follow_up", "recovery_follow_up", agent.pk),
        ("close", "closed", agent.pk),
    ]
    trail = AuditEntry.objects.filter(object_type="complaint", object_id=pk).order_by("pk")
    assert [entry.detail["to"] for entry in trail] == [verb for verb, _status, _actor in told]


def test_its_own_author_may_approve_the_response_to_a_light_one(supervisor):
    row = ComplaintFactory(status="response_review", response_by=supervisor, response="Sorry")
    at = {"actor": supervisor, "complaint_id": row.pk, "note": "Short and kind", "step": step()}
    assert moves.approve_response(**at).approved_by == supervisor
    again = moves.send_back(**at)
    assert (again.status, again.approved_by, again.approved_at) == ("investigating", None, None)


@pytest.mark.parametrize(("verb", "status", "ends"), [
    ("escalate", "triaged", "escalated"),
    ("reopen", "closed", "reopened"),
    ("refer_externally", "answered", "external_review"),
])  # fmt: skip
def test_side_ways_need_a_step_and_a_reason(supervisor, verb, status, ends):
    row, do = ComplaintFactory(status=status), getattr(moves, verb)
    at = {"actor": supervisor, "complaint_id": row.pk}
    with pytest.raises(Refused, match="sentence"):
        do(**at, note="  ", step=step())
    with pytest.raises(Refused, match="passed"):
        do(**at, note="Because", step=step(-1))
    with pytest.raises(Refused, match="next"):
        do(**at, note="Because", step=Step(" ", timezone.localdate()))
    assert (do(**at, note="Because", step=step()).status, Complaint.objects.get().closed_at) == (ends, None)


@pytest.mark.parametrize("ways", [
    ["escalate", "start_investigation"],
    ["withdraw", "reopen", "triage"],
])  # fmt: skip
def test_what_moved_on_unacknowledged_is_acknowledged_where_it_is_and_only_once(supervisor, ways):
    row = ComplaintFactory()
    for name in ways:
        graver = {"kind": "complaint", "category": "care", "severity": "high"} if name == "triage" else {}
        given = {} if name == "withdraw" else {"step": step()} | graver
        getattr(moves, name)(actor=supervisor, complaint_id=row.pk, note="Because", **given)
    before = Complaint.objects.get()
    at = {"actor": supervisor, "complaint_id": row.pk, "note": "Called her", "step": step()}
    after = moves.acknowledge(**at)
    assert (before.acknowledged_at, after.acknowledged_at is None, after.status) == (None, False, before.status)
    assert figures(supervisor)["unacknowledged"] == 0
    with pytest.raises(Conflict):
        moves.acknowledge(**at)


def test_an_answer_acknowledges_what_nobody_did_and_an_outside_body_may_send_it_back(supervisor):
    row = ComplaintFactory(status="response_review", response="Sorry", approved_at=timezone.now())
    at = {"actor": supervisor, "complaint_id": row.pk, "note": "Because", "step": step()}
    answered = moves.answer(**at)
    assert (answered.acknowledged_at, answered.acknowledged_at is None) == (answered.answered_at, False)
    moves.refer_externally(**at)
    assert moves.start_investigation(**at).status == "investigating"


def test_a_concern_is_closed_at_once_a_complaint_only_after_an_answer_and_one_is_withdrawn(supervisor):
    concern, grave = ComplaintFactory(status="triaged", kind="concern"), ComplaintFactory(status="triaged")
    at = {"actor": supervisor, "note": "Put right"}
    assert moves.close(complaint_id=concern.pk, **at).status == "closed"
    with pytest.raises(Conflict):
        moves.close(complaint_id=grave.pk, **at)
    assert moves.withdraw(complaint_id=grave.pk, **at).status == "withdrawn"
    with pytest.raises(Conflict, match="Withdrawn"):
        moves.withdraw(complaint_id=grave.pk, **at)


def test_only_its_owner_and_handlers_move_it_on(agent, second_agent, supervisor):
    row = ComplaintFactory(owner=agent)
    at = {"complaint_id": row.pk, "note": "Called", "step": step()}
    with pytest.raises(Refused, match="owner"):
        moves.acknowledge(actor=second_agent, **at)
    assert moves.acknowledge(actor=agent, **at).status == "acknowledged"
    with pytest.raises(Refused, match="handle"):
        moves.protect(actor=agent, complaint_id=row.pk, note="Hm", protection="staff")
    with pytest.raises(Refused):
        moves.protect(actor=supervisor, complaint_id=row.pk, note="Hm", protection="secret")


def test_it_is_given_to_people_and_teams_who_may_see_it(agent, second_agent, partner_agent, partner_team, supervisor):
    row, team = ComplaintFactory(owner=agent), TeamFactory()
    at = {"actor": supervisor, "complaint_id": row.pk, "note": "She knows the matter"}
    for wrong in ({}, {"owner": partner_agent}, {"team": partner_team}):
        with pytest.raises(Refused):
            moves.assign_complaint(**at, **wrong)
    given = moves.assign_complaint(**at, owner=second_agent, team=team)
    assert (given.owner, given.team, given.events.first().to_user) == (second_agent, team, second_agent)
    closed = ComplaintFactory(status="closed")
    with pytest.raises(Refused, match="over"):
        moves.assign_complaint(actor=supervisor, complaint_id=closed.pk, note="x", owner=agent)


def told(kind):
    return set(Notification.objects.filter(kind=kind).values_list("user", flat=True))


def test_its_new_owner_hears_of_it_and_all_who_handle_complaints_when_it_is_escalated(agent, admin, talk, supervisor):
    made = register_complaint(actor=agent, told=Told(words=WORDS), interaction_id=talk.pk, owner=supervisor)
    assert (told("complaint_given"), told("complaint_escalated")) == ({supervisor.pk}, set())
    at = {"actor": supervisor, "complaint_id": made.pk, "note": "Because"}
    moves.assign_complaint(**at, owner=supervisor)
    moves.assign_complaint(**at, owner=agent)
    moves.assign_complaint(**at, owner=agent, team=TeamFactory())
    assert Notification.objects.filter(user=agent, kind="complaint_given").count() == 1
    made.about_staff.add(lead := UserFactory(role="supervisor"))
    moves.escalate(actor=agent, complaint_id=made.pk, note="Twice", step=step())
    assert (told("complaint_escalated"), lead.is_active) == ({supervisor.pk, admin.pk}, True)
    row = Notification.objects.get(user=agent, kind="complaint_given")
    assert [(one.title, one.about, one.url) for one in notices(agent, [row])] == [
        ("A complaint is yours now", "", "/complaints/?show=mine")
    ]


def test_it_goes_with_its_conversation_to_another_patient(agent, talk, django_capture_on_commit_callbacks):
    mother = RelatedPersonFactory(patient=talk.patient, name="Ana")
    row = registered(agent, talk, complainant="relative", relative=mother)
    right = PatientFactory()
    with django_capture_on_commit_callbacks(execute=True):
        link_patient(actor=agent, interaction_id=talk.pk, patient=right)
    row.refresh_from_db()
    assert (row.patient, row.relative, row.complainant_name) == (right, None, "Ana")
    assert (row.events.first().verb, follow_conversation(interaction_id=talk.pk)) == ("follow_conversation", 0)


def test_it_leaves_a_record_with_its_conversation(agent, talk, django_capture_on_commit_callbacks):
    row = registered(agent, talk)
    with django_capture_on_commit_callbacks(execute=True):
        unlink_patient(actor=agent, interaction_id=talk.pk)
    row.refresh_from_db()
    assert row.patient is None


def test_one_of_somebody_unknown_gets_its_patient_when_the_conversation_does(agent, talk):
    type(talk).objects.update(patient=None)
    row = registered(agent, talk)
    assert row.patient is None
    type(talk).objects.update(patient=PatientFactory())
    assert follow_conversation(interaction_id=talk.pk) == 1


def test_one_about_staff_is_with_somebody_who_handles_complaints_and_is_not_meant(agent, second_agent, supervisor):
    lead, patient = UserFactory(role="supervisor"), PatientFactory()

    def register(owner, **told):
        told = Told(words=WORDS, about_staff=[agent, lead], **{"protection": "staff"} | told)
        return register_complaint(actor=agent, told=told, patient=patient, owner=owner)

    for owner in (None, agent, second_agent, lead):
        with pytest.raises(Refused, match="handles complaints and of whom it does not speak"):
            register(owner)
    with pytest.raises(Refused, match="is protected"):
        register(supervisor, protection="none")
    row = register(supervisor)
    assert (row.owner, set(row.about_staff.all())) == (supervisor, {agent, lead})
    at = {"actor": supervisor, "complaint_id": row.pk, "note": "She asks for it"}
    for wrong in ({"owner": lead}, {"owner": second_agent}, {"team": TeamFactory()}):
        with pytest.raises(Refused):
            moves.assign_complaint(**at, **wrong)


def test_it_is_protected_only_once_a_person_has_it_who_may_see_to_it_then(agent, second_agent, supervisor):
    row, of_a_team = ComplaintFactory(owner=agent), ComplaintFactory(owner=None, team=TeamFactory())
    at = {"actor": supervisor, "note": "It speaks of her"}
    for protection, named in (("staff", []), ("confidential", [agent]), ("none", [second_agent])):
        with pytest.raises(Refused):
            moves.protect(**at, complaint_id=row.pk, protection=protection, about_staff=named)
    with pytest.raises(Refused, match="given to a person"):
        moves.protect(**at, complaint_id=of_a_team.pk, protection="confidential")
    moves.assign_complaint(**at, complaint_id=row.pk, owner=supervisor)
    made = moves.protect(**at, complaint_id=row.pk, protection="staff", about_staff=[agent])
    assert (made.protection, list(made.about_staff.all())) == ("staff", [agent])


def test_who_leaves_or_may_not_see_to_it_any_more_gives_it_back_to_those_who_handle_complaints(
    admin, agent, django_capture_on_commit_callbacks
):
    lead, other = UserFactory(role="supervisor"), UserFactory(role="supervisor")
    mine, over = ComplaintFactory(owner=agent), ComplaintFactory(owner=agent, status="closed")
    staffs, plain = ComplaintFactory(owner=lead, protection="staff"), ComplaintFactory(owner=lead)
    kept = ComplaintFactory(owner=other)
    with django_capture_on_commit_callbacks(execute=True):
        accounts.disable_user(actor=admin, user_id=agent.pk)
        accounts.change_role(actor=admin, user_id=lead.pk, role="agent")
        accounts.end_sessions(other)
    owners = dict(Complaint.objects.values_list("pk", "owner"))
    assert owners == {mine.pk: None, over.pk: agent.pk, staffs.pk: None, plain.pk: lead.pk, kept.pk: other.pk}
    assert [(event.verb, event.actor) for event in mine.events.all()] == [("give_back", None)]
    assert (figures(admin)["unowned"], Complaint.objects.get(pk=mine.pk).responsible) == (
        2,
        "Those who handle complaints",
    )
    again = moves.reopen(actor=admin, complaint_id=over.pk, note="She calls again", step=step())
    assert again.owner is None
