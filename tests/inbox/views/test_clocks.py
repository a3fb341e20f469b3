"""Clocks are seen in the list and in the conversation, sorted by and filtered for."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from inbox.enums import ClockKind
from inbox.services.next import take_next
from tests.factories.inbox import InteractionFactory

pytestmark = pytest.mark.django_db
K = ClockKind


@pytest.fixture
def rows(sms_channel):
    """Five conversations by the state of their clock."""
    now = timezone.now()
    minutes = lambda n: now + timedelta(minutes=n, seconds=20)  # noqa: E731
    given = {
        "none": {},
        "paused": {"due_kind": K.RESOLUTION},
        "ok": {"due_at": minutes(60), "warn_at": minutes(40), "due_kind": K.FIRST_RESPONSE},
        "late": {"due_at": minutes(-4), "warn_at": minutes(-20), "due_kind": K.NEXT_RESPONSE},
        "soon": {"due_at": minutes(5), "warn_at": minutes(-1), "due_kind": K.RESOLUTION},
    }
    return {name: InteractionFactory(channel=sms_channel, contact_name=name, **one) for name, one in given.items()}


def shown(client, query=""):
    page = client.get(f"/inbox/?view=unassigned{query}").content.decode()
    names = re.findall(r'conv__name"><span class="truncate">(\w+)<', page)
    chips = re.findall(
        r'data-state="(\w+)">.*?(?:<span class="vh">([^<]*?) ?</span><span class="num"[^>]*>|<span>)([\w ]+)<', page
    )
    return names, [chip for chip in chips if chip[0] in ("ok", "soon", "late", "paused")]


def test_the_list_begins_with_what_is_due_first_and_says_each_clock_in_words(signed_in, agent, rows):
    names, chips = shown(signed_in(agent))
    assert names == ["late", "soon", "ok", "paused", "none"] or names == ["late", "soon", "ok", "none", "paused"]
    assert sorted(chips) == sorted(
        [
            ("late", "Reply overdue by", "3m"),
            ("soon", "To be resolved soon, in", "5m"),
            ("ok", "First reply due in", "1h 00m"),
            ("paused", "", "Paused"),
        ]
    )


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("late", {"late"}),
        ("soon", {"soon"}),
        ("paused", {"paused"}),
        ("late&clock=soon", {"late", "soon"}),
        ("x", None),
    ],
)
def test_the_list_is_filtered_by_the_clock(signed_in, agent, rows, asked, found):
    names, _chips = shown(signed_in(agent), f"&clock={asked}")
    assert set(names) == (set(rows) if found is None else found)


def test_the_conversation_shows_its_clock(signed_in, agent, rows):
    page = signed_in(agent).get(f"/inbox/{rows['soon'].pk}/").content.decode()
    head = page[page.index('class="talk__meta"') :][:600]
    assert 'data-state="soon"' in head
    assert "To be resolved soon, in" in head


def test_the_next_piece_of_work_is_the_one_due_first_within_a_priority(agent, rows):
    assert [take_next(actor=agent).contact_name for _ in range(3)] == ["late", "soon", "ok"]


def test_a_view_is_marked_late_by_its_deadlines(signed_in, agent, rows):
    client = signed_in(agent)
    late = {
        view.key: view.is_late for group in client.get("/inbox/").context["view_groups"] for view in group["entries"]
    }
    assert (late["unassigned"], late["mine"]) == (True, False)
    rows["late"].delete()
    late = {
        view.key: view.is_late for group in client.get("/inbox/").context["view_groups"] for view in group["entries"]
    }
    assert late["unassigned"] is False
