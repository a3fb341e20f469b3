"""What a merge or a split could concern: the other open interactions of a person, the messages of one."""

from dataclasses import dataclass

from django.db.models import Count

from contact_center.accounts.models import User
from inbox.enums import DONE
from inbox.models import Interaction, Message
from inbox.policies import why_not_merge
from inbox.selectors.interactions import interactions_visible_to, related_interactions

MOST_MESSAGES = 100


@dataclass(slots=True)
class Mergeable:
    """Another open interaction of the same person; `why_not` is empty when it can be merged in that direction."""

    interaction: Interaction
    messages: int
    why_not: str


def mergeable(user: User, interaction: Interaction) -> list[Mergeable]:
    """The person's other open interactions that `user` may see, newest first, with what stands in the way."""
    ids = set(related_interactions(user, interaction)) - {interaction.pk}
    found = interactions_visible_to(user).filter(pk__in=ids).exclude(status__in=DONE)
    rows = found.select_related("channel", "queue", "owner", "reason", "patient").annotate(n=Count("messages"))
    return [Mergeable(row, row.n, why_not_merge(user, row, interaction)) for row in rows.order_by("-last_message_at")]


def messages_to_split(interaction: Interaction) -> list[Message]:
    """The newest messages of this interaction, oldest of them first."""
    newest = interaction.messages.select_related("author").order_by("-occurred_at", "-pk")[:MOST_MESSAGES]
    return list(newest)[::-1]
