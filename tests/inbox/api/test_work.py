"""Snooze, transfer, labels, merges and tasks for machines, by the services of the pages."""

from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from contact_center.accounts import services as accounts
from contact_center.accounts.enums import Role
from inbox.models import Interaction, Note, Task
from tests.factories.inbox import (
    CaseFactory,
    InteractionFactory,
    MessageFactory,
    ReasonFactory,
    TagFactory,
    TaskFactory,
)
from tests.factories.patients import PatientFactory

pytestmark = pytest.mark.django_db
V1 = "/api/v1"


@pytest.fixture
def machine(db):
    _key, text = accounts.create_api_key(actor=None, name="Sync", role=Role.SUPERVISOR)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {text}")
    return client


@pytest.fixture
def row(agent, sms_channel):
    return InteractionFactory(channel=sms_channel, owner=agent, patient=PatientFactory())


@pytest.fixture
def post(machine, row):
    return lambda verb, body=None: machine.post(f"{V1}/interactions/{row.pk}/{verb}/", body or {}, format="json")


def test_a_conversation_is_started_once_per_key_and_refused_in_words(machine, sms_channel):
    patient = PatientFactory(phone="+13055550142")
    given = {"channel": sms_channel.pk, "reason": ReasonFactory().pk, "patient": patient.pk, "text": "Your scan"}
    first, again = (
        machine.post(f"{V1}/interactions/", {**given, "idempotency_key": "k"}, format="json") for _time in range(2)
    )
    assert (first.status_code, first.json()["direction"], first.json()["snippet"]) == (201, "outbound", "Your scan")
    assert again.json()["id"] == first.json()["id"]
    other = machine.post(f"{V1}/interactions/", given, format="json")
    assert (other.status_code, other.json()) == (
        409,
        {"detail": "There is an open conversation with this person on this channel already."},
    )
    assert machine.post(f"{V1}/interactions/", {"channel": sms_channel.pk}, format="json").status_code == 400


def test_it_rests_and_comes_back(post):
    until = timezone.now() + timedelta(hours=2)
    rests = post("snooze", {"until_at": until.isoformat(), "is_kept": True}).json()
    assert (rests["status"], rests["is_snooze_kept"]) == ("snoozed", True)
    assert post("wake").json()["status"] == "active"
    past = post("snooze", {"until_at": "2020-01-01T00:00:00Z"})
    assert (past.status_code, past.json()) == (422, {"detail": "This time has passed. Choose a later one."})


def test_it_is_handed_over_with_reason_and_note(post, row, other_queue):
    moved = post("transfer", {"why": "A bill", "queue": other_queue.pk, "note": "March"})
    assert (moved.status_code, moved.json()["queue"], moved.json()["owner"]) == (200, other_queue.pk, None)
    assert Note.objects.get(interaction=row).body == "March"
    assert post("transfer", {"queue": other_queue.pk}).status_code == 400
    assert post("transfer", {"why": "x"}).json() == {"detail": "Choose a queue or a person."}


def test_priority_reason_and_tags_are_set(post):
    reason, tag = ReasonFactory(priority=2), TagFactory()
    assert post("reason", {"reason": reason.pk}).json()["priority"] == 2
    assert post("priority", {"priority": 1}).json()["priority"] == 1
    assert post("tags", {"tags": [tag.pk]}).json()["tags"] == [tag.pk]
    assert post("tags", {"tags": []}).json()["tags"] == []
    assert post("priority", {"priority": 7}).status_code == 400
    assert list(post("tags", {"tags": [999_999]}).json()) == ["tags"]


def test_two_of_one_patient_are_merged_and_parted(post, row, agent, whatsapp_channel):
    other = InteractionFactory(channel=whatsapp_channel, owner=agent, patient=row.patient)
    assert post("merge", {"into": other.pk}).json()["id"] == other.pk
    assert Interaction.objects.get(pk=row.pk).merged_into == other
    assert post("unmerge").json()["merged_into"] is None
    assert post("merge", {"into": row.pk}).status_code == 422


