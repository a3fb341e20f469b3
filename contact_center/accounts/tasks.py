"""Celery entry points of accounts. They take nothing and call one service."""

from celery import shared_task

from contact_center.accounts import sent_forms


@shared_task(name="accounts.forget_sent_forms")
def forget_sent_forms() -> int:
    return sent_forms.forget_sent_forms()
