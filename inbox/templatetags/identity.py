"""The mark that says whether we know with whom we speak."""

from django import template

from inbox.models import Interaction, PatientQuestion
from inbox.selectors.identity import Identity, identity_of

register = template.Library()


@register.simple_tag
def identity_state(interaction: Interaction) -> Identity:
    """The state of this conversation's identity check. Two queries at most."""
    return identity_of(interaction)


@register.simple_tag
def patient_question(interaction: Interaction) -> PatientQuestion | None:
    """The question which patient is meant that nobody has answered; asked for shared addresses only."""
    if not interaction.is_contact_shared:
        return None
    return interaction.patient_questions.filter(answered_at=None).prefetch_related("options").first()
