"""Celery entry points of scheduling."""

from celery import shared_task

from scheduling.services import attendance, handing_over, holds, mass_moves, offers, recovery, reminders, waitlist


@shared_task(name="scheduling.purge_holds")
def purge_holds() -> int:
    return holds.purge_holds()


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


@shared_task(name="scheduling.mark_missed_visits")
def mark_missed_visits() -> int:
    return attendance.mark_missed_visits()


@shared_task(name="scheduling.carry_on_recoveries")
def carry_on_recoveries() -> int:
    return recovery.carry_on()


@shared_task(name="scheduling.carry_on_mass_moves")
def carry_on_mass_moves() -> int:
    return mass_moves.carry_on()
