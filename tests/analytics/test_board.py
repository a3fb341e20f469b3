"""The live board over HTTP: what it shows to whom, the rows behind its figures, and what supervisors do there."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from contact_center.accounts.enums import PresenceState
from contact_center.accounts.models import Presence
from contact_center.audit.models import AuditEntry
from inbox.enums import SupervisionReason as Why
from inbox.models import Interaction, Notification, TimelineEvent
from inbox.selectors.notifications import title_of
from tests.factories.distribution import QueueSettingsFactory, make_available
from tests.factories.inbox import DispositionFactory, InteractionFactory, ReasonFactory
from tests.factories.voice import CallFactory

pytestmark = pytest.mark.django_db
PARTIAL = {"HX-Request": "true", "HX-Target": "dialogs"}


@pytest.fixture
def boss(supervisor, signed_in):
    return signed_in(supervisor)


def test_the_wall_shows_what_waits_who_is_there_and_what_to_do_first(
    boss, queue, other_queue, sms_channel, agent, second_agent, clinical_agent, called
):
    QueueSettingsFactory(queue=queue, alert_waiting=2, alert_wait_seconds=600)
    long_ago = timezone.now() - timedelta(minutes=11)
    InteractionFactory(channel=sms_channel, waiting_since_at=long_ago, contact_name="Kwame Mensah")
    InteractionFactory(channel=sms_channel)
    called(3, agent=agent)
    called(40, agent=agent)
    make_available(agent, second_agent)
    make_available(clinical_agent, state=PresenceState.AWAY)
    InteractionFactory(channel=sms_channel, status="active", owner=agent, last_message_at=timezone.now())
    answer = boss.get("/board/")
    board = answer.context["board"]
    row = next(one for one in board.rows if one.queue == queue)
    assert (row.waiting, row.state, row.wait_state, row.calls.service_level) == (2, "late", "late", 50)
    assert (row.free, row.here, board.worst, board.longest) == (1, 3, row, row)
    groups = {key: [one.user for one in people] for key, people in board.groups if people}
    assert groups == {"free": [second_agent], "writing": [agent], "away": [clinical_agent]}
    page = answer.content.decode()
    assert ("Kwame" in page, 'data-theme="dark"' in page) == (False, True)


def test_the_board_asks_as_much_of_one_queue_and_person_as_of_many(
    boss, sms_channel, team, django_assert_max_num_queries
):
    from tests.factories.accounts import UserFactory
    from tests.factories.inbox import QueueFactory

    def queries():
        with django_assert_max_num_queries(40) as captured:
            assert boss.get("/board/").status_code == 200
        return len(captured)

    make_available(UserFactory(teams=[team]))
    queries()  # what a process looks up once
    one = queries()
    for _ in range(3):
        person = make_available(UserFactory(teams=[team]))
        InteractionFactory(channel=sms_channel, status="active", owner=person)
        InteractionFactory(channel=sms_channel, queue=QueueFactory(teams=[team]))
    assert queries() == one


@pytest.mark.parametrize(
    ("figure", "n"),
    [("waiting", 1), ("calls", 1), ("offered", 3), ("answered", 1), ("abandoned", 1), ("on_time", 1), ("judged", 2)],
)
def test_a_figure_opens_the_rows_it_counted(figure, n, boss, voice_channel, queue, agent, called):
    called(3, agent=agent)
    called(30, "abandoned")
    CallFactory(channel=voice_channel, interaction=InteractionFactory(channel=voice_channel))
    page = boss.get("/board/rows/", {"figure": figure, "queue": queue.pk})
    assert (page.context["page"].total, len(page.context["lines"])) == (n, n)
    assert len(boss.get("/board/rows/", {"person": agent.pk}).context["lines"]) == 1


@pytest.mark.parametrize("query", ["figure=nothing", "queue=99999", "queue=x", "person=99999", "page=x"])
def test_what_is_no_figure_has_no_page(boss, query):
    assert boss.get(f"/board/rows/?{query}").status_code == 404


def test_a_supervisor_sets_a_state_with_a_reason_on_record_and_the_person_hears_it(boss, supervisor, agent):
    make_available(agent)
    path = f"/board/people/{agent.pk}/"
    bare = boss.post(path, {"do": "state", "state": "away"}, headers=PARTIAL)
    assert (bare.status_code, list(bare.context["form"].errors)) == (422, ["why"])
    done = boss.post(path, {"do": "state", "state": "away", "why": Why.NO_ANSWER}, headers=PARTIAL)
    assert (done.status_code, done["HX-Retarget"]) == (200, "#board")
    assert Presence.objects.get(user=agent).state == PresenceState.AWAY
    told = Notification.objects.get(user=agent)
    assert title_of(told) == f"{supervisor} changed your state: Does not answer"
    entry = AuditEntry.objects.filter(object_type="presence").get()
    assert (entry.actor_id, entry.object_id, entry.detail["after"], entry.detail["reason"]) == (
        supervisor.pk, agent.pk, "away", "no_answer",
    )  # fmt: skip
    gone = boss.post(f"/board/people/{supervisor.pk}/", {"do": "state", "state": "online", "why": Why.ASKED})
    assert gone.status_code == 422


def test_work_is_handed_over_or_put_back_and_what_does_not_fit_is_refused_by_itself(
    boss, agent, second_agent, outsider, sms_channel
):
    first, second, third = InteractionFactory.create_batch(3, channel=sms_channel, status="active", owner=agent)
    path, why = f"/board/people/{agent.pk}/", {"why": Why.OVERLOADED, "do": "hand_over"}
    bare = boss.post(path, why)
    assert (bare.status_code, list(bare.context["form"].errors)) == (422, ["items"])
    assert boss.post(path, why | {"items": [first.pk], "to": second_agent.pk}).status_code == 302
    boss.post(path, why | {"items": [second.pk]})
    refused = boss.post(path, why | {"items": [third.pk], "to": outsider.pk})
    assert (refused.status_code, "does not serve this queue" in refused.content.decode()) == (422, True)
    owners = [Interaction.objects.get(pk=one.pk).owner for one in (first, second, third)]
    assert owners == [second_agent, None, agent]
    assert Notification.objects.filter(user=agent, kind="supervised").count() == 2


def test_a_call_that_hangs_is_ended_and_closed(boss, agent, voice_channel, queue, called):
    work = InteractionFactory(channel=voice_channel, status="active", owner=agent)
    call = CallFactory(
        channel=voice_channel,
        interaction=work,
        status="connected",
        agent=agent,
        answered_at=timezone.now(),
        external_id="",
    )
    waiting = InteractionFactory(channel=voice_channel, status="active", owner=agent)
    path, outcome = f"/board/people/{agent.pk}/", DispositionFactory(is_resolved=True)
    given = {"do": "complete", "why": Why.STUCK, "disposition": outcome.pk}
    unsaid = boss.post(path, given | {"items": [work.pk]})
    assert (unsaid.status_code, "Say what it was about." in unsaid.content.decode()) == (422, True)
    other = boss.post(path, given | {"items": [waiting.pk]})
    assert (other.status_code, "Only a call or a wrap-up can be stuck" in other.content.decode()) == (422, True)
    done = boss.post(path, given | {"items": [work.pk], "about": ReasonFactory().pk})
    call.refresh_from_db()
    assert (done.status_code, call.status, call.ended_by) == (302, "completed", "system")
    closed = Interaction.objects.get(pk=work.pk)
    assert (closed.status, closed.outcome) == ("closed", "It is stuck")


def test_a_wrap_up_that_begins_while_the_board_is_drawn_is_no_error(boss, agent, sms_channel):
    make_available(agent)
    work = InteractionFactory(channel=sms_channel, owner=agent, status="closed")
    TimelineEvent.objects.create(interaction=work, kind="wrap_up_started")

    def begin_meanwhile(execute, sql, params, many, context):
        answer = execute(sql, params, many, context)
        if '"wrapping"' in sql:
            with connection.cursor() as cursor:
                cursor.execute("UPDATE inbox_interaction SET status = 'wrap_up' WHERE id = %s", [work.pk])
        return answer

    with connection.execute_wrapper(begin_meanwhile):
        assert boss.get("/board/").status_code == 200
    work.refresh_from_db()
    assert work.status == "wrap_up"
