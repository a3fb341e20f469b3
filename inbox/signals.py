"""Facts the desk announces after commit, with ids only. `docs/architecture.md` lists who reacts."""

from django.db import transaction
from django.dispatch import Signal

interaction_opened = Signal()
"""interaction_id"""
message_received = Signal()
"""message_id, interaction_id"""
message_status_changed = Signal()
"""message_id, status"""
interaction_closed = Signal()
"""interaction_id"""
interaction_linked = Signal()
"""interaction_id, patient_id"""


def announce(signal: Signal, **ids: object) -> None:
    """Send `signal` after the caller's transaction commits; a receiver's error never reaches the sender."""
    if signal.receivers:
        transaction.on_commit(lambda: signal.send_robust(sender=None, **ids))
