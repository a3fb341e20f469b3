"""Rows of a view of the inbox: narrowed by segment, filter and search, in an order, page by page."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from contact_center.accounts.asker import Asker, asker
from contact_center.accounts.enums import Action
from contact_center.accounts.models import User
from contact_center.accounts.policies import can
from contact_center.common.prepared import Given, prepared
from inbox.enums import OPEN, InteractionStatus
from inbox.models import Draft, Interaction, SavedView
from inbox.realtime import agent_topic, queue_topic, work_topic
from inbox.selectors import keyset
from inbox.selectors.conditions import ALL, Conditions, as_q, asked
from inbox.selectors.interactions import asked_by, interactions_visible_to, mentioning, queue_ids_of, rows
from inbox.selectors.keyset import Order, Page, Part, ordered, page_of
from inbox.selectors.list_rows import as_rows, rows_of

UNREAD, MINE = "unread", "mine"
DUE, NEWEST, LONGEST = "due", "newest", "longest"
ORDERS: dict[str, str | Promise] = {
    DUE: _("Most urgent first"),
    NEWEST: _("Newest first"),
    LONGEST: _("Longest waiting first"),
}
_BY_ID = (Part("id", is_descending=True),)
_BY_TIME = (Part("last_message_at", is_descending=True), *_BY_ID)
_BY_WAITING = (Part("waiting_since_at", is_null_last=True), *_BY_TIME)
PAST = ("closed", "done")


@dataclass(slots=True)
class View:
    """One entry of the views pane. `count` is None where counting would be dear and nobody asks.

    `is_late`: something in it waits longer than the desk's limit. `has_more`: there are more than `count`.
    `is_missing`: shown instead of one that the person does not have.
    """

    key: str
    title: str | Promise
    icon: str = "inbox"
    channel: str = ""
    count: int | None = None
    queue_id: int | None = None
    is_late: bool = False
    has_more: bool = False
    is_missing: bool = False
    saved: SavedView | None = None
    conditions: Conditions = field(default_factory=Conditions)
    order: str = DUE
    since: datetime | Given | None = None

    @property
    def url(self) -> str:
        return f"{reverse('inbox:list')}?{urlencode({'view': self.key})}"

    @property
    def is_past(self) -> bool:
        """Holds what is done: nothing waits in it and nothing is unread."""
        return self.key in PAST


@dataclass(slots=True)
class Look:
    """How a person looks at a view: all of it, what is unread or what is theirs; filtered; in an order."""

    view: View
    segment: str = ALL
    order: str = DUE
    filters: Conditions = field(default_factory=Conditions)

    @classmethod
    def read(cls, view: View, data: Any) -> "Look":
        """What an address asks for. `data` is a QueryDict; what makes no sense is left out."""
        segment, order = data.get("show", ALL), data.get("order", view.order)
        if segment not in (UNREAD, MINE) or (view.is_past and segment == UNREAD):
            segment = ALL
        return cls(view, segment, order if order in ORDERS else view.order, asked(data))

    def query(self, **change: Any) -> str:
        """The address' part that asks for this look, with a change: `show`, `order` or `filters`."""
        segment, order = change.get("show", self.segment), change.get("order", self.order)
        filters = change.get("filters", self.filters)
        pairs = [("view", self.view.key)]
        pairs += [("show", segment)] if segment != ALL else []
        pairs += [("order", order)] if order != self.view.order else []
        return urlencode(pairs + filters.pairs())


def view_rows(user: User, look: Look) -> QuerySet[Interaction]:
    """Rows of a view as it is looked at. By default whoever waits for us first, by deadline, priority and waiting
    time; what is done newest first."""
    found = rows(in_view(user, look.view)).filter(as_q(look.filters, user))
    if look.segment == UNREAD:
        found = found.filter(unread_count__gt=0)
    elif look.segment == MINE:
        found = found.filter(owner=user)
    return ordered(found, order_of(look))


def first_rows(user: User, look: Look) -> Page | None:
    """The first page of a look without filters at a view of ours, by a prepared question; None for all others."""
    view = look.view
    if look.filters or view.saved is not None or view.conditions or not can(user, Action.WORK_INBOX):
        return None
    columns, size = order_of(look), keyset.PAGE_SIZE + 1
    question = _first_rows(user.role, _kind_of(view), look.segment, look.order, columns, size)
    found = rows_of(question.tuples(*asked_by(user), *_place_of(view)))
    return page_of(found, columns, is_first=True)


