"""Things to do, checklists, and what they block."""

from datetime import timedelta

import pytest
from django.utils import timezone

from contact_center.audit.models import AuditEntry
from contact_center.common.errors import Refused
from inbox.enums import TimelineKind
from inbox.models import Task, TimelineEvent
from inbox.services.interactions import close
from inbox.services.labels import set_reason
from inbox.services.tasks import add_task, change_task, put_in_checklist, remove_task, set_task_done
from tests.factories.inbox import ChecklistFactory, DispositionFactory, InteractionFactory, ReasonFactory, TaskFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def mine(agent, sms_channel):
    return InteractionFactory(channel=sms_channel, owner=agent)


def titles(interaction):
    return list(Task.objects.filter(interaction=interaction).values_list("title", flat=True))


def refusal(verb, **given):
    with pytest.raises(Refused) as raised:
        verb(**given)
    return str(raised.value)


def test_a_task_has_words_owner_date_and_place(agent, second_agent, mine):
    day = timezone.localdate()
    add_task(actor=agent, interaction_id=mine.pk, title=" Call   the lab ", owner=second_agent, due_date=day)
    second = add_task(actor=agent, interaction_id=mine.pk, title="Write", is_blocking=True)
    first = Task.objects.get(title="Call the lab")
    assert (first.owner, first.due_date, first.is_blocking, first.position) == (second_agent, day, False, 0)
    assert (second.owner, second.due_date, second.is_blocking, second.position) == (None, None, True, 1)
    assert AuditEntry.objects.filter(object_type="task", action="created").count() == 2


def test_it_is_ticked_once_by_somebody_and_the_tick_can_be_taken_back(agent, mine):
    task = TaskFactory(interaction=mine, title="Call the lab")
    for _again in range(2):
        set_task_done(actor=agent, task_id=task.pk, is_done=True)
    task.refresh_from_db()
    assert (task.done_by, task.done_at is not None) == (agent, True)
    events = TimelineEvent.objects.filter(interaction=mine)
    assert list(events.values_list("kind", "detail")) == [(TimelineKind.TASK_DONE, "Call the lab")]
    set_task_done(actor=agent, task_id=task.pk, is_done=False)
    task.refresh_from_db()
    assert (task.done_by, task.done_at) == (None, None)


def test_it_is_changed_and_removed(agent, mine):
    task = TaskFactory(interaction=mine)
    change_task(actor=agent, task_id=task.pk, title="Other words", owner=agent, is_blocking=True)
    task.refresh_from_db()
    assert (task.title, task.owner, task.is_blocking) == ("Other words", agent, True)
    remove_task(actor=agent, task_id=task.pk)
    assert titles(mine) == []
    gone = "This task was removed meanwhile."
    assert refusal(remove_task, actor=agent, task_id=task.pk) == gone
    assert refusal(set_task_done, actor=agent, task_id=task.pk, is_done=True) == gone


def test_what_makes_no_sense_is_refused_in_words(agent, auditor, mine):
    at = {"actor": agent, "interaction_id": mine.pk}
    yesterday = timezone.localdate() - timedelta(days=1)
    assert refusal(add_task, **at, title=" ") == "Say what is to be done."
    assert refusal(add_task, **at, title="x" * 201) == "This is too long: 200 letters at most."
    assert refusal(add_task, **at, title="x", due_date=yesterday) == "This date has passed. Choose a later one."
    assert refusal(add_task, **at, title="x", owner=auditor) == f"{auditor} does not work in the inbox."
    by_auditor = at | {"actor": auditor}
    assert refusal(add_task, **by_auditor, title="x") == "You may not work on this interaction."
    assert titles(mine) == []


def test_a_date_that_has_passed_may_stay_when_the_words_change(agent, mine):
    yesterday = timezone.localdate() - timedelta(days=1)
    task = TaskFactory(interaction=mine, due_date=yesterday)
    change_task(actor=agent, task_id=task.pk, title="Other words", due_date=yesterday)
    task.refresh_from_db()
    assert (task.title, task.due_date) == ("Other words", yesterday)


def test_there_is_an_end_to_the_list(agent, mine):
    Task.objects.bulk_create(Task(interaction=mine, title=str(n)) for n in range(100))
    assert refusal(add_task, actor=agent, interaction_id=mine.pk, title="x") == "There are 100 tasks at most."


def test_a_checklist_is_put_in_once(agent, mine):
    checklist = ChecklistFactory()
    put_in_checklist(actor=agent, interaction_id=mine.pk, checklist=checklist)
    assert put_in_checklist(actor=agent, interaction_id=mine.pk, checklist=checklist) == []
    assert titles(mine) == ["Check the identity", "Send the preparation"]
    assert list(mine.tasks.values_list("is_blocking", "owner")) == [(True, agent.pk), (False, agent.pk)]


def test_a_checklist_out_of_use_is_refused(agent, mine):
    checklist = ChecklistFactory(is_active=False)
    sentence = refusal(put_in_checklist, actor=agent, interaction_id=mine.pk, checklist=checklist)
    assert sentence == "This checklist is not in use any more."


def test_the_reason_brings_its_checklists(agent, mine):
    reason = ReasonFactory()
    ChecklistFactory(reasons=[reason])
    ChecklistFactory(reasons=[ReasonFactory()])
    ChecklistFactory(reasons=[reason], is_active=False)
    set_reason(actor=agent, interaction_id=mine.pk, reason=reason)
    assert titles(mine) == ["Check the identity", "Send the preparation"]


def test_a_blocking_task_that_is_not_done_keeps_it_open(agent, mine):
    blocking = TaskFactory(interaction=mine, title="Check the identity", is_blocking=True)
    TaskFactory(interaction=mine, title="Send a survey")
    given = {"actor": agent, "interaction_id": mine.pk, "reason": ReasonFactory(), "disposition": DispositionFactory()}
    assert refusal(close, **given) == "Not done yet: Check the identity."
    set_task_done(actor=agent, task_id=blocking.pk, is_done=True)
    assert close(**given).is_done


def test_nothing_is_added_to_a_closed_one(agent, mine):
    close(actor=agent, interaction_id=mine.pk, reason=ReasonFactory(), disposition=DispositionFactory())
    closed = "This interaction is closed. Reopen it first."
    assert refusal(add_task, actor=agent, interaction_id=mine.pk, title="x") == closed
