"""Long conversations: page by page into the past, nothing twice, nothing left out."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from inbox.models import Message, Note
from inbox.selectors import conversation
from inbox.selectors.thread import Place, thread_of
from tests.factories.inbox import InteractionFactory, MessageFactory, NoteFactory
from tests.factories.patients import PatientFactory

HTMX = {"HX-Request": "true", "HX-Target": "div#earlier"}
pytestmark = pytest.mark.django_db


def url(name, pk):
    return reverse(f"inbox:{name}", args=[pk])


@pytest.fixture
def long_thread(agent, sms_channel):
    """Twelve messages and twelve notes, two of each at the very same moment."""
    row = InteractionFactory(channel=sms_channel, owner=agent, patient=PatientFactory())
    start = timezone.now() - timedelta(days=3)
    for number in range(12):
        at = start + timedelta(hours=number // 2)
        MessageFactory(interaction=row, text=f"said {number}", occurred_at=at)
        Note.objects.filter(pk=NoteFactory(interaction=row, author=agent).pk).update(created_at=at)
    return row


def walk(user, row, size):
    """The pages from the newest to the oldest."""
    pages, before = [], None
    while True:
        thread = thread_of(user, row, limit=size, before=before)
        pages.append([(entry["at"], entry["type"], entry["item"].pk) for entry in thread.entries])
        before = thread.earlier
        if before is None:
            return pages


@pytest.mark.parametrize("size", [1, 5, 24, 25])
def test_pages_of_any_size_put_together_are_the_whole_conversation(size, agent, long_thread):
    everything = [entry for page in reversed(walk(agent, long_thread, size)) for entry in page]
    assert everything == walk(agent, long_thread, 100)[0]
    assert len(everything) == len(set(everything)) == 24


def test_a_redrawn_thread_keeps_its_first_entry_when_something_new_came(agent, long_thread):
    drawn = thread_of(agent, long_thread, limit=5)
    new = MessageFactory(interaction=long_thread, text="one more")
    again = thread_of(agent, long_thread, limit=5, since=drawn.earlier)
    items = [entry["item"] for entry in drawn.entries]
    assert [entry["item"] for entry in again.entries] == [*items, new]
    assert again.earlier == drawn.earlier


@pytest.mark.parametrize("text", ["", "1", "1-9-1", "-1-1-1", "1-1-1 OR 1=1", "9" * 30, "١-1-1"])
def test_a_place_that_nobody_gave_out_is_none(text):
    assert Place.read(text) is None


def test_a_place_survives_its_way_through_an_address():
    place = Place(timezone.now(), 1, 42)
    assert Place.read(str(place)) == place


def test_show_earlier_brings_the_page_before_with_the_same_number_of_queries_however_long(
    agent, long_thread, signed_in, monkeypatch
):
    monkeypatch.setattr(conversation, "THREAD_LIMIT", 4)
    client = signed_in(agent)
    page = client.get(url("interaction", long_thread.pk))
    address = f"{url('earlier', long_thread.pk)}?before={page.context['earlier']}"
    assert f'hx-get="{address}"' in page.content.decode()
    client.get(address, headers=HTMX)
    with CaptureQueriesContext(connection) as short:
        answer = client.get(address, headers=HTMX)
    entries = [item for item in answer.context["items"] if item["kind"] in ("message", "note")]
    assert [item["at"] < page.context["earlier"].at for item in entries] == [True] * 4
    monkeypatch.setattr(conversation, "THREAD_LIMIT", 16)
    with CaptureQueriesContext(connection) as long:
        client.get(address, headers=HTMX)
    assert len(long) == len(short)


def test_the_last_page_has_nothing_earlier_to_show(agent, long_thread, signed_in, monkeypatch):
    monkeypatch.setattr(conversation, "THREAD_LIMIT", 20)
    client = signed_in(agent)
    first = client.get(url("interaction", long_thread.pk)).context["earlier"]
    answer = client.get(f"{url('earlier', long_thread.pk)}?before={first}", headers=HTMX)
    assert (answer.context["earlier"], "Show earlier" in answer.content.decode()) == (None, False)


def test_without_javascript_the_past_is_a_page_of_its_own(agent, long_thread, signed_in, monkeypatch):
    monkeypatch.setattr(conversation, "THREAD_LIMIT", 4)
    client = signed_in(agent)
    first = client.get(url("interaction", long_thread.pk)).context["earlier"]
    page = client.get(f"{url('earlier', long_thread.pk)}?before={first}").content.decode()
    newest = Message.objects.order_by("-occurred_at", "-pk").first()
    assert ("Show the newest" in page, f'id="message-{newest.pk}"' in page) == (True, False)


def test_a_forged_place_leads_back_to_the_conversation(agent, long_thread, signed_in):
    answer = signed_in(agent).get(f"{url('earlier', long_thread.pk)}?before=yesterday")
    assert answer.headers["Location"] == url("interaction", long_thread.pk)


def test_what_was_drawn_stays_while_a_thread_outgrows_its_page_under_somebodys_eyes(agent, sms_channel, signed_in):
    row = InteractionFactory(channel=sms_channel, owner=agent)
    first = MessageFactory(interaction=row, text="The very first")
    client = signed_in(agent)
    page = client.get(f"/inbox/{row.pk}/")
    assert page.context["earlier"] is None
    MessageFactory.create_batch(100, interaction=row)
    again = client.get(f"/inbox/{row.pk}/talk/?from={page.context['thread_since']}")
    shown = [item["message"].pk for item in again.context["items"] if item["kind"] == "message"]
    assert (len(shown), shown[0], again.context["earlier"]) == (101, first.pk, None)
    loaded = client.get(f"/inbox/{row.pk}/")
    assert len([item for item in loaded.context["items"] if item["kind"] == "message"]) == 60
