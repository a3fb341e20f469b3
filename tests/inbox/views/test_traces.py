"""Whatever shows what a patient said leaves its entry, whichever part is asked for first."""

import pytest
from django.urls import reverse

from contact_center.audit.models import AuditEntry
from tests.factories.inbox import InteractionFactory, MessageFactory, NoteFactory
from tests.factories.patients import PatientFactory

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true", "HX-Target": "div#dialogs"}


@pytest.mark.parametrize(
    "name", ["interaction", "talk", "side", "find-in", "message-text", "note-text", "split", "merge", "canned"]
)
def test_one_entry_whichever_part_is_asked_for_first(name, agent, sms_channel, signed_in):
    interaction = InteractionFactory(channel=sms_channel, owner=agent, patient=PatientFactory())
    message = MessageFactory(interaction=interaction)
    note = NoteFactory(interaction=interaction, author=agent)
    args = {"message-text": [message.pk, "text"], "note-text": [note.pk]}.get(name, [interaction.pk])
    client = signed_in(agent)
    for _ in range(2):
        if name == "find-in":
            client.post(reverse("inbox:find-in", args=args), {"q": "words"}, headers=HTMX)
        else:
            client.get(reverse(f"inbox:{name}", args=args), headers=HTMX)
    viewed = AuditEntry.objects.filter(action="viewed", patient_id=interaction.patient_id)
    assert list(viewed.values_list("actor_id", flat=True)) == [agent.pk]
