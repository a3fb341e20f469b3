"""The Celery application and its fixed schedule. Due times are rows; the schedule only says how often to look."""

import gc
import os

from celery import Celery
from celery.signals import setup_logging, worker_before_create_process

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "contact_center.settings")
# They load every page, 28 MB that a worker never uses; `migrate` and the tests run them.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")

app = Celery("contact_center")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def use_django_logging(**_: object) -> None:
    """Keep Django's logging instead of Celery's own."""


@worker_before_create_process.connect
def share_memory_with_children(**_: object) -> None:
    """Keep what is loaded out of the collector's reach, so that children go on sharing its pages."""
    gc.collect()
    gc.freeze()


def every(seconds: float, task: str, queue: str) -> dict[str, object]:
    """One line of the schedule; a tick not picked up before the next one is dropped."""
    return {"task": task, "schedule": seconds, "options": {"queue": queue, "expires": seconds}}


app.conf.beat_schedule = {
    "drain-ledger": every(5, "inbox.drain_ledger", "webhooks"),
    "drain-outbox": every(5, "inbox.drain_outboxes", "outbound"),
    "reconcile-sends": every(10, "inbox.reconcile_sends", "outbound"),
    "watch-calls": every(3, "inbox.watch_calls", "default"),
    "fetch-attachments": every(10, "inbox.fetch_attachments", "default"),
    "forget-copies": every(600, "inbox.forget_copies", "default"),
    "scan-files": every(15, "inbox.scan_files", "default"),
    "watch-limits": every(15, "analytics.watch_limits", "default"),
    "wake-due": every(20, "inbox.wake_due", "default"),
    "watch-deadlines": every(15, "inbox.watch_deadlines", "default"),
    "keep-work-moving": every(5, "inbox.keep_work_moving", "default"),
    "tell-of-lying-work": every(600, "inbox.tell_of_lying_work", "default"),
    "fill-ledger-gaps": every(240, "inbox.fill_ledger_gaps", "default"),
    "tell-of-new-work": every(10, "inbox.tell_of_new_work", "default"),
    "tell-of-due-steps": every(600, "inbox.tell_of_due_steps", "default"),
    "send-notices": every(15, "inbox.send_notices", "default"),
    "index-messages": every(5, "inbox.index_messages", "default"),
    "send-own-page-codes": every(5, "inbox.send_own_page_codes", "outbound"),
    "watch-proxies": every(3600, "inbox.watch_proxies", "default"),
    "forget-old-codes": every(3600, "inbox.forget_old_codes", "default"),
    "forget-sent-forms": every(3600, "accounts.forget_sent_forms", "default"),
    "clear-uploads": every(3600, "inbox.clear_uploads", "default"),
    "compare-records": every(30, "patients.compare_records", "reports"),
    "sweep-records": every(3600, "patients.sweep_records", "reports"),
    "clear-notifications": every(3600, "inbox.clear_notifications", "default"),
    "hand-over-reminders": every(20, "scheduling.hand_over_reminders", "reminders"),
    "plan-missing-reminders": every(300, "scheduling.plan_missing_reminders", "reminders"),
    "run-waves": every(20, "scheduling.run_waves", "reminders"),
    "carry-on-mass-moves": every(60, "scheduling.carry_on_mass_moves", "reminders"),
    "close-outdated-wishes": every(3600, "scheduling.close_outdated_wishes", "default"),
    "mark-missed-visits": every(120, "scheduling.mark_missed_visits", "default"),
    "carry-on-recoveries": every(300, "scheduling.carry_on_recoveries", "default"),
    "follow-astray-complaints": every(600, "complaints.follow_astray", "default"),
    "purge-holds": every(300, "scheduling.purge_holds", "default"),
    "run-retention": every(300, "patients.run_retention", "reports"),
    "run-jobs": every(5, "jobs.run_jobs", "reports"),
    "expire-job-files": every(3600, "jobs.expire_files", "reports"),
}
