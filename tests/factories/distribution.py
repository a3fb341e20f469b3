"""Queues that offer their work, people who are there to take it, offers."""

from datetime import timedelta

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from contact_center.accounts.enums import PresenceState
from contact_center.accounts.models import Presence
from inbox.enums import Sharing
from inbox.models import AgentState, Offer, QueueSettings, RoutingRule
from inbox.selectors.hours import forget_setup


class QueueSettingsFactory(DjangoModelFactory):
    """The given queue offers its work."""

    class Meta:
        model = QueueSettings

    sharing = Sharing.PUSH

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        forget_setup()
        return super()._create(model_class, *args, **kwargs)


class RoutingRuleFactory(DjangoModelFactory):
    class Meta:
        model = RoutingRule

    name = factory.Sequence(lambda n: f"Rule {n}")
    position = factory.Sequence(lambda n: n % 30_000)

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        forget_setup()
        return super()._create(model_class, *args, **kwargs)


class OfferFactory(DjangoModelFactory):
    """Work that is offered to `agent` now; the interaction becomes `offered`."""

    class Meta:
        model = Offer

    queue = factory.SelfAttribute("interaction.queue")
    channel_kind = factory.SelfAttribute("interaction.channel_kind")
    offered_at = factory.LazyFunction(timezone.now)
    expires_at = factory.LazyAttribute(lambda row: row.offered_at + timedelta(seconds=30))

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        work = kwargs["interaction"]
        work.offer()
        work.save()
        return super()._create(model_class, *args, **kwargs)


def make_available(*people, since=None, state=PresenceState.ONLINE):
    """They say that they are there, with a page that is alive."""
    now = since or timezone.now()
    for person in people:
        Presence.objects.update_or_create(user=person, defaults={"state": state, "since_at": now, "reason": ""})
        AgentState.objects.update_or_create(
            user=person, defaults={"seen_at": timezone.now(), "idle_since_at": now, "missed_in_row": 0}
        )
    return people[0] if len(people) == 1 else people
