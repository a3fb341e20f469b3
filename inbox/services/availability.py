"""Who is there: what saying so sets going, and what happens to the work of somebody who is there no more."""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from contact_center.accounts.enums import AutomaticAway, AwayReason, PresenceState
from contact_center.accounts.models import Presence, User
from contact_center.accounts.services import set_presence
from inbox.enums import InteractionStatus
from inbox.models import Interaction
from inbox.services.assignment import hand_out_soon, note_present, withdraw_offers_to
from inbox.services.call_departures import withdraw_calls_from
from inbox.services.handover import give_back

GONE_AFTER = timedelta(minutes=3)
"""Pages give a sign of life every thirty seconds, also those in the background."""
PRESENT = [PresenceState.ONLINE, PresenceState.BUSY]


def follow_presence(user_id: int) -> None:
    """Somebody said what they do now: the available are offered work, what others have not answered goes elsewhere.

    Whoever chose to give their work back has it returned to its queues.
    """
    presence = Presence.objects.filter(user_id=user_id).first()
    if presence is None:
        return
    if presence.state == PresenceState.ONLINE:
        note_present(user_id)
    else:
        withdraw_offers_to(user_id)
        withdraw_calls_from(user_id)
    if (presence.state, presence.reason) == (PresenceState.AWAY, AwayReason.GIVE_BACK):
        return_work_in_progress(user_id)
    hand_out_soon()


def return_work_in_progress(user_id: int, *, is_waited_for: bool = False) -> int:
    """Give back what the person works on, or only where the patient waits for us; returns how many. What rests or is
    being wrapped up stays theirs."""
    mine = Interaction.objects.filter(owner_id=user_id, status=InteractionStatus.ACTIVE).order_by("pk")
    if is_waited_for:
        mine = mine.filter(waiting_since_at__isnull=False)
    return sum(give_back(pk, user_id) for pk in mine.values_list("pk", flat=True))


def watch_people() -> int:
    """Say that people are away whose pages are dead; returns how many.

    Of those who stay away so, or signed out, for WORK_RETURNS_AFTER_SECONDS, waiting patients go back to the queues.
    """
    now = timezone.now()
    dead = User.objects.filter(presence__state__in=PRESENT, agent_state__seen_at__lt=now - GONE_AFTER)
    gone = [set_presence(user=person, state=PresenceState.AWAY, reason=AutomaticAway.GONE) for person in dead]
    since = now - timedelta(seconds=settings.WORK_RETURNS_AFTER_SECONDS)
    left = Presence.objects.filter(since_at__lt=since, user__agent_state__seen_at__lt=since)
    left = left.filter(state=PresenceState.OFFLINE) | left.filter(reason__in=AutomaticAway.values)
    waited_for = Interaction.objects.filter(
        owner__in=left.values("user_id"), status=InteractionStatus.ACTIVE, waiting_since_at__isnull=False
    )
    for user_id in waited_for.order_by().values_list("owner_id", flat=True).distinct():
        if user_id is not None:
            return_work_in_progress(user_id, is_waited_for=True)
    return len(gone)
