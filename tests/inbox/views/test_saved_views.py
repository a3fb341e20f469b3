"""Saved views: who has them, what they show, what happens when their parts are gone."""

import pytest
from django.urls import reverse

from contact_center.audit.models import AuditEntry
from inbox.models import SavedView
from tests.factories.inbox import InteractionFactory, QueueFactory, ReasonFactory, SavedViewFactory, TagFactory

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true", "HX-Target": "section#list"}


def url(name, *args):
    return reverse(f"inbox:{name}", args=args)


def form(**values):
    return {
        "name": "Spanish by SMS",
        "language": ["es"],
        "channel": ["sms"],
        "match": "all",
        "order": "newest",
    } | values


def keys_of(client):
    groups = client.get(url("views"), headers=HTMX).context["view_groups"]
    return {entry.key: entry for group in groups for entry in group["entries"]}


def ids(client, view):
    answer = client.get(url("rows") + f"?view=saved-{view.pk}", headers=HTMX)
    return [row.pk for group in answer.context["row_groups"] for row in group["rows"]], answer.content.decode()


def test_a_view_is_saved_shown_with_its_count_and_opened(agent, sms_channel, whatsapp_channel, signed_in):
    wanted = InteractionFactory(channel=sms_channel, language="es")
    InteractionFactory(channel=whatsapp_channel, language="es")
    client = signed_in(agent)
    answer = client.post(url("saved-view-new"), form())
    view = SavedView.objects.get()
    assert (view.owner, view.team, view.order, view.conditions) == (
        agent,
        None,
        "newest",
        {"match": "all", "rules": [{"field": "channel", "is": ["sms"]}, {"field": "language", "is": ["es"]}]},
    )
    assert answer["Location"] == f"{url('list')}?view=saved-{view.pk}"
    assert (keys_of(client)[f"saved-{view.pk}"].count, ids(client, view)[0]) == (1, [wanted.pk])
    assert AuditEntry.objects.filter(object_type="saved_view", object_id=view.pk, actor=agent).count() == 1


def test_the_preview_counts_and_shows_the_first_rows(agent, sms_channel, signed_in):
    for _ in range(7):
        InteractionFactory(channel=sms_channel, language="es")
    InteractionFactory(channel=sms_channel, language="en")
    answer = signed_in(agent).post(url("saved-view-preview"), {"language": ["es"]}, headers=HTMX)
    assert (answer.context["preview_count"], len(answer.context["preview_rows"])) == (7, 5)
    assert "7 open conversations fit now." in answer.content.decode()


def test_a_form_without_name_or_condition_comes_back_with_what_was_chosen(agent, signed_in):
    client = signed_in(agent)
    nameless = client.post(url("saved-view-new"), form(name=" "))
    page = nameless.content.decode()
    assert (nameless.status_code, "Give the view a name." in page) == (422, True)
    assert 'name="channel" value="sms" checked' in page
    empty = client.post(url("saved-view-new"), {"name": "Everything"})
    assert (empty.status_code, "Choose at least one condition." in empty.content.decode()) == (422, True)
    assert SavedView.objects.count() == 0


def test_a_name_is_taken_once_per_owner(agent, second_agent, signed_in):
    signed_in(agent).post(url("saved-view-new"), form())
    again = signed_in(agent).post(url("saved-view-new"), form(language=["pt"]))
    other = signed_in(second_agent).post(url("saved-view-new"), form())
    assert (again.status_code, other.status_code, SavedView.objects.count()) == (409, 302, 2)


def test_a_personal_view_is_nobody_elses(agent, second_agent, signed_in):
    view = SavedViewFactory(owner=agent)
    client = signed_in(second_agent)
    assert f"saved-{view.pk}" not in keys_of(client)
    looked, deleted = client.get(url("saved-view", view.pk)), client.post(url("saved-view-delete", view.pk))
    assert (looked.status_code, deleted.status_code) == (404, 404)


def test_a_supervisor_shares_with_a_team_or_everybody(supervisor, agent, outsider, team, signed_in):
    client = signed_in(supervisor)
    client.post(url("saved-view-new"), form(name="Team's", audience=f"team-{team.pk}"))
    client.post(url("saved-view-new"), form(name="All of us", audience="everybody"))
    ours, everybody = SavedView.objects.get(team=team), SavedView.objects.get(team=None)
    assert {f"saved-{ours.pk}", f"saved-{everybody.pk}"} <= set(keys_of(signed_in(agent)))
    assert [f"saved-{view.pk}" in keys_of(signed_in(outsider)) for view in (ours, everybody)] == [False, True]


def test_an_agent_cannot_share_and_cannot_change_what_is_shared(agent, team, signed_in):
    view = SavedViewFactory(team=team, name="Ours")
    client = signed_in(agent)
    refused = client.post(url("saved-view-new"), form(audience="everybody"))
    page = client.get(url("saved-view", view.pk)).content.decode()
    changed = client.post(url("saved-view", view.pk), form(name="Mine now"))
    deleted = client.post(url("saved-view-delete", view.pk))
    view.refresh_from_db()
    assert (refused.status_code, changed.status_code, deleted.status_code) == (422, 403, 403)
    assert (view.name, "Save as my own" in page) == ("Ours", True)


