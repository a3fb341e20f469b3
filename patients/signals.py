"""Facts about patients, announced after commit, with ids only. `docs/architecture.md` lists who reacts."""

from django.dispatch import Signal

from contact_center.common.signals import announce  # noqa: F401 - part of this module

patient_created = Signal()
"""patient_id"""
patient_changed = Signal()
"""patient_id"""
contact_points_changed = Signal()
"""patient_id"""
glass_broken = Signal()
"""grant_id, patient_id, user_id: somebody opened a protected record"""
patients_merged = Signal()
"""source_id, target_id: the first record goes on in the second"""
patients_unmerged = Signal()
"""source_id, target_id: the first record stands on its own again"""
