"""Celery entry points of scheduling."""

from celery import shared_task

from scheduling.services import booking, handing_over, offers, reminders, waitlist


@shared_task(name="scheduling.purge_holds")
def purge_holds() -> int:
    return booking.purge_holds()


@shared_task(name="scheduling.hand_over_reminders")
def hand_over_reminders() -> int:
    return handing_over.hand_over_due()


@shared_task(name="scheduling.plan_missing_reminders")
def plan_missing_reminders() -> int:
    return reminders.plan_missing()


@shared_task(name="scheduling.run_waves")
def run_waves() -> int:
    return offers.run_waves()


@shared_task(name="scheduling.close_outdated_wishes")
def close_outdated_wishes() -> int:
    return waitlist.close_outdated()
