"""The live socket says what changed, to those who may know, and nothing else."""

import asyncio
import time

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from contact_center.accounts import protection
from contact_center.accounts.services import disable_user
from contact_center.asgi import application
from inbox import consumers, realtime, rights
from inbox.realtime import control_group
from patients.models import BreakGlass
from tests.factories.care import BreakGlassFactory
from tests.factories.inbox import InteractionFactory
from tests.factories.patients import PatientFactory

pytestmark = pytest.mark.django_db(transaction=True)
ORIGIN = [(b"origin", settings.PUBLIC_BASE_URL.encode())]


@pytest.fixture(autouse=True)
def nobody_is_connected():
    """A socket that the server closed stays on its list until the client has gone, which no test waits for."""
    yield
    consumers._sockets.clear()
    consumers._pulse.clear()


class Socket(WebsocketCommunicator):
    """A socket whose user waits as long as a busy machine needs."""

    async def receive_output(self, timeout=15):
        return await super().receive_output(timeout)

    async def connect(self, timeout=15):
        return await super().connect(timeout)

    async def receive_from(self, timeout=15):
        return await super().receive_from(timeout)

    async def receive_json_from(self, timeout=15):
        return await super().receive_json_from(timeout)


@pytest.fixture(autouse=True)
def _rules_are_read_anew():
    protection.forget_rules()
    yield
    protection.forget_rules()


def cookie_of(user):
    client = Client()
    client.force_login(user, backend="contact_center.accounts.backends.PersonBackend")
    return (b"cookie", f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}".encode())


async def connect(user=None, origin=True):
    headers = list(ORIGIN) if origin else [(b"origin", b"https://evil.example")]
    if user is not None:
        headers.append(await database_sync_to_async(cookie_of)(user))
    socket = Socket(application, "/ws/live/", headers=headers)
    return socket, (await socket.connect())[0]


async def subscribed(socket, *topics):
    """Subscribe; what the server says without its clock."""
    await socket.send_json_to({"subscribe": dict.fromkeys(topics, 0)})
    answer = await socket.receive_json_from()
    return answer["topics"]


async def test_without_a_session_or_from_a_foreign_origin_nobody_connects(agent):
    assert (await connect())[1] is False
    assert (await connect(agent, origin=False))[1] is False


async def test_who_lacks_a_second_factor_connects_to_nothing_and_loses_the_socket_when_it_becomes_needed(agent, admin):
    socket, is_open = await connect(agent)
    await database_sync_to_async(protection.set_rule)(actor=admin, role=agent.role, is_required=True)
    await get_channel_layer().group_send(control_group(agent.pk), {"type": "rights.changed"})
    closed = await socket.receive_output(timeout=10)
    assert (is_open, closed["type"], closed["code"]) == (True, "websocket.close", 4401)
    assert (await connect(agent))[1] is False
    await database_sync_to_async(TOTP.activate)(agent, "JBSWY3DPEHPK3PXP")
    socket, is_open = await connect(agent)
    assert is_open
    await socket.disconnect()


async def test_no_topic_tells_of_a_protected_record_before_the_glass_is_broken_or_after_its_hour(
    agent, sms_channel, monkeypatch
):
    monkeypatch.setattr(rights, "RIGHTS_SECONDS", 0.01)
    known = await database_sync_to_async(PatientFactory)(sensitivity="vip")
    talk = await database_sync_to_async(InteractionFactory)(channel=sms_channel, patient=known)
    topic = f"interaction.{talk.pk}"
    socket, _ = await connect(agent)
    assert await subscribed(socket, topic) == {}
    assert await socket.receive_json_from() == {"type": "refused", "topics": [topic]}
    glass = await database_sync_to_async(BreakGlassFactory)(user=agent, patient=known)
    assert await subscribed(socket, topic) == {topic: 0}
    await database_sync_to_async(BreakGlass.objects.filter(pk=glass.pk).update)(expires_at=timezone.now())
    await get_channel_layer().group_send(topic, {"type": "topic.changed", "topic": topic, "seq": 1})
    assert await socket.receive_json_from() == {"type": "changed", "topic": topic, "seq": 1}  # a number, nobody's name
    assert await socket.receive_json_from() == {"type": "refused", "topics": [topic]}
    await get_channel_layer().group_send(topic, {"type": "topic.changed", "topic": topic, "seq": 2})
    assert await socket.receive_nothing(timeout=0.2)
    await socket.disconnect()


