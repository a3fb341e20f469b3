"""Reading an agenda with names in it, which leaves its trace."""

from datetime import date

from django.db import transaction

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from scheduling.enums import AgendaOf
from scheduling.models import Location
from scheduling.selectors.agenda import Calendar, Who, day_at, week_of


@transaction.atomic
def open_day(
    *, actor: User, location: Location, day: date, skipped: int = 0, of: AgendaOf = AgendaOf.PRACTITIONER
) -> Calendar:
    """The day as `selectors.agenda.day_at` gives it, leaving one SEARCHED entry with the patients who were named."""
    return _noted(actor, location, day_at(actor, location, day, skipped, of))


@transaction.atomic
def open_week(*, actor: User, location: Location, day: date, who: Who) -> Calendar:
    """The week as `selectors.agenda.week_of` gives it, leaving the same entry."""
    return _noted(actor, location, week_of(actor, location, day, who))


def _noted(actor: User, location: Location, found: Calendar) -> Calendar:
    named = {block.visit.patient_id for column in found.columns for block in column.blocks if block.visit}
    record(actor=actor, action=AuditAction.SEARCHED, object_type="agenda", object_id=location.pk, found=sorted(named))
    return found
