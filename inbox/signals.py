"""Facts the desk announces after commit, with ids only. `docs/architecture.md` lists who reacts."""

from django.dispatch import Signal

from contact_center.common.signals import announce  # noqa: F401 - part of this module

interaction_opened = Signal()
"""interaction_id"""
message_received = Signal()
"""message_id, interaction_id"""
message_status_changed = Signal()
"""message_id, status"""
interaction_closed = Signal()
"""interaction_id"""
interaction_linked = Signal()
"""interaction_id, patient_id; None when it is linked to nobody any more"""
offer_made = Signal()
"""offer_id, interaction_id, agent_id"""
offer_accepted = Signal()
"""offer_id, interaction_id, agent_id"""
offer_ended = Signal()
"""offer_id, interaction_id, agent_id: declined, missed or withdrawn"""
