"""Answering by itself what a patient wrote, at the address it came from."""

from inbox.models import Interaction, Message
from inbox.replies import Reply
from inbox.services.outbox import enqueue


def answer(reply: Reply, message: Message, words: str, *, about: str) -> Message:
    """Queue these words once for this message, in the caller's transaction. `about` names what the answer concerns,
    so that two handlers never take each other's answer for their own. Raises what `enqueue` raises."""
    return enqueue(
        interaction=Interaction.objects.get(pk=reply.interaction_id),
        text=words,
        author=None,
        channel=message.channel,
        address_scheme=message.address_scheme,
        address=message.address,
        idempotency_key=f"{about}-answer-{message.pk}",
    )