async def test_an_agent_hears_of_their_interactions_and_not_of_others(agent, outsider, sms_channel):
    interaction = await database_sync_to_async(InteractionFactory)(channel=sms_channel, queue=sms_channel.queue)
    topic = f"interaction.{interaction.pk}"
    mine, _ = await connect(agent)
    assert await subscribed(mine, topic, "queue.999999") == {topic: 0}
    assert await mine.receive_json_from() == {"type": "refused", "topics": ["queue.999999"]}
    theirs, _ = await connect(outsider)
    assert await subscribed(theirs, topic) == {}
    assert await theirs.receive_json_from() == {"type": "refused", "topics": [topic]}
    await get_channel_layer().group_send(topic, {"type": "topic.changed", "topic": topic, "seq": 7})
    assert await mine.receive_json_from() == {"type": "changed", "topic": topic, "seq": 7}
    assert await theirs.receive_nothing(timeout=0.2)
    await mine.disconnect()
    await theirs.disconnect()


async def test_the_server_names_its_clock_so_that_a_wrong_one_does_no_harm(agent):
    socket, _ = await connect(agent)
    await socket.send_json_to({"subscribe": {f"agent.{agent.pk}": 0}})
    answer = await socket.receive_json_from()
    assert abs(answer["now"] / 1000 - time.time()) < 5
    await socket.disconnect()


async def test_two_agents_at_a_conversation_hear_of_each_other_by_ids_and_initials_alone(
    agent, second_agent, sms_channel
):
    interaction = await database_sync_to_async(InteractionFactory)(channel=sms_channel)
    topic = f"interaction.{interaction.pk}"
    mine, theirs = (await connect(agent))[0], (await connect(second_agent))[0]
    await subscribed(mine, topic)
    await subscribed(theirs, topic)
    await mine.send_json_to({"present": {"topic": topic, "is": "writing", "hello": True}})
    heard = await theirs.receive_json_from()
    tab = heard.pop("tab")
    said = {"type": "present", "topic": topic, "user": agent.pk, "initials": agent.initials}
    assert heard == said | {"is": "writing", "hello": True}
    assert await mine.receive_nothing(timeout=0.2)
    await mine.disconnect()
    assert await theirs.receive_json_from() == said | {"is": "gone", "hello": False, "tab": tab}
    await theirs.disconnect()


async def test_who_does_not_follow_a_conversation_can_neither_speak_nor_listen_there(agent, outsider, sms_channel):
    interaction = await database_sync_to_async(InteractionFactory)(channel=sms_channel)
    topic = f"interaction.{interaction.pk}"
    mine, theirs = (await connect(agent))[0], (await connect(outsider))[0]
    await subscribed(mine, topic)
    assert await subscribed(theirs, topic) == {}
    assert await theirs.receive_json_from() == {"type": "refused", "topics": [topic]}
    await theirs.send_json_to({"present": {"topic": topic, "is": "writing"}})
    await mine.send_json_to({"present": {"topic": topic, "is": "dancing"}})
    await mine.send_json_to({"present": ["x"]})
    await mine.send_json_to({"present": {"topic": topic, "is": "viewing"}})
    assert await mine.receive_nothing(timeout=0.2)
    assert await theirs.receive_nothing(timeout=0.1)
    await mine.disconnect()
    await theirs.disconnect()


async def test_a_socket_that_shouts_is_heard_ten_times_and_then_five_times_a_second(agent, second_agent, sms_channel):
    interaction = await database_sync_to_async(InteractionFactory)(channel=sms_channel)
    topic = f"interaction.{interaction.pk}"
    mine, theirs = (await connect(agent))[0], (await connect(second_agent))[0]
    await subscribed(mine, topic)
    await subscribed(theirs, topic)
    for _ in range(60):
        await mine.send_json_to({"present": {"topic": topic, "is": "writing"}})
    await asyncio.sleep(0.3)
    heard = 0
    while not await theirs.receive_nothing(timeout=0.05):
        await theirs.receive_json_from()
        heard += 1
    assert 10 <= heard <= 14
    await mine.disconnect()
    await theirs.disconnect()


