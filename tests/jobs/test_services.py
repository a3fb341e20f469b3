"""Long work: every item once, whatever happens to workers; stop, try again, files."""

import threading
from datetime import timedelta

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from contact_center.audit.enums import AuditAction
from contact_center.audit.models import AuditEntry
from contact_center.audit.services import record
from contact_center.common.errors import Conflict, Refused
from contact_center.jobs import registry, selectors, services, worker
from contact_center.jobs.models import Job, JobItem
from tests.blocking import until_somebody_waits

pytestmark = pytest.mark.django_db


def start(owner, *items, kind="noting", **options):
    return services.start(owner=owner, kind=kind, title="Note them", items=items, **options)


def fresh(job):
    return Job.objects.get(pk=job.pk)


def statuses(job):
    return dict(JobItem.objects.filter(job=job).values_list("object_id", "status"))


def test_every_item_is_done_once_and_the_job_says_so(agent, done):
    job = start(agent, 1, 2, 2, 3)
    assert worker.run_jobs() == 1
    job = fresh(job)
    assert done == [1, 2, 3]
    assert (job.status, job.total, job.done_count, job.failed_count, job.claimed_at) == ("done", 3, 3, 0, None)
    assert worker.run_jobs() == 0


def test_what_is_refused_or_breaks_is_listed_with_its_reason_and_holds_up_nothing(agent, done):
    job = start(agent, 1, 13, 66, 2)
    worker.run_jobs()
    assert done == [1, 2]
    assert (fresh(job).status, fresh(job).done_count, fresh(job).failed_count) == ("done", 2, 2)
    assert [trouble.why for trouble in selectors.troubles_of(agent, job)] == [
        "Thirteen is taken.",
        "Something went wrong with this one.",
    ]


def test_the_rest_can_be_tried_again_as_a_new_job(agent, done):
    job = start(agent, 1, 13)
    worker.run_jobs()
    again = services.try_again(actor=agent, job_id=job.pk)
    assert (statuses(again), again.kind, again.parameters) == ({13: "waiting"}, "noting", {})
    with pytest.raises(Conflict):
        services.try_again(actor=agent, job_id=again.pk)


@pytest.mark.django_db(transaction=True)
def test_a_stop_waits_for_the_item_that_is_being_done(agent, done):
    """An item leaves its entry in its owner's trail and then counts itself; a stop in another order is a deadlock."""
    job = start(agent, 1)
    Job.objects.filter(pk=job.pk).update(status="running")
    held, problems = threading.Event(), []

    def do_item():
        try:
            with transaction.atomic():
                record(actor=agent, action=AuditAction.CHANGED, object_type="job")
                held.set()
                until_somebody_waits()
                Job.objects.filter(pk=job.pk).update(done_count=1)
        except OperationalError as error:
            problems.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=do_item)
    thread.start()
    held.wait(10)
    services.stop(actor=agent, job_id=job.pk)
    thread.join(10)
    assert (problems, fresh(job).is_stop_wanted, fresh(job).done_count) == ([], True, 1)


def test_a_job_that_no_worker_has_begun_stops_at_once(agent, done):
    job = start(agent, 1)
    services.stop(actor=agent, job_id=job.pk)
    worker.run_jobs()
    assert (fresh(job).status, done, statuses(job)) == ("stopped", [], {1: "skipped"})
    with pytest.raises(Conflict):
        services.stop(actor=agent, job_id=job.pk)


def test_a_running_job_stops_between_two_items_and_keeps_what_is_done(agent, done):
    def do(job, object_id):
        done.append(object_id)
        if object_id == 2:
            services.stop(actor=agent, job_id=job.pk)

    registry.register("noting", registry.Kind(title="Noting", do=do))
    job = start(agent, 1, 2, 3)
    worker.run_jobs()
    assert (fresh(job).status, done) == ("stopped", [1, 2])
    assert statuses(job) == {1: "done", 2: "done", 3: "skipped"}


