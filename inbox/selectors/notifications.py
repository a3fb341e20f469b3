"""How a person wants to be told of what, and what they have been told."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from contact_center.common.prepared import Given, prepared
from inbox.enums import NotificationKind
from inbox.models import Interaction, Notification, NotificationPreference
from inbox.selectors.interactions import readable_by
from patients.numbers import readable_address

K = NotificationKind
Place = Callable[[User], str]
_places: dict[NotificationKind, Place] = {}


def register_place(kind: NotificationKind, place: Place) -> None:
    """Say where notices of a kind lead that is an upper app's; `place(user)` gives an address that they may open."""
    _places[kind] = place


@dataclass(frozen=True, slots=True)
class Wish:
    """How one person wants to be told of one kind of event."""

    in_app: bool = True
    sound: bool = False
    desktop: bool = False
    email: bool = False


DEFAULTS = {
    K.ASSIGNED: Wish(sound=True, desktop=True),
    K.NEW_WORK: Wish(),
    K.PATIENT_REPLIED: Wish(sound=True, desktop=True),
    K.MENTIONED: Wish(sound=True, desktop=True),
    K.SEND_FAILED: Wish(desktop=True),
    K.SNOOZE_ENDED: Wish(desktop=True),
    K.TASK_DUE: Wish(),
    K.PROXY_ENDS: Wish(),
    K.JOB_FINISHED: Wish(),
    K.DEADLINE_NEAR: Wish(desktop=True),
    K.DEADLINE_MISSED: Wish(sound=True, desktop=True),
    K.GLASS_BROKEN: Wish(sound=True, desktop=True, email=True),
    K.WRONG_PATIENT: Wish(desktop=True, email=True),
    K.ESCALATED: Wish(sound=True, desktop=True),
    K.HELP_ASKED: Wish(sound=True, desktop=True),
    K.LEFT_LYING: Wish(),
    K.SUPERVISED: Wish(sound=True, desktop=True),
    K.BEYOND_LIMIT: Wish(sound=True, desktop=True),
    K.COMPLAINT_GIVEN: Wish(sound=True, desktop=True),
    K.COMPLAINT_ESCALATED: Wish(sound=True, desktop=True),
}


def preference_of(user: User, kind: str) -> Wish:
    """The person's own wish, else the default of the kind."""
    row = NotificationPreference.objects.filter(user=user, kind=kind).first()
    if row is None:
        return DEFAULTS.get(NotificationKind(kind), Wish())
    return Wish(row.in_app, row.sound, row.desktop, row.email)


@dataclass(frozen=True, slots=True)
class Notice:
    """One notification as it is shown: what happened, about whom (only for those who may see it), where, when.

    `title` names no patient, so it may stand on a locked screen; `about` may name one.
    """

    id: int
    kind: str
    title: str
    about: str
    url: str
    at: datetime
    is_unread: bool
    has_sound: bool
    has_desktop: bool


def notifications_of(user: User) -> QuerySet[Notification]:
    """What stands in the person's panel, newest first."""
    found = Notification.objects.filter(user=user, is_in_app=True).order_by("-id")
    return found.select_related("actor", "queue", "interaction__queue")


def unread_count_of(user: User) -> int:
    """How many notifications the person has not seen, at most 100."""
    ((count,),) = _unread().around("SELECT count(*) FROM ({rows}) AS told", user.pk)
    return int(count)


@prepared
def _unread() -> QuerySet[Notification]:
    """The first hundred of the user 0."""
    found = notifications_of(Given(0)).filter(read_at=None)  # type: ignore[arg-type]
    return found.order_by().values_list("pk")[:100]  # type: ignore[return-value]


def has_unseen(user: User, interaction_id: int) -> tuple[bool, bool]:
    """Whether the person has unread notifications of this conversation, and unseen mentions there. One query."""
    with connection.cursor() as cursor:
        cursor.execute(UNSEEN, {"person": user.pk, "row": interaction_id})
        told, named = cursor.fetchone()
    return told, named


UNSEEN = """
SELECT EXISTS (SELECT 1 FROM inbox_notification
               WHERE user_id = %(person)s AND interaction_id = %(row)s AND read_at IS NULL),
       EXISTS (SELECT 1 FROM inbox_mention
               WHERE user_id = %(person)s AND interaction_id = %(row)s AND seen_at IS NULL)
"""


def fresh_of(user: User, *, seconds: int, most: int = 5) -> QuerySet[Notification]:
    """Unseen notifications of the last `seconds`, newest first: what a screen may ring for."""
    since = timezone.now() - timedelta(seconds=seconds)
    return notifications_of(user).filter(read_at=None, created_at__gte=since)[:most]