def test_a_shared_view_shows_each_person_only_what_they_may_see(supervisor, agent, outsider, sms_channel, signed_in):
    row = InteractionFactory(channel=sms_channel, language="es")
    view = SavedViewFactory()
    assert [ids(signed_in(who), view)[0] for who in (supervisor, agent, outsider)] == [[row.pk], [row.pk], []]
    assert [keys_of(signed_in(who))[f"saved-{view.pk}"].count for who in (supervisor, agent, outsider)] == [1, 1, 0]


def test_a_view_on_the_sensitive_shows_a_partner_nothing_and_not_its_name(
    partner_agent, partner_queue, sms_channel, signed_in
):
    secret = ReasonFactory(name="Violence at home", is_sensitive=True)
    InteractionFactory(channel=sms_channel, queue=partner_queue, reason=secret)
    view = SavedViewFactory(conditions={"match": "any", "rules": [{"field": "reason", "is": [str(secret.pk)]}]})
    found, page = ids(signed_in(partner_agent), view)
    assert (found, "Violence at home" in page) == ([], False)
    assert "A reason of this view is hidden from you." in page


def test_a_view_on_what_is_gone_opens_and_says_what_is_missing(agent, second_agent, team, sms_channel, signed_in):
    row = InteractionFactory(channel=sms_channel, language="es")
    gone = {"queue": QueueFactory(), "tag": TagFactory(), "reason": ReasonFactory(), "owner": second_agent}
    rules = [{"field": "language", "is": ["es"]}] + [{"field": key, "is": [str(one.pk)]} for key, one in gone.items()]
    view = SavedViewFactory(conditions={"match": "any", "rules": [*rules, {"field": "mood", "is": ["sad"]}]})
    for one in gone.values():
        one.delete()
    found, page = ids(signed_in(agent), view)
    assert found == [row.pk]
    for words in (
        "A queue of this view was removed.",
        "A tag of this view was removed.",
        "A reason of this view was removed.",
        "A person of this view was removed.",
        "A condition of this view is not understood any more.",
    ):
        assert words in page


def test_a_view_on_what_is_no_longer_used_still_finds_it_and_says_so(supervisor, sms_channel, signed_in):
    tag = TagFactory(name="Flu campaign")
    row = InteractionFactory(channel=sms_channel)
    row.tags.add(tag)
    view = SavedViewFactory(conditions={"rules": [{"field": "tag", "is": [str(tag.pk)]}]})
    tag.is_active = False
    tag.save()
    found, page = ids(signed_in(supervisor), view)
    assert (found, "The tag Flu campaign is no longer used." in page) == ([row.pk], True)


def test_a_deleted_view_can_be_brought_back_once(agent, signed_in):
    view = SavedViewFactory(owner=agent, name="Mine", order="longest")
    client = signed_in(agent)
    answer = client.post(url("saved-view-delete", view.pk), follow=True)
    assert (SavedView.objects.count(), "The view Mine is deleted." in answer.content.decode()) == (0, True)
    client.post(url("saved-view-undo"))
    back = SavedView.objects.get()
    assert (back.name, back.owner, back.order, back.conditions) == ("Mine", agent, "longest", view.conditions)
    client.post(url("saved-view-undo"))
    assert SavedView.objects.count() == 1


def test_of_two_who_delete_a_view_at_the_same_moment_the_second_is_told(agent, signed_in, monkeypatch):
    view = SavedViewFactory(owner=agent)
    monkeypatch.setattr("inbox.services.views.get_saved_view_for", lambda *found: SavedView.objects.all().delete())
    answer = signed_in(agent).post(url("saved-view-delete", view.pk), follow=True)
    assert [str(one) for one in answer.context["messages"]] == ["Somebody has deleted this view meanwhile."]


def test_bringing_back_says_when_the_name_is_taken_meanwhile(agent, signed_in):
    view = SavedViewFactory(owner=agent, name="Mine")
    client = signed_in(agent)
    client.post(url("saved-view-delete", view.pk))
    SavedViewFactory(owner=agent, name="Mine")
    answer = client.post(url("saved-view-undo"), follow=True)
    assert ("There is a view of this name already." in answer.content.decode(), SavedView.objects.count()) == (True, 1)


def test_ten_saved_views_cost_as_many_questions_as_one(agent, sms_channel, signed_in, django_assert_max_num_queries):
    client = signed_in(agent)
    tag = TagFactory()
    conditions = {"rules": [{"field": "tag", "is": [str(tag.pk)]}, {"field": "owner", "is": ["me"]}]}
    SavedViewFactory(conditions=conditions)
    keys_of(client)
    with django_assert_max_num_queries(40) as one:
        keys_of(client)
    for _ in range(9):
        SavedViewFactory(conditions=conditions)
    with django_assert_max_num_queries(40) as ten:
        keys_of(client)
    assert len(ten) == len(one)
