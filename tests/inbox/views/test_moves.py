"""Snooze, transfer and labels through the page: a yes, a no and a mistake, with htmx and without JavaScript."""

import json
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from inbox.models import Interaction, Note
from inbox.services.transfers import transfer
from tests.factories.inbox import InteractionFactory, QueueFactory, ReasonFactory, TagFactory

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true", "HX-Target": "dialogs"}
CLINIC = ZoneInfo("America/New_York")
MONDAY_NOON = datetime(2026, 3, 2, 12, 5, tzinfo=CLINIC)


def url(name, pk):
    return reverse(f"inbox:{name}", args=[pk])


def fresh(interaction):
    return Interaction.objects.get(pk=interaction.pk)


def errors_of(answer):
    return {name: list(words) for name, words in answer.context["form"].errors.items()}


@pytest.fixture
def mine(agent, sms_channel):
    return InteractionFactory(channel=sms_channel, owner=agent)


@pytest.mark.parametrize(
    ("now", "when", "until"),
    [
        (MONDAY_NOON, "later", datetime(2026, 3, 2, 16, tzinfo=CLINIC)),
        (MONDAY_NOON, "tomorrow", datetime(2026, 3, 3, 9, tzinfo=CLINIC)),
        (MONDAY_NOON, "monday", datetime(2026, 3, 9, 9, tzinfo=CLINIC)),
        (MONDAY_NOON, "reply", None),
        (datetime(2026, 3, 7, 12, tzinfo=CLINIC), "tomorrow", datetime(2026, 3, 8, 9, tzinfo=CLINIC)),
    ],
)
def test_each_offer_ends_at_its_hour_by_the_clinics_clock(now, when, until, agent, mine, signed_in):
    client = signed_in(agent)
    with time_machine.travel(now, tick=False):
        answer = client.post(url("snooze", mine.pk), {"when": when}, headers=HTMX)
    assert (answer.status_code, fresh(mine).status, fresh(mine).snoozed_until_at) == (200, "snoozed", until)


def test_a_day_and_time_of_ones_own_with_stay_snoozed(agent, mine, signed_in):
    data = {"when": "custom", "until": "2026-03-05T14:30", "is_kept": "on"}
    client = signed_in(agent)
    with time_machine.travel(MONDAY_NOON, tick=False):
        answer = client.post(url("snooze", mine.pk), data)
        assert answer.status_code == 302
        page = client.get(url("interaction", mine.pk)).content.decode()
    assert fresh(mine).snoozed_until_at == datetime(2026, 3, 5, 14, 30, tzinfo=CLINIC)
    assert "Snoozed until Thu 5 Mar, 14:30" in page
    assert "also when the patient answers" in page


@pytest.mark.parametrize(
    ("data", "errors"),
    [
        ({}, {"when": ["This field is required."]}),
        ({"when": "custom"}, {"until": ["Choose a day and time."]}),
        ({"when": "custom", "until": "yesterday"}, {"until": ["Enter a valid date/time."]}),
        ({"when": "custom", "until": "2020-01-01T10:00"}, {"__all__": ["This time has passed. Choose a later one."]}),
    ],
)
def test_a_missing_or_impossible_time_is_told_at_its_field(data, errors, agent, mine, signed_in):
    answer = signed_in(agent).post(url("snooze", mine.pk), data, headers=HTMX)
    assert (answer.status_code, errors_of(answer), fresh(mine).status) == (422, errors, "active")


def test_late_in_the_day_later_today_is_not_offered_and_is_refused(agent, mine, signed_in):
    client = signed_in(agent)
    with time_machine.travel(MONDAY_NOON.replace(hour=19), tick=False):
        offered = [key for key, _label in client.get(url("snooze", mine.pk)).context["form"].fields["when"].choices]
        answer = client.post(url("snooze", mine.pk), {"when": "later"}, headers=HTMX)
    assert offered == ["tomorrow", "monday", "reply", "custom"]
    assert errors_of(answer) == {"when": ["This time has passed. Choose a later one."]}


def test_one_that_a_colleague_took_meanwhile_is_a_conflict_in_words(agent, second_agent, mine, signed_in):
    Interaction.objects.filter(pk=mine.pk).update(owner=second_agent)
    answer = signed_in(agent).post(url("snooze", mine.pk), {"when": "tomorrow"}, headers=HTMX)
    sentence = f"{second_agent} has taken this interaction already."
    assert (answer.status_code, errors_of(answer)) == (409, {"__all__": [sentence]})


def test_it_is_brought_back_by_hand(agent, mine, signed_in):
    client = signed_in(agent)
    client.post(url("snooze", mine.pk), {"when": "reply"}, headers=HTMX)
    client.post(url("wake", mine.pk), headers=HTMX)
    assert fresh(mine).status == "active"


