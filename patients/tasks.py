"""Celery entry points of patients. They take nothing and call one function."""

from celery import shared_task

from patients.services import duplicates, importing, merging, retention


@shared_task(name="patients.compare_records")
def compare_records() -> int:
    return duplicates.compare_waiting()


@shared_task(name="patients.sweep_records")
def sweep_records() -> int:
    return merging.gather_stragglers() + duplicates.sweep() + importing.forget_old()


@shared_task(name="patients.run_retention")
def run_retention() -> int:
    return retention.run_retention()
