"""Facts about people, announced after commit, with ids only. `docs/architecture.md` lists who reacts."""

from django.dispatch import Signal

from contact_center.common.signals import announce  # noqa: F401 - part of this module

presence_changed = Signal()
"""user_id"""
access_changed = Signal()
"""user_id: signed out, disabled, or given another role or team; whatever they had open must be checked again"""
user_disabled = Signal()
"""user_id: will not come back; their unfinished work needs somebody else"""
