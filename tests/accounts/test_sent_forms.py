"""A form that makes something makes it once, however often it is sent."""

import threading
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from contact_center.accounts.models import SentForm, Team
from contact_center.accounts.sent_forms import forget_sent_forms, once
from contact_center.common.errors import Refused
from tests.blocking import until_somebody_waits
from tests.factories.accounts import TeamFactory, UserFactory

pytestmark = pytest.mark.django_db


def test_the_same_form_of_one_person_makes_one_and_gives_it_again(agent, second_agent):
    first, again = [once(actor=agent, key="abc", make=TeamFactory) for _ in range(2)]
    other = once(actor=second_agent, key="abc", make=TeamFactory)
    assert (first == again, first == other, Team.objects.filter(pk__in=[first, other]).count()) == (True, False, 2)


def test_a_form_without_a_key_makes_one_each_time(agent):
    assert len({once(actor=agent, key=key, make=TeamFactory) for key in ("", "\x00", "")}) == 3


def test_what_was_refused_may_be_sent_again(agent):
    def refuse():
        TeamFactory(slug="half")
        raise Refused("Not today.")

    with pytest.raises(Refused):
        once(actor=agent, key="abc", make=refuse)
    made = once(actor=agent, key="abc", make=TeamFactory)
    assert (Team.objects.filter(slug="half").count(), Team.objects.filter(pk=made).count()) == (0, 1)


def test_keys_are_forgotten_after_a_week(agent):
    once(actor=agent, key="old", make=lambda: None)
    with time_machine.travel(timezone.now() + timedelta(days=6)):
        once(actor=agent, key="new", make=lambda: None)
    with time_machine.travel(timezone.now() + timedelta(days=8)):
        assert (forget_sent_forms(), list(SentForm.objects.values_list("key", flat=True))) == (1, ["new"])


@pytest.mark.django_db(transaction=True)
def test_the_same_form_sent_in_the_same_moment_makes_one_and_both_get_it():
    agent, begun, got = UserFactory(), threading.Event(), []

    def slowly():
        begun.set()
        until_somebody_waits()
        return TeamFactory()

    def send():
        try:
            got.append(once(actor=agent, key="abc", make=slowly))
        finally:
            connection.close()

    thread = threading.Thread(target=send)
    thread.start()
    assert begun.wait(10)
    got.append(once(actor=agent, key="abc", make=TeamFactory))
    thread.join(10)
    assert got == [Team.objects.get().pk] * 2
