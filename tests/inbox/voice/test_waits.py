"""The wait that callers are told: its formula, when nothing is said, and that what was said is kept and measured."""

from datetime import timedelta

import pytest
from django.utils import timezone

from inbox.models import CallMoment
from inbox.selectors.voice_figures import quotes_told
from inbox.waits import Handled, Quote, accuracy, quote
from tests.factories.distribution import make_available
from tests.factories.voice import CallFactory

FEW, MANY, USUAL = Handled(4, 600.0), Handled(5, 300.0), Handled(9, 120.0)


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ({"ahead": 0, "recent": MANY, "people": 1}, (4, 6)),
        ({"ahead": 3, "recent": MANY, "people": 2}, (7, 13)),
        ({"ahead": 0, "recent": MANY, "people": 50}, (1, 2)),
        ({"ahead": 1, "recent": FEW, "people": 1}, (3, 5)),  # too few lately: as usual
        ({"ahead": 1, "recent": FEW, "people": 1, "usual": FEW}, None),
        ({"ahead": 1, "recent": MANY, "people": 0}, None),
        ({"ahead": 0, "recent": MANY, "people": 3, "free": 1}, None),
    ],
)
def test_the_wait_follows_from_calls_ahead_their_length_and_the_people(facts, told):
    assert quote(**{"usual": USUAL} | facts) == told


def test_accuracy_is_the_error_of_the_middle_and_the_share_inside():
    assert accuracy([(Quote(1, 3), 120.0), (Quote(1, 3), 29.0), (Quote(1, 3), 211.0), (Quote(2, 4), 90.0)]) == (
        4, (0 + 91 + 91 + 90) / 4, 0.5,
    )  # fmt: skip
    assert accuracy([]) == (0, 0.0, 0.0)


@pytest.mark.django_db
def test_what_a_caller_is_told_first_stands_in_the_record_with_what_followed(caller, agent, queue, voice_channel):
    now = timezone.now()
    make_available(agent)
    for _ in range(5):
        CallFactory(
            channel=voice_channel, status="completed", agent=agent, queued_at=now - timedelta(hours=1),
            answered_at=now - timedelta(minutes=50), ended_at=now - timedelta(minutes=46),
            external_id="",
        )  # fmt: skip
    call = caller.wait_in_line()
    assert "The wait is about 3 to 5 minutes." in caller.follow()
    for _ in range(2):
        caller.follow()
        caller.settle()
    moment = CallMoment.objects.get(call=call, kind="quoted")
    assert moment.detail == "3-5"
    call.answered_at = moment.at + timedelta(minutes=4)
    call.save()
    assert quotes_told(now - timedelta(hours=1)) == [(Quote(3, 5), 240.0)]
