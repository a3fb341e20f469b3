"""What templates say of calls."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import template
from django.utils import timezone

from inbox.enums import CallMomentKind
from inbox.models import Call, Interaction
from inbox.policies import can_listen, may_be_machine
from inbox.selectors import calls

register = template.Library()


@register.simple_tag
def calls_of(interaction: Interaction) -> Sequence[Call]:
    """The calls of a conversation with their moments."""
    return list(calls.calls_of(interaction))


@register.simple_tag(takes_context=True)
def may_listen(context: dict[str, Any]) -> bool:
    """Whether this person may listen to recordings."""
    request = context.get("request")
    return request is not None and can_listen(request.user)


@register.simple_tag(takes_context=True)
def machine_may_have_answered(context: dict[str, Any], call: Call, interaction: Interaction) -> bool:
    """Whether this person may still say so of a call that is over; costs nothing where its moments are at hand."""
    request = context.get("request")
    is_theirs = request is not None and call.is_over and may_be_machine(request.user, call, interaction)
    return is_theirs and all(moment.kind != CallMomentKind.MACHINE for moment in call.moments.all())


@register.filter
def began(call: Call) -> datetime:
    """Since when the timer of the call bar runs: the answer, before it the beginning."""
    return call.answered_at or call.started_at


@register.filter
def clock(seconds: int) -> str:
    """61 as 1:01."""
    return f"{seconds // 60}:{seconds % 60:02d}"


@register.filter
def seconds(offset: float) -> str:
    """61.7 seconds into a recording as 1:01."""
    return clock(int(offset))


@register.filter
def elapsed(since: datetime | None) -> str:
    """Minutes and seconds since a moment; empty without one."""
    return clock(max(0, int((timezone.now() - since).total_seconds()))) if since else ""
