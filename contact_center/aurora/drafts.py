"""What the staff of the demo clinic have begun to write and not sent."""

from django.db.models import Max

from inbox.enums import Direction, InteractionStatus
from inbox.models import Draft, Interaction

BEGUN = {
    "es": "Buenas tardes. Ya tengo su mensaje delante y estoy revisando con el equipo. En cuanto",
    "pt": "Boa tarde. Já vi a sua mensagem e estou confirmando com a equipe. Assim que",
    "en": "Good afternoon. I have your message in front of me and am checking with the team. As soon as",
}
MOST = 5


def begin_some() -> None:
    """A draft of the owner in every fourth conversation they work on, the same ones each time."""
    found = Interaction.objects.filter(status=InteractionStatus.ACTIVE, owner__isnull=False).order_by("pk")
    Draft.objects.bulk_create(
        Draft(
            interaction=row,
            author_id=row.owner_id,
            mode=row.channel_kind,
            text=BEGUN.get(row.language[:2], BEGUN["en"]),
            seen_message_id=row.messages.filter(direction=Direction.INBOUND).aggregate(newest=Max("pk"))["newest"] or 0,
        )
        for row in found[: MOST * 4 : 4]
    )