async def test_of_too_many_windows_of_one_person_the_oldest_stops_listening(agent, monkeypatch):
    monkeypatch.setattr(consumers, "MAX_SOCKETS", 2)
    oldest, second, newest = [(await connect(agent))[0] for _ in range(3)]
    closed = await oldest.receive_output()
    assert (closed["type"], closed["code"]) == ("websocket.close", 4429)
    assert await subscribed(second, f"agent.{agent.pk}") == {f"agent.{agent.pk}": 0}
    assert await subscribed(newest, f"agent.{agent.pk}") == {f"agent.{agent.pk}": 0}
    await second.disconnect()
    await newest.disconnect()


async def test_a_conversation_that_was_taken_away_is_heard_of_no_more(agent, sms_channel, other_queue, monkeypatch):
    monkeypatch.setattr(rights, "RIGHTS_SECONDS", 0.01)
    interaction = await database_sync_to_async(InteractionFactory)(channel=sms_channel)
    topic = f"interaction.{interaction.pk}"
    socket, _ = await connect(agent)
    await subscribed(socket, topic)
    await database_sync_to_async(type(interaction).objects.filter(pk=interaction.pk).update)(queue=other_queue)
    await get_channel_layer().group_send(topic, {"type": "topic.changed", "topic": topic, "seq": 1})
    assert await socket.receive_json_from() == {"type": "changed", "topic": topic, "seq": 1}
    assert await socket.receive_json_from() == {"type": "refused", "topics": [topic]}
    await get_channel_layer().group_send(topic, {"type": "topic.changed", "topic": topic, "seq": 2})
    assert await socket.receive_nothing(timeout=0.2)
    await socket.disconnect()


async def test_many_readers_of_many_changes_are_looked_at_once_each_and_one_who_left_disturbs_nobody(
    agent, second_agent, sms_channel, other_queue, monkeypatch
):
    monkeypatch.setattr(rights, "RIGHTS_SECONDS", 0.1)
    real, looks = rights._allowed, []
    monkeypatch.setattr(rights, "_allowed", lambda asked: looks.append(asked) or real(asked))
    kept, lost = [await database_sync_to_async(InteractionFactory)(channel=sms_channel) for _ in range(2)]
    topics = [f"interaction.{row.pk}" for row in (kept, lost)]
    mine, theirs, gone = [(await connect(person))[0] for person in (agent, second_agent, second_agent)]
    for socket in (mine, theirs, gone):
        await subscribed(socket, *topics)
    await database_sync_to_async(type(lost).objects.filter(pk=lost.pk).update)(queue=other_queue)
    for number in range(1, 4):
        for topic in topics:
            await get_channel_layer().group_send(topic, {"type": "topic.changed", "topic": topic, "seq": number})
    await gone.disconnect()
    for socket in (mine, theirs):
        heard = [await socket.receive_json_from() for _ in range(7)]
        assert [said["type"] for said in heard] == ["changed"] * 6 + ["refused"]
        assert heard[-1] == {"type": "refused", "topics": [topics[1]]}
    assert [[(user.pk, sorted(asked)) for user, asked in look] for look in looks] == [
        [(agent.pk, sorted(topics)), (second_agent.pk, sorted(topics))]
    ]
    await mine.disconnect()
    await theirs.disconnect()


async def test_a_disabled_person_loses_the_socket_at_once(agent, admin):
    socket, is_open = await connect(agent)
    assert is_open
    await database_sync_to_async(disable_user)(actor=admin, user_id=agent.pk)
    await asyncio.sleep(0)
    await get_channel_layer().group_send(control_group(agent.pk), {"type": "rights.changed"})
    closed = await socket.receive_output()
    assert (closed["type"], closed["code"]) == ("websocket.close", 4401)


