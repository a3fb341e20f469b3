"""Tasks, checklists, the case and what keeps a conversation open, through the page."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from inbox.enums import CaseStatus
from inbox.models import Case, Interaction, Task
from tests.factories.inbox import (
    CaseFactory,
    ChecklistFactory,
    DispositionFactory,
    InteractionFactory,
    MessageFactory,
    ReasonFactory,
    TaskFactory,
)
from tests.factories.patients import PatientFactory

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true", "HX-Target": "dialogs"}


def url(name, pk):
    return reverse(f"inbox:{name}", args=[pk])


def errors_of(answer, form="form"):
    return {name: list(words) for name, words in answer.context[form].errors.items()}


@pytest.fixture
def mine(agent, sms_channel):
    return InteractionFactory(channel=sms_channel, owner=agent, patient=PatientFactory())


def test_a_task_is_added_changed_ticked_and_removed(agent, second_agent, mine, signed_in):
    client, day = signed_in(agent), timezone.localdate() + timedelta(days=1)
    data = {"title": "Call the lab", "owner": second_agent.pk, "due_date": day, "is_blocking": "on"}
    added = client.post(url("tasks", mine.pk), data, headers=HTMX)
    task = Task.objects.get(interaction=mine)
    assert (added.status_code, task.title, task.owner, task.due_date) == (200, "Call the lab", second_agent, day)
    client.post(url("task", task.pk), {"title": "Call the ward"}, headers=HTMX)
    client.post(url("task-tick", task.pk), {"on": mine.pk, "done": 1}, headers=HTMX)
    task.refresh_from_db()
    assert (task.title, task.owner, task.is_blocking, task.done_by) == ("Call the ward", None, False, agent)
    client.post(url("task-tick", task.pk), {"on": mine.pk, "done": 0}, headers=HTMX)
    task.refresh_from_db()
    assert task.done_at is None
    client.post(url("task-remove", task.pk), headers=HTMX)
    assert Task.objects.count() == 0


def test_a_task_without_words_is_told_at_its_field_and_what_was_typed_stays(agent, mine, signed_in):
    answer = signed_in(agent).post(url("tasks", mine.pk), {"title": "", "is_blocking": "on"}, headers=HTMX)
    assert (answer.status_code, errors_of(answer)) == (422, {"title": ["Say what is to be done."]})
    assert 'name="is_blocking" checked' in answer.content.decode()


def test_a_date_that_has_passed_is_refused_in_words(agent, mine, signed_in):
    data = {"title": "x", "due_date": timezone.localdate() - timedelta(days=1)}
    answer = signed_in(agent).post(url("tasks", mine.pk), data, headers=HTMX)
    assert errors_of(answer) == {"__all__": ["This date has passed. Choose a later one."]}


def test_a_checklist_is_put_in_from_the_same_dialog(agent, mine, signed_in):
    checklist = ChecklistFactory()
    signed_in(agent).post(url("tasks", mine.pk), {"checklist": checklist.pk}, headers=HTMX)
    assert list(mine.tasks.values_list("title", flat=True)) == ["Check the identity", "Send the preparation"]


def test_tasks_of_another_queue_are_not_there(outsider, mine, signed_in):
    task = TaskFactory(interaction=mine)
    client = signed_in(outsider)
    answers = [client.post(url(name, task.pk)).status_code for name in ("task", "task-tick", "task-remove")]
    assert answers == [404, 404, 404]


def test_the_panel_lists_what_is_to_do_with_owner_and_overdue_date(agent, mine, signed_in):
    TaskFactory(interaction=mine, title="Late one", owner=agent, due_date=timezone.localdate() - timedelta(days=2))
    done = TaskFactory(interaction=mine, done_at=timezone.now(), done_by=agent)
    answer = signed_in(agent).get(url("side", mine.pk), headers={"HX-Request": "true", "HX-Target": "side"})
    page = answer.content.decode()
    assert (page.count("Overdue:"), "1 of 2 done" in page) == (1, True)
    assert (answer.context["tasks_done"], answer.context["tasks"][1]) == (1, done)


def wrap(client, interaction, **data):
    return client.post(url("wrap-up", interaction.pk), data, headers=HTMX)


def test_a_blocking_task_is_named_in_the_wrap_up_with_a_link_and_refuses_closing(agent, mine, signed_in):
    task = TaskFactory(interaction=mine, title="Check the identity", is_blocking=True)
    client = signed_in(agent)
    link = f'href="{url("interaction", mine.pk)}#task-{task.pk}"'
    assert link in client.get(url("wrap-up", mine.pk), headers=HTMX).content.decode()
    data = {"reason": ReasonFactory().pk, "disposition": DispositionFactory().pk, "outcome": "All is said."}
    refused = wrap(client, mine, **data)
    assert (refused.status_code, errors_of(refused)) == (422, {"__all__": ["Not done yet: Check the identity."]})
    assert "All is said.</textarea>" in refused.content.decode()
    client.post(url("task-tick", task.pk), {"on": mine.pk, "done": 1}, headers=HTMX)
    assert wrap(client, mine, **data).status_code == 200


def test_the_reason_chosen_at_the_end_brings_its_checklist_too(agent, mine, signed_in):
    reason = ReasonFactory()
    ChecklistFactory(reasons=[reason])
    answer = wrap(signed_in(agent), mine, reason=reason.pk, disposition=DispositionFactory().pk)
    assert (answer.status_code, errors_of(answer)) == (422, {"__all__": ["Not done yet: Check the identity."]})
    mine.refresh_from_db()
    assert (mine.reason, mine.status, mine.tasks.count()) == (reason, "active", 2)


def test_what_the_patient_wrote_meanwhile_is_shown_before_it_may_be_closed(agent, mine, signed_in):
    seen = MessageFactory(interaction=mine)
    MessageFactory(interaction=mine, text="Wait, one more thing")
    client = signed_in(agent)
    data = {"reason": ReasonFactory().pk, "disposition": DispositionFactory().pk, "outcome": "All is said."}
    refused = wrap(client, mine, **data, seen_message_id=seen.pk)
    page = refused.content.decode()
    assert (refused.status_code, [row.text for row in refused.context["newer"]]) == (409, ["Wait, one more thing"])
    assert "All is said.</textarea>" in page
    assert wrap(client, mine, **data, seen_message_id=refused.context["seen_message_id"]).status_code == 200


def test_a_case_is_opened_resolved_closed_and_opened_again(agent, mine, signed_in):
    client, day = signed_in(agent), timezone.localdate() + timedelta(days=2)
    step = {"next_step": "Call the lab", "next_step_date": day, "owner": agent.pk}
    client.post(url("case", mine.pk), {"do": "open", "title": "MRI result", **step}, headers=HTMX)
    case = Case.objects.get(patient=mine.patient)
    assert (case.title, case.next_step, case.next_step_date, case.owner) == ("MRI result", "Call the lab", day, agent)
    assert case.reference in client.get(url("interaction", mine.pk)).content.decode()
    for do, status in (("resolve", "resolved"), ("close", "closed")):
        client.post(url("case", mine.pk), {"do": do}, headers=HTMX)
        case.refresh_from_db()
        assert case.status == status
    client.post(url("case", mine.pk), {"do": "reopen", **step}, headers=HTMX)
    case.refresh_from_db()
    assert case.status == CaseStatus.OPEN


def test_a_case_without_its_step_is_told_at_the_fields(agent, mine, signed_in):
    answer = signed_in(agent).post(url("case", mine.pk), {"do": "open", "title": "x"}, headers=HTMX)
    assert (answer.status_code, sorted(errors_of(answer))) == (422, ["next_step", "next_step_date"])


def test_an_open_case_of_the_patient_can_be_joined_and_no_other(agent, mine, signed_in):
    own = CaseFactory(patient=mine.patient, owner=agent)
    foreign = CaseFactory(patient=PatientFactory(), owner=agent)
    client = signed_in(agent)
    refused = client.post(url("case", mine.pk), {"do": "join", "case": foreign.pk}, headers=HTMX)
    assert (refused.status_code, list(errors_of(refused))) == (422, ["case"])
    client.post(url("case", mine.pk), {"do": "join", "case": own.pk}, headers=HTMX)
    assert Interaction.objects.get(pk=mine.pk).case == own
