"""Whoever a note mentions may read that conversation and add notes, and nothing else."""

import re

import pytest
from django.urls import reverse

from inbox.models import Draft, Interaction, Message, Note, Task, Upload
from inbox.services.interactions import add_note
from tests.factories.inbox import InteractionFactory, MessageFactory, TaskFactory
from tests.factories.patients import PatientFactory

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true", "HX-Target": "div#workspace"}
VERBS = (
    *("take", "release", "snooze", "wake", "transfer", "labels", "case", "tasks", "merge", "unmerge", "split"),
    *("wrap-up", "reopen", "link", "create-patient", "templates", "upload", "upload-remove", "macros", "draft"),
)


@pytest.fixture
def shown(agent, outsider, sms_channel):
    """A conversation of another queue in which a note mentions the outsider."""
    row = InteractionFactory(channel=sms_channel, patient=PatientFactory())
    add_note(actor=agent, interaction_id=row.pk, body=f"@{outsider} please look")
    return row


def snapshot():
    kept = [list(model.objects.order_by("pk").values()) for model in (Interaction, Message, Task, Draft, Upload)]
    return kept, Note.objects.count()


def test_a_guest_reads_and_notes(outsider, shown, signed_in):
    client = signed_in(outsider)
    seen = [
        client.get(reverse(f"inbox:{name}", args=[shown.pk])).status_code for name in ("interaction", "talk", "side")
    ]
    client.post(reverse("inbox:compose", args=[shown.pk]), {"mode": "note", "text": "Seen"}, headers=HTMX)
    assert (seen, list(shown.notes.values_list("author_id", flat=True))[-1]) == ([200] * 3, outsider.pk)


def test_a_guests_note_sent_twice_is_one(outsider, shown, signed_in):
    client, address = signed_in(outsider), reverse("inbox:compose", args=[shown.pk])
    page = client.get(reverse("inbox:interaction", args=[shown.pk])).content.decode()
    (drawn,) = re.findall(r'name="draft_round" value="([^"]+)"', page)
    for _turn in range(2):
        client.post(address, {"mode": "note", "text": "Seen", "draft_round": drawn}, headers=HTMX)
    assert shown.notes.filter(author=outsider).count() == 1


def test_a_guest_does_nothing_else(outsider, agent, shown, signed_in):
    message = MessageFactory(interaction=shown, direction="outbound", author=agent)
    task = TaskFactory(interaction=shown)
    client, before = signed_in(outsider), snapshot()
    places = [(name, shown.pk) for name in VERBS]
    places += [(name, message.pk) for name in ("message-later", "message-now", "take-back", "retry", "cancel")]
    places += [(name, task.pk) for name in ("task", "task-tick", "task-remove")]
    data = {"text": "Hello", "title": "x", "do": "resolve", "mode": "sms", "when": "reply", "why": "x", "sure": "1"}
    found = {
        name: client.post(reverse(f"inbox:{name}", args=[pk]), data, headers=HTMX).status_code for name, pk in places
    }
    found["compose"] = client.post(reverse("inbox:compose", args=[shown.pk]), data, headers=HTMX).status_code
    order = {"action": "read", "pick": [shown.pk], "sure": "1"}
    client.post(reverse("inbox:bulk"), order | {"action": "release"}, headers=HTMX)
    assert found == dict.fromkeys(found, 404)
    assert snapshot() == before
