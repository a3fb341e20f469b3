"""Who hears that a queue goes beyond a limit of the live board, and how often."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from analytics.models import LimitCrossing
from analytics.services import watch_limits
from contact_center.accounts.models import TeamMembership
from inbox.models import Interaction, Notification, NotificationPreference
from inbox.selectors.hours import forget_setup
from inbox.selectors.notifications import notices
from tests.factories.distribution import QueueSettingsFactory
from tests.factories.hours import CalendarFactory
from tests.factories.inbox import InteractionFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def limits(queue):
    """Four may wait, nobody longer than ten minutes."""
    QueueSettingsFactory(queue=queue, alert_waiting=4, alert_wait_seconds=600)
    forget_setup()
    yield
    forget_setup()


@pytest.fixture
def waits(sms_channel):
    """`waits(n)`: so many wait now."""

    def make(count):
        Interaction.objects.all().delete()
        return InteractionFactory.create_batch(count, channel=sms_channel)

    return make


def told():
    return list(Notification.objects.filter(kind="beyond_limit").values_list("user__email", flat=True))


def test_leads_hear_once_of_a_crossing_and_again_of_the_next_one(waits, supervisor, queue):
    heard = []
    for count in (3, 4, 5, 3, 4, 2, 4):
        waits(count)
        watch_limits()
        heard.append(len(told()))
    assert heard == [0, 1, 1, 1, 1, 1, 2]
    assert LimitCrossing.objects.filter(ended_at=None, queue=queue).count() == 1


@pytest.mark.parametrize(("is_lead", "place"), [(False, "/board/"), (True, "/inbox/?view=unassigned")])
def test_the_notice_names_its_queue_whatever_becomes_of_the_work_and_opens_the_board_to_those_who_may_see_it(
    waits, supervisor, agent, queue, other_queue, is_lead, place
):
    TeamMembership.objects.filter(user=agent).update(is_lead=is_lead)
    waits(4)
    watch_limits()
    Interaction.objects.update(queue=other_queue)
    told_of = Notification.objects.filter(kind="beyond_limit")
    (notice,) = notices(agent if is_lead else supervisor, told_of)
    assert told_of.get().user == (agent if is_lead else supervisor)
    assert (notice.title, notice.url) == (f"More waits in {queue.name}, or longer, than its limit allows", place)


def test_one_who_waits_too_long_is_enough(waits, supervisor):
    waits(1)
    with time_machine.travel(timezone.now() + timedelta(minutes=10)):
        assert watch_limits() == 1
    assert told() == [supervisor.email]


def test_whoever_does_not_want_to_hear_of_it_does_not(waits, supervisor):
    NotificationPreference.objects.create(user=supervisor, kind="beyond_limit", in_app=False)
    waits(4)
    assert (watch_limits(), told()) == (1, [])


def test_nobody_hears_of_a_closed_queue_before_it_opens(waits, supervisor, queue):
    queue.calendar = CalendarFactory()
    queue.save()
    forget_setup()
    seen = []
    for moment in ("2026-11-21T17:00:00Z", "2026-11-23T15:00:00Z"):  # a Saturday and a Monday, by day
        with time_machine.travel(moment, tick=False):
            waits(4)
            seen.append((watch_limits(), told()))
    assert seen == [(0, []), (1, [supervisor.email])]
