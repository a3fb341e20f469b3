"""Facts about people, announced after commit, with ids only. `docs/architecture.md` lists who reacts."""

from django.db import transaction
from django.dispatch import Signal

presence_changed = Signal()
"""user_id"""
access_changed = Signal()
"""user_id: signed out, disabled, or given another role or team; whatever they had open must be checked again"""


def announce(signal: Signal, *, user_id: int) -> None:
    """Send `signal` after the caller's transaction commits; a receiver's error never reaches the sender."""
    if signal.receivers:
        transaction.on_commit(lambda: signal.send_robust(sender=None, user_id=user_id))
