"""Facts about visits, announced after commit, with ids only. `docs/architecture.md` lists who reacts."""

from django.dispatch import Signal

from contact_center.common.signals import announce  # noqa: F401 - part of this module

appointment_booked = Signal()
"""appointment_id, patient_id"""
appointment_moved = Signal()
"""appointment_id (the new one), previous_id, patient_id"""
appointment_cancelled = Signal()
"""appointment_id, patient_id"""
appointment_changed = Signal()
"""appointment_id, patient_id"""