def test_messages_of_another_matter_are_split_off_and_what_was_added_to_a_merge_is_given_back(
    post, row, agent, whatsapp_channel
):
    stays, goes = MessageFactory(interaction=row), MessageFactory(interaction=row, text="My bill")
    new = post("split", {"messages": [goes.pk]})
    assert (new.status_code, new.json()["split_from"], new.json()["snippet"]) == (201, row.pk, "My bill")
    assert post("split", {"messages": []}).status_code == 400
    assert post("split", {"messages": [stays.pk]}).json() == {
        "detail": "At least one message has to stay. To change everything, move the whole conversation."
    }
    other = InteractionFactory(channel=whatsapp_channel, owner=agent, patient=row.patient)
    post("merge", {"into": other.pk})
    late = MessageFactory(interaction=other, text="By WhatsApp")
    assert post("unmerge", {"messages": [goes.pk]}).status_code == 422
    assert post("unmerge", {"messages": [late.pk]}).json()["snippet"] == "By WhatsApp"


def test_a_case_is_opened_waits_goes_on_is_given_away_resolved_closed_and_reopened(machine, row, agent):
    day = str(timezone.localdate())
    body = {"interaction": row.pk, "title": "MRI result", "next_step": "Call the lab", "next_step_date": day}
    made = machine.post(f"{V1}/cases/", body, format="json")
    assert (made.status_code, made.json()["status"], made.json()["patient"]) == (201, "open", row.patient_id)
    address = f"{V1}/cases/{made.json()['id']}/"

    def do(verb, **given):
        return machine.post(f"{address}{verb}/", given, format="json").json()

    assert do("assign", owner=agent.pk)["owner"] == agent.pk
    statuses = [do(verb)["status"] for verb in ("wait", "resume", "resolve", "close")]
    assert statuses == ["waiting", "open", "resolved", "closed"]
    assert do("wait") == {"detail": "Only an open case can wait."}
    again = do("reopen", next_step="Ask the doctor", next_step_date=day)
    assert (again["status"], again["next_step"]) == ("open", "Ask the doctor")


def test_a_case_that_a_key_does_not_see_is_not_there(row):
    case = CaseFactory(patient=row.patient)
    _key, text = accounts.create_api_key(actor=None, name="Narrow", role=Role.AGENT)
    narrow = APIClient()
    narrow.credentials(HTTP_AUTHORIZATION=f"Token {text}")
    assert narrow.post(f"{V1}/cases/{case.pk}/resolve/").status_code == 404


def test_tasks_are_added_changed_ticked_and_removed(machine, row, agent):
    made = machine.post(f"{V1}/tasks/", {"interaction": row.pk, "title": "Call", "owner": agent.pk}, format="json")
    address = f"{V1}/tasks/{made.json()['id']}/"
    assert (made.status_code, made.json()["owner"]) == (201, agent.pk)
    assert machine.put(address, {"title": "Write", "is_blocking": True}, format="json").json()["is_blocking"] is True
    assert machine.post(f"{address}done/").json()["done_at"] is not None
    open_ones = machine.get(f"{V1}/tasks/", {"interaction": row.pk, "is_done": "false"}).json()["results"]
    assert open_ones == []
    assert machine.post(f"{address}not-done/").json()["done_at"] is None
    assert (machine.delete(address).status_code, Task.objects.count()) == (204, 0)


def test_tasks_of_queues_that_a_key_does_not_see_are_not_there(row):
    task = TaskFactory(interaction=row)
    _key, text = accounts.create_api_key(actor=None, name="Narrow", role=Role.AGENT)
    narrow = APIClient()
    narrow.credentials(HTTP_AUTHORIZATION=f"Token {text}")
    assert narrow.get(f"{V1}/tasks/").json()["results"] == []
    answers = [narrow.get(f"{V1}/tasks/{task.pk}/"), narrow.post(f"{V1}/tasks/{task.pk}/done/")]
    assert [answer.status_code for answer in answers] == [404, 404]
