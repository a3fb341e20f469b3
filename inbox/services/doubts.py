"""Sends whose outcome is unknown: the provider is asked before anything is sent again."""

from dataclasses import replace
from datetime import datetime, timedelta

import structlog
from billiard.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_noop as _

from contact_center.common.deadline import Deadline
from contact_center.common.wake import wake_on_commit
from inbox import realtime
from inbox.adapters.base import Adapter, AdapterError
from inbox.adapters.events import OutboundMessage, SendResult
from inbox.adapters.registry import UnknownAdapter
from inbox.enums import Direction, GateDecision, MessageStatus
from inbox.models import Message
from inbox.services import providers
from inbox.services.locks import try_held
from inbox.services.outbound import outbound_of
from inbox.services.outbox import (
    DRAIN_QUEUE,
    DRAIN_TASK,
    GIVE_UP_AFTER,
    UNKNOWN_ADAPTER,
    backoff,
    due_since,
    fail_before_sending,
    save_and_tell,
)

log = structlog.get_logger(__name__)
M = MessageStatus
RECONCILE_TASK = "inbox.reconcile_sends"


def reconcile_sends(*, limit: int = 200) -> int:
    """Settle sends whose outcome is unknown by asking the provider; returns how many were settled.

    Found in its list: recorded as sent. Certainly not there: queued again. A provider without a list, or with a
    message to this address that may be this template in other words: failed with `unknown_outcome`, so that a person
    decides; it is never sent again blindly. One worker at a time does this for a minute, and it leaves a
    provider that does not answer, and a message that breaks it, to the next run.
    """
    with try_held("reconcile-sends") as is_mine:
        return _reconcile(limit) if is_mine else 0


def _reconcile(limit: int) -> int:
    stale_at = timezone.now() - timedelta(seconds=settings.OUTBOX_STALE_SECONDS)
    stale = Message.objects.filter(status=M.SENDING, claimed_at__lt=stale_at).order_by("claimed_at", "id")
    deadline = Deadline(RECONCILE_TASK, DRAIN_QUEUE)
    silent: set[str] = set()
    settled = 0
    for pk, provider, kind, address in stale.values_list("pk", "provider", "channel_kind", "address")[:limit]:
        if deadline.is_over:
            break
        if provider in silent or providers.open_until(provider):
            continue
        # Nothing else goes to this address meanwhile: two equal texts are told apart by what is on record, and a
        # call still under way is not taken for one that failed.
        with try_held("send", kind, address) as is_mine:
            try:
                settled += is_mine and _settle(pk, stale_at)
            except AdapterError as error:
                log.warning("reconcile_failed", message_id=pk, code=error.code)
                providers.note_failure(provider, f"{error.reason} {error.code or ''}".strip())
                silent.add(provider)
            except UnknownAdapter:
                fail_before_sending(pk, "unknown_adapter", UNKNOWN_ADAPTER)
                settled += 1
            except SoftTimeLimitExceeded:
                raise
            except Exception as error:  # one row that cannot be judged must not keep the others in doubt
                log.error("reconcile_broke", message_id=pk, error=type(error).__name__)
    return settled


def _settle(message_id: int, stale_at: datetime) -> bool:
    message = Message.objects.select_related("channel", "template").get(pk=message_id)
    if message.status != M.SENDING or message.claimed_at is None or message.claimed_at >= stale_at:
        return False
    adapter = providers.adapter_for(message.provider)
    was_asked = message.gate_decision == GateDecision.SEND
    keeps_list = "list_messages" in adapter.capabilities
    found, is_clear = _find(adapter, message) if was_asked and keeps_list else (None, not was_asked)
    with realtime.atomic():
        message = Message.objects.select_for_update().get(pk=message_id)
        if message.status != M.SENDING:
            return False
        if found is not None:
            message.mark_sent(found.external_id, timezone.now())
        elif not is_clear:
            text = _("It is not known whether this was sent. Check with the patient before trying again.")
            message.fail("unknown_outcome", text, timezone.now())
        elif _is_hopeless(message):
            message.fail("gave_up", _("The provider did not take it after several attempts."), timezone.now())
        else:
            message.release(timezone.now() + (backoff(message) if message.error_code else timedelta()))
        save_and_tell(message)
        wake_on_commit(DRAIN_TASK, DRAIN_QUEUE)  # for this one, or for those that waited behind it
    return True


def _is_hopeless(message: Message) -> bool:
    """A failing provider is tried for a day; a message that ended its worker each time, five times."""
    if message.error_code:
        return timezone.now() - due_since(message) > GIVE_UP_AFTER
    return message.attempts >= settings.MAX_TASK_ATTEMPTS


def _find(adapter: Adapter, message: Message) -> tuple[SendResult | None, bool]:
    """The provider's row of this message, and whether the outcome is clear.

    The provider writes a template's text itself, perhaps not as we do; so a row to the same address that belongs to no
    message of ours may be this one, and nobody but a person can tell.
    """
    assert message.claimed_at is not None
    outbound, taken = outbound_of(message), _taken_ids(message)
    found = adapter.find_sent(outbound, message.claimed_at - timedelta(minutes=5), taken)
    if found is not None or message.template_id is None:
        return found, True
    return None, _nothing_else(adapter, outbound, message.claimed_at, taken)


def _nothing_else(adapter: Adapter, outbound: OutboundMessage, since: datetime, taken: set[str]) -> bool:
    return adapter.find_sent(replace(outbound, text="", media_urls=()), since, taken) is None


def _taken_ids(message: Message) -> set[str]:
    """The provider's ids that belong to messages of ours to this address, also to their earlier attempts."""
    to_it = Message.objects.filter(provider=message.provider, address=message.address, direction=Direction.OUTBOUND)
    taken: set[str] = set()
    for external_id, earlier in to_it.values_list("external_id", "payload__earlier_ids"):
        taken.update([external_id] if external_id else [], earlier or ())
    return taken
