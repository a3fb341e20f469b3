"""Facts about long work, announced after commit, with ids only. `docs/architecture.md` lists who reacts."""

from django.dispatch import Signal

from contact_center.common.signals import announce  # noqa: F401 - part of this module

job_changed = Signal()
"""job_id, owner_id: begun, moved on or over"""
job_finished = Signal()
"""job_id, owner_id: done, stopped or failed"""
