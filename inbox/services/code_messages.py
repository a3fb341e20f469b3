"""The message that carries a one-time code."""

from django.conf import settings
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from inbox.enums import MessagePurpose
from inbox.models import Channel, Interaction, Message, OneTimeCode
from inbox.services.codes import MASK
from inbox.services.outbox import enqueue


def enqueue_code(code: OneTimeCode, *, interaction: Interaction, channel: Channel, sentence: str | Promise) -> Message:
    """Queue the message with this code, in the caller's transaction and the code's language; once for each code.

    `sentence` is lazily translated and names `%(code)s`, which `disclosure` fills in when the message leaves, and
    `%(organisation)s`. Raises what `enqueue` raises.
    """
    with translation.override(code.language):
        words = {"code": MASK, "organisation": settings.ORGANISATION_NAME}
        text, subject = str(sentence) % words, _("Your code for %(organisation)s") % words
    return enqueue(
        interaction=interaction,
        text=text,
        subject=subject,
        author=None,
        purpose=MessagePurpose.CODE,
        channel=channel,
        address_scheme=code.scheme,
        address=code.address,
        idempotency_key=f"code-{code.public_id}",
    )
