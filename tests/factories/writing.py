"""What agents write with: canned replies, macros."""

import factory
from factory.django import DjangoModelFactory

from inbox.models import CannedReply, Macro


class CannedReplyFactory(DjangoModelFactory):
    """A shared reply in any language for every channel."""

    class Meta:
        model = CannedReply

    title = factory.Sequence(lambda n: f"Reply {n}")
    shortcode = factory.Sequence(lambda n: f"reply-{n}")
    body = "Thank you, {{ patient.given_name }}."


class MacroFactory(DjangoModelFactory):
    """A shared macro without steps."""

    class Meta:
        model = Macro

    name = factory.Sequence(lambda n: f"Macro {n}")
