"""The views of the inbox (mine, unassigned, one queue, one channel, closed), their counts and their pages of rows."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, F, Q, QuerySet
from django.db.models.expressions import ExpressionWrapper
from django.db.models.fields import BooleanField
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from contact_center.accounts.models import User
from inbox.enums import DONE, ChannelKind, InteractionStatus
from inbox.models import Interaction, Queue
from inbox.realtime import agent_topic, queue_topic
from inbox.selectors.interactions import interactions_visible_to, queues_of, rows, view_counts

PAGE_SIZE = 50
QUEUE_ICONS = {
    "access": "calendar-plus",
    "book": "calendar-plus",
    "appointment": "calendar-plus",
    "schedul": "calendar-plus",
    "imaging": "route",
    "result": "file-check",
    "lab": "file-check",
    "auth": "shield-check",
    "insur": "shield-check",
    "nurse": "stethoscope",
    "clinical": "stethoscope",
    "complaint": "message-square-warning",
    "experience": "message-square-warning",
    "bill": "banknote",
    "pharma": "pill",
    "refill": "pill",
    "hour": "moon",
    "general": "inbox",
}


@dataclass(slots=True)
class View:
    """One entry of the views pane. `count` is None where counting would be dear and nobody asks."""

    key: str
    title: str | Promise
    icon: str = "inbox"
    channel: str = ""
    count: int | None = None
    queue_id: int | None = None

    @property
    def url(self) -> str:
        return f"{reverse('inbox:list')}?{urlencode({'view': self.key})}"


@dataclass(slots=True)
class Page:
    """Some rows and whether there are more; nothing is counted."""

    object_list: list[Any]
    number: int
    has_next: bool

    @property
    def has_previous(self) -> bool:
        return self.number > 1

    @property
    def has_other_pages(self) -> bool:
        return self.has_next or self.has_previous

    @property
    def next_page_number(self) -> int:
        return self.number + 1

    @property
    def previous_page_number(self) -> int:
        return self.number - 1


def page_of(found: QuerySet[Any], number: int, size: int = PAGE_SIZE) -> Page:
    """Page `number` (from 1, at most 1000) of `found` in one query."""
    number = max(1, min(number, 1000))
    start = (number - 1) * size
    chunk = list(found[start : start + size + 1])
    return Page(chunk[:size], number, len(chunk) > size)


def view_groups_of(user: User) -> list[dict[str, Any]]:
    """All views the person has, with live counts, in a constant number of queries."""
    counts = view_counts(user)
    queues = list(queues_of(user))
    channels = dict(
        interactions_visible_to(user)
        .exclude(status__in=DONE)
        .order_by()
        .values_list("channel_kind")
        .annotate(n=Count("pk"))
    )
    own = [
        View("mine", _("My open"), "inbox", count=counts["mine"]),
        View("unassigned", _("Unassigned"), "hand-helping", count=counts["unassigned"]),
        View("open", _("All open"), "layers", count=counts["all"]),
        View("closed", _("Closed"), "circle-check"),
    ]
    per_queue = [
        View(
            f"queue-{queue.pk}", queue.name, _icon_of(queue), count=counts["queues"].get(queue.pk, 0), queue_id=queue.pk
        )
        for queue in queues
    ]
    per_channel = [
        View(f"channel-{kind}", kind.label, channel=kind, count=channels[kind])
        for kind in ChannelKind
        if kind in channels
    ]
    groups = [("", own), (_("Queues"), per_queue), (_("Channels"), per_channel)]
    return [{"title": title, "entries": entries} for title, entries in groups if entries]


def _icon_of(queue: Queue) -> str:
    return next((icon for word, icon in QUEUE_ICONS.items() if word in queue.slug.lower()), "layers")


def chosen_view(groups: list[dict[str, Any]], key: str) -> View:
    """The view of that key; the first one where the person has no such view."""
    views: list[View] = [entry for group in groups for entry in group["entries"]]
    return next((view for view in views if view.key == key), views[0])


def view_rows(user: User, view: View) -> QuerySet[Interaction]:
    """Rows of a view: whoever waits for us first, by priority and waiting time; closed ones newest first."""
    found = rows(interactions_visible_to(user))
    if view.key == "closed":
        return found.filter(status=InteractionStatus.CLOSED).order_by("-last_message_at", "-id")
    found = found.exclude(status__in=DONE)
    if view.key == "mine":
        found = found.filter(owner=user)
    elif view.key == "unassigned":
        found = found.filter(owner=None)
    elif view.queue_id is not None:
        found = found.filter(queue_id=view.queue_id)
    elif view.channel:
        found = found.filter(channel_kind=view.channel)
    rests = ExpressionWrapper(Q(waiting_since_at=None), output_field=BooleanField())
    return found.alias(rests=rests).order_by(
        "rests", "priority", F("waiting_since_at").asc(nulls_last=True), "-last_message_at", "-id"
    )


def matching(found: QuerySet[Interaction], text: str, patient_ids: list[int]) -> QuerySet[Interaction]:
    """Of these rows those of `patient_ids`, with that receipt number, or with these words in the address."""
    digits = "".join(char for char in text if char.isdigit())
    meant = Q(patient_id__in=patient_ids) | Q(reference__iexact=text)
    if len(digits) >= 4:
        meant |= Q(contact_value__contains=digits.lstrip("0") or digits)
    elif len(text) >= 3:
        meant |= Q(contact_value__icontains=text) | Q(patient=None, contact_name__icontains=text)
    return found.filter(meant)


def topics_of(user: User, view: View) -> list[str]:
    """Live topics that change the rows of a view."""
    if view.queue_id is not None:
        return [queue_topic(view.queue_id)]
    if view.key == "mine":
        return [agent_topic(user.pk)]
    return all_topics(user)


def all_topics(user: User) -> list[str]:
    """Topics of the person and of every queue they serve."""
    queues: QuerySet[Queue] = queues_of(user)
    return [agent_topic(user.pk), *(queue_topic(pk) for pk in queues.values_list("pk", flat=True))]
