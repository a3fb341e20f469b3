"""What the clinic's people were told lately: mentions in notes, notifications, and one finished change of many."""

from __future__ import annotations

from datetime import datetime, timedelta

from contact_center.accounts.models import User
from contact_center.aurora.staff import DOMAIN
from contact_center.jobs.enums import ItemStatus, JobStatus
from contact_center.jobs.models import Job, JobItem
from inbox.enums import DONE, NotificationKind
from inbox.models import Interaction, Mention, Note, Notification
from inbox.services.bulk import KIND

K = NotificationKind
ASKS = (
    "@{name} could you look at the preparation? She asks about her breakfast.",
    "@{name} he would rather have the morning; do you have something on Tuesday?",
)


def tell(now: datetime) -> int:
    """Write down who was told what, in the caller's transaction; returns how many notifications there are."""
    rosa, daniel, lead = (_person(login) for login in ("agent", "daniel.ferreira", "supervisor"))
    if rosa is None or daniel is None or lead is None:
        return 0
    open_ones = list(
        Interaction.objects.filter(queue__teams__members=rosa).exclude(status__in=DONE).distinct().order_by("pk")[:6]
    )
    told: list[tuple[datetime, NotificationKind, Interaction, User | None, str]] = []
    for row, words in zip(open_ones, ASKS, strict=False):
        at = min(row.opened_at + timedelta(minutes=3), now)
        note = Note.objects.create(interaction=row, author=daniel, body=words.format(name=rosa))
        Note.objects.filter(pk=note.pk).update(created_at=at)
        Mention.objects.create(note=note, interaction=row, user=rosa)
        told.append((at, K.MENTIONED, row, daniel, f"mention:{note.pk}"))
    for kind, row in zip((K.PATIENT_REPLIED, K.ASSIGNED, K.NEW_WORK), open_ones[2:5], strict=False):
        at = min(row.last_inbound_at or row.opened_at, now)
        told.append((at, kind, row, lead if kind == K.ASSIGNED else None, f"demo:{kind}:{row.pk}"))
    made = 0
    for at, kind, row, actor, key in sorted(told, key=lambda one: one[0]):
        made += _note(rosa, kind, row, actor, at, key)
    made += _finished_job(lead, open_ones, now)
    return made


def _person(login: str) -> User | None:
    return User.objects.filter(email=f"{login}@{DOMAIN}").first()


def _note(user: User, kind: str, row: Interaction | None, actor: User | None, at: datetime, key: str) -> int:
    made = Notification.objects.create(user=user, kind=kind, interaction=row, actor=actor, dedupe_key=key)
    is_read = kind == K.NEW_WORK
    Notification.objects.filter(pk=made.pk).update(created_at=at, read_at=at if is_read else None)
    return 1


def _finished_job(lead: User, rows: list[Interaction], now: datetime) -> int:
    done = list(Interaction.objects.filter(status__in=DONE).order_by("-pk").values_list("pk", flat=True)[:28])
    began = now - timedelta(hours=2)
    left = [row.pk for row in rows[:2]]
    if not left:
        return 0
    job = Job.objects.create(
        owner=lead, kind=KIND, title=f"Close ({len(done) + len(left)})", parameters={"action": "close"},
        status=JobStatus.DONE, total=len(done) + len(left), done_count=len(done), failed_count=len(left),
        started_at=began, finished_at=began + timedelta(seconds=14),
    )  # fmt: skip
    why = "The patient wrote meanwhile. Read it before you close."
    JobItem.objects.bulk_create(
        [JobItem(job=job, object_id=pk, status=ItemStatus.DONE) for pk in done]
        + [JobItem(job=job, object_id=pk, status=ItemStatus.FAILED, message=why) for pk in left]
    )
    return _note(lead, K.JOB_FINISHED, None, None, began + timedelta(seconds=14), f"job:{job.pk}")
