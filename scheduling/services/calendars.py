"""The addresses at which practitioners' own calendars read their agenda."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from scheduling.calendar_text import Entry
from scheduling.models import CalendarFeed, Practitioner
from scheduling.policies import can_share_calendar, can_share_names
from scheduling.selectors.calendars import entries_of

NOTED_EVERY = timedelta(minutes=1)


@transaction.atomic
def make_feed(*, actor: User, practitioner_id: int, shows_patients: bool) -> CalendarFeed:
    """Make the address anew: the old one, if there was one, opens nothing from now on.

    Raises PermissionDenied, also for names by somebody who may not give them out, Practitioner.DoesNotExist.
    """
    practitioner = _locked(actor, practitioner_id)
    if shows_patients and not can_share_names(actor):
        raise PermissionDenied
    feed, _is_new = CalendarFeed.objects.update_or_create(
        practitioner=practitioner, defaults={"nonce": uuid4(), "shows_patients": shows_patients, "made_by": actor}
    )
    _note(actor, AuditAction.CREATED, feed.pk, practitioner_id=practitioner_id, shows_patients=shows_patients)
    return feed


@transaction.atomic
def end_feed(*, actor: User, practitioner_id: int) -> None:
    """Take the address away; again changes nothing. Raises PermissionDenied, Practitioner.DoesNotExist."""
    practitioner = _locked(actor, practitioner_id)
    for feed in CalendarFeed.objects.filter(practitioner=practitioner):
        _note(actor, AuditAction.DELETED, feed.pk, practitioner_id=practitioner_id)
        feed.delete()


@transaction.atomic
def read_feed(feed: CalendarFeed) -> list[Entry]:
    """What stands in the feed; whose names it told is on record, under the name of whoever made it."""
    entries, named = entries_of(feed)
    now = timezone.now()
    if feed.read_at is None or now - feed.read_at > NOTED_EVERY:
        CalendarFeed.objects.filter(pk=feed.pk).update(read_at=now)
    if named:
        _note(feed.made_by, AuditAction.EXPORTED, feed.pk, patients=sorted(set(named)))
    return entries


def _locked(actor: User, practitioner_id: int) -> Practitioner:
    practitioner = Practitioner.objects.select_for_update().get(pk=practitioner_id)
    if not can_share_calendar(actor, practitioner):
        raise PermissionDenied
    return practitioner


def _note(actor: User | None, action: AuditAction, feed_id: int, **detail: Any) -> None:
    record(actor=actor, action=action, object_type="calendar_feed", object_id=feed_id, **detail)
