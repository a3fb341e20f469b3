"""Conditions on interactions: what filters and saved views are made of.

They only narrow: whatever they say is added to what a person may see, never put in its place.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from contact_center.accounts.models import User
from inbox.enums import ChannelKind, Priority
from inbox.models import Interaction, Reason

MOST_VALUES = 50
MOST_ID = 2**63
ME, NOBODY, YES, NO = "me", "nobody", "yes", "no"
ALL, ANY = "all", "any"


LATE, SOON, PAUSED = "late", "soon", "paused"
CLOCK_STATES: dict[str, str | Promise] = {LATE: _("Missed"), SOON: _("Nearly over"), PAUSED: _("Paused")}


class Field(NamedTuple):
    """Something a condition asks about. `kind` says which values it has: words, ids, people or yes and no."""

    key: str
    label: str | Promise
    kind: str


FIELDS = {
    one.key: one
    for one in (
        Field("channel", _("Channel"), "words"),
        Field("language", _("Language"), "words"),
        Field("priority", _("Priority"), "words"),
        Field("owner", _("Owner"), "people"),
        Field("queue", _("Queue"), "ids"),
        Field("reason", _("Reason"), "ids"),
        Field("tag", _("Tag"), "ids"),
        Field("clock", _("Deadline"), "words"),
        Field("waiting", _("Waiting for us"), "yes"),
        Field("unread", _("Unread"), "yes"),
        Field("unknown", _("Unknown patient"), "yes"),
        Field("overdue", _("Next step overdue"), "yes"),
    )
}


@dataclass(frozen=True, slots=True)
class Rule:
    """`field` has one of `values`; none of them when it is negated."""

    field: str
    values: tuple[str, ...]
    is_negated: bool = False


@dataclass(frozen=True, slots=True)
class Conditions:
    """Some rules, of which all or any must hold. Without rules everything fits."""

    rules: tuple[Rule, ...] = ()
    match: str = ALL
    dropped: int = field(default=0, compare=False)
    """How many stored rules nobody understands any more."""

    def __bool__(self) -> bool:
        return bool(self.rules)

    def stored(self) -> dict[str, Any]:
        """As `SavedView.conditions` keeps it; `read` is the way back."""
        word = {False: "is", True: "not"}
        rules = [{"field": rule.field, word[rule.is_negated]: list(rule.values)} for rule in self.rules]
        return {"match": self.match, "rules": rules}

    def pairs(self) -> list[tuple[str, str]]:
        """As an address carries a filter; `asked` is the way back."""
        return [(rule.field, value) for rule in self.rules for value in rule.values]

    def without(self, field_key: str, value: str) -> "Conditions":
        """The same conditions but for one value."""
        rules = []
        for rule in self.rules:
            left = tuple(one for one in rule.values if (rule.field, one) != (field_key, value))
            if left:
                rules.append(Rule(rule.field, left, rule.is_negated))
        return Conditions(tuple(rules), self.match)


def asked(data: Any) -> Conditions:
    """Conditions of a filter in an address. `data` is a QueryDict; what makes no sense is left out."""
    rules = (Rule(key, _sound(key, data.getlist(key))) for key in FIELDS)
    return Conditions(tuple(rule for rule in rules if rule.values))


def composed(data: Any) -> Conditions:
    """Conditions as a form builds them: those of `asked`, which of them are negated (`not`), and all or any."""
    negated = set(data.getlist("not"))
    rules = tuple(Rule(rule.field, rule.values, rule.field in negated) for rule in asked(data).rules)
    return Conditions(rules, ANY if data.get("match") == ANY else ALL)


def read(stored: Any) -> Conditions:
    """Conditions of a saved view, whoever wrote them; rules that make no sense are dropped and counted."""
    if not isinstance(stored, Mapping):
        return Conditions()
    found, dropped = [], 0
    entries = stored.get("rules")
    for entry in entries if isinstance(entries, list) else ():
        rule = _rule_of(entry)
        if rule:
            found.append(rule)
        else:
            dropped += 1
    return Conditions(tuple(found), ANY if stored.get("match") == ANY else ALL, dropped)


def _rule_of(entry: Any) -> Rule | None:
    key = entry.get("field") if isinstance(entry, Mapping) else None
    if not isinstance(key, str) or key not in FIELDS:
        return None
    is_negated = "not" in entry
    values = entry.get("not" if is_negated else "is")
    sound = _sound(key, values if isinstance(values, list) else [values])
    return Rule(key, sound, is_negated) if sound else None


def _sound(key: str, values: Iterable[Any]) -> tuple[str, ...]:
    texts = dict.fromkeys(str(value) for value in values)
    return tuple(text for text in texts if _is_sound(FIELDS[key], text))[:MOST_VALUES]


def _is_sound(one: Field, text: str) -> bool:
    is_id = text.isascii() and text.isdecimal() and 0 < len(text) < 20 and 0 < int(text) < MOST_ID
    if one.kind == "ids":
        return is_id
    if one.kind == "people":
        return is_id or text in (ME, NOBODY)
    if one.kind == "yes":
        return text in (YES, NO)
    if one.key == "channel":
        return text in ChannelKind.values
    if one.key == "clock":
        return text in CLOCK_STATES
    if one.key == "priority":
        return text.isdecimal() and text in {str(value) for value in Priority.values}
    return 0 < len(text) <= 8 and text.replace("-", "").isalnum() and text.isascii()


def as_q(conditions: Conditions, user: User) -> Q:
    """These conditions as seen by `user` today. An empty Q without rules."""
    whole = Q()
    for rule in conditions.rules:
        one = _Q_OF[rule.field](rule.values, user)
        one = ~one if rule.is_negated else one
        whole = whole | one if conditions.match == ANY else whole & one
    return whole


def _language(values: tuple[str, ...], user: User) -> Q:
    meant = Q(language__in=values)
    for value in values:
        meant |= Q(language__startswith=f"{value[:2]}-")
    return meant


def _owner(values: tuple[str, ...], user: User) -> Q:
    ids = [user.pk if value == ME else int(value) for value in values if value != NOBODY]
    meant = Q(owner_id__in=ids)
    return meant | Q(owner=None) if NOBODY in values else meant


def _reason(values: tuple[str, ...], user: User) -> Q:
    """A reason means everything below it too."""
    below = Reason.objects.filter(Q(pk__in=values) | Q(parent__in=values) | Q(parent__parent__in=values))
    return Q(reason_id__isnull=False, reason_id__in=below.order_by().values("pk"))


def past_due() -> Q:
    """What has passed its deadline."""
    return Q(due_at__isnull=False, due_at__lt=timezone.now())


def _clock(values: tuple[str, ...], user: User) -> Q:
    now = timezone.now()
    states = {
        LATE: past_due(),
        SOON: Q(due_at__isnull=False, due_at__gte=now, warn_at__lte=now),
        PAUSED: Q(due_at__isnull=True) & ~Q(due_kind=""),
    }
    meant = Q(pk__in=[])
    for value in values:
        meant |= states[value]
    return meant


def _tag(values: tuple[str, ...], user: User) -> Q:
    through = Interaction.tags.through.objects
    return Q(Exists(through.filter(interaction_id=OuterRef("pk"), tag_id__in=values)))


def _holds(condition: Q, values: tuple[str, ...]) -> Q:
    if set(values) == {YES, NO}:
        return Q(pk__isnull=False)
    return condition if YES in values else ~condition


_Q_OF = {
    "channel": lambda values, user: Q(channel_kind__in=values),
    "language": _language,
    "priority": lambda values, user: Q(priority__in=values),
    "owner": _owner,
    "queue": lambda values, user: Q(queue_id__in=values),
    "reason": _reason,
    "tag": _tag,
    "clock": _clock,
    "waiting": lambda values, user: _holds(Q(waiting_since_at__isnull=False), values),
    "unread": lambda values, user: _holds(Q(unread_count__gt=0), values),
    "unknown": lambda values, user: _holds(Q(patient_id__isnull=True), values),
    "overdue": lambda values, user: _holds(
        Q(next_step_date__isnull=False, next_step_date__lt=timezone.localdate()), values
    ),
}