async def test_a_socket_whose_rights_cannot_be_checked_closes_after_the_second_failure(agent, monkeypatch):
    monkeypatch.setattr(consumers, "RECHECK_SECONDS", 0.05)
    asked = []

    def fail(self):
        asked.append(self)
        raise OperationalError("the database restarts")

    monkeypatch.setattr(consumers.LiveConsumer, "_is_signed_in", fail)
    socket, is_open = await connect(agent)
    closed = await socket.receive_output()
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


async def test_of_two_hundred_windows_of_one_person_the_newest_twenty_hear_and_the_others_are_told_to_poll(agent):
    topic = f"agent.{agent.pk}"
    cookie = await database_sync_to_async(cookie_of)(agent)
    sockets = []
    for _window in range(200):
        sockets.append(Socket(application, "/ws/live/", headers=[*ORIGIN, cookie]))
        assert (await sockets[-1].connect())[0]
    old, new = sockets[: -consumers.MAX_SOCKETS], sockets[-consumers.MAX_SOCKETS :]
    codes = [(await socket.receive_output())["code"] for socket in old]
    assert codes == [consumers.TOO_MANY] * len(old)
    for socket in new:
        assert await subscribed(socket, topic) == {topic: 0}
    await get_channel_layer().group_send(topic, {"type": "topic.changed", "topic": topic, "seq": 3})
    heard = [(await socket.receive_json_from())["seq"] for socket in new]
    assert heard == [3] * consumers.MAX_SOCKETS
    for socket in new:
        await socket.disconnect()


async def test_a_page_that_closes_while_it_is_told_something_is_no_error_and_leaves_nothing_behind(agent):
    topic, is_gone, was_told = f"agent.{agent.pk}", asyncio.Event(), asyncio.Event()

    async def breaking(scope, receive, send):
        async def put(message):
            if is_gone.is_set() and message["type"] == "websocket.send":
                was_told.set()
                raise RuntimeError("websocket.send after websocket.close")
            await send(message)

        await application(scope, receive, put)

    socket = Socket(breaking, "/ws/live/", headers=[*ORIGIN, await database_sync_to_async(cookie_of)(agent)])
    await socket.connect()
    await subscribed(socket, topic)
    is_gone.set()
    await get_channel_layer().group_send(topic, {"type": "topic.changed", "topic": topic, "seq": 3})
    await asyncio.wait_for(was_told.wait(), timeout=15)
    await socket.disconnect()
    assert agent.pk not in consumers._sockets


async def test_a_socket_that_ends_by_an_error_leaves_nothing_behind(agent, monkeypatch):
    def fail(self, wanted):
        raise OperationalError("the database is away")

    monkeypatch.setattr(consumers.LiveConsumer, "_allowed_now", fail)
    socket, _ = await connect(agent)
    (served,) = consumers._sockets[agent.pk]
    with pytest.raises(OperationalError):
        await subscribed(socket, f"agent.{agent.pk}")
    await asyncio.wait([served.recheck], timeout=15)
    assert (served.recheck.cancelled(), agent.pk in consumers._sockets) == (True, False)


async def test_a_socket_that_flaps_knows_all_when_it_holds_again_and_leaves_nothing_behind(agent):
    topic = f"agent.{agent.pk}"
    cookie = await database_sync_to_async(cookie_of)(agent)

    before = dict(consumers._sockets)  # of sockets that other tests left to themselves

    def change():
        with realtime.atomic():
            realtime.touch(topic)

    for number in range(12):
        socket = Socket(application, "/ws/live/", headers=[*ORIGIN, cookie])
        await socket.connect()
        assert await subscribed(socket, topic) == {topic: number}
        await socket.disconnect()
        await database_sync_to_async(change)()
    assert (dict(consumers._sockets), agent.pk in consumers._sockets) == (before, False)


async def test_of_too_many_topics_those_of_the_person_themself_are_kept(agent, monkeypatch):
    monkeypatch.setattr(consumers, "MAX_TOPICS", 2)
    talks = await database_sync_to_async(InteractionFactory.create_batch)(3)
    own = [realtime.agent_topic(agent.pk), realtime.work_topic(agent.pk)]
    socket, _ = await connect(agent)
    told = await subscribed(socket, *(realtime.interaction_topic(talk.pk) for talk in talks), *own)
    assert sorted(told) == own
    await socket.disconnect()
