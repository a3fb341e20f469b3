"""Telling of deadlines: before they pass, and when they have. The rows say what is due; a lost tick loses nothing."""

from datetime import datetime, timedelta

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from inbox import realtime
from inbox.enums import NotificationKind, TimelineKind
from inbox.models import Interaction, Notification, SlaClock, TimelineEvent
from inbox.selectors.hours import forget_setup
from inbox.selectors.team import leads_of
from inbox.services import clocks
from inbox.services.escalations import follow_missed_deadline
from inbox.services.interactions import tell
from inbox.services.notifications import notify

K = NotificationKind
FRESH = timedelta(minutes=10)
"""What passed longer ago, while nobody looked, is told to leads in one notice per queue and to nobody else."""
BURST, SHIFT = timedelta(minutes=10), timedelta(hours=8)
RUNNING = Q(met_at=None, stopped_at=None)
COUNTING = RUNNING & Q(paused_at=None, breached_at=None)


def watch_deadlines(*, limit: int = 500) -> int:
    """Warn of deadlines that come near, tell of missed ones, and count anew what a changed calendar moves.

    Each interaction is a transaction of its own; one that somebody works on at this moment is left to the next look.
    Every fact is told once, however often this runs. Returns how many interactions were looked at.
    """
    forget_setup()
    now = timezone.now()
    found = [*_ids(_missed(now), limit), *_ids(_moved(), limit), *_ids(_near(now), limit)]
    return sum(_look_at(pk, now) for pk in dict.fromkeys(found))


def _missed(now: datetime) -> QuerySet[SlaClock]:
    return SlaClock.objects.filter(COUNTING, due_at__lt=now).order_by("due_at")


def _near(now: datetime) -> QuerySet[SlaClock]:
    return SlaClock.objects.filter(COUNTING, warned_at=None, warn_at__lte=now).order_by("warn_at")


def _moved() -> QuerySet[SlaClock]:
    return SlaClock.objects.filter(RUNNING, calendar_version__lt=F("calendar__version")).order_by("pk")


def _ids(rows: QuerySet[SlaClock], limit: int) -> list[int]:
    return list(rows.values_list("interaction_id", flat=True)[:limit])


def _look_at(interaction_id: int, now: datetime) -> bool:
    with realtime.atomic():
        rows = Interaction.objects.select_for_update(of=("self",), skip_locked=True)
        interaction = rows.filter(pk=interaction_id).first()
        if interaction is None:
            return False
        is_missed = False
        for clock in clocks.running_clocks(interaction):
            clocks.recount(clock, at=now)
            if clock.paused_at is None and clock.breached_at is None:
                is_missed |= _tell_of(clock, interaction, now)
            clock.save()
        clocks.settle(interaction, at=now)
        Interaction.objects.filter(pk=interaction.pk).update(
            due_at=interaction.due_at, warn_at=interaction.warn_at, due_kind=interaction.due_kind
        )
        if not (is_missed and follow_missed_deadline(interaction)):
            tell(interaction)
        return True


def _tell_of(clock: SlaClock, interaction: Interaction, now: datetime) -> bool:
    """Whether it was missed."""
    if clock.due_at is not None and clock.due_at < now:
        clock.breached_at = clock.due_at
        _escalate(clock.kind, interaction, clock.due_at, f"missed:{clock.pk}", is_fresh=now - clock.due_at < FRESH)
        return True
    if clock.warned_at is None and clock.warn_at is not None and clock.warn_at <= now:
        clock.warned_at = now
        if interaction.owner_id is not None:
            key = f"near:{clock.pk}"
            notify(user=interaction.owner, kind=K.DEADLINE_NEAR, interaction=interaction, dedupe_key=key)
        else:
            _tell_leads(interaction, K.DEADLINE_NEAR, now)
    return False


def _escalate(kind: str, interaction: Interaction, due_at: datetime, key: str, *, is_fresh: bool) -> None:
    TimelineEvent.objects.create(interaction=interaction, kind=TimelineKind.DEADLINE_MISSED, at=due_at, detail=kind)
    record(
        actor=None,
        action=AuditAction.CHANGED,
        object_type="interaction",
        object_id=interaction.pk,
        patient_id=interaction.patient_id,
        to=str(TimelineKind.DEADLINE_MISSED),
        clock=str(kind),
    )
    if is_fresh and interaction.owner_id is not None:
        notify(user=interaction.owner, kind=K.DEADLINE_MISSED, interaction=interaction, dedupe_key=key)
    _tell_leads(interaction, K.DEADLINE_MISSED, timezone.now())


def _tell_leads(interaction: Interaction, kind: NotificationKind, now: datetime) -> None:
    """Once per queue and burst, and not again within a shift while the last one was not looked at."""
    for person in leads_of(interaction.queue_id):
        if person.pk != interaction.owner_id and not _was_told(person, interaction, kind, now):
            key = f"{kind}:{interaction.pk}:{now.timestamp():.0f}"
            notify(user=person, kind=kind, interaction=interaction, dedupe_key=key)


def _was_told(person: User, interaction: Interaction, kind: NotificationKind, now: datetime) -> bool:
    earlier = Notification.objects.filter(user=person, kind=kind, interaction__queue_id=interaction.queue_id)
    recent = Q(created_at__gt=now - BURST) | Q(created_at__gt=now - SHIFT, read_at=None)
    return earlier.filter(recent).exists()
