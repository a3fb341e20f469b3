"""Settings: when queues are served, public holidays, days of their own, and closing by hand."""

from typing import Any

from django import forms
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from contact_center.accounts.enums import Action
from contact_center.accounts.models import User
from contact_center.accounts.policies import can
from contact_center.accounts.requests import person_of, sent_once
from contact_center.common.answers import say, status_of
from contact_center.common.errors import Refused
from contact_center.common.numbers import number_of
from inbox.enums import Weekday
from inbox.hours_forms import CalendarForm, ClosureForm, DayForm, written_hours
from inbox.models import ServiceCalendar
from inbox.selectors import calendars as selector
from inbox.selectors.hours import calendar_of
from inbox.services import hours as service

form_methods = require_http_methods(["GET", "HEAD", "POST"])


def administrator(request: HttpRequest) -> User:
    """The signed-in person if they set the desk up. Raises PermissionDenied."""
    user = person_of(request)
    if not can(user, Action.CONFIGURE):
        raise PermissionDenied
    return user


def number_in(request: HttpRequest, name: str) -> int:
    """An id that a form sent; 404 for what is none."""
    number = number_of(request.POST.get(name, ""))
    if number is None:
        raise Http404
    return number


@require_safe
def hours(request: HttpRequest) -> HttpResponse:
    """Every calendar as it stands now."""
    administrator(request)
    context = {"lines": selector.calendar_lines(), "section": "hours", "now": timezone.now()}
    return render(request, "inbox/hours_list.html", context)


@form_methods
def new_calendar(request: HttpRequest) -> HttpResponse:
    """Make a calendar."""
    administrator(request)
    week = {f"day_{day.value}": "08:00-18:00" for day in Weekday if day < Weekday.SATURDAY}
    form = CalendarForm(request.POST or None, initial={"time_zone": timezone.get_default_timezone_name(), **week})
    status = 200
    if request.method == "POST":
        status, made_id = _kept(request, form, None)
        if made_id is not None:
            return say(request, redirect("inbox:hours-calendar", made_id), _("Saved."))
    context = {"form": form, "section": "hours", "calendar": None}
    return render(request, "inbox/hours_page.html", context, status=status)


@form_methods
def calendar(request: HttpRequest, pk: int) -> HttpResponse:
    """A calendar with its week, its special days and its history; a POST writes the week anew."""
    administrator(request)
    row = _find(pk)
    form = CalendarForm(request.POST or None, initial=_initial(row))
    if request.method == "POST":
        status, changed = _kept(request, form, pk)
        if changed is not None:
            return say(request, redirect("inbox:hours-calendar", pk), _("Saved. Deadlines follow within seconds."))
        return _page(request, row, status=status, form=form)
    return _page(request, row, form=form)


def _find(pk: int) -> ServiceCalendar:
    found = selector.calendars().filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def _initial(row: ServiceCalendar) -> dict[str, Any]:
    weekly: dict[str, list[Any]] = {}
    for one in row.ranges.all():
        if one.weekday is not None:
            weekly.setdefault(f"day_{one.weekday}", []).append((one.opens, one.closes))
    return {
        "name": row.name,
        "time_zone": row.time_zone,
        "country": row.country,
        "subdivision": row.subdivision,
        "queues": [queue.pk for queue in row.queues.all()],
    } | {key: written_hours(ranges) for key, ranges in weekly.items()}


def _kept(request: HttpRequest, form: CalendarForm, pk: int | None) -> tuple[int, int | None]:
    """The status of the answer, and the calendar's id when it was kept."""
    if not form.is_valid():
        return 422, None
    data = form.cleaned_data
    told = {name: data[name] for name in ("name", "time_zone", "country", "subdivision")}
    told |= {"weekly": form.weekly(), "queue_ids": [queue.pk for queue in data["queues"]]}
    try:
        return 200, sent_once(request, lambda: service.keep_calendar(actor=person_of(request), calendar_id=pk, **told))
    except Refused as error:
        form.add_error("name", str(error))
        return status_of(error), None


def _page(request: HttpRequest, row: ServiceCalendar, *, status: int = 200, **forms_given: forms.Form) -> HttpResponse:
    now = timezone.now()
    known = calendar_of(row)
    context: dict[str, Any] = {
        "calendar": row,
        "section": "hours",
        "standing": known.standing_at(now),
        "closes_at": known.closes_next_at(now),
        "closure": selector.closure_of(row, now),
        "week": selector.week_of(row),
        "days": selector.special_days(row, now.astimezone(known.zone).date()),
        "versions": selector.versions_of(service.OBJECT, row.pk),
        "day_form": DayForm(prefix="day"),
        "closure_form": ClosureForm(prefix="close", time_zone=row.time_zone),
        "zone": row.time_zone,
    }
    return render(request, "inbox/hours_page.html", context | forms_given, status=status)


@require_POST
def keep_day(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a date hours of its own."""
    user, row = administrator(request), _find(pk)
    form = DayForm(request.POST, prefix="day")
    if not form.is_valid():
        return _page(request, row, status=422, day_form=form, form=CalendarForm(initial=_initial(row)))
    data = form.cleaned_data
    service.keep_day(
        actor=user, calendar_id=pk, day=data["date"], name=data["name"], ranges=data["hours"], messages=form.messages()
    )
    return say(request, redirect("inbox:hours-calendar", pk), _("Saved. Deadlines follow within seconds."))


@require_POST
def remove_day(request: HttpRequest, pk: int) -> HttpResponse:
    """Let the week and the public holidays hold on that date again."""
    user = administrator(request)
    _find(pk)
    try:
        service.remove_day(actor=user, calendar_id=pk, day_id=number_in(request, "day"))
    except ObjectDoesNotExist:
        raise Http404 from None
    return say(request, redirect("inbox:hours-calendar", pk), _("Removed. The history brings it back."))


@require_POST
def close(request: HttpRequest, pk: int) -> HttpResponse:
    """Close by hand from now on."""
    user, row = administrator(request), _find(pk)
    form = ClosureForm(request.POST, prefix="close", time_zone=row.time_zone)
    status = 422
    if form.is_valid():
        until_at = form.cleaned_data["until"]
        try:
            service.close_now(actor=user, calendar_id=pk, messages=form.messages(), until_at=until_at)
        except Refused as error:
            form.add_error("until", str(error))
            status = status_of(error)
        else:
            return say(request, redirect("inbox:hours-calendar", pk), _("Closed. All its clocks stand still."))
    return _page(request, row, status=status, closure_form=form, form=CalendarForm(initial=_initial(row)))


@require_POST
def open_again(request: HttpRequest, pk: int) -> HttpResponse:
    """End the closure of now."""
    user = administrator(request)
    _find(pk)
    try:
        service.open_again(actor=user, calendar_id=pk)
    except Refused as error:
        return say(request, redirect("inbox:hours-calendar", pk), str(error), is_error=True)
    return say(request, redirect("inbox:hours-calendar", pk), _("Open again by its hours."))


@require_POST
def restore(request: HttpRequest, pk: int) -> HttpResponse:
    """Bring back what the calendar was after an earlier change."""
    user = administrator(request)
    _find(pk)
    try:
        service.restore_calendar(actor=user, calendar_id=pk, version_id=number_in(request, "version"))
    except ObjectDoesNotExist:
        raise Http404 from None
    except Refused as error:
        return say(request, redirect("inbox:hours-calendar", pk), str(error), is_error=True)
    return say(request, redirect("inbox:hours-calendar", pk), _("Brought back."))
