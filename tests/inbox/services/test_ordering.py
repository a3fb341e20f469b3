"""What is asked one after another: moving a place, and switching off without losing it."""

import pytest

from contact_center.audit.models import AuditEntry
from inbox.models import RoutingRule
from inbox.services.promises import move_policy, switch_policy
from inbox.services.queue_rules import move_rule, switch_rule
from tests.factories.distribution import RoutingRuleFactory
from tests.factories.hours import SlaPolicyFactory

pytestmark = pytest.mark.django_db
KINDS = [
    (SlaPolicyFactory, "policy_id", move_policy, switch_policy),
    (RoutingRuleFactory, "rule_id", move_rule, switch_rule),
]


@pytest.mark.parametrize(("factory", "key", "move", "switch"), KINDS)
def test_a_row_changes_places_with_its_neighbour_and_keeps_its_place_when_it_is_switched_off(
    factory, key, move, switch, admin, queue
):
    model = factory._meta.model
    given = {"queue": queue} if model is RoutingRule else {}
    one, two, three = (factory(name=name, position=place, **given) for name, place in (("A", 1), ("B", 1), ("C", 7)))

    def names():
        return list(model.objects.order_by("position", "pk").values_list("name", "is_active"))

    move(actor=admin, is_up=True, **{key: three.pk})
    move(actor=admin, is_up=False, **{key: one.pk})
    switch(actor=admin, is_active=False, **{key: three.pk})
    assert names() == [("C", False), ("A", True), ("B", True)]
    done = AuditEntry.objects.count()
    move(actor=admin, is_up=True, **{key: three.pk})
    move(actor=admin, is_up=False, **{key: two.pk})
    assert (names(), AuditEntry.objects.count()) == ([("C", False), ("A", True), ("B", True)], done)
    for verb, what in ((move, {"is_up": True}), (switch, {"is_active": True})):
        with pytest.raises(model.DoesNotExist):
            verb(actor=admin, **{key: 0}, **what)
