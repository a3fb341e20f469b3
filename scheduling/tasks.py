"""Celery entry points of scheduling."""

from celery import shared_task

from scheduling.services import booking


@shared_task(name="scheduling.purge_holds")
def purge_holds() -> int:
    return booking.purge_holds()
