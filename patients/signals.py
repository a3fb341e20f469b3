"""Facts about patients, announced after commit, with ids only. `docs/architecture.md` lists who reacts."""

from django.db import transaction
from django.dispatch import Signal

patient_created = Signal()
"""patient_id"""
patient_changed = Signal()
"""patient_id"""
contact_points_changed = Signal()
"""patient_id"""


def announce(signal: Signal, **ids: int) -> None:
    """Send `signal` after the caller's transaction commits; a receiver's error never reaches the sender."""
    if signal.receivers:
        transaction.on_commit(lambda: signal.send_robust(sender=None, **ids))
