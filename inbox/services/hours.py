"""How calendars are kept: hours, days of their own, forced closing. What each change made can be brought back."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from contact_center.accounts.enums import Action
from contact_center.accounts.models import User
from contact_center.accounts.policies import can
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from contact_center.common.errors import Conflict, Refused
from contact_center.common.wake import wake_on_commit
from inbox import realtime
from inbox.models import CalendarDay, CalendarRange, ForcedClosure, Queue, ServiceCalendar, SetupVersion
from inbox.selectors.hours import forget_setup

OBJECT = "service_calendar"
WATCH_TASK, WATCH_QUEUE = "inbox.watch_deadlines", "default"
Ranges = Iterable[tuple[time, time]]


def require_configure(actor: User) -> None:
    """Raise Refused unless the actor may set the desk up."""
    if not can(actor, Action.CONFIGURE):
        raise Refused(_("Only administrators change this."))


def keep_calendar(
    *,
    actor: User,
    name: str,
    time_zone: str,
    country: str,
    subdivision: str,
    weekly: Mapping[int, Ranges],
    queue_ids: Iterable[int],
    calendar_id: int | None = None,
) -> ServiceCalendar:
    """Make a calendar or write one anew, with the queues it holds for; deadlines move after commit.

    A queue that had another calendar leaves it. Raises Refused for a name that is taken, and DoesNotExist.
    """
    require_configure(actor)
    with realtime.atomic():
        calendar = ServiceCalendar() if calendar_id is None else _locked(calendar_id)
        calendar.name, calendar.time_zone = name.strip(), time_zone
        calendar.country, calendar.subdivision = country, subdivision
        try:
            with transaction.atomic():
                calendar.save()
        except IntegrityError as error:
            raise Refused(_("Another calendar has this name.")) from error
        _write_weekly(calendar, weekly)
        wanted = list(queue_ids)
        for queue in Queue.objects.select_for_update().filter(calendar=calendar).exclude(pk__in=wanted):
            queue.calendar = None
            queue.save(update_fields=["calendar", "updated_at"])
        for queue in Queue.objects.select_for_update().filter(pk__in=wanted).exclude(calendar=calendar):
            queue.calendar = calendar
            queue.save(update_fields=["calendar", "updated_at"])
        _conclude(calendar, actor, AuditAction.CREATED if calendar_id is None else AuditAction.CHANGED)
        return calendar


def keep_day(
    *,
    actor: User,
    calendar_id: int,
    day: date,
    name: str,
    ranges: Ranges = (),
    messages: Mapping[str, str] | None = None,
) -> CalendarDay:
    """Give a date hours of its own, none for closed; the one that is there is replaced. Raises DoesNotExist."""
    require_configure(actor)
    with realtime.atomic():
        calendar = _locked(calendar_id)
        row = _write_day(calendar, day, name.strip(), ranges, messages or {})
        _conclude(calendar, actor, AuditAction.CHANGED)
        return row


def remove_day(*, actor: User, calendar_id: int, day_id: int) -> None:
    """Let the week and the public holidays hold again on that date. Raises DoesNotExist."""
    require_configure(actor)
    with realtime.atomic():
        calendar = _locked(calendar_id)
        calendar.days.get(pk=day_id).delete()
        _conclude(calendar, actor, AuditAction.CHANGED)


def close_now(
    *, actor: User, calendar_id: int, messages: Mapping[str, str], until_at: datetime | None = None
) -> ForcedClosure:
    """Close from this moment, whatever the hours say, until `until_at` or until somebody opens again.

    Raises Conflict when it is closed by hand already, and Refused for an end that has passed.
    """
    require_configure(actor)
    now = timezone.now()
    if until_at is not None and until_at <= now:
        raise Refused(_("This time has passed. Choose a later one."))
    with realtime.atomic():
        calendar = _locked(calendar_id)
        if any(closure.until_at is None or closure.until_at > now for closure in calendar.closures.all()):
            raise Conflict(_("It is closed by hand already."))
        words = {language: text.strip() for language, text in messages.items() if text.strip()}
        closure = ForcedClosure.objects.create(
            calendar=calendar, from_at=now, until_at=until_at, messages=words, created_by=actor
        )
        _conclude(calendar, actor, AuditAction.CHANGED, closed_until=until_at and until_at.isoformat(), closed=True)
        return closure


def open_again(*, actor: User, calendar_id: int) -> None:
    """End the closure of now. Raises Conflict when there is none."""
    require_configure(actor)
    now = timezone.now()
    with realtime.atomic():
        calendar = _locked(calendar_id)
        ended = False
        for closure in calendar.closures.select_for_update():
            if closure.from_at <= now and (closure.until_at is None or closure.until_at > now):
                closure.until_at, ended = now, True
                closure.save(update_fields=["until_at"])
        if not ended:
            raise Conflict(_("It is not closed by hand any more."))
        _conclude(calendar, actor, AuditAction.CHANGED, closed=False)


def restore_calendar(*, actor: User, calendar_id: int, version_id: int) -> ServiceCalendar:
    """Bring back the hours, days and queues as they were after an earlier change; closures stay as they are.

    Raises DoesNotExist for a calendar or a version that is not there, Refused for a name that is taken meanwhile.
    """
    require_configure(actor)
    kept: dict[str, Any] = SetupVersion.objects.get(pk=version_id, kind=OBJECT, object_id=calendar_id).state
    with realtime.atomic():
        calendar = keep_calendar(
            actor=actor,
            calendar_id=calendar_id,
            name=kept["name"],
            time_zone=kept["time_zone"],
            country=kept["country"],
            subdivision=kept["subdivision"],
            weekly={int(weekday): _times(ranges) for weekday, ranges in kept["weekly"].items()},
            queue_ids=kept["queues"],
        )
        calendar.days.all().delete()
        for day in kept["days"]:
            _write_day(calendar, date.fromisoformat(day["date"]), day["name"], _times(day["ranges"]), day["messages"])
        _conclude(calendar, actor, AuditAction.CHANGED, restored=version_id)
        return calendar


def _locked(calendar_id: int) -> ServiceCalendar:
    return ServiceCalendar.objects.select_for_update().get(pk=calendar_id)


def _write_weekly(calendar: ServiceCalendar, weekly: Mapping[int, Ranges]) -> None:
    calendar.ranges.filter(day=None).delete()
    CalendarRange.objects.bulk_create(
        CalendarRange(calendar=calendar, weekday=weekday, opens=opens, closes=closes)
        for weekday, ranges in weekly.items()
        for opens, closes in ranges
    )


def _write_day(
    calendar: ServiceCalendar, day: date, name: str, ranges: Ranges, messages: Mapping[str, str]
) -> CalendarDay:
    words = {language: text.strip() for language, text in messages.items() if text.strip()}
    row, _is_new = CalendarDay.objects.update_or_create(
        calendar=calendar, date=day, defaults={"name": name[:80], "messages": words}
    )
    row.ranges.all().delete()
    CalendarRange.objects.bulk_create(
        CalendarRange(calendar=calendar, day=row, opens=opens, closes=closes) for opens, closes in ranges
    )
    return row


def _conclude(calendar: ServiceCalendar, actor: User, action: AuditAction, **detail: Any) -> None:
    """Count the change, keep what it made, and let the deadlines follow after commit."""
    calendar.version += 1
    calendar.save()
    version = SetupVersion.objects.create(
        kind=OBJECT, object_id=calendar.pk, actor=actor, note=_note(action, detail), state=snapshot_of(calendar)
    )
    record(actor=actor, action=action, object_type=OBJECT, object_id=calendar.pk, version=version.pk, **detail)
    transaction.on_commit(forget_setup)
    forget_setup()
    wake_on_commit(WATCH_TASK, WATCH_QUEUE)


def _note(action: AuditAction, detail: Mapping[str, Any]) -> str:
    if "closed" in detail:
        return "closed" if detail["closed"] else "opened"
    return "restored" if "restored" in detail else str(action)


def snapshot_of(calendar: ServiceCalendar) -> dict[str, Any]:
    """Everything of a calendar but its closures, as plain data."""
    weekly: dict[str, list[list[str]]] = {}
    for one in calendar.ranges.filter(day=None):
        weekly.setdefault(str(one.weekday), []).append(_written(one))
    return {
        "name": calendar.name,
        "time_zone": calendar.time_zone,
        "country": calendar.country,
        "subdivision": calendar.subdivision,
        "weekly": weekly,
        "days": [
            {
                "date": day.date.isoformat(),
                "name": day.name,
                "ranges": [_written(one) for one in day.ranges.all()],
                "messages": day.messages,
            }
            for day in calendar.days.prefetch_related("ranges")
        ],
        "queues": sorted(calendar.queues.values_list("pk", flat=True)),
    }


def _written(one: CalendarRange) -> list[str]:
    return [f"{one.opens:%H:%M}", f"{one.closes:%H:%M}"]


def _times(ranges: Iterable[list[str]]) -> list[tuple[time, time]]:
    return [(time.fromisoformat(opens), time.fromisoformat(closes)) for opens, closes in ranges]
