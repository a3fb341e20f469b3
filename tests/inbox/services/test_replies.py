"""What a reply carries besides its words."""

import pytest

from inbox.services.replies import reply
from tests.factories.inbox import InteractionFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("subject", ["Your\u2028scan", "Your\r\n scan", "Your\x85\x0b scan "])
def test_a_subject_that_no_header_may_hold_is_answered_on_one_line(subject, agent, email_channel):
    row = InteractionFactory(channel=email_channel, owner=agent, contact_value="ana@example.org", subject=subject)
    assert reply(actor=agent, interaction_id=row.pk, text="It is here").subject == "Re: Your scan"
