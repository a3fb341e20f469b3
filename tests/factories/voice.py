"""Lines and calls."""

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from inbox.enums import ChannelKind
from inbox.models import Call, MenuOption, Recording, VoiceLine
from tests.factories.inbox import ChannelFactory, InteractionFactory


class VoiceLineFactory(DjangoModelFactory):
    class Meta:
        model = VoiceLine
        skip_postgeneration_save = True

    channel = factory.SubFactory(ChannelFactory, kind=ChannelKind.VOICE)


class MenuOptionFactory(DjangoModelFactory):
    class Meta:
        model = MenuOption

    line = factory.SubFactory(VoiceLineFactory)
    key = "1"
    labels = factory.LazyFunction(lambda: {"en": "appointments"})


class CallFactory(DjangoModelFactory):
    """A call that waits in the queue of its channel."""

    class Meta:
        model = Call

    channel = factory.SubFactory(ChannelFactory, kind=ChannelKind.VOICE)
    queue = factory.SelfAttribute("channel.queue")
    interaction = factory.SubFactory(
        InteractionFactory, channel=factory.SelfAttribute("..channel"), queue=factory.SelfAttribute("..queue")
    )
    status = "waiting"
    external_id = factory.Sequence(lambda n: f"CA{n:032x}")
    queued_at = factory.LazyFunction(timezone.now)


class RecordingFactory(DjangoModelFactory):
    """A recording in our store: four bytes of sound."""

    class Meta:
        model = Recording

    call = factory.SubFactory(CallFactory, status="completed")
    external_id = factory.Sequence(lambda n: f"RE{n:032x}")
    status = "stored"
    file = factory.django.FileField(data=b"RIFF", filename="x")
    content_type = "audio/wav"
    seconds = 4
    ended_at = factory.LazyFunction(timezone.now)
    stored_at = factory.LazyFunction(timezone.now)
