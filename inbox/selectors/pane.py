"""The views pane: which views a person has, how much is in each, and where something waits too long."""

from collections import Counter
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from contact_center.accounts.asker import Asker, asker
from contact_center.accounts.enums import Action
from contact_center.accounts.models import User
from contact_center.accounts.policies import can
from contact_center.common.prepared import Given, prepared
from inbox.enums import OPEN, ChannelKind, InteractionStatus
from inbox.models import Draft, Interaction, Mention, Queue, SavedView
from inbox.selectors.conditions import Conditions, as_q, read
from inbox.selectors.drafts import drafts_visible_to
from inbox.selectors.interactions import asked_by, interactions_visible_to, queues_of, served_queues
from inbox.selectors.lists import DUE, NEWEST, ORDERS, Look, View, closed_today, look_counts, midnight, view_rows

MOST_COUNTED = 999
MOST_SAVED = 50
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


def saved_views_of(user: User) -> QuerySet[SavedView]:
    """The person's own saved views, their teams' and everybody's; every team's for those who see all queues."""
    if not can(user, Action.WORK_INBOX):
        return SavedView.objects.none()
    shared = Q(owner=None)
    if not can(user, Action.VIEW_ALL_QUEUES):
        shared &= Q(team=None) | Q(team__memberships__user=user)
    return SavedView.objects.filter(Q(owner=user) | shared).select_related("team").distinct()


def view_groups_of(user: User) -> list[dict[str, Any]]:
    """All views the person has, with live counts, in a constant number of queries: one reads the open interactions,
    one counts all saved views, whatever their number."""
    desk = _Desk(user)
    queues = [
        View(f"queue-{queue.pk}", queue.name, _icon_of(queue), queue_id=queue.pk, **desk.of("queue", queue.pk))
        for queue in served_queues(user)
    ]
    channels = [
        View(f"channel-{kind}", kind.label, channel=kind, **desk.of("channel", kind))
        for kind in ChannelKind
        if desk.waits_on(kind)
    ]
    groups = [
        ("", _own(user, desk)),
        (_("Queues"), queues),
        (_("Channels"), channels),
        (_("Saved views"), _saved(user)),
    ]
    return [{"title": title, "entries": entries} for title, entries in groups if entries]


def _own(user: User, desk: "_Desk") -> list[View]:
    unseen, done, drafts = _small_counts(user)
    own = _own_views()
    for key in ("mine", "unassigned"):
        own[key].count, own[key].is_late = desk.counts[key, None], desk.is_late(key, None)
    own["mentions"].count = unseen
    own["drafts"].count = drafts
    own["snoozed"].count = desk.counts["snoozed", None]
    own["done"].count, own["done"].has_more = min(done, MOST_COUNTED), done > MOST_COUNTED
    own["open"].count, own["open"].is_late = desk.counts["open", None], desk.is_late("open", None)
    return list(own.values())


def _small_counts(user: User) -> tuple[int, int, int]:
    """Unseen mentions, what was done today (at most one more than MOST_COUNTED), drafts."""
    ((unseen,),) = _unseen().around(COUNT_EACH, user.pk)
    if not can(user, Action.WORK_INBOX):
        return unseen, 0, 0
    ((done,),) = _done(user.role).around(COUNT, *asked_by(user), midnight())
    ((drafts,),) = _drafts(user.role).around(COUNT, *asked_by(user))
    return unseen, done, drafts


COUNT = "SELECT count(*) FROM ({rows}) AS rows"
COUNT_EACH = "SELECT count(DISTINCT interaction_id) FROM ({rows}) AS rows"


@prepared
def _unseen() -> QuerySet[Mention]:
    """Of the person 0."""
    found = Mention.objects.filter(user=Given(0), seen_at=None).order_by()
    return found.values_list("interaction_id")  # type: ignore[return-value]


@prepared
def _done(role: str) -> QuerySet[Interaction]:
    """After the asker: since when."""
    found = interactions_visible_to(asker(role)).filter(closed_today(Given(Asker.NEXT))).order_by()
    return found.values_list("pk")[: MOST_COUNTED + 1]  # type: ignore[return-value]


@prepared
def _drafts(role: str) -> QuerySet[Draft]:
    """Those of the asker."""
    return drafts_visible_to(asker(role)).order_by().values_list("pk")  # type: ignore[return-value]


def _own_views() -> dict[str, View]:
    found = [
        View("mine", _("My open"), "inbox"),
        View("unassigned", _("Unassigned"), "hand-helping"),
        View("mentions", _("Mentions"), "message-square-quote", order=NEWEST),
        View("drafts", _("Drafts"), "pencil", order=NEWEST),
        View("snoozed", _("Snoozed"), "hourglass"),
        View("done", _("Done today"), "circle-check"),
        View("open", _("All open"), "layers"),
        View("closed", _("Closed"), "history", order=NEWEST),
    ]
    return {view.key: view for view in found}


