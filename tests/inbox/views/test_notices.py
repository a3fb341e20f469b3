"""Bell, panel, preferences, bulk, team: the pages of the shell."""

import json
import re

import pytest
from django.urls import reverse

from contact_center.accounts.models import Presence, PresenceChange
from contact_center.jobs import worker
from inbox.enums import NotificationKind as K
from inbox.models import Interaction, NotificationPreference
from inbox.services.interactions import assign
from inbox.services.notifications import notify
from tests.factories.accounts import UserFactory
from tests.factories.inbox import InteractionFactory
from tests.factories.patients import PatientFactory

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true", "HX-Target": "div#dialogs"}


@pytest.fixture
def conversation(sms_channel, agent):
    return InteractionFactory(channel=sms_channel, owner=agent, patient=PatientFactory(given_name="María"))


def test_the_bell_counts_and_its_mark_names_no_patient(agent, conversation, signed_in):
    notify(user=agent, kind=K.PATIENT_REPLIED, interaction=conversation)
    mark = signed_in(agent).get("/notifications/bell/").content.decode()
    assert "1 new" in mark and "New message in General" in mark
    assert "María" not in mark


def test_the_rail_counts_one_s_open_conversations_with_something_unread_and_the_bell_brings_the_number(
    agent, auditor, conversation, sms_channel, signed_in
):
    def numbers(answer):
        return re.findall(r'id="badge-inbox-list"[^>]*?(oob="true")?( hidden)?><span class="vh">, </span>(\d+)', answer)

    InteractionFactory(channel=sms_channel, owner=agent, unread_count=2)
    InteractionFactory(channel=sms_channel, owner=agent, unread_count=1, status="closed")
    InteractionFactory(channel=sms_channel, unread_count=1)
    browser = signed_in(agent)
    assert numbers(browser.get("/inbox/").content.decode()) == [("", "", "1")]
    assert numbers(browser.get("/notifications/bell/").content.decode()) == [('oob="true"', "", "1")]
    Interaction.objects.update(unread_count=0)
    assert numbers(browser.get("/notifications/bell/").content.decode()) == [('oob="true"', " hidden", "0")]
    assert numbers(signed_in(auditor).get("/notifications/bell/").content.decode()) == []


def test_the_panel_names_the_patient_only_while_the_person_may_see_them(agent, second_agent, conversation, signed_in):
    notify(user=agent, kind=K.ASSIGNED, interaction=conversation, actor=second_agent)
    browser = signed_in(agent)
    before = browser.get("/notifications/", headers=HTMX).content.decode()
    agent.memberships.all().delete()
    Interaction.objects.update(owner=second_agent)
    after = browser.get("/notifications/", headers=HTMX).content.decode()
    assert ("María" in before, "María" in after) == (True, False)


def test_opening_a_notification_goes_there_and_reads_it(agent, conversation, signed_in):
    row = notify(user=agent, kind=K.ASSIGNED, interaction=conversation)
    answer = signed_in(agent).post(f"/notifications/{row.pk}/open/")
    row.refresh_from_db()
    assert (answer.headers["Location"], row.read_at is not None) == (f"/inbox/{conversation.pk}/", True)


def test_opening_a_conversation_reads_what_was_told_of_it(agent, conversation, signed_in):
    row = notify(user=agent, kind=K.ASSIGNED, interaction=conversation)
    signed_in(agent).get(f"/inbox/{conversation.pk}/")
    row.refresh_from_db()
    assert row.read_at is not None


def test_a_list_of_notifications_costs_the_same_with_one_and_with_many(
    agent, conversation, sms_channel, signed_in, django_assert_num_queries
):
    browser = signed_in(agent)
    notify(user=agent, kind=K.ASSIGNED, interaction=conversation)
    browser.get("/notifications/")
    with django_assert_num_queries(13) as one:
        browser.get("/notifications/")
    for _ in range(9):
        row = InteractionFactory(channel=sms_channel, owner=agent, patient=PatientFactory())
        notify(user=agent, kind=K.ASSIGNED, interaction=row)
    with django_assert_num_queries(len(one.captured_queries)):
        browser.get("/notifications/")


def test_choices_are_kept_and_hold(agent, conversation, signed_in):
    browser = signed_in(agent)
    browser.post("/notifications/preferences/", {"assigned-email": "on", "mentioned-in_app": "on"})
    row = NotificationPreference.objects.get(user=agent, kind=K.ASSIGNED)
    assert (row.in_app, row.sound, row.desktop, row.email) == (False, False, False, True)
    assert NotificationPreference.objects.count() == len(K)
    assert notify(user=agent, kind=K.NEW_WORK) is None


# ---- presence ----


def test_a_person_says_what_they_do_and_why_they_are_away(agent, signed_in):
    browser = signed_in(agent)
    browser.post("/accounts/presence/", {"state": "away:lunch"})
    browser.post("/accounts/presence/", {"state": "nonsense"})
    presence = Presence.objects.get(user=agent)
    assert (presence.state, presence.reason) == ("away", "lunch")
    assert "Away: Lunch" in browser.get("/inbox/").content.decode()
    browser.post("/accounts/logout/")
    presence.refresh_from_db()
    assert presence.state == "offline"
    assert PresenceChange.objects.filter(user=agent).count() == 2


# ---- many at once ----


