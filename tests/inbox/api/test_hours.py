"""Machines read calendars, policies and clocks, as far as their role sees them."""

from datetime import UTC, datetime

import pytest
import time_machine
from rest_framework.test import APIClient

from contact_center.accounts import services as accounts
from contact_center.accounts.enums import Role
from inbox.services import clocks
from inbox.services.interactions import locked
from tests.factories.hours import CalendarDayFactory, CalendarFactory, SlaPolicyFactory
from tests.factories.inbox import InteractionFactory
from tests.factories.patients import PatientFactory

pytestmark = pytest.mark.django_db
MONDAY = datetime(2026, 3, 2, 15, tzinfo=UTC)


@pytest.fixture
def api():
    def client(role):
        key = accounts.create_api_key(actor=None, name=f"{role} key", role=role)[1]
        found = APIClient()
        found.credentials(HTTP_AUTHORIZATION=f"Token {key}")
        return found

    return client


@time_machine.travel(MONDAY, tick=False)
def test_calendars_policies_and_clocks_are_read(api, queue, sms_channel, django_assert_max_num_queries):
    queue.calendar = CalendarFactory(name="Brickell")
    queue.save()
    CalendarDayFactory(calendar=queue.calendar, date=MONDAY.date())
    policy = SlaPolicyFactory(queues=[queue], resolution_minutes=None)
    row = InteractionFactory(channel=sms_channel, patient=PatientFactory())
    clocks.settle(row)
    row.save()
    client = api(Role.SUPERVISOR)
    calendar = client.get("/api/v1/calendars/").json()["results"][0]
    told = [calendar[key] for key in ("name", "is_open", "opens_at", "queues")]
    assert told == ["Brickell", False, "2026-03-03T09:00:00-05:00", [queue.pk]]
    assert calendar["weekly"][0] == {"weekday": 0, "opens": "09:00:00", "closes": "18:00:00"}
    assert client.get(f"/api/v1/sla-policies/{policy.pk}/").json()["queues"] == [queue.pk]
    clock = client.get("/api/v1/sla-clocks/", {"interaction": row.pk}).json()["results"][0]
    told = [clock[key] for key in ("kind", "target_seconds", "due_at", "business_seconds")]
    assert told == ["first_response", 1800.0, "2026-03-03T09:30:00-05:00", None]
    assert client.get("/api/v1/sla-clocks/", {"is_breached": "true"}).json()["results"] == []
    assert client.get(f"/api/v1/interactions/{row.pk}/").json()["due_kind"] == "first_response"


def test_partners_see_the_hours_and_clocks_of_their_own_queues_only(api, queue, sms_channel):
    queue.calendar = CalendarFactory()
    queue.save()
    SlaPolicyFactory(queues=[queue])
    row = InteractionFactory(channel=sms_channel)
    row = locked(row.pk)
    clocks.settle(row)
    row.save()
    client = api(Role.PARTNER_AGENT)
    found = [client.get(f"/api/v1/{name}/").json()["results"] for name in ("calendars", "sla-policies", "sla-clocks")]
    assert found == [[], [], []]
