"""Celery entry points of the desk. They take nothing or ids and call one service."""

from celery import shared_task

from inbox.services import (
    alerts,
    assignment,
    attachments,
    availability,
    backlog,
    call_offers,
    codes,
    deadlines,
    doubts,
    escalations,
    gaps,
    indexing,
    ledger,
    notifications,
    outbox,
    portal,
    provider_copies,
    proxies,
    recording_store,
    scanning,
    snooze,
    uploads,
)


@shared_task(name="inbox.drain_ledger")
def drain_ledger() -> int:
    return ledger.drain_ledger()


@shared_task(name="inbox.drain_outboxes")
def drain_outboxes() -> int:
    return outbox.drain_outboxes()


@shared_task(name="inbox.reconcile_sends")
def reconcile_sends() -> int:
    return doubts.reconcile_sends()


@shared_task(name="inbox.fetch_attachments")
def fetch_attachments() -> int:
    return attachments.fetch_attachments() + recording_store.fetch_recordings()


@shared_task(name="inbox.forget_copies")
def forget_copies() -> int:
    return provider_copies.forget_copies()


@shared_task(name="inbox.fill_ledger_gaps")
def fill_ledger_gaps() -> int:
    return gaps.fill_gaps()


@shared_task(name="inbox.wake_due")
def wake_due() -> int:
    return snooze.wake_due()


@shared_task(name="inbox.tell_of_new_work")
def tell_of_new_work() -> int:
    return alerts.tell_of_new_work()


@shared_task(name="inbox.tell_of_due_steps")
def tell_of_due_steps() -> int:
    return alerts.tell_of_due_steps()


@shared_task(name="inbox.send_notices")
def send_notices() -> int:
    return notifications.send_notices()


@shared_task(name="inbox.index_messages")
def index_messages() -> int:
    return indexing.index_messages()


@shared_task(name="inbox.send_own_page_codes")
def send_own_page_codes() -> int:
    return portal.send_waiting_codes()


@shared_task(name="inbox.watch_proxies")
def watch_proxies() -> int:
    return proxies.watch_proxies()


@shared_task(name="inbox.forget_old_codes")
def forget_old_codes() -> int:
    return codes.forget_old_codes()


@shared_task(name="inbox.clear_uploads")
def clear_uploads() -> int:
    return uploads.clear_uploads()


@shared_task(name="inbox.clear_notifications")
def clear_notifications() -> int:
    return notifications.clear_notifications()


@shared_task(name="inbox.scan_files")
def scan_files() -> int:
    return scanning.scan_files()


@shared_task(name="inbox.watch_deadlines")
def watch_deadlines() -> int:
    return deadlines.watch_deadlines()


@shared_task(name="inbox.watch_calls")
def watch_calls() -> int:
    return call_offers.watch_calls()


@shared_task(name="inbox.hand_out_work")
def hand_out_work() -> int:
    return assignment.hand_out_work()


@shared_task(name="inbox.keep_work_moving")
def keep_work_moving() -> int:
    moved = assignment.expire_offers() + availability.watch_people()
    moved += escalations.return_unanswered() + escalations.overflow()
    return moved + assignment.hand_out_work()


@shared_task(name="inbox.tell_of_lying_work")
def tell_of_lying_work() -> int:
    return backlog.tell_of_lying_work()