@prepared
def _first_rows(role: str, kind: str, segment: str, order: str, columns: Order, size: int) -> QuerySet[Interaction]:
    """After the asker: what `_place_of` the view says."""
    look = Look(_any_view(kind), segment, order)
    found: Any = as_rows(view_rows(asker(role), look))[:size]
    return found  # type: ignore[no-any-return]


@prepared
def _counts(role: str, kind: str) -> QuerySet[Interaction]:
    """After the asker: what `_place_of` the view says."""
    found = in_view(asker(role), _any_view(kind)).order_by()
    return found.values_list("unread_count")  # type: ignore[return-value]


COUNTED = "SELECT count(*), count(*) FILTER (WHERE unread_count > 0) FROM ({rows}) AS rows"


def _kind_of(view: View) -> str:
    return "queue" if view.queue_id is not None else "channel" if view.channel else view.key


def _place_of(view: View) -> list[Any]:
    """What a question about this view is told besides: since when one is done today, or the queue, or the channel."""
    if view.queue_id is not None:
        return [view.queue_id]
    return [view.channel] if view.channel else [midnight()] if view.key == "done" else []


def _any_view(kind: str) -> View:
    place: Any = Given(Asker.NEXT)
    if kind == "queue":
        return View(kind, "", queue_id=place)
    return View(kind, "", channel=place) if kind == "channel" else View(kind, "", since=place)


def in_view(user: User, view: View) -> QuerySet[Interaction]:
    """Everything in a view that the person may see, in no order."""
    if view.key == "mentions":
        return mentioning(user)
    if view.key == "drafts":
        return interactions_visible_to(user).filter(pk__in=Draft.objects.filter(author=user).values("interaction_id"))
    found = interactions_visible_to(user)
    if view.key == "closed":
        return found.filter(status=InteractionStatus.CLOSED)
    if view.key == "done":
        return found.filter(closed_today(view.since))
    found = found.filter(status__in=OPEN).filter(as_q(view.conditions, user))
    if view.key == "snoozed":
        return found.filter(status=InteractionStatus.SNOOZED)
    if view.key == "mine":
        found = found.filter(owner=user)
    elif view.key == "unassigned":
        found = found.filter(owner=None)
    elif view.queue_id is not None:
        found = found.filter(queue_id=view.queue_id)
    elif view.channel:
        found = found.filter(channel_kind=view.channel)
    rests = view.key not in ("open",) and view.saved is None
    return found.exclude(status=InteractionStatus.SNOOZED) if rests else found


def closed_today(since: datetime | Given | None = None) -> Q:
    """Closed since midnight in the clinic's zone, or since another moment."""
    return Q(status=InteractionStatus.CLOSED, closed_at__gte=since or midnight())


def midnight() -> datetime:
    """When today began in the clinic's zone."""
    return timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)


def order_of(look: Look) -> Order:
    """The columns that this look is ordered by, the id last."""
    if look.view.key == "done" and look.order == DUE:
        return (Part("closed_at", is_descending=True), *_BY_ID)
    if look.view.key == "snoozed" and look.order == DUE:
        return (Part("snoozed_until_at", is_null_last=True), Part("id"))
    if look.order == NEWEST or look.view.is_past:
        return _BY_TIME
    if look.order == LONGEST:
        return _BY_WAITING
    return (
        Part("waiting_since_at", is_absence=True),
        Part("due_at", is_null_last=True),
        Part("priority"),
        *_BY_WAITING,
    )


def look_counts(user: User, look: Look) -> dict[str, int | None]:
    """`all` and `unread` of a view under its filters, in one query; None for what is done, which nobody counts."""
    if look.view.is_past:
        return {"all": None, "unread": None}
    if not (look.filters or look.view.saved or look.view.conditions) and can(user, Action.WORK_INBOX):
        question = _counts(user.role, _kind_of(look.view))
        ((found_all, unread),) = question.around(COUNTED, *asked_by(user), *_place_of(look.view))
        return {"all": found_all, "unread": unread}
    found = in_view(user, look.view).filter(as_q(look.filters, user)).order_by()
    return found.aggregate(all=Count("pk"), unread=Count("pk", filter=Q(unread_count__gt=0)))


def topics_of(user: User, view: View) -> list[str]:
    """Live topics that change the rows of a view."""
    if view.queue_id is not None:
        return [queue_topic(view.queue_id)]
    if view.key in ("mine", "mentions", "drafts"):
        return _own_topics(user)
    return all_topics(user)


def all_topics(user: User) -> list[str]:
    """Topics of the person and of every queue they serve."""
    return [*_own_topics(user), *(queue_topic(pk) for pk in queue_ids_of(user))]


def _own_topics(user: User) -> list[str]:
    return [agent_topic(user.pk), work_topic(user.pk)]
