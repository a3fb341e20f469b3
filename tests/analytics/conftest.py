"""Calls of a day on one line."""

from datetime import timedelta

import pytest
from django.utils import timezone

from inbox.enums import ChannelKind, InteractionStatus
from tests.factories.inbox import ChannelFactory, InteractionFactory
from tests.factories.voice import CallFactory


@pytest.fixture
def voice_channel(queue):
    return ChannelFactory(name="Main line", kind=ChannelKind.VOICE, queue=queue)


@pytest.fixture
def called(voice_channel):
    """`called(waited, status)` is a call of today that waited so many seconds; `agent` answered it, for `talked`."""

    def make(waited, status="completed", *, agent=None, talked=60, at=None, **given):
        at = at or timezone.now() - timedelta(seconds=1)
        is_answered = agent is not None
        end = at + timedelta(seconds=waited + (talked if is_answered else 0))
        work = InteractionFactory(
            channel=voice_channel, status=InteractionStatus.CLOSED, owner=agent, closed_at=end, **given.pop("work", {})
        )
        return CallFactory(
            channel=voice_channel, interaction=work, status=status, agent=agent, started_at=at, queued_at=at,
            answered_at=at + timedelta(seconds=waited) if is_answered else None, ended_at=end, **given,
        )  # fmt: skip

    return make
