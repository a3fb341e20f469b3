"""Merging, undoing it and splitting through the page."""

import pytest
from django.urls import reverse

from inbox.models import Interaction
from tests.factories.inbox import InteractionFactory, MessageFactory
from tests.factories.patients import PatientFactory

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true", "HX-Target": "dialogs"}


def url(name, pk):
    return reverse(f"inbox:{name}", args=[pk])


@pytest.fixture
def patient():
    return PatientFactory()


@pytest.fixture
def here(agent, sms_channel, patient):
    return InteractionFactory(channel=sms_channel, owner=agent, patient=patient)


@pytest.fixture
def other(agent, whatsapp_channel, patient):
    return InteractionFactory(channel=whatsapp_channel, owner=agent, patient=patient, snippet="By WhatsApp")


def test_the_persons_other_open_conversations_are_offered_with_what_stands_in_the_way(
    agent, second_agent, here, other, email_channel, patient, signed_in
):
    taken = InteractionFactory(channel=email_channel, owner=second_agent, patient=patient)
    InteractionFactory(channel=email_channel, owner=agent, patient=PatientFactory())
    InteractionFactory(channel=email_channel, owner=agent, patient=patient, status="closed")
    MessageFactory.create_batch(2, interaction=other)
    offered = signed_in(agent).get(url("merge", here.pk), headers=HTMX).context["candidates"]
    assert {row.interaction: (row.messages, row.why_not) for row in offered} == {
        other: (2, ""),
        taken: (0, f"{second_agent} works on one of them. Ask them, or a supervisor, to merge."),
    }


@pytest.mark.parametrize("way", ["here", "there"])
@pytest.mark.parametrize("headers", [HTMX, None])
def test_the_direction_is_chosen_and_the_page_of_what_goes_on_comes_next(headers, way, agent, here, other, signed_in):
    answer = signed_in(agent).post(url("merge", here.pk), {"other": other.pk, "way": way}, headers=headers)
    goes_on, ended = (here, other) if way == "here" else (other, here)
    assert answer.headers["HX-Redirect" if headers else "Location"] == url("interaction", goes_on.pk)
    ended.refresh_from_db()
    assert (ended.status, ended.merged_into) == ("closed", goes_on)


def test_without_a_choice_and_for_a_strangers_conversation_it_is_refused(agent, here, other, sms_channel, signed_in):
    stranger = InteractionFactory(channel=sms_channel, owner=agent, patient=PatientFactory())
    for chosen in ("", "x", stranger.pk, here.pk):
        answer = signed_in(agent).post(url("merge", here.pk), {"other": chosen}, headers=HTMX)
        assert (answer.status_code, answer.context["error"]) == (422, "Choose a conversation.")
    assert Interaction.objects.exclude(merged_into=None).count() == 0


def test_one_that_a_colleague_took_meanwhile_is_a_conflict(agent, second_agent, here, other, signed_in):
    Interaction.objects.filter(pk=other.pk).update(owner=second_agent)
    answer = signed_in(agent).post(url("merge", here.pk), {"other": other.pk, "way": "here"}, headers=HTMX)
    assert (answer.status_code, answer.context["way"], answer.context["chosen"]) == (409, "here", str(other.pk))


def test_the_ended_one_points_to_where_it_goes_on_and_the_merge_can_be_undone(agent, here, other, signed_in):
    client = signed_in(agent)
    client.post(url("merge", here.pk), {"other": other.pk, "way": "there"})
    page = client.get(url("interaction", here.pk)).content.decode()
    assert "This conversation goes on in another one." in page
    assert f'href="{url("interaction", other.pk)}"' in page
    answer = client.post(url("unmerge", here.pk))
    here.refresh_from_db()
    assert (answer.headers["Location"], here.status) == (url("interaction", here.pk), "active")
    again = client.post(url("unmerge", here.pk), headers={"HX-Request": "true", "HX-Target": "workspace"})
    assert again.status_code == 422


def test_chosen_messages_are_split_off_and_a_wrong_choice_is_told_and_kept(agent, here, signed_in):
    stays, goes = MessageFactory(interaction=here), MessageFactory(interaction=here)
    client = signed_in(agent)
    both = client.post(url("split", here.pk), {"messages": [stays.pk, goes.pk]}, headers=HTMX)
    assert (both.status_code, both.context["chosen"]) == (422, {stays.pk, goes.pk})
    answer = client.post(url("split", here.pk), {"messages": [goes.pk]}, headers=HTMX)
    new = Interaction.objects.get(split_from=here)
    assert answer.headers["HX-Redirect"] == url("interaction", new.pk)
    assert list(new.messages.all()) == [goes]


@pytest.mark.parametrize("headers", [None, HTMX])
def test_an_undo_asks_what_of_the_things_added_since_belongs_to_the_source(agent, signed_in, here, other, headers):
    there = other
    client, address = signed_in(agent), url("unmerge", here.pk)
    client.post(url("merge", here.pk), {"other": there.pk, "way": "there"})
    added = MessageFactory(interaction=there, text="About the bill")
    asked = client.post(address, headers=headers)
    assert (asked.status_code, list(asked.context["added"].messages)) == (200, [added])
    assert asked.headers.get("HX-Retarget") == ("#dialogs" if headers else None)
    client.post(address, {"sure": "1", "messages": [added.pk]}, headers=headers)
    assert list(here.messages.values_list("text", flat=True)) == ["About the bill"]


def test_of_a_target_in_a_queue_one_does_not_serve_nothing_is_shown_or_taken(
    agent, signed_in, here, other, other_queue
):
    there = other
    signed_in(agent).post(url("merge", here.pk), {"other": there.pk, "way": "there"})
    Interaction.objects.filter(pk=there.pk).update(queue=other_queue, owner=None, status="queued")
    added = MessageFactory(interaction=there, text="Secret")
    client = signed_in(agent)
    client.post(url("unmerge", here.pk), {"sure": "1", "messages": [added.pk]})
    here.refresh_from_db()
    assert (list(there.messages.all()), here.merged_into) == ([added], there)
