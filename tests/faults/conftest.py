"""A lab per test, a simulator that calls its web server, and a small desk to break things on."""

import itertools
from types import SimpleNamespace

import pytest

from inbox.models import Interaction, Message
from inbox.services.outbox import enqueue
from tests.factories.inbox import InteractionFactory
from tests.faults.lab import lab
from tests.simulator.fixtures import make_simulator, webhook_receiver

__all__ = ["make_simulator", "webhook_receiver"]


@pytest.fixture
def desk(transactional_db, sms_channel, whatsapp_channel, agent):
    """`desk.queue(n)` queues n replies to `people` persons; `desk.statuses()` counts the outbox by status."""
    people: list[Interaction] = []
    numbers = itertools.count()

    def queue(count: int, *, persons: int = 40, same_text_every: int = 0) -> list[Message]:
        while len(people) < persons:
            value = f"+1305556{len(people):04d}"
            people.append(InteractionFactory(channel=sms_channel, contact_value=value, owner=agent))
        made = []
        for _ in range(count):
            number = next(numbers)
            text = "OK" if same_text_every and number % same_text_every == 0 else f"Message {number}"
            made.append(enqueue(interaction=people[number % persons], text=text, author=agent))
        return made

    def statuses() -> dict[str, int]:
        found: dict[str, int] = {}
        for status in Message.objects.filter(direction="outbound").values_list("status", flat=True):
            found[str(status)] = found.get(str(status), 0) + 1
        return found

    return SimpleNamespace(queue=queue, statuses=statuses, sms=sms_channel, whatsapp=whatsapp_channel, agent=agent)


@pytest.fixture
def make_lab(transactional_db, make_simulator):
    """`make_lab(...)` is a lab with a simulator at `.simulator`; both end with the test."""
    stack = []

    def make(**environment):
        context = lab(**environment)
        made = context.__enter__()
        stack.append(context)
        made.simulator = make_simulator(made.web_url, delays={"queued": 0.0, "sent": 0.05, "delivered": 0.1})
        made.environment.setdefault("TWILIO_API_BASE_URL", made.simulator.url)
        return made

    yield make
    for context in stack:
        context.__exit__(None, None, None)
