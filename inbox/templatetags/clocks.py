"""The clock of a conversation as a chip: in words, in colour, and counting by itself. Pure: no queries."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from django import template
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from contact_center.accounts.enums import Action
from contact_center.accounts.models import User
from contact_center.accounts.policies import can
from contact_center.common.moments import written
from contact_center.common.templatetags.continuo import icon
from inbox.enums import ChannelKind, ClockKind, PauseState, Priority
from inbox.models import Interaction, SlaPolicy
from inbox.selectors.calendars import duration_words
from inbox.selectors.list_rows import ListRow
from inbox.templatetags.desk import span

register = template.Library()
OK, SOON, LATE, PAUSED = "ok", "soon", "late", "paused"


def clock_state(row: Interaction | ListRow, now: datetime) -> str:
    """ok, soon, late or paused; empty where no clock runs."""
    if row.due_at is None:
        return PAUSED if row.due_kind else ""
    if row.due_at < now:
        return LATE
    return SOON if row.warn_at is not None and row.warn_at <= now else OK


@register.simple_tag
def clock_chip(row: Interaction | ListRow, css: str = "", now: datetime | None = None) -> SafeString:
    """How long is left until what is due next, or since when it is overdue; empty where no clock runs.

    The page's clock keeps number and colour true between two drawings.
    """
    now = now or timezone.now()
    state = "" if row.is_done else clock_state(row, now)
    if not state:
        return mark_safe("")
    words, pictures = _words(get_language() or ""), _icons()
    classes = f"sla {css}".strip()
    if state == PAUSED or row.due_at is None:
        label = words[PAUSED, ""]
        return mark_safe(  # noqa: S308 - only words and icons of ours
            f'<span class="{classes}" data-state="paused">{pictures[PAUSED]}<span>{label}</span></span>'
        )
    warn = f' data-warn="{row.warn_at.isoformat()}"' if row.warn_at else ""
    number = span(abs((row.due_at - now).total_seconds()))
    return mark_safe(  # noqa: S308 - only words and icons of ours, and moments
        f'<span class="{classes}" data-state="{state}">{pictures[state]}'
        f'<span class="vh">{words[state, row.due_kind]} </span>'
        f'<span class="num" data-due="{row.due_at.isoformat()}"{warn}>{number}</span></span>'
    )


@lru_cache(maxsize=8)
def _words(language: str) -> Mapping[tuple[str, str], str]:
    reply = {OK: _("Reply due in"), SOON: _("Reply due soon, in"), LATE: _("Reply overdue by")}
    first = {OK: _("First reply due in"), SOON: _("First reply due soon, in"), LATE: _("First reply overdue by")}
    solved = {OK: _("To be resolved in"), SOON: _("To be resolved soon, in"), LATE: _("Resolution overdue by")}
    told = {ClockKind.FIRST_RESPONSE: first, ClockKind.NEXT_RESPONSE: reply, ClockKind.RESOLUTION: solved}
    found = {(state, str(kind)): escape(text) for kind, texts in told.items() for state, text in texts.items()}
    return found | {(PAUSED, ""): escape(_("Paused"))}


@lru_cache(maxsize=1)
def _icons() -> dict[str, str]:
    return {OK: icon("clock"), SOON: icon("timer"), LATE: icon("triangle-alert"), PAUSED: icon("pause")}


@register.simple_tag
def may_configure(request: HttpRequest) -> bool:
    """Whether the signed-in person sets the desk up."""
    return isinstance(request.user, User) and can(request.user, Action.CONFIGURE)


@register.filter
def moment_in(at: datetime, zone: str) -> str:
    """Weekday, date and time in that zone."""
    local = at.astimezone(ZoneInfo(zone))
    return f"{written(local)} {local:%Z}"


@register.filter
def span_words(span_of_time: timedelta) -> str:
    """`7h 30m`."""
    return span(span_of_time.total_seconds()) if span_of_time < timedelta(days=1) else "24h 00m"


@register.filter
def promise(minutes: int | None) -> str:
    """`4h`; a dash for no promise."""
    return duration_words(minutes) or "–"


@register.filter
def applies_to(policy: SlaPolicy) -> str:
    """Its conditions in words."""
    parts = [
        ", ".join(queue.name for queue in policy.queues.all()),
        ", ".join(reason.name for reason in policy.reasons.all()),
        ", ".join(str(Priority(one).label) for one in policy.priorities),
        ", ".join(str(ChannelKind(one).label) for one in policy.channel_kinds),
    ]
    return " · ".join(part for part in parts if part) or _("Everything")


@register.filter
def pause_words(states: list[str]) -> str:
    """What holds the clocks, in words."""
    return ", ".join(str(PauseState(one).label) for one in states) or "–"


@register.filter
def version_note(note: str) -> str:
    """What a change was: one of our words, or the name of what was changed."""
    words = {
        "created": _("Created"),
        "changed": _("Changed"),
        "closed": _("Closed by hand"),
        "opened": _("Opened again"),
        "restored": _("Brought back an earlier state"),
    }
    return words.get(note, note)
