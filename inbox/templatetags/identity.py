"""The mark that says whether we know with whom we speak."""

from django import template

from inbox.models import Interaction
from inbox.selectors.identity import Identity, identity_of

register = template.Library()


@register.simple_tag
def identity_state(interaction: Interaction) -> Identity:
    """The state of this conversation's identity check. Two queries at most."""
    return identity_of(interaction)