def notices(user: User, rows: Iterable[Notification]) -> list[Notice]:
    """These notifications in words. Two queries for any number: who may be named, and what the person wants."""
    found = list(rows)
    ids = {row.interaction_id for row in found if row.interaction_id}
    visible = readable_by(user).filter(pk__in=ids).select_related("patient")
    named = {row.pk: person_name(row) for row in visible} if ids else {}
    wishes = wishes_of(user) if found else {}
    return [_notice(user, row, named, wishes[K(row.kind)]) for row in found]


def wishes_of(user: User) -> dict[NotificationKind, Wish]:
    """How the person wants to be told of each kind, in one query."""
    own = {row.kind: Wish(row.in_app, row.sound, row.desktop, row.email) for row in _preferences(user)}
    return {kind: own.get(kind) or DEFAULTS.get(kind, Wish()) for kind in K}


def _preferences(user: User) -> QuerySet[NotificationPreference]:
    return NotificationPreference.objects.filter(user=user)


def person_name(interaction: Interaction) -> str:
    """Who a conversation is with: the patient, else what the sender calls themself, else the address."""
    if interaction.patient is not None:
        return interaction.patient.full_name
    return interaction.contact_name or readable_address(interaction.contact_value, settings.DEFAULT_PHONE_REGION)


def _notice(user: User, row: Notification, named: dict[int, str], wish: Wish) -> Notice:
    about = named.get(row.interaction_id or 0, "")
    url = reverse("inbox:interaction", args=[row.interaction_id]) if row.interaction_id in named else ""
    way, _colon, number = row.dedupe_key.partition(":")
    if row.kind == K.GLASS_BROKEN:
        url = reverse("patients:audit") + "?only_glass=on"
    if row.kind == K.JOB_FINISHED and way == "job" and number.isdecimal():
        url = reverse("jobs:job", args=[number])
    if row.kind in _places:
        url = _places[K(row.kind)](user)
    is_unread = row.read_at is None
    return Notice(row.pk, row.kind, title_of(row), about, url, row.created_at, is_unread, wish.sound, wish.desktop)


def title_of(row: Notification) -> str:
    """What happened, in words that name no patient."""
    queue = row.queue or (row.interaction.queue if row.interaction else None)
    words = {"queue": queue.name if queue else "", "actor": row.actor}
    if row.kind == K.ASSIGNED and row.actor_id:
        return _("%(actor)s assigned a conversation to you") % words
    if row.kind == K.MENTIONED and row.actor_id:
        return _("%(actor)s mentions you in a note") % words
    if row.kind == K.GLASS_BROKEN and row.actor_id:
        return _("%(actor)s opened a protected record") % words
    if row.kind == K.ESCALATED and row.dedupe_key.startswith("seen:") and row.actor_id:
        return _("%(actor)s, %(queue)s, sees to what you escalated") % words
    if row.kind == K.ESCALATED and row.dedupe_key.startswith("back:"):
        return _("What was escalated came back to %(queue)s") % words
    if row.kind == K.SUPERVISED:
        words |= {"reason": row.get_reason_display()}
        if row.interaction_id:
            return _("%(actor)s took work in %(queue)s off you: %(reason)s") % words
        return _("%(actor)s changed your state: %(reason)s") % words
    sentences = {
        K.GLASS_BROKEN: _("A protected record was opened"),
        K.WRONG_PATIENT: _("Something was moved to the right patient in %(queue)s"),
        K.ASSIGNED: _("A conversation in %(queue)s is yours now"),
        K.NEW_WORK: _("New work in %(queue)s"),
        K.PATIENT_REPLIED: _("New message in %(queue)s"),
        K.MENTIONED: _("You are mentioned in a note"),
        K.SEND_FAILED: _("A message of yours was not delivered"),
        K.SNOOZE_ENDED: _("A snoozed conversation in %(queue)s is back"),
        K.TASK_DUE: _("Something of yours is due today"),
        K.PROXY_ENDS: _("The right of a proxy ends soon"),
        K.JOB_FINISHED: _("Your background work is over"),
        K.DEADLINE_NEAR: _("A reply in %(queue)s is due soon"),
        K.DEADLINE_MISSED: _("A deadline in %(queue)s was missed"),
        K.ESCALATED: _("A conversation was escalated to %(queue)s, or came back"),
        K.LEFT_LYING: _("Work in %(queue)s finds nobody"),
        K.SUPERVISED: "",
        K.HELP_ASKED: _("%(actor)s asks for help in a call"),
        K.BEYOND_LIMIT: _("More waits in %(queue)s, or longer, than its limit allows"),
        K.COMPLAINT_GIVEN: _("A complaint is yours now"),
        K.COMPLAINT_ESCALATED: _("A complaint needs somebody who handles complaints"),
    }
    return sentences.get(K(row.kind), str(K(row.kind).label)) % words
