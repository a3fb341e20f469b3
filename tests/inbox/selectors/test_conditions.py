"""Conditions of filters and saved views: what they mean, what nonsense does, and that they only narrow."""

from datetime import timedelta

import pytest
from django.http import QueryDict
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from inbox.models import Interaction
from inbox.selectors.conditions import FIELDS, Conditions, Rule, as_q, asked, composed, read
from tests.factories.inbox import InteractionFactory, ReasonFactory, TagFactory
from tests.factories.patients import PatientFactory

pytestmark = pytest.mark.django_db


def fitting(user, *rules, match="all"):
    """Ids of what fits, oldest first."""
    stored = {"match": match, "rules": list(rules)}
    return list(Interaction.objects.filter(as_q(read(stored), user)).order_by("pk").values_list("pk", flat=True))


@pytest.fixture
def rows(agent, sms_channel, whatsapp_channel):
    """Three conversations that differ in everything a condition can ask for."""
    parent = ReasonFactory()
    one = InteractionFactory(
        channel=sms_channel, owner=agent, language="pt-BR", priority=1, reason=ReasonFactory(parent=parent),
        patient=PatientFactory(), unread_count=2, next_step_date=timezone.localdate() - timedelta(days=1),
        due_at=timezone.now() - timedelta(minutes=1), due_kind="first_response",
    )  # fmt: skip
    two = InteractionFactory(channel=whatsapp_channel, language="es", waiting_since_at=None, reason=parent)
    three = InteractionFactory(channel=sms_channel, language="en", next_step_date=timezone.localdate())
    one.tags.add(TagFactory())
    return one, two, three


def test_every_field_finds_what_it_names_and_its_negation_finds_the_rest(agent, rows):
    one, two, three = rows
    cases = {
        "channel": (["sms"], [one, three]),
        "language": (["pt"], [one]),
        "priority": (["1"], [one]),
        "owner": (["me"], [one]),
        "queue": ([str(one.queue_id)], [one, two, three]),
        "reason": ([str(two.reason_id)], [one, two]),
        "tag": ([str(one.tags.get().pk)], [one]),
        "clock": (["late"], [one]),
        "waiting": (["yes"], [one, three]),
        "unread": (["yes"], [one]),
        "unknown": (["yes"], [two, three]),
        "overdue": (["yes"], [one]),
    }
    assert set(cases) == set(FIELDS)
    everything = [row.pk for row in rows]
    for field, (values, expected) in cases.items():
        found = [row.pk for row in expected]
        assert fitting(agent, {"field": field, "is": values}) == found, field
        rest = [pk for pk in everything if pk not in found]
        assert fitting(agent, {"field": field, "not": values}) == rest, field


def test_nobody_and_me_and_a_colleague_are_owners(agent, second_agent, rows):
    one, two, three = rows
    assert fitting(second_agent, {"field": "owner", "is": ["nobody"]}) == [two.pk, three.pk]
    assert fitting(second_agent, {"field": "owner", "is": ["me"]}) == []
    assert fitting(second_agent, {"field": "owner", "is": [str(agent.pk), "nobody"]}) == [one.pk, two.pk, three.pk]


def test_all_means_and_and_any_means_or(agent, rows):
    one, two, three = rows
    rules = ({"field": "language", "is": ["es", "en"]}, {"field": "channel", "is": ["sms"]})
    assert fitting(agent, *rules, match="all") == [three.pk]
    assert fitting(agent, *rules, match="any") == [one.pk, two.pk, three.pk]


def test_yes_and_no_together_ask_for_nothing(agent, rows):
    assert len(fitting(agent, {"field": "unread", "is": ["yes", "no"]})) == 3


def test_a_row_with_two_of_the_tags_is_found_once(agent, rows):
    tags = [TagFactory(), TagFactory()]
    rows[0].tags.set(tags)
    assert fitting(agent, {"field": "tag", "is": [str(tag.pk) for tag in tags]}) == [rows[0].pk]


def test_rules_nobody_understands_are_dropped_and_counted():
    stored = {
        "match": "sometimes",
        "rules": [
            {"field": "language", "is": ["es"]},
            {"field": "shoe_size", "is": ["44"]},
            {"field": "queue", "is": ["1; DROP TABLE inbox_queue", "99999999999999999999999"]},
            {"field": "priority", "is": [[1]]},
            {"field": "channel"},
            "language",
        ],
    }
    conditions = read(stored)
    assert (conditions, conditions.dropped) == (Conditions((Rule("language", ("es",)),)), 5)


@pytest.mark.parametrize("stored", [None, [], "x", 7, {}, {"rules": None}, {"rules": {"field": "owner"}}])
def test_a_view_without_sound_conditions_asks_for_nothing(stored):
    assert read(stored) == Conditions()


WORDS = st.sampled_from(["field", "is", "not", "rules", "match", "queue"])


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=9),
        lambda inner: st.lists(inner) | st.dictionaries(WORDS, inner),
    )
)
def test_no_stored_value_breaks_reading_and_what_is_read_can_be_stored(stored):
    conditions = read(stored)
    assert read(conditions.stored()) == conditions


def test_a_filter_in_an_address_says_the_same_on_its_way_back():
    data = QueryDict("view=mine&channel=sms&channel=fax&owner=me&queue=3&queue=x&unread=yes&unread=maybe&tag=-1")
    conditions = asked(data)
    assert conditions == Conditions(
        (Rule("channel", ("sms",)), Rule("owner", ("me",)), Rule("queue", ("3",)), Rule("unread", ("yes",)))
    )
    assert conditions.without("channel", "sms").pairs() == [("owner", "me"), ("queue", "3"), ("unread", "yes")]


def test_a_form_can_negate_a_field_and_ask_for_any():
    conditions = composed(QueryDict("match=any&not=channel&channel=sms&language=es"))
    assert conditions == Conditions((Rule("channel", ("sms",), True), Rule("language", ("es",))), "any")