def test_a_job_of_a_dead_worker_goes_on_with_what_is_left(agent, done):
    job = start(agent, 1, 2)
    worker._claim(0)
    JobItem.objects.filter(job=job, object_id=1).update(status="done")
    Job.objects.filter(pk=job.pk).update(done_count=1)
    assert worker.run_jobs() == 0  # the other worker may still live
    Job.objects.filter(pk=job.pk).update(claimed_at=timezone.now() - worker.STALE - timedelta(seconds=1))
    worker.run_jobs()
    assert (done, fresh(job).status, fresh(job).done_count) == ([2], "done", 2)


def test_nothing_is_done_for_whoever_may_not_work_here_any_more(agent, done):
    job = start(agent, 1)
    agent.is_active = False
    agent.save()
    worker.run_jobs()
    assert (fresh(job).status, done) == ("failed", [])
    assert fresh(job).error == "Whoever started it may not work here any more."


@pytest.mark.parametrize(
    ("kind", "items", "why"),
    [
        ("unknown", [1], "This kind of work is not known here."),
        ("noting", [], "Nothing is selected."),
        ("noting", range(20_001), "That is too much at once: 20000 at most."),
    ],
)
def test_senseless_work_is_refused(agent, done, kind, items, why):
    with pytest.raises(Refused, match=why):
        services.start(owner=agent, kind=kind, title="x", items=items)
    assert Job.objects.count() == 0


def test_a_kind_whose_app_is_gone_fails_in_words(agent, done):
    job = start(agent, 1)
    Job.objects.filter(pk=job.pk).update(kind="gone")
    worker.run_jobs()
    assert (fresh(job).status, fresh(job).error) == ("failed", "This kind of work is not known here.")


def test_an_export_is_a_file_of_its_rows_without_formulas(agent, sheet):
    sheet += [['=HYPERLINK("x")', -5], [" +1", None], ["ok", "a\nb"]]
    job = start(agent, kind="listing", total=4)
    worker.run_jobs()
    job = fresh(job)
    text = job.file.open("rb").read().decode("utf-8-sig")
    lines = ["Name,Count", "María,1", '"\'=HYPERLINK(""x"")",\'-5', "' +1,", 'ok,"a\nb"']
    assert (job.status, job.done_count, text) == ("done", 4, "\r\n".join(lines) + "\r\n")


def test_the_file_goes_after_a_day(agent, sheet):
    job = start(agent, kind="listing", total=1)
    worker.run_jobs()
    until = selectors.file_until(fresh(job))
    assert until == fresh(job).finished_at + timedelta(hours=24)
    assert worker.expire_files() == 0
    Job.objects.update(finished_at=timezone.now() - timedelta(hours=25))
    assert (selectors.file_until(fresh(job)), worker.expire_files(), bool(fresh(job).file)) == (None, 1, False)


def test_the_time_left_follows_the_pace(agent, done):
    job = start(agent, *range(10))
    now = timezone.now()
    job.start()
    job.started_at = now - timedelta(seconds=20)
    job.done_count = 2
    assert selectors.seconds_left(job, now=now) is None
    job.done_count = 4
    assert selectors.seconds_left(job, now=now) == 30


def test_starting_stopping_and_trying_again_leave_traces(agent, done):
    job = start(agent, 13)
    worker.run_jobs()
    services.try_again(actor=agent, job_id=job.pk)
    traces = AuditEntry.objects.filter(object_type="job", object_id=job.pk).values_list("action", flat=True)
    assert sorted(traces) == ["created", "retried"]


def test_jobs_are_seen_by_their_owner_only(agent, supervisor, done):
    job = start(agent, 1)
    assert selectors.get_job_for(agent, job.pk) == job
    with pytest.raises(Job.DoesNotExist):
        selectors.get_job_for(supervisor, job.pk)


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_one_job_do_nothing_twice(agent, done):
    job = start(agent, *range(100, 140))

    def work():
        try:
            mine = Job.objects.select_related("owner").get(pk=job.pk)
            worker._do_items(mine, registry.kind_of("noting"), worker.Deadline("x", "x"))
        finally:
            connection.close()

    Job.objects.filter(pk=job.pk).update(status="running", started_at=timezone.now())
    threads = [threading.Thread(target=work) for _ in range(3)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert sorted(done) == list(range(100, 140))
    assert (fresh(job).status, fresh(job).done_count) == ("done", 40)
