"""A day that passes at a click, so that a demonstration shows what days bring: instead of the clock, which the whole
machine shares, the agenda is moved, with its weekdays, so that tomorrow's visits are today's."""

from dataclasses import dataclass
from datetime import timedelta

from django.apps import apps
from django.conf import settings
from django.contrib.postgres.fields import DateTimeRangeField
from django.db import connection, models, transaction
from django.utils import timezone

from contact_center.common.wake import wake_on_commit
from scheduling.enums import AppointmentStatus, Confirmation
from scheduling.models import Appointment
from scheduling.services import attendance
from scheduling.services.reminders import QUEUE, TASK

DAY = timedelta(days=1)
AWAY = timedelta(days=365_000)
"""Everything goes there first: two rows that change places would meet on the way, and times and numbers are unique."""
EVERY = 3  # of those who did not say that they will come, every third does not
WEEKDAYS = (
    "UPDATE scheduling_weeklyhours SET weekday = (weekday + 6) % 7",
    "UPDATE scheduling_waitlistentry SET weekdays = ARRAY(SELECT (day + 6) % 7 FROM unnest(weekdays) day)",
    "UPDATE scheduling_appointmentseries SET weekdays = ARRAY(SELECT (day + 6) % 7 FROM unnest(weekdays) day)",
)


@dataclass(frozen=True, slots=True)
class Passed:
    """How many patients came and did not come to the visits of the day that passed."""

    came: int
    missed: int


def let_a_day_pass() -> Passed:
    """Move the whole agenda a day nearer, and let patients come or not come to what is over by then.

    Who confirmed comes, of the others two of three. What is due by then goes out by itself. Raises RuntimeError
    outside a demonstration (DEBUG=0).
    """
    if not settings.DEBUG:
        raise RuntimeError("Only in a demonstration may a day pass at a click.")
    with transaction.atomic():
        for by in (-AWAY, AWAY - DAY):
            _move(by)
        with connection.cursor() as cursor:
            for statement in WEEKDAYS:
                cursor.execute(statement)
    over = Appointment.objects.filter(status=AppointmentStatus.BOOKED, ends_at__lt=timezone.now())
    came = missed = 0
    for pk, confirmation in over.order_by("starts_at", "pk").values_list("pk", "confirmation"):
        if confirmation != Confirmation.CONFIRMED and pk % EVERY == 0:
            attendance.mark_missed(actor=None, appointment_id=pk)
            missed += 1
        else:
            attendance.check_in(actor=None, appointment_id=pk)
            attendance.fulfil(actor=None, appointment_id=pk)
            came += 1
    wake_on_commit(TASK, QUEUE)
    return Passed(came, missed)


def _move(by: timedelta) -> None:
    with connection.cursor() as cursor:
        for model in apps.get_app_config("scheduling").get_models():
            moved = [_moved(field) for field in model._meta.concrete_fields if _is_moment(field)]
            if moved:
                cursor.execute(f'UPDATE "{model._meta.db_table}" SET {", ".join(moved)}', {"by": f"{by.days} days"})  # noqa: S608


def _is_moment(field: models.Field) -> bool:  # type: ignore[type-arg]
    return isinstance(field, models.DateField | DateTimeRangeField)


def _moved(field: models.Field) -> str:  # type: ignore[type-arg]
    column, by = f'"{field.column}"', "%(by)s::interval"
    if isinstance(field, DateTimeRangeField):
        moved = f"tstzrange(lower({column}) + {by}, upper({column}) + {by}, '[)')"
        return (
            f"{column} = CASE WHEN {column} IS NOT NULL THEN {moved} END"  # a place of a group has no time of its own
        )
    kind = "timestamptz" if isinstance(field, models.DateTimeField) else "date"
    return f"{column} = ({column} + {by})::{kind}"
