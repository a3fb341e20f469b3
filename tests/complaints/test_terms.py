"""Until when a complaint has to be acknowledged."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from complaints.models import ComplaintTerm
from complaints.services.registering import acknowledge_by as promised_by
from complaints.terms import acknowledge_by, last_day
from contact_center.common.business_time import BusinessCalendar, Day, Hours
from inbox.selectors.hours import forget_setup
from tests.factories.hours import CalendarFactory

MIAMI = ZoneInfo("America/New_York")
FRIDAY = datetime(2026, 11, 20, 16, 30, tzinfo=MIAMI)
WEEK = {day: (Hours.of(time(8), time(18)),) for day in range(5)}


def until(days, calendar=None, received_at=FRIDAY):
    return acknowledge_by(received_at, days, calendar, MIAMI).astimezone(MIAMI)


def test_working_days_are_those_on_which_the_calendar_opens():
    calendar = BusinessCalendar(zone=MIAMI, weekly=WEEK, holidays={date(2026, 11, 26): "Thanksgiving"})
    assert until(1, calendar) == datetime(2026, 11, 23, 18, tzinfo=MIAMI)
    assert until(4, calendar) == datetime(2026, 11, 27, 18, tzinfo=MIAMI)
    shut = BusinessCalendar(zone=MIAMI, weekly=WEEK, days={date(2026, 11, 23): Day("Stocktaking")})
    assert until(1, shut) == datetime(2026, 11, 24, 18, tzinfo=MIAMI)


def test_without_a_calendar_they_are_monday_to_friday_until_midnight():
    assert until(1) == datetime(2026, 11, 24, tzinfo=MIAMI)
    assert until(2) == datetime(2026, 11, 25, tzinfo=MIAMI)


def test_a_promise_until_midnight_ends_on_the_day_before_it():
    assert (last_day(until(1)), last_day(until(2))) == (date(2026, 11, 23), date(2026, 11, 24))
    assert last_day(datetime(2026, 11, 23, 18, tzinfo=MIAMI)) == date(2026, 11, 23)


def test_the_day_of_receipt_is_the_calendars_own():
    late = datetime(2026, 11, 21, 1, 0, tzinfo=UTC)  # still Friday evening in Miami
    calendar = BusinessCalendar(zone=MIAMI, weekly=WEEK)
    assert until(1, calendar, late) == datetime(2026, 11, 23, 18, tzinfo=MIAMI)


def test_a_calendar_that_never_opens_promises_the_end_of_a_year():
    assert until(1, BusinessCalendar(zone=MIAMI, weekly={})).date() == date(2027, 11, 22)


@pytest.mark.django_db
def test_terms_of_a_kind_win_over_the_usual_days_and_name_their_calendar(talk):
    calendar = CalendarFactory(time_zone="America/New_York")
    forget_setup()
    assert promised_by("grievance", FRIDAY, None).astimezone(MIAMI) == datetime(2026, 11, 25, tzinfo=MIAMI)
    ComplaintTerm.objects.create(kind="grievance", acknowledge_days=1)
    assert promised_by("grievance", FRIDAY, talk).astimezone(MIAMI) == datetime(2026, 11, 24, tzinfo=MIAMI)
    ComplaintTerm.objects.update(calendar=calendar)
    with_hours = promised_by("grievance", FRIDAY, talk).astimezone(MIAMI)
    assert with_hours.date() == date(2026, 11, 23)
