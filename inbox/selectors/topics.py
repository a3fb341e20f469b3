"""Which live topics a person may follow."""

from collections.abc import Iterable

from contact_center.accounts.enums import Action
from contact_center.accounts.models import User
from contact_center.accounts.policies import can
from inbox.realtime import LEDGER_TOPIC, OUTBOX_TOPIC, TEAM_TOPIC, agent_topic
from inbox.selectors.interactions import queues_of, readable_by


def allowed_topics(user: User, wanted: Iterable[str]) -> set[str]:
    """Those of `wanted` the person may follow now; unknown ones are refused. At most three queries."""
    allowed: set[str] = set()
    ids: dict[str, set[int]] = {"interaction": set(), "queue": set()}
    for topic in wanted:
        kind, _, number = topic.partition(".")
        if kind in ids and number.isascii() and number.isdigit() and len(number) < 19:
            ids[kind].add(int(number))
        elif (
            topic == agent_topic(user.pk)
            or (topic == OUTBOX_TOPIC and can(user, Action.VIEW_OUTBOX))
            or (topic == TEAM_TOPIC and can(user, Action.ASSIGN_OTHERS))
            or (topic == LEDGER_TOPIC and can(user, Action.VIEW_LEDGER))
        ):
            allowed.add(topic)
    if ids["interaction"]:
        found = readable_by(user).filter(pk__in=ids["interaction"]).values_list("pk", flat=True)
        allowed |= {f"interaction.{pk}" for pk in found}
    if ids["queue"]:
        served = queues_of(user).filter(pk__in=ids["queue"]).values_list("pk", flat=True)
        allowed |= {f"queue.{pk}" for pk in served}
    return allowed
