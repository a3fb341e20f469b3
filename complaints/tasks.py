"""Celery entry points of complaints."""

from celery import shared_task

from complaints.services import following


@shared_task(name="complaints.follow_astray")
def follow_astray() -> int:
    return following.follow_astray()
