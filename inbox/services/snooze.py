"""Let an interaction rest until a time, or until the patient writes; and bring it back."""

from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.common.errors import Conflict
from inbox import realtime
from inbox.enums import InteractionStatus, NotificationKind, TimelineKind
from inbox.models import Interaction
from inbox.policies import can_take, can_work
from inbox.services.interactions import conclude, locked, require
from inbox.services.notifications import notify

S = InteractionStatus
LONGEST = timedelta(days=366)
MOST_AT_ONCE = 200


def snooze(*, actor: User, interaction_id: int, until_at: datetime | None, is_kept: bool = False) -> Interaction:
    """Let it rest until `until_at`, without a time until the patient writes; a free one becomes the actor's own.

    A message of the patient wakes it unless `is_kept`. Snoozing a snoozed one changes the time. Raises Refused for a
    time that has passed or lies more than a year ahead, for `is_kept` without a time and for a closed interaction,
    and Conflict when somebody else owns it or it is being wrapped up.
    """
    with realtime.atomic():
        interaction = locked(interaction_id)
        _require_open(actor, interaction)
        _require_time(until_at, is_kept)
        if interaction.status == S.WRAP_UP:
            raise Conflict(_("This interaction is being wrapped up."))
        if interaction.owner_id is None:
            interaction.owner = actor
        if interaction.status != S.ACTIVE:
            interaction.take()
        interaction.snooze(until_at)
        interaction.is_snooze_kept = is_kept
        detail = until_at.isoformat() if until_at else ""
        conclude(interaction, actor=actor, kind=TimelineKind.SNOOZED, action=AuditAction.CHANGED, detail=detail)
        return interaction


def _require_open(actor: User, interaction: Interaction) -> None:
    require(can_work(actor, interaction), _("You may not work on this interaction."))
    require(not interaction.is_done, _("This interaction is closed. Reopen it first."))
    if not can_take(actor, interaction):
        raise Conflict(_("%(name)s has taken this interaction already.") % {"name": interaction.owner})


def _require_time(until_at: datetime | None, is_kept: bool) -> None:
    now = timezone.now()
    if until_at is None:
        require(not is_kept, _("Say until when it should stay snoozed."))
        return
    require(until_at > now, _("This time has passed. Choose a later one."))
    require(until_at <= now + LONGEST, _("Choose a time within a year."))


def wake(*, actor: User, interaction_id: int) -> Interaction:
    """Bring it back now. One that does not rest stays as it is. Raises Conflict when somebody else owns it."""
    with realtime.atomic():
        interaction = locked(interaction_id)
        _require_open(actor, interaction)
        if interaction.status == S.SNOOZED:
            interaction.wake()
            conclude(interaction, actor=actor, kind=TimelineKind.WOKEN, action=AuditAction.CHANGED)
        return interaction


def wake_due() -> int:
    """Bring back what has rested long enough, each in a transaction of its own; returns how many.

    Rows that another worker or a person holds are left to the next look.
    """
    due = Interaction.objects.filter(status=S.SNOOZED, snoozed_until_at__lte=timezone.now())
    ids = list(due.order_by("snoozed_until_at").values_list("pk", flat=True)[:MOST_AT_ONCE])
    return sum(_wake_one(pk) for pk in ids)


def _wake_one(interaction_id: int) -> bool:
    with realtime.atomic():
        rows = Interaction.objects.select_for_update(of=("self",), skip_locked=True)
        still_due = rows.filter(pk=interaction_id, status=S.SNOOZED, snoozed_until_at__lte=timezone.now())
        interaction = still_due.first()
        if interaction is None:
            return False
        told_once = f"snooze-{interaction.pk}-{interaction.snoozed_until_at:%Y%m%d%H%M%S}"
        interaction.wake()
        conclude(interaction, actor=None, kind=TimelineKind.WOKEN, action=AuditAction.CHANGED)
        kind = NotificationKind.SNOOZE_ENDED
        notify(user=interaction.owner, kind=kind, interaction=interaction, dedupe_key=told_once)
        return True
