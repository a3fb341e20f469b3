"""Long work whose worker dies between any two steps: nothing is done twice, nothing is left."""

from datetime import timedelta

import pytest
from django.utils import timezone

from contact_center.jobs import worker
from contact_center.jobs.models import Job
from inbox.enums import Priority
from inbox.models import Interaction, TimelineEvent
from inbox.services import bulk
from tests.factories.inbox import InteractionFactory
from tests.faults.crash import die_within, steps_of

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]


def begin(agent, channel):
    """A bulk job over two conversations of the agent's, as if it had been asked for more."""
    TimelineEvent.objects.all().delete()
    Job.objects.all().delete()
    Interaction.objects.all().delete()
    ids = [InteractionFactory(channel=channel, owner=agent).pk for _ in range(2)]
    order = {"action": "priority", "priority": int(Priority.URGENT)}
    return bulk.start(owner=agent, kind=bulk.KIND, title="Set the priority (2)", items=ids, parameters=order)


def test_a_worker_that_dies_between_any_two_steps_of_a_job_leaves_it_to_another(agent, sms_channel):
    begin(agent, sms_channel)
    worker.run_jobs()  # what a process looks up only once is no step of a job
    begin(agent, sms_channel)
    steps = steps_of(worker.run_jobs)
    wrong, deaths = {}, 0
    for step in range(1, steps + 1, 4):  # before it and after it: every second gap
        for is_after in (False, True):
            job = begin(agent, sms_channel)
            deaths += die_within(worker.run_jobs, step, is_after=is_after)
            Job.objects.filter(claimed_at__isnull=False).update(
                claimed_at=timezone.now() - worker.STALE - timedelta(seconds=1)
            )
            worker.run_jobs()
            job.refresh_from_db()
            done = list(TimelineEvent.objects.filter(kind="priority_changed").values_list("interaction", flat=True))
            counted = (job.status, job.done_count, job.failed_count, len(done), len(set(done)))
            if counted != ("done", 2, 0, 2, 2):
                wrong[step, is_after] = counted
    print(f"jobs: killed at {deaths} of {steps} steps: {len(wrong)} left undone or done twice")
    assert (wrong, deaths >= steps // 2) == ({}, True)