def test_a_transfer_needs_reason_and_destination_and_keeps_what_was_typed(agent, mine, signed_in):
    data = {"queue": "", "assignee": "", "why": "", "note": "She is deaf on the left."}
    answer = signed_in(agent).post(url("transfer", mine.pk), data, headers=HTMX)
    assert (answer.status_code, errors_of(answer)) == (
        422,
        {"why": ["Say why you are transferring it."], "queue": ["Choose a queue or a person."]},
    )
    assert "She is deaf on the left.</textarea>" in answer.content.decode()


def test_to_a_queue_one_does_not_serve_the_list_comes_next(agent, mine, other_queue, signed_in):
    data = {"queue": other_queue.pk, "why": "About a bill", "note": "Invoice of March"}
    with_htmx = signed_in(agent).post(url("transfer", mine.pk), data, headers=HTMX)
    assert (with_htmx.status_code, with_htmx["HX-Redirect"]) == (200, reverse("inbox:list"))
    assert (fresh(mine).queue, fresh(mine).owner) == (other_queue, None)
    assert Note.objects.get(interaction=mine).body == "Invoice of March"


def test_to_a_colleague_of_the_queue(agent, second_agent, mine, signed_in):
    data = {"queue": "", "assignee": second_agent.pk, "why": "Knows her"}
    answer = signed_in(agent).post(url("transfer", mine.pk), data, headers=HTMX)
    assert (answer.status_code, fresh(mine).owner) == (200, second_agent)
    assert json.loads(answer["HX-Trigger"])["toast"]["text"] == "Transferred."


def test_a_person_who_does_not_serve_that_queue_is_refused_in_words(agent, outsider, mine, signed_in):
    data = {"queue": "", "assignee": outsider.pk, "why": "Knows her"}
    answer = signed_in(agent).post(url("transfer", mine.pk), data, headers=HTMX)
    assert (answer.status_code, errors_of(answer)) == (422, {"__all__": [f"{outsider} does not serve this queue."]})
    assert fresh(mine).owner == agent


def test_the_way_back_is_filled_in(agent, second_agent, mine, team, signed_in):
    imaging = QueueFactory(name="Imaging", teams=[team])
    first = mine.queue
    transfer(actor=agent, interaction_id=mine.pk, why="MRI", queue=imaging, assignee=second_agent)
    answer = signed_in(second_agent).get(url("transfer", mine.pk) + "?back=1", headers=HTMX)
    form = answer.context["form"]
    assert (form["queue"].value(), form["assignee"].value()) == (first.pk, agent.pk)
    assert f"Back to {agent}, {first}" in answer.content.decode()


def test_labels_write_only_what_was_changed(agent, mine, signed_in):
    mine.priority = 4
    mine.save()
    reason = ReasonFactory(name="Chest pain", priority=1)
    tag, other = TagFactory(name="Billing"), TagFactory(name="Portal")
    mine.tags.add(other)
    data = {"reason": reason.pk, "priority": 4, "tags": [tag.pk, other.pk]}
    answer = signed_in(agent).post(url("labels", mine.pk), data, headers=HTMX)
    row = fresh(mine)
    assert (answer.status_code, row.reason, row.priority) == (200, reason, 1)
    assert sorted(row.tags.values_list("name", flat=True)) == ["Billing", "Portal"]
    assert list(row.timeline_events.values_list("kind", flat=True)) == ["reason_changed", "tagged"]


def test_reasons_stand_in_the_groups_of_their_tree(agent, mine, signed_in):
    top = ReasonFactory(name="Imaging", position=1)
    ReasonFactory(name="MRI", parent=top, position=2)
    ReasonFactory(name="Parking", position=3)
    choices = list(signed_in(agent).get(url("labels", mine.pk)).context["form"].fields["reason"].choices)
    shown = [(name, [str(label) for _value, label in inner]) if isinstance(inner, list) else str(inner)
             for name, inner in choices]  # fmt: skip
    assert shown == ["Not known yet", ("Imaging", ["Imaging", "MRI"]), "Parking"]


def test_a_partner_agent_is_not_offered_sensitive_reasons(partner_agent, partner_queue, signed_in):
    row = InteractionFactory(queue=partner_queue, owner=partner_agent)
    hidden = ReasonFactory(is_sensitive=True)
    client = signed_in(partner_agent)
    answer = client.post(url("labels", row.pk), {"reason": hidden.pk, "priority": 3}, headers=HTMX)
    assert (answer.status_code, list(errors_of(answer))) == (422, ["reason"])


def test_the_row_says_until_when_it_rests(agent, mine, signed_in):
    Interaction.objects.filter(pk=mine.pk).delete()
    InteractionFactory(
        channel=mine.channel, owner=agent, status="snoozed", snoozed_until_at=timezone.now() + timedelta(days=3)
    )
    page = signed_in(agent).get(reverse("inbox:list") + "?view=snoozed").content.decode()
    assert page.count("Snoozed until") == 1
