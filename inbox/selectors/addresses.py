"""Where a person can be reached on a channel."""

from inbox.enums import ChannelKind
from inbox.models import Channel, Interaction
from patients.enums import ContactScheme


def address_on(interaction: Interaction, channel: Channel) -> tuple[str, str]:
    """Scheme and value to send to on `channel`; two empty texts when the person has no usable address there.

    On the interaction's own channel it is the address the person wrote from; elsewhere the patient's first one that
    does not bounce, else the one they wrote from when it is of the same scheme. Reads `patient.contact_points`.
    """
    if channel.pk == interaction.channel_id and channel.kind != ChannelKind.FORM:
        return interaction.contact_scheme, interaction.contact_value
    scheme = ContactScheme.EMAIL if channel.kind == ChannelKind.EMAIL else ContactScheme.PHONE
    points = list(interaction.patient.contact_points.all()) if interaction.patient else []
    if interaction.contact_scheme == scheme:
        bounced = any(point.value == interaction.contact_value and point.bounced_at for point in points)
        if not bounced:
            return scheme, interaction.contact_value
    value = next((point.value for point in points if point.scheme == scheme and not point.bounced_at), "")
    return (scheme, value) if value else ("", "")
