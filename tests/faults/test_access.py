"""X3: guessing passwords gets nobody in and tells nobody who works here."""

import itertools
import re
import statistics
import time

import pytest
import time_machine
from django.test import Client

from contact_center.accounts.models import User
from tests.factories.accounts import PASSWORD, UserFactory

LOGIN = "/accounts/login/"
SLOW_HASHERS = ["django.contrib.auth.hashers.ScryptPasswordHasher"]


def attempt(email, password, address="203.0.113.1", agent="browser"):
    return Client().post(
        LOGIN, {"login": email, "password": password}, REMOTE_ADDR=address, headers={"User-Agent": agent}
    )


def comparable(response, email):
    """All of an answer that an attacker sees, without what they typed and the tokens that are random anyway."""
    body = response.content.decode().replace(email, "ADDRESS")
    body = re.sub(r'(name="csrfmiddlewaretoken" value=)"[^"]+"', r'\1"TOKEN"', body)
    return response.status_code, response.headers.get("Location"), body


@pytest.mark.fault
@pytest.mark.parametrize("guesses", [100, pytest.param(1000, marks=pytest.mark.slow)])
def test_bad_sign_ins_from_changing_addresses_lock_at_the_fifth(agent, guesses):
    addresses = (f"198.51.{high}.{low}" for high, low in itertools.product(range(100), range(1, 101)))
    statuses = [attempt(agent.email, f"guess-{n}", next(addresses), f"agent {n}").status_code for n in range(guesses)]
    first_refused = statuses.index(429) + 1
    right = attempt(agent.email, PASSWORD, next(addresses))
    print(f"X3: {guesses:,} guesses, locked at {first_refused}, right password while locked: {right.status_code}")
    assert (first_refused <= 5, set(statuses[first_refused - 1 :]), right.status_code) == (True, {429}, 429)


def test_spelling_the_address_otherwise_does_not_start_a_new_count(agent):
    spellings = [
        "agent@aurora.test",
        "AGENT@aurora.test",
        " agent@Aurora.test",
        "Agent@aurora.TEST",
        "aGent@aurora.test",
    ]
    statuses = [attempt(spelling, "wrong").status_code for spelling in spellings]
    assert (statuses[-1], attempt(agent.email, PASSWORD).status_code) == (429, 429)


def test_the_lock_opens_by_itself_and_guessing_on_does_not_prolong_it(agent):
    with time_machine.travel(1_800_000_000, tick=False) as clock:
        for _ in range(5):
            attempt(agent.email, "wrong")
        clock.shift(14 * 60)
        assert attempt(agent.email, PASSWORD).status_code == 429
        clock.shift(2 * 60)
        assert attempt(agent.email, PASSWORD).status_code == 302


def test_known_and_unknown_people_get_the_same_answers(agent):
    known = [comparable(attempt(agent.email, "wrong"), agent.email) for _ in range(7)]
    other = "someone@aurora.test"
    unknown = [comparable(attempt(other, "wrong"), other) for _ in range(7)]
    assert known == unknown
    assert [status for status, *_ in known] == [200] * 4 + [429] * 3


def test_another_person_is_not_locked_by_it(agent, supervisor):
    for _ in range(6):
        attempt(agent.email, "wrong")
    assert attempt(supervisor.email, PASSWORD).status_code == 302


@pytest.mark.slow
@pytest.mark.django_db
def test_the_answer_takes_as_long_for_unknown_people(settings):
    settings.PASSWORD_HASHERS = SLOW_HASHERS
    settings.AXES_FAILURE_LIMIT = 1000
    user = UserFactory()
    assert User.objects.get(pk=user.pk).password.startswith("scrypt")
    spent = {"known": [], "unknown": []}
    for _ in range(11):
        for who, email in (("known", user.email), ("unknown", "nobody@aurora.test")):
            start = time.thread_time()
            attempt(email, "wrong")
            spent[who].append(time.thread_time() - start)
    gap = abs(statistics.median(spent["known"]) - statistics.median(spent["unknown"]))
    print(f"X3: gap between known and unknown people {gap * 1000:.1f} ms CPU")
    assert gap <= 0.05
