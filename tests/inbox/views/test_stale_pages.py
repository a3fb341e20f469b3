"""Pages that are older than what they show, and forms that are sent twice."""

import pytest
from django.urls import reverse
from django.utils import timezone

from contact_center.jobs.models import Job
from inbox.models import Interaction, Note, SavedView
from tests.factories.inbox import InteractionFactory, SavedViewFactory, TagFactory

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true", "HX-Target": "div#dialogs"}


def url(name, *args):
    return reverse(f"inbox:{name}", args=args)


@pytest.fixture
def mine(sms_channel, agent):
    return InteractionFactory(channel=sms_channel, owner=agent)


def raise_all(client, look):
    """Everything that the page at this address shows becomes urgent; the priorities then."""
    order = {"action": "priority", "scope": "view", "look": look, "sure": "1", "priority": "1"}
    client.post(url("bulk"), order, headers=HTMX)
    return list(Interaction.objects.order_by("pk").values_list("priority", flat=True))


def test_what_is_meant_for_a_view_that_was_deleted_meanwhile_is_done_to_no_other(agent, mine, signed_in):
    view = SavedViewFactory(owner=agent, conditions={"match": "all", "rules": [{"field": "priority", "is": ["3"]}]})
    SavedView.objects.all().delete()
    assert raise_all(signed_in(agent), f"view=saved-{view.pk}") == [3]
    assert raise_all(signed_in(agent), "view=mine") == [1]


def test_all_of_a_search_means_what_was_found_and_not_the_whole_view(agent, sms_channel, signed_in):
    for name in ("Zebra", "Lion"):
        InteractionFactory(channel=sms_channel, owner=agent, contact_name=name)
    client = signed_in(agent)
    look = client.post(url("search"), {"q": "Zebra", "view": "mine"}, follow=True).context["look_query"]
    assert raise_all(client, look) == [1, 3]
    assert raise_all(signed_in(agent), look) == [1, 3], "another session knows no such search"


def test_an_export_keeps_no_key_of_a_search_and_nothing_that_cannot_be_stored(agent, mine, signed_in):
    signed_in(agent).post(url("export"), {"look": "view=mine\x00&s=aB3dE6gH&order=newest"})
    assert Job.objects.get().parameters == {"look": "view=mine&order=newest"}


def test_tags_that_a_colleague_put_on_meanwhile_stay(agent, mine, signed_in):
    old, own, theirs = TagFactory(), TagFactory(), TagFactory()
    mine.tags.set([old])
    client = signed_in(agent)
    shown = client.get(url("labels", mine.pk)).context["form"]["shown"].value()
    mine.tags.add(theirs)
    Interaction.objects.filter(pk=mine.pk).update(priority=1)
    data = {"reason": "", "priority": "3", "tags": [own.pk], "shown": shown}
    answer = client.post(url("labels", mine.pk), data, headers=HTMX)
    assert (answer.status_code, set(mine.tags.all())) == (200, {own, theirs})
    assert Interaction.objects.get(pk=mine.pk).priority == 1


def test_a_note_sent_twice_is_one_note_and_the_same_words_later_are_another(agent, mine, signed_in):
    client = signed_in(agent)

    def send(draft_round):
        client.post(url("compose", mine.pk), {"mode": "note", "text": "Called", "draft_round": draft_round})
        return Note.objects.count()

    def page_round():
        return client.get(url("interaction", mine.pk)).context["draft_round"]

    shown = page_round()
    assert (send(shown), send(shown), send(page_round())) == (1, 1, 2)


@pytest.mark.parametrize("do", ["later", "schedule"])
def test_a_note_is_not_put_off_but_kept(do, agent, mine, signed_in):
    data = {"mode": "note", "do": do, "text": "Called", "when": "other", "on_date": "2090-01-01", "at_time": "10:00"}
    answer = signed_in(agent).post(url("compose", mine.pk), data, headers=HTMX)
    assert (answer.status_code, Note.objects.get().body) == (200, "Called")


@pytest.mark.parametrize("headers", [HTMX, None])
def test_whoever_gives_back_what_their_queues_do_not_have_comes_to_the_list(
    headers, agent, sms_channel, other_queue, signed_in
):
    row = InteractionFactory(channel=sms_channel, owner=agent, queue=other_queue, opened_at=timezone.now())
    answer = signed_in(agent).post(url("release", row.pk), headers=headers)
    where = answer.headers.get("HX-Redirect") or answer.headers.get("Location")
    assert (where, Interaction.objects.get().owner) == (url("list"), None)
