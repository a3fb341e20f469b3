"""Administrators keep hours, holidays and promises, see what follows, and bring back what was."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine

from contact_center.jobs.models import Job
from contact_center.jobs.worker import run_jobs
from inbox.models import ForcedClosure, Interaction, ServiceCalendar, SetupVersion, SlaPolicy
from inbox.selectors.hours import setup
from inbox.services import hours as service
from tests.factories.hours import CalendarFactory, SlaPolicyFactory
from tests.factories.inbox import InteractionFactory

pytestmark = pytest.mark.django_db
MONDAY = datetime(2026, 3, 2, 15, tzinfo=UTC)
WEEK = {f"day_{day}": "08:00-12:00, 14:00-18:00" for day in range(5)}


@pytest.fixture(autouse=True)
def now():
    with time_machine.travel(MONDAY, tick=False) as traveller:
        yield traveller


@pytest.fixture
def client(signed_in, admin):
    return signed_in(admin)


def calendar_form(**changed):
    return {"name": "Brickell", "time_zone": "America/New_York", "country": "US", "subdivision": "fl"} | WEEK | changed


def test_a_calendar_is_made_with_its_week_its_holidays_and_its_queues(client, queue):
    answer = client.post("/settings/hours/new/", calendar_form(day_5="22:00-02:00", day_6="24h", queues=[queue.pk]))
    row = ServiceCalendar.objects.get()
    assert (answer.status_code, answer.url) == (302, f"/settings/hours/{row.pk}/")
    known = setup().of_queue(queue.pk)
    opens = [known.is_open_at(MONDAY + timedelta(hours=hours)) for hours in (0, 2.5, 4, 9)]
    assert (opens, row.subdivision) == ([True, False, True, False], "FL")
    page = client.get(answer.url).content.decode()
    assert "Memorial Day" in page
    assert 'value="24h"' in page


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("day_0", "8 to noon", "Write hours such as 08:00-12:00, 14:00-17:00, or 24h."),
        ("day_0", "08:00-12:00, 11:00-13:00", "These hours overlap."),
        ("day_0", "25:00-26:00", "There is no such time of day."),
        ("subdivision", "XX", "Its parts are:"),
        ("time_zone", "Mars/Base", "Select a valid choice."),
    ],
)
def test_what_makes_no_sense_is_said_at_its_field_and_kept(client, field, value, error):
    answer = client.post("/settings/hours/new/", calendar_form(**{field: value}))
    form = answer.context["form"]
    assert (answer.status_code, [*form.errors], error in form.errors[field][0]) == (422, [field], True)
    assert (form[field].value(), ServiceCalendar.objects.count()) == (value, 0)


def test_a_name_is_taken_once(client):
    CalendarFactory(name="Brickell")
    answer = client.post("/settings/hours/new/", calendar_form())
    assert (answer.status_code, answer.context["form"].errors["name"]) == (422, ["Another calendar has this name."])


def test_a_day_of_its_own_opens_on_a_holiday_and_is_removed_again(client, queue, admin):
    row = CalendarFactory(country="US")
    queue.calendar = row
    queue.save()
    day = {
        "day-date": "2026-12-25",
        "day-name": "Short day",
        "day-hours": "09:00-13:00",
        "day-message_es": "Cerramos a la una.",
    }
    assert client.post(f"/settings/hours/{row.pk}/days/", day).status_code == 302
    christmas = setup().of_queue(queue.pk).day_of(date(2026, 12, 25))
    assert (christmas.name, len(christmas.hours), christmas.messages) == ("Short day", 1, {"es": "Cerramos a la una."})
    client.post(f"/settings/hours/{row.pk}/days/remove/", {"day": row.days.get().pk})
    assert setup().of_queue(queue.pk).day_of(date(2026, 12, 25)).name == "Christmas Day"
    assert client.post(f"/settings/hours/{row.pk}/days/", {"day-name": ""}).status_code == 422


def test_it_is_closed_by_hand_once_and_opened_again(client, queue):
    row = CalendarFactory()
    queue.calendar = row
    queue.save()
    url = f"/settings/hours/{row.pk}/"
    assert client.post(f"{url}close/", {"close-message_en": "Storm."}).status_code == 302
    standing = setup().of_queue(queue.pk).standing_at(MONDAY)
    assert (standing.why, standing.messages, standing.opens_at) == ("closure", {"en": "Storm."}, None)
    assert client.post(f"{url}close/", {}).status_code == 409
    assert "Storm." in client.get(url).content.decode()
    client.post(f"{url}open/")
    assert setup().of_queue(queue.pk).is_open_at(MONDAY)
    assert ForcedClosure.objects.get().until_at == MONDAY
    assert client.post(f"{url}close/", {"close-until": "2026-03-02T09:00"}).status_code == 422


def test_an_earlier_state_of_a_calendar_is_brought_back(client, queue, admin):
    client.post("/settings/hours/new/", calendar_form(queues=[queue.pk]))
    row = ServiceCalendar.objects.get()
    service.keep_day(actor=admin, calendar_id=row.pk, day=date(2026, 3, 3), name="Staff day")
    first, with_day = SetupVersion.objects.order_by("pk")
    client.post(f"/settings/hours/{row.pk}/", calendar_form(name="Other", day_0="24h"))
    service.remove_day(actor=admin, calendar_id=row.pk, day_id=row.days.get().pk)
    client.post(f"/settings/hours/{row.pk}/restore/", {"version": with_day.pk})
    row.refresh_from_db()
    assert (row.name, row.days.get().name, row.queues.get()) == ("Brickell", "Staff day", queue)
    assert service.snapshot_of(row) == with_day.state
    client.post(f"/settings/hours/{row.pk}/restore/", {"version": first.pk})
    assert service.snapshot_of(row)["days"] == []


def policy_form(**changed):
    given = {
        "name": "Text",
        "first_response_minutes": "15m",
        "next_response_minutes": "1h 30m",
        "resolution_minutes": "",
    }
    return given | {"counting": "queue", "warn_percent": "25", "pauses_in": ["snoozed"]} | changed


def test_a_policy_is_made_and_previewed_in_its_place(client, sms_channel):
    InteractionFactory(channel=sms_channel)
    InteractionFactory(channel=sms_channel, priority=1)
    SlaPolicyFactory(priorities=[1], position=0)
    seen = client.post("/settings/sla/new/", policy_form(do="preview", channel_kinds=["sms"]))
    assert (seen.status_code, seen.context["taken"], SlaPolicy.objects.count()) == (200, 1, 1)
    assert client.post("/settings/sla/new/", policy_form(channel_kinds=["sms"])).status_code == 302
    made = SlaPolicy.objects.get(name="Text")
    assert (made.first_response_minutes, made.next_response_minutes, made.resolution_minutes) == (15, 90, None)
    listed = client.get("/settings/sla/").context
    assert ([taken for _policy, taken in listed["lines"]], listed["untaken"]) == ([1, 1], 0)
    assert client.get(f"/settings/sla/{made.pk}/").context["taken"] == 1


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"first_response_minutes": "soon"}, "first_response_minutes"),
        ({"first_response_minutes": "0m"}, "first_response_minutes"),
        ({"first_response_minutes": "", "next_response_minutes": ""}, "first_response_minutes"),
        ({"counting": "calendar"}, "calendar"),
        ({"warn_percent": "95"}, "warn_percent"),
    ],
)
def test_a_policy_that_promises_nothing_sound_is_refused(client, changed, field):
    answer = client.post("/settings/sla/new/", policy_form(**changed))
    assert (answer.status_code, [*answer.context["form"].errors]) == (422, [field])


def test_policies_are_moved_switched_off_and_brought_back(client):
    for name in ("One", "Two"):
        client.post("/settings/sla/new/", policy_form(name=name))
    before = SetupVersion.objects.latest("pk")
    one, two = SlaPolicy.objects.order_by("position")
    client.post(f"/settings/sla/{two.pk}/move/", {"to": "up"})
    client.post(f"/settings/sla/{one.pk}/switch/", {"is_active": "0"})
    client.post("/settings/sla/new/", policy_form(name="Three"))
    assert [(row.name, row.is_active) for row in SlaPolicy.objects.all()] == [
        ("Two", True),
        ("One", False),
        ("Three", True),
    ]
    client.post("/settings/sla/restore/", {"version": before.pk})
    assert [(row.name, row.is_active) for row in SlaPolicy.objects.all()] == [
        ("One", True),
        ("Two", True),
        ("Three", False),
    ]


def test_the_time_lab_tells_clocks_messages_and_days_across_a_change_of_clocks_and_a_holiday(client, queue):
    queue.calendar = CalendarFactory(name="Brickell", country="US")
    queue.save()
    SlaPolicyFactory(name="All", first_response_minutes=120, next_response_minutes=None, resolution_minutes=1200)
    asked = {"zone": "America/New_York", "queue": queue.pk, "priority": "3", "channel_kind": "sms"}
    spring = client.get("/settings/time-lab/", asked | {"moment": "2026-03-06T17:00"}).context["lab"]
    due = {one.title: one.at and one.at.astimezone(UTC).isoformat()[:16] for one in spring.firings}
    assert due == {
        "First reply: warning": "2026-03-09T13:30",
        "First reply: due": "2026-03-09T14:00",
        "Resolution: warning": "2026-03-10T18:00",
        "Resolution: due": "2026-03-11T14:00",
    }
    assert [day.change is not None for day in spring.days] == [False, False, True, False, False, False]
    turkey = client.get("/settings/time-lab/", asked | {"moment": "2026-11-25T22:30"}).context["lab"]
    assert [day.name for day in turkey.days if day.name] == ["Thanksgiving Day"]
    assert turkey.standing.opens_at.isoformat()[:16] == "2026-11-27T14:00"
    messages = {one.title: one.at.isoformat()[:16] for one in turkey.groups[0][1]}
    assert set(messages.values()) == {"2026-11-26T13:00"}


def test_the_time_lab_asks_for_a_moment(client, queue):
    assert client.get("/settings/time-lab/").status_code == 200
    assert client.get("/settings/time-lab/", {"moment": "yesterday", "zone": "UTC"}).status_code == 422


def test_open_conversations_follow_new_policies_at_once_when_asked(client, sms_channel):
    rows = [InteractionFactory(channel=sms_channel, opened_at=MONDAY, last_inbound_at=MONDAY) for _ in range(2)]
    SlaPolicyFactory(resolution_minutes=None)
    answer = client.post("/settings/sla/apply/")
    job = Job.objects.get()
    assert (answer.url, job.total) == (f"/jobs/{job.pk}/", 2)
    run_jobs()
    due = [Interaction.objects.get(pk=row.pk).due_at for row in rows]
    assert due == [MONDAY + timedelta(minutes=30)] * 2
