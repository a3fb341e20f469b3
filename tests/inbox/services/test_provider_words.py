"""What is kept of a provider's failure."""

import pytest
import responses

from inbox.enums import Direction
from inbox.models import ProviderHealth
from inbox.services import outbox
from tests.factories.inbox import InteractionFactory, MessageFactory

pytestmark = pytest.mark.django_db


def test_a_providers_sentence_about_a_number_is_not_kept_with_its_health(sms_channel, agent, twilio_api):
    body = {"code": 20503, "status": 503, "message": "Cannot reach +13055550100 now."}
    twilio_api.add(responses.POST, twilio_api.messages_url, json=body, status=503)
    interaction = InteractionFactory(channel=sms_channel, owner=agent)
    message = MessageFactory(
        interaction=interaction, direction=Direction.OUTBOUND, text="Hello", provider="twilio_messaging"
    )
    outbox.deliver_message(message.pk)
    assert ProviderHealth.objects.get().last_error == "provider_down 20503"
