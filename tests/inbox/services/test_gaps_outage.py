"""What came while we did not listen is fetched afterwards, however long we did not."""

from datetime import timedelta

import pytest
from django.utils import timezone

from contact_center.common import deadline
from inbox.adapters.base import AdapterError
from inbox.adapters.events import Address, ProviderRecord
from inbox.adapters.twilio_messaging import TwilioMessagingAdapter
from inbox.models import ProviderHealth, WebhookEvent
from inbox.services.gaps import fill_gaps, reconcile
from tests.factories.inbox import InteractionFactory, MessageFactory

pytestmark = pytest.mark.django_db
NOW = timezone.now().replace(microsecond=0)


def inbound(number, at):
    someone = Address("phone", "+13055550123", "")
    sid = f"SM{number:032x}"
    words = {"MessageSid": sid, "From": "+13055550123", "To": "+15005550100", "Body": "Hello"}
    return ProviderRecord(sid, "inbound", "sms", someone, someone, "received", at, payload=words)


@pytest.fixture
def provider(sms_channel, monkeypatch):
    """The provider's list, newest first as it gives it, and the spans it was asked for."""

    class Provider:
        rows: list[ProviderRecord] = []
        asked: list[tuple] = []
        is_down = False

    def list_messages(self, since, until):
        if Provider.is_down:
            raise AdapterError("Nobody answers.", permanent=False)
        Provider.asked.append((since, until))
        found = [row for row in Provider.rows if since <= row.occurred_at <= until]
        return iter(sorted(found, key=lambda row: row.occurred_at, reverse=True))

    Provider.rows, Provider.asked = [], []
    monkeypatch.setattr(TwilioMessagingAdapter, "list_messages", list_messages)
    return Provider


def last_listed(at=None):
    if at:
        ProviderHealth.objects.update_or_create(adapter="twilio_messaging", defaults={"last_listed_at": at})
    return ProviderHealth.objects.get(adapter="twilio_messaging").last_listed_at


def stored():
    return list(WebhookEvent.objects.order_by("id").values_list("external_id", flat=True))


def test_an_outage_of_two_days_is_filled_once_and_oldest_first(provider):
    last_listed(NOW - timedelta(days=2))
    provider.rows = [inbound(number, NOW - timedelta(hours=hours)) for number, hours in enumerate((1, 20, 47))]
    assert (fill_gaps(now=NOW), fill_gaps(now=NOW)) == (3, 0)
    assert stored() == [row.external_id for row in reversed(provider.rows)]
    assert last_listed() == NOW


def test_an_outage_of_a_month_is_filled_for_its_last_seven_days(provider):
    last_listed(NOW - timedelta(days=30))
    provider.rows = [inbound(1, NOW - timedelta(days=6)), inbound(2, NOW - timedelta(days=8))]
    assert (fill_gaps(now=NOW), stored()) == (1, [provider.rows[0].external_id])


def test_a_provider_that_did_not_answer_is_asked_from_the_same_time_again(provider):
    last_listed(NOW - timedelta(hours=3))
    provider.rows, provider.is_down = [inbound(1, NOW - timedelta(hours=2))], True
    assert (fill_gaps(now=NOW), last_listed()) == (0, NOW - timedelta(hours=3))
    provider.is_down = False
    assert (fill_gaps(now=NOW + timedelta(minutes=5)), last_listed()) == (1, NOW + timedelta(minutes=5))


def test_a_message_that_was_slow_to_appear_in_the_list_is_found_at_the_next_look(provider):
    assert fill_gaps(now=NOW) == 0
    provider.rows = [inbound(1, NOW - timedelta(minutes=10))]
    assert fill_gaps(now=NOW + timedelta(minutes=4)) == 1


def test_a_run_that_is_over_its_time_keeps_what_it_compared_and_asks_for_another(provider, monkeypatch):
    woken = []
    last_listed(NOW - timedelta(hours=18))
    monkeypatch.setattr(deadline, "wake", lambda *task: woken.append(task))
    clock = iter([0.0, 1.0, *[100.0] * 9])
    monkeypatch.setattr(deadline, "monotonic", lambda: next(clock))
    fill_gaps(now=NOW)
    assert (last_listed(), woken) == (NOW - timedelta(hours=12), [("inbox.fill_ledger_gaps", "default")])


def test_messages_known_already_are_never_asked_for_their_files(provider):
    class Unread(dict):
        def __len__(self):
            raise AssertionError("read without need")

    known = inbound(1, NOW)
    provider.rows = [known]
    assert fill_gaps(now=NOW) == 1
    object.__setattr__(known, "payload", Unread())
    assert fill_gaps(now=NOW) == 0


def test_an_earlier_attempt_of_a_message_is_accounted_for(provider, sms_channel):
    person = InteractionFactory(channel=sms_channel)
    MessageFactory(
        interaction=person,
        channel=sms_channel,
        direction="outbound",
        status="queued",
        provider="twilio_messaging",
        external_id="",
        payload={"earlier_ids": ["SMold"]},
    )
    someone = Address("phone", "+13055550123", "")
    for sid in ("SMold", "SMstrange"):
        provider.rows.append(ProviderRecord(sid, "outbound", "sms", someone, someone, "sent", NOW))
    found = reconcile(provider="twilio_messaging", since=NOW - timedelta(hours=1), until=NOW)
    assert [row.external_id for row in found.unknown] == ["SMstrange"]
