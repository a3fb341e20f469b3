"""What the desk does when others announce something."""

import hashlib
import json
from typing import Any

from contact_center.accounts.enums import Action
from contact_center.accounts.models import User
from contact_center.accounts.policies import roles_that_may
from inbox import realtime
from inbox.enums import DONE, EventKind, NotificationKind
from inbox.models import Interaction
from inbox.services import availability
from inbox.services.call_departures import leave_calls
from inbox.services.handover import return_work_of
from inbox.services.interactions import tell
from inbox.services.ledger import accept_event, receive_raw_mail
from inbox.services.notifications import notify


def recheck_sockets(sender: Any, user_id: int, **kwargs: Any) -> None:
    """accounts.access_changed → every open socket of the person checks its rights again."""
    realtime.recheck_sockets(user_id)


def end_calls_without_right(sender: Any, user_id: int, **kwargs: Any) -> None:
    """accounts.access_changed → nobody talks, is asked, or listens who may not any more; their callers wait again."""
    leave_calls(user_id)


def return_work(sender: Any, user_id: int, **kwargs: Any) -> None:
    """accounts.user_disabled → what the person had open waits in its queues again."""
    return_work_of(user_id)


def show_presence(sender: Any, user_id: int, **kwargs: Any) -> None:
    """accounts.presence_changed → the supervisors' page of the team draws it."""
    with realtime.atomic():
        realtime.touch(realtime.TEAM_TOPIC)


def follow_presence(sender: Any, user_id: int, **kwargs: Any) -> None:
    """accounts.presence_changed → offers go to whoever is available; work that is given back waits in its queue."""
    availability.follow_presence(user_id)


def show_job(sender: Any, job_id: int, owner_id: int, **kwargs: Any) -> None:
    """jobs.job_changed → the owner's screens draw its progress."""
    with realtime.atomic():
        realtime.touch(realtime.agent_topic(owner_id))


def tell_job_owner(sender: Any, job_id: int, owner_id: int, **kwargs: Any) -> None:
    """jobs.job_finished → one notification for whoever started it."""
    owner = User.objects.get(pk=owner_id)
    notify(user=owner, kind=NotificationKind.JOB_FINISHED, dedupe_key=f"job:{job_id}")


def tell_privacy_officers(sender: Any, grant_id: int, user_id: int, **kwargs: Any) -> None:
    """patients.glass_broken → everybody who oversees privacy hears who opened a protected record, not whose."""
    actor = User.objects.get(pk=user_id)
    overseers = User.objects.filter(is_active=True, role__in=roles_that_may(Action.OVERSEE_PRIVACY)).order_by("pk")
    for overseer in overseers:
        key = f"glass:{grant_id}"
        notify(user=overseer, kind=NotificationKind.GLASS_BROKEN, actor=actor, dedupe_key=key, is_duty=True)


def show_merge(sender: Any, source_id: int, target_id: int, **kwargs: Any) -> None:
    """patients.patients_merged, patients_unmerged → open conversations of both records draw who the patient is."""
    open_ones = Interaction.objects.filter(patient__in=[source_id, target_id]).exclude(status__in=DONE)
    with realtime.atomic():
        for row in open_ones.only("pk", "queue_id", "owner_id", "status"):
            tell(row)


def recheck_sockets_after_sign_out(sender: Any, user: Any, **kwargs: Any) -> None:
    """django's user_logged_out → the same. Django says it just before the session ends, hence the wait."""
    if user is not None and user.pk:
        realtime.recheck_sockets(user.pk, after_seconds=0.5)


def store_provider_mail(sender: Any, event: Any, esp_name: str, **kwargs: Any) -> None:
    """anymail.signals.inbound → the raw mail in the ledger. An error makes the provider try again."""
    from inbox.adapters.email import raw_of_anymail_inbound  # heavy: only the web process needs it, and rarely
    from inbox.mail.smtp_intake import delivered

    message = event.message
    raw, recipient = raw_of_anymail_inbound(message), str(message.envelope_recipient or "")
    receive_raw_mail(
        raw=delivered(raw, message.envelope_sender or None, recipient) if recipient else raw,
        transport=esp_name,
        mailbox=recipient,
        external_id=str(event.event_id or "")[:200],
    )


def store_provider_tracking(sender: Any, event: Any, esp_name: str, **kwargs: Any) -> None:
    """anymail.signals.tracking → one event in the ledger, however often the provider tells it."""
    from inbox.adapters.email_tracking import tracking_payload

    body = json.dumps(tracking_payload(event), sort_keys=True).encode()
    key = event.event_id or hashlib.sha256(body).hexdigest()
    accept_event(
        provider="email",
        kind=EventKind.EMAIL_TRACKING,
        dedupe_key=f"{esp_name}:{key}:{event.event_type}",
        external_id=str(event.message_id or ""),
        content_type="application/json",
        body=body,
    )
