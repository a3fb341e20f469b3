"""Before a proxy's right ends somebody is told, once; when it is over, it is ended."""

from datetime import timedelta

import pytest
from django.utils import timezone

from inbox.models import Case, Notification
from inbox.services.proxies import watch_proxies
from tests.factories.inbox import InteractionFactory
from tests.factories.patients import PatientFactory, RelatedPersonFactory

pytestmark = pytest.mark.django_db


def proxy(days, **fields):
    until = timezone.localdate() + timedelta(days=days)
    given = {"is_proxy": True, "scopes": ["results"], "valid_until_date": until} | fields
    return RelatedPersonFactory(**given)


def test_a_right_that_ends_within_the_warning_makes_one_case_task_and_notice(sms_channel, agent):
    link = proxy(20)
    talk = InteractionFactory(channel=sms_channel, patient=link.patient, owner=agent)
    assert [watch_proxies() for _turn in range(3)] == [1, 0, 0]
    case = Case.objects.get()
    assert (case.patient, case.owner, case.queue, case.next_step_date) == (
        link.patient, agent, talk.queue, link.valid_until_date,
    )  # fmt: skip
    assert list(talk.tasks.values_list("owner", "due_date")) == [(agent.pk, link.valid_until_date)]
    assert list(Notification.objects.values_list("user", "kind")) == [(agent.pk, "proxy_ends")]


def test_far_away_ended_and_endless_rights_are_left_alone(queue):
    for link in (proxy(31), proxy(10, ended_at=timezone.now()), proxy(10, valid_until_date=None)):
        assert link.pk
    assert (watch_proxies(), Case.objects.count()) == (0, 0)


def test_a_minor_who_came_of_age_speaks_for_themself(queue):
    today = timezone.localdate()
    grown = PatientFactory(birth_date=today.replace(year=today.year - 18))
    link = proxy(0, patient=grown, valid_until_date=None, is_for_minor=True)
    assert watch_proxies() == 1
    link.refresh_from_db()
    assert link.ended_at is not None


def test_where_nobody_owns_the_work_the_leads_are_told(queue, supervisor, admin):
    proxy(5)
    watch_proxies()
    assert set(Notification.objects.values_list("user", flat=True)) == {supervisor.pk, admin.pk}
