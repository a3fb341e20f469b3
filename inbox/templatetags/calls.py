"""What templates say of calls."""

from collections.abc import Sequence
from datetime import datetime

from django import template
from django.utils import timezone

from inbox.models import Call, Interaction
from inbox.selectors import calls

register = template.Library()


@register.simple_tag
def calls_of(interaction: Interaction) -> Sequence[Call]:
    """The calls of a conversation with their moments."""
    return list(calls.calls_of(interaction))


@register.filter
def began(call: Call) -> datetime:
    """Since when the timer of the call bar runs: the answer, before it the beginning."""
    return call.answered_at or call.started_at


@register.filter
def clock(seconds: int) -> str:
    """61 as 1:01."""
    return f"{seconds // 60}:{seconds % 60:02d}"


@register.filter
def elapsed(since: datetime | None) -> str:
    """Minutes and seconds since a moment; empty without one."""
    return clock(max(0, int((timezone.now() - since).total_seconds()))) if since else ""
