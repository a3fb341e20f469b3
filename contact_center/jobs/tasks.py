"""Celery entry points of long work. They take nothing and call one function."""

from celery import shared_task

from contact_center.jobs import worker


@shared_task(name="jobs.run_jobs")
def run_jobs() -> int:
    return worker.run_jobs()


@shared_task(name="jobs.expire_files")
def expire_files() -> int:
    return worker.expire_files()
