"""Where a person can be reached on a channel."""

from inbox.enums import ChannelKind, Direction
from inbox.models import Channel, Interaction, Message
from patients.enums import ContactScheme


def address_on(interaction: Interaction, channel: Channel) -> tuple[str, str]:
    """Scheme and value to send to on `channel`; two empty texts when the person has no usable address there.

    On the channel of the interaction, or of one that was merged into it, it is the address the person wrote from
    there, of several the one they last wrote from; elsewhere the patient's first one that does not bounce, else the
    one they wrote from when it is of the same scheme. Reads `patient.contact_points` and `merged_from`.
    """
    if channel.kind != ChannelKind.FORM:
        own = [interaction] if channel.pk == interaction.channel_id else []
        merged = [row for row in interaction.merged_from.all() if row.channel_id == channel.pk and row.contact_value]
        merged.sort(key=lambda row: row.pk, reverse=True)
        if merged:
            return _last_wrote_from([*own, *merged], interaction, channel)
        if own:
            return interaction.contact_scheme, interaction.contact_value
    scheme = ContactScheme.EMAIL if channel.kind == ChannelKind.EMAIL else ContactScheme.PHONE
    points = list(interaction.patient.contact_points.all()) if interaction.patient else []
    if interaction.contact_scheme == scheme:
        bounced = any(point.value == interaction.contact_value and point.bounced_at for point in points)
        if not bounced:
            return scheme, interaction.contact_value
    value = next((point.value for point in points if point.scheme == scheme and not point.bounced_at), "")
    return (scheme, value) if value else ("", "")


def _last_wrote_from(threads: list[Interaction], interaction: Interaction, channel: Channel) -> tuple[str, str]:
    known = {(row.contact_scheme, row.contact_value) for row in threads}
    if len(known) > 1:
        ids = {interaction.pk, *(row.pk for row in threads)}
        wrote = Message.objects.filter(interaction__in=ids, channel=channel, direction=Direction.INBOUND)
        last = wrote.order_by("-occurred_at", "-pk").values_list("address_scheme", "address").first()
        if last in known:
            return last
    return threads[0].contact_scheme, threads[0].contact_value