class _Desk:
    """How many open interactions there are by place, from one grouped query over the open ones only."""

    def __init__(self, user: User) -> None:
        self.counts: Counter[tuple[str, Any]] = Counter()
        self.late: Counter[tuple[str, Any]] = Counter()
        if not can(user, Action.WORK_INBOX):
            return
        now = timezone.now()
        since = now - timedelta(seconds=settings.LATE_AFTER_SECONDS)
        for queue_id, kind, *numbers in _desk(user.role).tuples(*asked_by(user), since, now):
            row = dict(zip(NUMBERS, numbers, strict=True))
            for name in ("open", "snoozed", "mine", "unassigned"):
                self.counts[name, None] += row[name]
            for place in (("queue", queue_id), ("channel", kind)):
                self.counts[place] += row["awake"]
                self.late[place] += row["late"]
            for name in ("mine", "unassigned"):
                self.late[name, None] += row[f"{name}_late"]
            self.late["open", None] += row["late"]

    def of(self, name: str, key: Any = None) -> dict[str, Any]:
        return {"count": self.counts[name, key], "is_late": self.is_late(name, key)}

    def is_late(self, name: str, key: Any) -> bool:
        return self.late[name, key] > 0

    def waits_on(self, kind: str) -> bool:
        return ("channel", kind) in self.counts


AWAKE = ~Q(status=InteractionStatus.SNOOZED)
NUMBERS = ("open", "snoozed", "awake", "late", "mine", "mine_late", "unassigned", "unassigned_late")


@prepared
def _desk(role: str) -> QuerySet[Interaction]:
    """After the asker: since when nobody should wait where nothing was promised, and what time it is."""
    person = asker(role)
    missed = Q(due_at__isnull=False, due_at__lt=Given(Asker.NEXT + 1))
    late = missed | Q(due_kind="", waiting_since_at__lt=Given(Asker.NEXT))
    mine, free = Q(owner=person), Q(owner=None)
    found = interactions_visible_to(person).filter(status__in=OPEN).order_by().values("queue_id", "channel_kind")
    counted = found.annotate(
        open=Count("pk"),
        snoozed=Count("pk", filter=~AWAKE),
        awake=Count("pk", filter=AWAKE),
        late=Count("pk", filter=AWAKE & late),
        mine=Count("pk", filter=AWAKE & mine),
        mine_late=Count("pk", filter=AWAKE & late & mine),
        unassigned=Count("pk", filter=free),
        unassigned_late=Count("pk", filter=late & free),
    )
    return counted.values_list("queue_id", "channel_kind", *NUMBERS)  # type: ignore[return-value]


@prepared
def _saved_views(role: str) -> QuerySet[SavedView]:
    """Those of the asker."""
    return saved_views_of(asker(role))[:MOST_SAVED]


def _saved(user: User) -> list[View]:
    if not can(user, Action.WORK_INBOX):
        return []
    found = [_saved_view(saved) for saved in _saved_views(user.role).ask(*asked_by(user))]
    if not found:
        return []
    counts = (
        interactions_visible_to(user)
        .filter(status__in=OPEN)
        .order_by()
        .aggregate(**{f"n{place}": Count("pk", filter=_whole(view, user)) for place, view in enumerate(found)})
    )
    for place, view in enumerate(found):
        view.count = counts[f"n{place}"]
    return found


def _saved_view(saved: SavedView) -> View:
    order = saved.order if saved.order in ORDERS else DUE
    return View(
        f"saved-{saved.pk}", saved.name, "list-filter", saved=saved, conditions=read(saved.conditions), order=order
    )


def _whole(view: View, user: User) -> Q:
    return as_q(view.conditions, user) or Q(pk__isnull=False)


def _icon_of(queue: Queue) -> str:
    return next((icon for word, icon in QUEUE_ICONS.items() if word in queue.slug.lower()), "layers")


def chosen_view(groups: list[dict[str, Any]], key: str) -> View:
    """The view of that key; the first one, marked, where the person has no such view."""
    views: list[View] = [entry for group in groups for entry in group["entries"]]
    found = next((view for view in views if view.key == key), None)
    views[0].is_missing = bool(key) and found is None
    return found or views[0]


def view_of(user: User, key: str) -> View:
    """As `chosen_view` of all groups, without counting anything. One query at most."""
    own = _own_views()
    found = own.get(key) or _named(user, *key.partition("-")[::2])
    if found is None:
        found = own["mine"]
        found.is_missing = bool(key)
    return found


def _named(user: User, kind: str, name: str) -> View | None:
    if kind == "channel" and name in ChannelKind.values:
        return View(f"channel-{name}", ChannelKind(name).label, channel=name)
    if not (name.isascii() and name.isdecimal() and len(name) < 19):
        return None
    if kind == "queue":
        queue = queues_of(user).filter(pk=int(name)).first()
        return View(f"queue-{queue.pk}", queue.name, _icon_of(queue), queue_id=queue.pk) if queue else None
    saved = saved_views_of(user).filter(pk=int(name)).first() if kind == "saved" else None
    return _saved_view(saved) if saved else None


def get_saved_view_for(user: User, pk: int) -> SavedView:
    """One saved view the person has. Raises SavedView.DoesNotExist for all others alike."""
    return saved_views_of(user).get(pk=pk)


def fitting(user: User, conditions: Conditions, order: str) -> tuple[int, QuerySet[Interaction]]:
    """How many open interactions fit these conditions, and they themselves in that order. One query until read."""
    view = View("saved", "", saved=SavedView(), conditions=conditions, order=order)
    look = Look(view, order=order)
    return look_counts(user, look)["all"] or 0, view_rows(user, look)
