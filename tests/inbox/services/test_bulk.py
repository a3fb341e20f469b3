"""Changes to many interactions: each with the actor's own rights, told one by one, and taken back where possible."""

from datetime import timedelta

import pytest
from django.utils import timezone

from contact_center.audit.models import AuditEntry
from contact_center.common.errors import Refused
from contact_center.jobs import worker
from contact_center.jobs.models import Job
from inbox.enums import InteractionStatus, Priority
from inbox.models import Interaction, Tag
from inbox.services import bulk, exports
from tests.factories.inbox import DispositionFactory, InteractionFactory, ReasonFactory
from tests.factories.patients import PatientFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def three(sms_channel, agent):
    return [InteractionFactory(channel=sms_channel, owner=agent).pk for _ in range(3)]


def owners(ids):
    return list(Interaction.objects.filter(pk__in=ids).order_by("pk").values_list("owner_id", flat=True))


def test_each_is_done_or_refused_on_its_own(agent, second_agent, three, sms_channel):
    foreign = InteractionFactory(channel=sms_channel, owner=second_agent).pk
    result = bulk.carry_out(
        actor=agent, order={"action": "assign", "assignee": second_agent.pk}, ids=[*three[:2], foreign, 10**9]
    )
    assert (result.done, owners(three)) == (
        [*three[:2], foreign],
        [second_agent.pk, second_agent.pk, agent.pk],
    )
    assert result.refused == [(10**9, "You may no longer see this one.")]


def test_what_one_may_not_do_singly_one_may_not_do_in_bulk(agent, second_agent, sms_channel):
    theirs = InteractionFactory(channel=sms_channel, owner=second_agent).pk
    result = bulk.carry_out(actor=agent, order={"action": "assign", "assignee": agent.pk}, ids=[theirs])
    assert result.refused == [(theirs, "Only its owner or a supervisor may assign this interaction.")]
    assert owners([theirs]) == [second_agent.pk]


def test_rows_of_other_queues_are_refused_as_if_they_were_not_there(outsider, three):
    result = bulk.carry_out(actor=outsider, order={"action": "priority", "priority": 1}, ids=three)
    assert {why for _pk, why in result.refused} == {"You may no longer see this one."}
    assert set(Interaction.objects.values_list("priority", flat=True)) == {Priority.NORMAL}


@pytest.mark.parametrize(
    "order",
    [
        {"action": "priority", "priority": 1},
        {"action": "tag", "tag": "tag"},
        {"action": "transfer", "queue": "queue", "why": "Insurance"},
        {"action": "assign", "assignee": "second"},
        {"action": "snooze", "until_at": ""},
        {"action": "close", "disposition": "done", "reason": "reason", "asked_at": ""},
    ],
    ids=lambda order: order["action"],
)
def test_a_change_is_taken_back_as_it_was(order, agent, second_agent, three, partner_queue, sms_channel):
    free = InteractionFactory(channel=sms_channel).pk
    rows = {
        "tag": Tag.objects.create(name="Fasting", slug="fasting"),
        "queue": partner_queue,
        "second": second_agent,
        "done": DispositionFactory(is_resolved=True),
        "reason": ReasonFactory(),
    }
    order = {name: rows[value].pk if value in rows and name != "action" else value for name, value in order.items()}
    if "asked_at" in order:
        order["asked_at"] = timezone.now().isoformat()
    ids = three if order["action"] == "assign" else [*three, free]

    def picture():
        found = Interaction.objects.filter(pk__in=ids).order_by("pk")
        return [(row.status, row.owner_id, row.queue_id, row.priority, row.tags.count()) for row in found]

    before = picture()
    result = bulk.carry_out(actor=agent, order=order, ids=ids)
    assert (result.done, result.refused) == (ids, [])
    assert all(old != new for old, new in zip(before, picture(), strict=True))
    undone = bulk.take_back(actor=agent, steps=result.undo)
    if order["action"] == "assign":  # whoever gave it away may not take it from its new owner
        assert {why for _pk, why in undone.refused} == {"Only its owner or a supervisor may assign this interaction."}
    elif order["action"] == "transfer":
        assert picture() == before
    else:
        assert (undone.refused, picture()) == ([], before)


def test_what_somebody_changed_since_is_not_taken_back(agent, three):
    result = bulk.carry_out(actor=agent, order={"action": "priority", "priority": 1}, ids=three[:1])
    bulk.carry_out(actor=agent, order={"action": "priority", "priority": 2}, ids=three[:1])
    undone = bulk.take_back(actor=agent, steps=result.undo)
    assert undone.refused == [(three[0], "Somebody has changed it since.")]


def test_nothing_is_closed_over_a_patients_newer_words(agent, three):
    asked_at = timezone.now() - timedelta(minutes=1)
    order = {"action": "close", "disposition": DispositionFactory().pk, "reason": ReasonFactory().pk}
    result = bulk.carry_out(actor=agent, order=order | {"asked_at": asked_at.isoformat()}, ids=three[:1])
    assert result.refused == [(three[0], "The patient wrote meanwhile. Read it before you close.")]


def test_many_become_a_job_with_the_same_outcome(agent, sms_channel):
    ids = [InteractionFactory(channel=sms_channel, owner=agent).pk for _ in range(21)]
    order = {"action": "snooze", "until_at": (timezone.now() + timedelta(hours=2)).isoformat()}
    result = bulk.carry_out(actor=agent, order=order, ids=ids)
    assert (result.done, result.job.total) == ([], 21)
    worker.run_jobs()
    assert set(Interaction.objects.values_list("status", flat=True)) == {InteractionStatus.SNOOZED}
    assert Job.objects.get().done_count == 21


@pytest.mark.parametrize(
    ("order", "ids", "why"),
    [({"action": "delete"}, [1], "Choose what to do."), ({"action": "read"}, [], "Nothing is selected.")],
)
def test_a_senseless_order_is_refused(agent, order, ids, why):
    with pytest.raises(Refused, match=why):
        bulk.carry_out(actor=agent, order=order, ids=ids)


def test_an_export_has_only_what_its_owner_may_see_and_no_formulas(agent, sms_channel, other_queue):
    patient = PatientFactory(given_name="=cmd()", family_name="Quispe")
    mine = InteractionFactory(channel=sms_channel, owner=agent, patient=patient, next_step="+1 call")
    InteractionFactory(channel=sms_channel, queue=other_queue, contact_name="Not mine")
    exports.start_export(actor=agent, look="view=open", total=2)
    worker.run_jobs()
    job = Job.objects.get()
    lines = job.file.open("rb").read().decode("utf-8-sig").splitlines()
    assert (job.status, len(lines)) == ("done", 2)
    assert lines[1].startswith(f"{mine.pk},") and "'=cmd() Quispe" in lines[1] and "'+1 call" in lines[1]
    trace = AuditEntry.objects.get(action="exported")
    assert trace.detail == {"job": job.pk, "count": 1, "look": "view=open"}


def test_partner_agents_do_not_export(partner_agent):
    with pytest.raises(Refused, match="You may not export"):
        exports.start_export(actor=partner_agent, look="view=open", total=1)
