"""How a fact is announced: after commit, with ids only."""

from django.db import transaction
from django.dispatch import Signal


def announce(signal: Signal, **ids: object) -> None:
    """Send `signal` after the caller's transaction commits; a receiver's error never reaches the sender."""
    if signal.receivers:
        transaction.on_commit(lambda: signal.send_robust(sender=None, **ids))
