"""What a merge or a split could concern: the other open interactions of a person, the messages of one."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import Count

from contact_center.accounts.models import User
from inbox.enums import DONE, ChannelKind, MessageStatus, TimelineKind
from inbox.models import Interaction, Message, Note, Task, TimelineEvent
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


@dataclass(slots=True)
class Added:
    """What came to the target of a merge since. `returns` passed on the source's own thread; of the rest a person says
    what belongs to the source."""

    returns: list[Message] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)

    @property
    def has_choice(self) -> bool:
        return bool(self.messages or self.notes or self.tasks)


def merged_before(source: Interaction, target: Interaction) -> list[Interaction]:
    """What had been merged into the source before that went on into the target."""
    into = TimelineEvent.objects.filter(kind=TimelineKind.MERGED, detail=f"into:{source.pk}")
    return list(Interaction.objects.filter(merged_into=target, pk__in=into.values("interaction_id")).order_by("pk"))


def added_since(user: User, source: Interaction, target: Interaction) -> Added:
    """What was added to the target after the source was merged into it, oldest first. Six queries.

    What is just being sent stays where it is. Mail belongs to a thread by what it answers, the rest by our channel and
    the person's address; where both threads have the same one, it is left to choose. Whoever may not see the target
    has nothing to choose from.
    """
    since = source.closed_at
    threads = [source, *merged_before(source, target)]
    leaving = (MessageStatus.DRAFT, MessageStatus.QUEUED, MessageStatus.SENDING)
    rows = target.messages.filter(created_at__gte=since).exclude(status__in=leaving).select_related("author")
    messages = list(rows.order_by("occurred_at", "pk"))
    back = _on_threads(messages, threads, target)
    returns = [row for row in messages if row.pk in back]
    if not interactions_visible_to(user).filter(pk=target.pk).exists():
        return Added(returns)
    return Added(
        returns,
        [row for row in messages if row.pk not in back][-MOST_MESSAGES:],
        list(target.notes.filter(created_at__gte=since).select_related("author").order_by("pk")),
        list(target.tasks.filter(created_at__gte=since)),
    )


def _on_threads(messages: Iterable[Message], threads: list[Interaction], target: Interaction) -> set[int]:
    """Ids of those messages that passed on one of these threads."""
    places = {(row.channel_id, row.contact_value) for row in threads if row.channel_kind != ChannelKind.EMAIL}
    places -= {(target.channel_id, target.contact_value)}
    mails = Message.objects.filter(interaction__in=threads, channel_kind=ChannelKind.EMAIL).exclude(external_id="")
    known = set(mails.values_list("external_id", flat=True))
    found = set()
    for row in messages:
        if row.channel_kind == ChannelKind.EMAIL:
            is_theirs = row.in_reply_to in known or not known.isdisjoint(row.references)
            known |= {row.external_id} - {""} if is_theirs else set()
        else:
            is_theirs = (row.channel_id, row.address) in places
        if is_theirs:
            found.add(row.pk)
    return found
