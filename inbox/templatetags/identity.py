"""The mark that says whether we know with whom we speak."""

from django import template

from inbox.models import Interaction, PatientQuestion
from inbox.selectors.identity import Identity, identity_of

register = template.Library()
DRAWN = "_identity_drawn"


@register.simple_tag
def identity_state(interaction: Interaction) -> Identity:
    """The state of this conversation's identity check when it was drawn first. Two queries at most for all marks of one
    page: whoever changes it reads the conversation anew."""
    drawn: dict[str, Identity] = interaction.__dict__
    if DRAWN not in drawn:
        drawn[DRAWN] = identity_of(interaction)
    return drawn[DRAWN]


@register.simple_tag
def patient_question(interaction: Interaction) -> PatientQuestion | None:
    """The question which patient is meant that nobody has answered; asked for shared addresses only."""
    if not interaction.is_contact_shared:
        return None
    return interaction.patient_questions.filter(answered_at=None).prefetch_related("options").first()
