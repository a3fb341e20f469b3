"""The live socket says what changed, to those who may know, and nothing else."""

import asyncio

import pytest
from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.db import OperationalError
from django.test import Client

from contact_center.accounts.services import disable_user
from contact_center.asgi import application
from inbox import consumers
from inbox.realtime import control_group
from tests.factories.inbox import InteractionFactory

pytestmark = pytest.mark.django_db(transaction=True)
ORIGIN = [(b"origin", settings.PUBLIC_BASE_URL.encode())]


def cookie_of(user):
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return (b"cookie", f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}".encode())


async def connect(user=None, origin=True):
    headers = list(ORIGIN) if origin else [(b"origin", b"https://evil.example")]
    if user is not None:
        headers.append(await database_sync_to_async(cookie_of)(user))
    socket = WebsocketCommunicator(application, "/ws/live/", headers=headers)
    return socket, (await socket.connect())[0]


async def test_without_a_session_or_from_a_foreign_origin_nobody_connects(agent):
    assert (await connect())[1] is False
    assert (await connect(agent, origin=False))[1] is False


async def test_an_agent_hears_of_their_interactions_and_not_of_others(agent, outsider, sms_channel):
    interaction = await database_sync_to_async(InteractionFactory)(channel=sms_channel, queue=sms_channel.queue)
    topic = f"interaction.{interaction.pk}"
    mine, _ = await connect(agent)
    await mine.send_json_to({"subscribe": {topic: 0, "queue.999999": 0}})
    assert await mine.receive_json_from() == {"type": "subscribed", "topics": {topic: 0}}
    assert await mine.receive_json_from() == {"type": "refused", "topics": ["queue.999999"]}
    theirs, _ = await connect(outsider)
    await theirs.send_json_to({"subscribe": {topic: 0}})
    assert await theirs.receive_json_from() == {"type": "subscribed", "topics": {}}
    assert await theirs.receive_json_from() == {"type": "refused", "topics": [topic]}
    await get_channel_layer().group_send(topic, {"type": "topic.changed", "topic": topic, "seq": 7})
    assert await mine.receive_json_from() == {"type": "changed", "topic": topic, "seq": 7}
    assert await theirs.receive_nothing(timeout=0.2)
    await mine.disconnect()
    await theirs.disconnect()


async def test_a_disabled_person_loses_the_socket_at_once(agent, admin):
    socket, is_open = await connect(agent)
    assert is_open
    await database_sync_to_async(disable_user)(actor=admin, user_id=agent.pk)
    await asyncio.sleep(0)
    await get_channel_layer().group_send(control_group(agent.pk), {"type": "rights.changed"})
    closed = await socket.receive_output(timeout=3)
    assert (closed["type"], closed["code"]) == ("websocket.close", 4401)


async def test_a_socket_whose_rights_cannot_be_checked_closes_after_the_second_failure(agent, monkeypatch):
    monkeypatch.setattr(consumers, "RECHECK_SECONDS", 0.05)
    asked = []

    def fail(self):
        asked.append(self)
        raise OperationalError("the database restarts")

    monkeypatch.setattr(consumers.LiveConsumer, "_is_signed_in", fail)
    socket, is_open = await connect(agent)
    closed = await socket.receive_output(timeout=3)
    assert (is_open, len(asked), closed["type"], closed["code"]) == (True, 2, "websocket.close", 1013)


async def test_one_failed_check_of_rights_costs_nothing(agent, monkeypatch):
    monkeypatch.setattr(consumers, "RECHECK_SECONDS", 0.05)
    real, asked = consumers.LiveConsumer._is_signed_in, []

    def fail_every_other_time(self):
        asked.append(self)
        if len(asked) % 2:
            raise OperationalError("the database restarts")
        return real(self)

    monkeypatch.setattr(consumers.LiveConsumer, "_is_signed_in", fail_every_other_time)
    socket, _ = await connect(agent)
    await asyncio.sleep(0.5)
    assert await socket.receive_nothing(timeout=0.1)
    assert len(asked) >= 4
    await socket.disconnect()
