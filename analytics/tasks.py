"""Celery entry points of the figures."""

from celery import shared_task

from analytics import services


@shared_task(name="analytics.watch_limits")
def watch_limits() -> int:
    return services.watch_limits()