def test_a_bulk_change_asks_then_does_and_offers_to_undo(agent, conversation, signed_in):
    browser = signed_in(agent)
    asked = browser.post("/inbox/bulk/", {"action": "priority", "pick": conversation.pk}, headers=HTMX)
    assert 'name="priority"' in asked.content.decode()
    done = browser.post(
        "/inbox/bulk/", {"action": "priority", "pick": conversation.pk, "priority": 1, "sure": 1}, headers=HTMX
    )
    toast = json.loads(done.headers["HX-Trigger"])["toast"]
    assert (toast["text"], Interaction.objects.get().priority) == ("1 conversation done.", 1)
    browser.post("/inbox/bulk/undo/", {"key": toast["undo"]}, headers=HTMX)
    assert Interaction.objects.get().priority == 3
    again = browser.post("/inbox/bulk/undo/", {"key": toast["undo"]}, headers=HTMX)
    assert again.status_code == 422


def test_what_was_not_done_is_listed_with_its_reason(agent, second_agent, conversation, sms_channel, signed_in):
    other = InteractionFactory(channel=sms_channel, owner=second_agent, contact_name="Ken")
    answer = signed_in(agent).post(
        "/inbox/bulk/",
        {"action": "assign", "pick": [conversation.pk, other.pk], "assignee": agent.pk, "sure": 1},
        headers=HTMX,
    )
    page = answer.content.decode()
    assert "1 done, 1 not:" in page
    assert "Ken" in page and "Only its owner or a supervisor may assign this interaction." in page


def test_a_wrong_bulk_form_says_so_and_keeps_the_rows(agent, conversation, signed_in):
    data = {"action": "transfer", "pick": conversation.pk, "queue": conversation.queue_id, "why": "", "sure": 1}
    answer = signed_in(agent).post("/inbox/bulk/", data)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert f'name="pick" value="{conversation.pk}"' in page and "field__error" in page


def test_all_of_a_view_means_what_the_view_shows(agent, conversation, sms_channel, other_queue, signed_in):
    InteractionFactory(channel=sms_channel, owner=agent)
    InteractionFactory(channel=sms_channel, queue=other_queue)
    data = {"action": "priority", "scope": "view", "look": "view=mine", "priority": 1, "sure": 1}
    signed_in(agent).post("/inbox/bulk/", data)
    assert sorted(Interaction.objects.values_list("priority", flat=True)) == [1, 1, 3]


def test_an_export_becomes_a_job_whose_file_only_its_owner_fetches(agent, supervisor, conversation, signed_in):
    browser = signed_in(agent)
    where = browser.post("/inbox/export/", {"look": "view=mine"}).headers["Location"]
    worker.run_jobs()
    file = browser.get(f"{where}file/")
    text = b"".join(file.streaming_content).decode("utf-8-sig")
    assert str(conversation.pk) in text and file.headers["Content-Disposition"].startswith("attachment")
    assert signed_in(supervisor).get(f"{where}file/").status_code == 404


# ---- next, team, overload ----


def test_take_next_opens_it_and_says_when_nothing_waits(agent, sms_channel, signed_in):
    row = InteractionFactory(channel=sms_channel)
    browser = signed_in(agent)
    taken = browser.post("/inbox/next/", headers={"HX-Request": "true", "HX-Target": "div#workspace"})
    assert taken.headers["HX-Push-Url"] == f"/inbox/{row.pk}/"
    none = browser.post("/inbox/next/", headers={"HX-Request": "true", "HX-Target": "div#workspace"})
    assert json.loads(none.headers["HX-Trigger"])["toast"]["text"] == "Nothing waits in your queues."


def test_the_team_page_counts_and_hands_work_over(supervisor, agent, second_agent, sms_channel, signed_in):
    rows = [InteractionFactory(channel=sms_channel, owner=agent) for _ in range(3)]
    browser = signed_in(supervisor)
    page = browser.get("/inbox/team/").content.decode()
    assert f"view=open&amp;owner={agent.pk}" in page
    browser.post(f"/inbox/team/{agent.pk}/hand-over/", {"assignee": second_agent.pk})
    assert set(Interaction.objects.values_list("owner", flat=True)) == {second_agent.pk}
    browser.post(f"/inbox/team/{second_agent.pk}/hand-over/", {"assignee": ""})
    assert list(Interaction.objects.values_list("owner", "status").distinct()) == [(None, "queued")]
    assert len(rows) == 3


def test_the_team_page_costs_the_same_with_one_person_and_with_many(
    supervisor, agent, sms_channel, team, signed_in, django_assert_max_num_queries
):
    browser = signed_in(supervisor)
    browser.get(reverse("inbox:team"))
    with django_assert_max_num_queries(40) as few:
        browser.get(reverse("inbox:team"))
    for _ in range(5):
        InteractionFactory(channel=sms_channel, owner=UserFactory(teams=[team]))
    with django_assert_max_num_queries(len(few.captured_queries)):
        browser.get(reverse("inbox:team"))


def test_the_list_says_what_to_do_first_when_too_much_waits(agent, second_agent, sms_channel, signed_in, settings):
    settings.OVERLOAD_WAITING = 3
    InteractionFactory.create_batch(2, channel=sms_channel)
    browser = signed_in(agent)
    calm = browser.get("/inbox/").content.decode()
    Presence.objects.create(user=second_agent, state="online")
    InteractionFactory(channel=sms_channel)
    busy = browser.get("/inbox/").content.decode()
    assert ("High demand." in calm, "High demand." in busy, f"Helping now: {second_agent}" in busy) == (
        False,
        True,
        True,
    )


def test_assigning_again_tells_again(agent, second_agent, conversation):
    assign(actor=agent, interaction_id=conversation.pk, assignee=second_agent)
    assign(actor=second_agent, interaction_id=conversation.pk, assignee=agent)
    assert agent.notifications.count() == second_agent.notifications.count() == 1
