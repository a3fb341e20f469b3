"""Another team is asked: it acknowledges or the work comes back; nothing is lost, and nobody is asked twice."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from contact_center.common.errors import Conflict, Refused
from inbox.enums import NotificationKind
from inbox.models import Escalation, Interaction, Notification
from inbox.selectors.backlog import lying, lying_work_of
from inbox.services import escalations
from inbox.services.backlog import tell_of_lying_work
from inbox.services.interactions import take
from tests.factories.distribution import QueueSettingsFactory, make_available
from tests.factories.inbox import InteractionFactory

pytestmark = pytest.mark.django_db


def waiting(channel, minutes=1, **fields):
    return InteractionFactory(channel=channel, waiting_since_at=timezone.now() - timedelta(minutes=minutes), **fields)


def place(work):
    """(queue, status, owner)"""
    return Interaction.objects.values_list("queue__slug", "status", "owner").get(pk=work.pk)


def kinds(work):
    return list(work.timeline_events.order_by("pk").values_list("kind", flat=True))


def test_another_team_is_asked_with_a_reason_and_its_leads_hear(agent, supervisor, sms_channel, clinical_queue):
    work = waiting(sms_channel, owner=agent)
    with pytest.raises(Refused, match="Say why"):
        escalations.escalate(actor=agent, interaction_id=work.pk, queue=clinical_queue, detail=" ")
    with pytest.raises(Refused, match="another team"):
        escalations.escalate(actor=agent, interaction_id=work.pk, queue=sms_channel.queue, detail="Fever")
    escalations.escalate(actor=agent, interaction_id=work.pk, queue=clinical_queue, detail="Fever")
    assert (place(work), kinds(work)) == (("nurse-line", "queued", None), ["escalated"])
    assert list(Notification.objects.values_list("user", "kind")) == [(supervisor.pk, NotificationKind.ESCALATED)]
    with pytest.raises(Conflict, match="asked already"):
        escalations.escalate(actor=supervisor, interaction_id=work.pk, queue=sms_channel.queue, detail="Again")


@pytest.mark.parametrize("verb", [escalations.acknowledge, take])
def test_whoever_acknowledges_or_takes_it_keeps_it(agent, clinical_agent, sms_channel, clinical_queue, verb):
    work = waiting(sms_channel, owner=agent)
    escalations.escalate(actor=agent, interaction_id=work.pk, queue=clinical_queue, detail="Fever")
    verb(actor=clinical_agent, interaction_id=work.pk)
    found = Escalation.objects.get()
    assert (found.acknowledged_by, found.acknowledged_at is not None) == (clinical_agent, True)
    with time_machine.travel(timezone.now() + timedelta(hours=1)):
        assert (escalations.return_unanswered(), place(work)[0]) == (0, "nurse-line")
    with pytest.raises(Conflict):
        escalations.acknowledge(actor=clinical_agent, interaction_id=work.pk)


def test_without_an_answer_it_comes_back_and_both_teams_leads_hear(agent, supervisor, sms_channel, clinical_queue):
    work = waiting(sms_channel, owner=agent)
    escalations.escalate(actor=agent, interaction_id=work.pk, queue=clinical_queue, detail="Fever")
    with time_machine.travel(timezone.now() + timedelta(seconds=601)):
        assert (escalations.return_unanswered(), escalations.return_unanswered()) == (1, 0)
    assert (place(work), kinds(work)) == (("general", "queued", None), ["escalated", "sent_back"])
    assert Notification.objects.filter(user=supervisor, kind=NotificationKind.ESCALATED).count() == 3


def test_the_other_team_sends_it_back_with_a_reason(agent, clinical_agent, sms_channel, clinical_queue):
    work = waiting(sms_channel, owner=agent)
    with pytest.raises(Conflict, match="did not come"):
        escalations.send_back(actor=agent, interaction_id=work.pk, why="Not ours")
    escalations.escalate(actor=agent, interaction_id=work.pk, queue=clinical_queue, detail="Fever")
    take(actor=clinical_agent, interaction_id=work.pk)
    escalations.send_back(actor=clinical_agent, interaction_id=work.pk, why="A matter of billing")
    assert (place(work), Escalation.objects.get().returned_why) == (("general", "queued", None), "A matter of billing")


def test_what_waits_too_long_overflows_once(sms_channel, queue, clinical_queue):
    QueueSettingsFactory(queue=queue, overflow_queue=clinical_queue, overflow_after_seconds=300)
    late, fresh = waiting(sms_channel, 6), waiting(sms_channel, 4)
    assert (escalations.overflow(), escalations.overflow()) == (1, 0)
    assert (place(late)[0], place(fresh)[0]) == ("nurse-line", "general")
    with time_machine.travel(timezone.now() + timedelta(seconds=601)):
        escalations.return_unanswered()
        assert escalations.overflow() == 1  # the other one; what came back stays
    assert (place(late)[0], place(fresh)[0]) == ("general", "nurse-line")


def test_a_missed_deadline_takes_work_from_whoever_is_away_and_escalates_what_nobody_owns(
    agent, second_agent, sms_channel, queue, clinical_queue
):
    QueueSettingsFactory(queue=queue, escalation_queue=clinical_queue)
    make_available(second_agent)
    absent, present, nobody = (
        waiting(sms_channel, owner=agent),
        waiting(sms_channel, owner=second_agent),
        waiting(sms_channel),
    )
    moved = [escalations.follow_missed_deadline(work) for work in (absent, present, nobody)]
    assert moved == [True, False, True]
    assert place(absent) == ("general", "queued", None)
    assert place(present) == ("general", "active", second_agent.pk)
    assert place(nobody) == ("nurse-line", "queued", None)


def test_what_lies_too_long_is_the_supervisors_and_leads_hear_once_a_day(agent, supervisor, sms_channel):
    old = waiting(sms_channel, 60 * 24 * 8)
    waiting(sms_channel, 60)
    assert (list(lying()), lying_work_of(supervisor)) == ([old], [old])
    assert (tell_of_lying_work(), tell_of_lying_work()) == (1, 0)
    assert list(Notification.objects.values_list("user", "kind")) == [(supervisor.pk, NotificationKind.LEFT_LYING)]
