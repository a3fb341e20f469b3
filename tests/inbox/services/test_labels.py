"""Priority, tags and the reason before wrap-up."""

import pytest

from contact_center.common.errors import Refused
from inbox.enums import Priority, TimelineKind
from inbox.models import TimelineEvent
from inbox.services.interactions import close
from inbox.services.labels import add_tags, remove_tags, set_priority, set_reason, set_tags
from tests.factories.inbox import DispositionFactory, InteractionFactory, ReasonFactory, TagFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def mine(agent, sms_channel):
    return InteractionFactory(channel=sms_channel, owner=agent)


def told(interaction):
    events = TimelineEvent.objects.filter(interaction=interaction).order_by("pk")
    return list(events.values_list("kind", "detail"))


def tags_of(interaction):
    return sorted(interaction.tags.values_list("name", flat=True))


def test_the_priority_is_set_and_told_once(agent, mine):
    for _again in range(2):
        set_priority(actor=agent, interaction_id=mine.pk, priority=Priority.URGENT)
    mine.refresh_from_db()
    assert (mine.priority, told(mine)) == (1, [(TimelineKind.PRIORITY_CHANGED, "1")])


@pytest.mark.parametrize("priority", [0, 5, -1])
def test_an_unknown_priority_is_refused(agent, mine, priority):
    with pytest.raises(Refused):
        set_priority(actor=agent, interaction_id=mine.pk, priority=priority)


def test_tags_are_added_and_removed_and_only_changes_are_told(agent, mine):
    one, two = TagFactory(name="Billing"), TagFactory(name="Portal")
    add_tags(actor=agent, interaction_id=mine.pk, tags=[one, two])
    add_tags(actor=agent, interaction_id=mine.pk, tags=[one])
    remove_tags(actor=agent, interaction_id=mine.pk, tags=[one])
    remove_tags(actor=agent, interaction_id=mine.pk, tags=[one])
    assert tags_of(mine) == ["Portal"]
    assert told(mine) == [(TimelineKind.TAGGED, "+Billing, +Portal"), (TimelineKind.TAGGED, "−Billing")]


def test_setting_tags_leaves_exactly_these(agent, mine):
    old, kept, new = (TagFactory(name=name) for name in ("Old", "Kept", "New"))
    add_tags(actor=agent, interaction_id=mine.pk, tags=[old, kept])
    set_tags(actor=agent, interaction_id=mine.pk, tags=[kept, new])
    assert tags_of(mine) == ["Kept", "New"]
    assert told(mine)[1:] == [(TimelineKind.TAGGED, "+New, −Old")]


def test_a_tag_out_of_use_can_be_removed_but_not_added(agent, mine):
    old = TagFactory(name="Old")
    mine.tags.add(old)
    old.is_active = False
    old.save()
    set_tags(actor=agent, interaction_id=mine.pk, tags=[old])
    remove_tags(actor=agent, interaction_id=mine.pk, tags=[old])
    with pytest.raises(Refused) as refusal:
        add_tags(actor=agent, interaction_id=mine.pk, tags=[old])
    assert str(refusal.value) == "The tag “Old” is not in use any more."
    assert tags_of(mine) == []


def test_a_more_urgent_reason_raises_the_priority_and_a_calmer_one_leaves_it(agent, mine):
    urgent, calm = ReasonFactory(name="Chest pain", priority=1), ReasonFactory(name="Parking", priority=4)
    set_reason(actor=agent, interaction_id=mine.pk, reason=urgent)
    set_reason(actor=agent, interaction_id=mine.pk, reason=calm)
    mine.refresh_from_db()
    assert (mine.reason, mine.priority) == (calm, 1)
    assert told(mine) == [(TimelineKind.REASON_CHANGED, "Chest pain"), (TimelineKind.REASON_CHANGED, "Parking")]


def test_the_line_of_the_thread_does_not_name_a_sensitive_reason(agent, mine):
    set_reason(actor=agent, interaction_id=mine.pk, reason=ReasonFactory(name="HIV result", is_sensitive=True))
    assert told(mine) == [(TimelineKind.REASON_CHANGED, "")]


def test_a_partner_agent_may_not_use_a_sensitive_reason_nor_anybody_one_out_of_use(partner_agent, agent, mine):
    for person, reason in (
        (partner_agent, ReasonFactory(is_sensitive=True)),
        (agent, ReasonFactory(is_active=False)),
    ):
        with pytest.raises(Refused):
            set_reason(actor=person, interaction_id=mine.pk, reason=reason)


def test_what_is_closed_keeps_priority_and_reason_but_may_get_tags(agent, auditor, mine):
    close(actor=agent, interaction_id=mine.pk, reason=ReasonFactory(), disposition=DispositionFactory())
    with pytest.raises(Refused):
        set_priority(actor=agent, interaction_id=mine.pk, priority=Priority.LOW)
    with pytest.raises(Refused):
        set_reason(actor=agent, interaction_id=mine.pk, reason=ReasonFactory())
    add_tags(actor=agent, interaction_id=mine.pk, tags=[TagFactory(name="Late")])
    assert tags_of(mine) == ["Late"]
    with pytest.raises(Refused):
        add_tags(actor=auditor, interaction_id=mine.pk, tags=[TagFactory()])
