"""Which live topics a person may follow."""

from collections.abc import Callable, Iterable

from django.db.models import QuerySet

from contact_center.accounts.asker import Asker, asker
from contact_center.accounts.enums import Action
from contact_center.accounts.models import User
from contact_center.accounts.policies import can
from contact_center.common.prepared import Given, prepared
from inbox.models import Interaction
from inbox.realtime import LEDGER_TOPIC, OUTBOX_TOPIC, TEAM_TOPIC, agent_topic, work_topic
from inbox.selectors.interactions import asked_by, queue_ids_of, readable_by

_of_apps: dict[str, Callable[[User], bool]] = {}


def register_topic(topic: str, allowed: Callable[[User], bool]) -> None:
    """Add a topic of an app above, without ids; `allowed(user)` says who may follow it, without a query."""
    _of_apps[topic] = allowed


def allowed_topics(user: User, wanted: Iterable[str]) -> set[str]:
    """Those of `wanted` the person may follow now; unknown ones are refused. At most three queries."""
    allowed: set[str] = set()
    if not can(user, Action.WORK_INBOX):
        wanted = [topic for topic in wanted if not topic.startswith(("interaction.", "queue."))]
    ids: dict[str, set[int]] = {"interaction": set(), "queue": set()}
    for topic in wanted:
        kind, _, number = topic.partition(".")
        if kind in ids and number.isascii() and number.isdigit() and len(number) < 19:
            ids[kind].add(int(number))
        elif (
            topic in (agent_topic(user.pk), work_topic(user.pk))
            or (topic == OUTBOX_TOPIC and can(user, Action.VIEW_OUTBOX))
            or (topic == TEAM_TOPIC and can(user, Action.ASSIGN_OTHERS))
            or (topic == LEDGER_TOPIC and can(user, Action.VIEW_LEDGER))
            or (topic in _of_apps and _of_apps[topic](user))
        ):
            allowed.add(topic)
    if ids["interaction"]:
        found = _readable(user.role).tuples(*asked_by(user), list(ids["interaction"]))
        allowed |= {f"interaction.{pk}" for (pk,) in found}
    return allowed | {f"queue.{pk}" for pk in ids["queue"] & set(queue_ids_of(user))}


@prepared
def _readable(role: str) -> QuerySet[Interaction]:
    """After the asker: among these ids."""
    found = readable_by(asker(role)).filter(pk__any_of=Given(Asker.NEXT)).order_by()
    return found.values_list("pk")  # type: ignore[return-value]
