"""Entries that apps above have put into a conversation's menu."""

from typing import Any

from django import template

from inbox.acts import acts_for
from inbox.models import Interaction

register = template.Library()


@register.simple_tag(takes_context=True)
def conversation_acts(context: dict[str, Any], interaction: Interaction) -> list[dict[str, object]]:
    """What the signed-in person may do with this conversation in apps above the desk; nothing for a mere reader."""
    request = context.get("request")
    if request is None or getattr(interaction, "is_guest", False):
        return []
    return acts_for(request.user, interaction)
