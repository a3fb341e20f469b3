"""Needs that outlive one contact."""

from datetime import timedelta

import pytest
from django.utils import timezone

from contact_center.common.errors import Conflict, Refused
from inbox.enums import CaseStatus, TimelineKind
from inbox.models import TimelineEvent
from inbox.services.cases import (
    assign_case,
    close_case,
    join_case,
    open_case,
    reopen_case,
    resolve_case,
    resume_case,
    wait_on_case,
)
from inbox.services.interactions import close
from tests.factories.inbox import CaseFactory, DispositionFactory, InteractionFactory, ReasonFactory
from tests.factories.patients import PatientFactory

pytestmark = pytest.mark.django_db
TODAY = timezone.localdate


@pytest.fixture
def mine(agent, sms_channel):
    return InteractionFactory(channel=sms_channel, owner=agent, patient=PatientFactory(), priority=2)


def step(**given):
    return {"next_step": "Call the lab", "next_step_date": TODAY(), **given}


def refusal(kind, verb, **given):
    with pytest.raises(kind) as raised:
        verb(**given)
    return str(raised.value)


def test_a_case_takes_patient_priority_and_queue_of_its_conversation(agent, mine):
    case = open_case(actor=agent, interaction_id=mine.pk, title="MRI result", **step(owner=agent))
    mine.refresh_from_db()
    assert mine.case == case
    assert (case.patient, case.priority, case.queue, case.owner) == (mine.patient, 2, mine.queue, agent)
    event = TimelineEvent.objects.get(interaction=mine)
    assert (event.kind, event.detail) == (TimelineKind.CASE_OPENED, case.reference)


def test_nobody_is_made_responsible_for_what_they_may_not_see(agent, auditor, mine):
    at = {"actor": agent, "interaction_id": mine.pk}
    unseen = f"{auditor} may not see this case."
    assert refusal(Refused, open_case, **at, title="MRI result", **step(owner=auditor)) == unseen
    open_case(**at, title="MRI result", **step())
    resolve_case(**at)
    assert refusal(Refused, reopen_case, **at, **step(owner=auditor)) == unseen
    ended = {"reason": ReasonFactory(), "disposition": DispositionFactory(is_resolved=False)}
    given = {"next_step": "Call", "next_step_owner": auditor, "next_step_date": TODAY()}
    assert refusal(Refused, close, **at, **ended, **given) == unseen
    mine.refresh_from_db()
    assert (mine.status, mine.case.status, mine.case.owner) == ("active", CaseStatus.RESOLVED, None)


def test_one_conversation_has_one_open_case(agent, mine):
    at = {"actor": agent, "interaction_id": mine.pk}
    first = open_case(**at, title="MRI result", **step())
    known = refusal(Conflict, open_case, **at, title="Again", **step())
    assert known == "This conversation belongs to an open case already."
    resolve_case(**at)
    assert open_case(**at, title="Another need", **step()).pk != first.pk


def test_a_case_needs_words_a_step_and_a_day_to_come(agent, mine):
    at = {"actor": agent, "interaction_id": mine.pk}
    assert refusal(Refused, open_case, **at, title=" ", **step()) == "Say what the case is about."
    assert refusal(Refused, open_case, **at, title="x", **step(next_step=" ")) == "Say what happens next."
    past = step(next_step_date=TODAY() - timedelta(days=1))
    assert refusal(Refused, open_case, **at, title="x", **past) == "The date of the next step has passed."


def test_a_conversation_joins_an_open_case_of_its_patient_only(agent, mine):
    at = {"actor": agent, "interaction_id": mine.pk}
    own, other = CaseFactory(patient=mine.patient), CaseFactory(patient=PatientFactory())
    done = CaseFactory(patient=mine.patient, status=CaseStatus.RESOLVED)
    other_patient = "This case belongs to another patient."
    assert refusal(Refused, join_case, **at, case_id=other.pk) == other_patient
    assert refusal(Conflict, join_case, **at, case_id=done.pk) == (
        "This case is resolved. Open it again or open a new one."
    )
    for _again in range(2):
        join_case(**at, case_id=own.pk)
    mine.refresh_from_db()
    assert mine.case == own
    assert TimelineEvent.objects.filter(interaction=mine, kind=TimelineKind.CASE_JOINED).count() == 1


def test_one_of_an_unknown_person_joins_no_case(agent, sms_channel):
    unknown = InteractionFactory(channel=sms_channel, owner=agent)
    case = CaseFactory(patient=None)
    assert refusal(Refused, join_case, actor=agent, interaction_id=unknown.pk, case_id=case.pk) == (
        "This case belongs to another patient."
    )


def test_a_case_is_resolved_then_closed_and_may_open_again(agent, mine):
    at = {"actor": agent, "interaction_id": mine.pk}
    assert refusal(Refused, resolve_case, **at) == "This conversation belongs to no case."
    open_case(**at, title="MRI result", **step())
    assert refusal(Refused, close_case, **at) == "Resolve the case first."
    assert resolve_case(**at).status == CaseStatus.RESOLVED
    assert refusal(Refused, resolve_case, **at) == "This case is resolved already."
    assert close_case(**at).status == CaseStatus.CLOSED
    again = reopen_case(**at, **step(next_step="Ask the doctor"))
    assert (again.status, again.next_step, again.closed_at) == (CaseStatus.OPEN, "Ask the doctor", None)
    assert refusal(Refused, reopen_case, **at, **step()) == "This case is open already."


def test_a_case_waits_for_somebody_else_with_its_step_and_goes_on(agent, mine):
    at = {"actor": agent, "interaction_id": mine.pk}
    case = open_case(**at, title="MRI result", **step())
    assert refusal(Refused, resume_case, **at) == "This case does not wait."
    waiting = wait_on_case(actor=agent, case_id=case.pk)
    assert (waiting.status, waiting.next_step, waiting.next_step_date) == (CaseStatus.WAITING, "Call the lab", TODAY())
    assert refusal(Refused, wait_on_case, **at) == "Only an open case can wait."
    assert resume_case(actor=agent, case_id=case.pk).status == CaseStatus.OPEN
    assert resolve_case(actor=agent, case_id=case.pk).status == CaseStatus.RESOLVED


def test_a_case_is_given_away_by_its_owner_or_a_supervisor_to_whoever_may_see_it(
    agent, second_agent, supervisor, outsider, mine
):
    case = open_case(actor=agent, interaction_id=mine.pk, title="MRI result", **step(owner=agent))
    at = {"case_id": case.pk}
    theirs = "Only its owner or a supervisor may give this case away."
    assert refusal(Refused, assign_case, actor=second_agent, owner=second_agent, **at) == theirs
    assert assign_case(actor=agent, owner=second_agent, **at).owner == second_agent
    assert assign_case(actor=supervisor, owner=None, **at).owner is None
    assert assign_case(actor=agent, owner=agent, **at).owner == agent
    resolve_case(actor=agent, **at)
    assert refusal(Refused, assign_case, actor=agent, owner=None, **at) == "This case is resolved already."


def test_a_sensitive_case_is_not_given_to_a_partner_and_none_is_left_to_nobody(agent, supervisor, partner_agent):
    case = CaseFactory(owner=supervisor, reason=ReasonFactory(is_sensitive=True))
    hidden = f"{partner_agent} may not see this case."
    assert refusal(Refused, assign_case, actor=supervisor, owner=partner_agent, case_id=case.pk) == hidden
    nobody = "Choose who is responsible for it."
    assert refusal(Refused, assign_case, actor=supervisor, owner=None, case_id=case.pk) == nobody
    case.refresh_from_db()
    assert case.owner == supervisor
