"""Offers: made to whoever is free, answered once, ended when their time or their work is gone; nothing is lost."""

import threading
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from contact_center.accounts.enums import AutomaticAway, AwayReason, PresenceState
from contact_center.accounts.models import Presence, UserSkill
from contact_center.accounts.services import set_presence
from contact_center.common.errors import Conflict, Refused
from inbox.enums import DeclineReason, NotificationKind, OfferStatus, Priority
from inbox.models import AgentState, CallLeg, Interaction, Notification, Offer, QueueSkill
from inbox.services import assignment, availability
from inbox.services.interactions import return_to_queue, take
from tests.factories.accounts import SkillFactory, UserFactory
from tests.factories.distribution import OfferFactory, QueueSettingsFactory, make_available
from tests.factories.inbox import InteractionFactory, ReasonFactory
from tests.factories.patients import PatientFactory
from tests.factories.voice import CallFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def pushed(queue):
    return QueueSettingsFactory(queue=queue)


def waiting(channel, minutes=1, **fields):
    return InteractionFactory(channel=channel, waiting_since_at=timezone.now() - timedelta(minutes=minutes), **fields)


def offers():
    """(interaction, agent, status) in order."""
    return list(Offer.objects.order_by("pk").values_list("interaction", "agent", "status"))


def status_of(work):
    return Interaction.objects.values_list("status", "owner").get(pk=work.pk)


def test_waiting_work_is_offered_to_whoever_is_free_the_urgent_first(pushed, agent, second_agent, sms_channel):
    make_available(agent, since=timezone.now() - timedelta(minutes=9))
    make_available(second_agent)
    late, urgent = waiting(sms_channel, 60), waiting(sms_channel, 1, priority=Priority.URGENT)
    waiting(sms_channel, 5)
    assert assignment.hand_out_work() == 2
    assert offers() == [(urgent.pk, agent.pk, "pending"), (late.pk, second_agent.pk, "pending")]
    assert (status_of(urgent), assignment.hand_out_work()) == (("offered", None), 0)


@pytest.mark.parametrize("state", [PresenceState.BUSY, PresenceState.AWAY, PresenceState.OFFLINE])
def test_only_the_available_are_asked(pushed, agent, sms_channel, state):
    make_available(agent, state=state)
    waiting(sms_channel)
    assert assignment.hand_out_work() == 0


def test_whoever_shows_no_sign_of_life_is_not_asked(pushed, agent, sms_channel):
    make_available(agent)
    AgentState.objects.update(seen_at=timezone.now() - timedelta(minutes=4))
    waiting(sms_channel)
    assert assignment.hand_out_work() == 0


def test_a_queue_that_people_take_from_offers_nothing(agent, sms_channel):
    make_available(agent)
    waiting(sms_channel)
    assert assignment.hand_out_work() == 0


def test_sensitive_and_protected_work_goes_only_to_those_who_may_see_it(
    pushed, partner_agent, agent, sms_channel, queue, partner_team
):
    queue.teams.add(partner_team)
    make_available(partner_agent)
    sensitive = waiting(sms_channel, 9, reason=ReasonFactory(is_sensitive=True))
    protected = waiting(sms_channel, 8, patient=PatientFactory(sensitivity="staff"))
    plain = waiting(sms_channel, 1)
    assert assignment.hand_out_work() == 1
    make_available(agent)
    assert assignment.hand_out_work() == 1
    assert offers() == [(plain.pk, partner_agent.pk, "pending"), (sensitive.pk, agent.pk, "pending")]
    assert status_of(protected) == ("queued", None)


def test_a_skill_is_asked_for_until_it_relaxes(pushed, agent, second_agent, sms_channel, queue):
    make_available(agent, second_agent)
    spanish = SkillFactory()
    QueueSkill.objects.create(queue=queue, skill=spanish, level=2, relax_seconds=60)
    UserSkill.objects.create(user=second_agent, skill=spanish, level=1)
    new = waiting(sms_channel, 0.5)
    assert assignment.hand_out_work() == 0
    with time_machine.travel(timezone.now() + timedelta(seconds=40)):
        assert assignment.hand_out_work() == 1
    assert offers() == [(new.pk, second_agent.pk, "pending")]


def test_the_last_agent_gets_their_patient_back(pushed, agent, second_agent, sms_channel):
    make_available(agent, since=timezone.now() - timedelta(hours=1))
    make_available(second_agent)
    patient = PatientFactory()
    InteractionFactory(
        channel=sms_channel, patient=patient, owner=second_agent, status="closed", closed_at=timezone.now()
    )
    again = waiting(sms_channel, patient=patient)
    assignment.hand_out_work()
    assert offers() == [(again.pk, second_agent.pk, "pending")]


def test_nobody_is_offered_more_than_they_can_carry(pushed, agent, sms_channel):
    make_available(agent)
    for _ in range(4):
        InteractionFactory(channel=sms_channel, owner=agent)
    waiting(sms_channel)
    assert assignment.hand_out_work() == 0
    quiet = Interaction.objects.filter(owner=agent).first()
    Interaction.objects.filter(pk=quiet.pk).update(
        waiting_since_at=None, last_message_at=timezone.now() - timedelta(hours=2)
    )
    assert assignment.hand_out_work() == 1


def test_accepting_makes_the_owner_once(pushed, agent, sms_channel):
    make_available(agent)
    work = waiting(sms_channel)
    assignment.hand_out_work()
    offer = Offer.objects.get()
    for _ in range(2):
        assert assignment.accept(actor=agent, offer_id=offer.pk).pk == work.pk
    assert (status_of(work), offers()) == (("active", agent.pk), [(work.pk, agent.pk, "accepted")])
    assert work.timeline_events.filter(kind="taken", actor=agent).count() == 1


def test_an_offer_to_somebody_else_does_not_exist(pushed, agent, second_agent, sms_channel):
    offer = OfferFactory(interaction=waiting(sms_channel), agent=agent)
    for verb in (
        lambda: assignment.accept(actor=second_agent, offer_id=offer.pk),
        lambda: assignment.decline(actor=second_agent, offer_id=offer.pk, reason="busy"),
    ):
        with pytest.raises(Offer.DoesNotExist):
            verb()


def test_what_is_declined_goes_to_the_next_and_comes_back_only_after_a_while(pushed, agent, second_agent, sms_channel):
    make_available(agent, since=timezone.now() - timedelta(hours=1))
    make_available(second_agent)
    work = waiting(sms_channel)
    assignment.hand_out_work()
    with pytest.raises(Refused, match="Say why"):
        assignment.decline(actor=agent, offer_id=Offer.objects.get().pk, reason="")
    assignment.decline(actor=agent, offer_id=Offer.objects.get().pk, reason=DeclineReason.LANGUAGE)
    assignment.hand_out_work()
    assignment.decline(actor=second_agent, offer_id=Offer.objects.last().pk, reason=DeclineReason.BUSY)
    assert (assignment.hand_out_work(), status_of(work)) == (0, ("queued", None))
    with time_machine.travel(timezone.now() + timedelta(seconds=301)):
        AgentState.objects.update(seen_at=timezone.now())
        assert assignment.hand_out_work() == 1
    assert [(agent_id, status) for _work, agent_id, status in offers()] == [
        (agent.pk, "declined"),
        (second_agent.pk, "declined"),
        (agent.pk, "pending"),
    ]


def test_after_four_refusals_the_leads_hear_of_it(pushed, team, sms_channel, supervisor):
    work = waiting(sms_channel)
    for number in range(5):
        offer = OfferFactory(interaction=Interaction.objects.get(pk=work.pk), agent=UserFactory(teams=[team]))
        assignment.decline(actor=offer.agent, offer_id=offer.pk, reason="busy")
        told = Notification.objects.filter(kind=NotificationKind.LEFT_LYING).values_list("user", flat=True)
        assert list(told) == ([] if number < 3 else [supervisor.pk])


def test_what_is_given_back_is_not_offered_to_the_same_person_at_once(pushed, agent, sms_channel):
    make_available(agent)
    work = waiting(sms_channel)
    take(actor=agent, interaction_id=work.pk)
    return_to_queue(actor=agent, interaction_id=work.pk)
    assert assignment.hand_out_work() == 0


def test_whoever_misses_two_in_a_row_is_away_and_their_work_waits_again(pushed, agent, sms_channel):
    make_available(agent)
    first, second = waiting(sms_channel, 9), waiting(sms_channel, 5)
    start = timezone.now()
    for number, work in enumerate((first, second), 1):
        with time_machine.travel(start + timedelta(seconds=40 * number), tick=False):
            assert assignment.hand_out_work() == 1
        with time_machine.travel(start + timedelta(seconds=40 * number + 29), tick=False):
            assert assignment.expire_offers() == 0
        with time_machine.travel(start + timedelta(seconds=40 * number + 34), tick=False):
            assert assignment.expire_offers() == 1
        assert (offers()[-1], status_of(work)) == ((work.pk, agent.pk, "missed"), ("queued", None))
    presence = Presence.objects.get(user=agent)
    assert (presence.state, presence.reason) == (PresenceState.AWAY, AutomaticAway.NO_ANSWER)


def test_an_answer_after_the_time_is_refused(pushed, agent, sms_channel):
    offer = OfferFactory(interaction=waiting(sms_channel), agent=agent)
    with time_machine.travel(offer.expires_at + timedelta(seconds=4)), pytest.raises(Conflict, match="has ended"):
        assignment.accept(actor=agent, offer_id=offer.pk)


def test_work_that_a_colleague_takes_is_not_offered_any_more(pushed, agent, second_agent, sms_channel):
    work = waiting(sms_channel)
    offer = OfferFactory(interaction=work, agent=agent)
    take(actor=second_agent, interaction_id=work.pk)
    assert offers() == [(work.pk, agent.pk, "withdrawn")]
    with pytest.raises(Conflict):
        assignment.accept(actor=agent, offer_id=offer.pk)


def test_whoever_hangs_up_while_it_rings_is_offered_to_nobody(agent, sms_channel):
    work = waiting(sms_channel, channel_kind="voice")
    OfferFactory(interaction=work, agent=agent)
    assert assignment.withdraw_offer(interaction_id=work.pk).status == "queued"
    assert offers() == [(work.pk, agent.pk, "withdrawn")]


def test_going_away_passes_the_offer_on(pushed, agent, second_agent, sms_channel, django_capture_on_commit_callbacks):
    work = waiting(sms_channel)
    OfferFactory(interaction=work, agent=agent)
    with django_capture_on_commit_callbacks(execute=True):
        set_presence(user=agent, state=PresenceState.AWAY, reason=AwayReason.LUNCH)
    assert (offers(), status_of(work)) == ([(work.pk, agent.pk, "withdrawn")], ("queued", None))


@pytest.mark.parametrize("is_asked", [False, True])
def test_whom_a_call_fills_meanwhile_has_missed_nothing(pushed, agent, second_agent, sms_channel, is_asked):
    make_available(agent)
    work = waiting(sms_channel)
    OfferFactory(interaction=work, agent=agent)
    assert assignment.expire_offers() == 0
    call = CallFactory(status="connected", agent=second_agent if is_asked else agent)
    if is_asked:
        CallLeg.objects.create(call=call, party="consulted", user=agent, external_id="CL1")
    assert (assignment.expire_offers(), assignment.hand_out_work()) == (1, 0)
    assert (offers(), status_of(work)) == ([(work.pk, agent.pk, "withdrawn")], ("queued", None))
    assert AgentState.objects.get(user=agent).missed_in_row == 0


def test_a_question_left_open_in_a_call_that_is_over_keeps_nobody_from_work(pushed, agent, sms_channel):
    make_available(agent)
    CallLeg.objects.create(call=CallFactory(status="completed"), party="consulted", user=agent, external_id="CL1")
    work = waiting(sms_channel)
    assert (assignment.hand_out_work(), assignment.expire_offers()) == (1, 0)
    assert offers() == [(work.pk, agent.pk, "pending")]


def test_giving_work_back_returns_what_is_in_progress_and_keeps_what_rests(
    agent, sms_channel, django_capture_on_commit_callbacks
):
    rows = [
        InteractionFactory(channel=sms_channel, owner=agent, status=one) for one in ("active", "snoozed", "wrap_up")
    ]
    with django_capture_on_commit_callbacks(execute=True):
        set_presence(user=agent, state=PresenceState.AWAY, reason=AwayReason.GIVE_BACK)
    assert [status_of(row)[0] for row in rows] == ["queued", "snoozed", "wrap_up"]


def test_dead_pages_make_people_away_and_later_waiting_patients_go_back(agent, second_agent, sms_channel):
    make_available(agent, second_agent)
    waits = InteractionFactory(channel=sms_channel, owner=agent)
    rests = InteractionFactory(channel=sms_channel, owner=agent, waiting_since_at=None)
    AgentState.objects.filter(user=agent).update(seen_at=timezone.now() - timedelta(minutes=4))
    assert (availability.watch_people(), availability.watch_people()) == (1, 0)
    assert Presence.objects.get(user=agent).reason == AutomaticAway.GONE
    assert status_of(waits) == ("active", agent.pk)
    with time_machine.travel(timezone.now() + timedelta(minutes=16)):
        AgentState.objects.filter(user=second_agent).update(seen_at=timezone.now())
        availability.watch_people()
    assert (status_of(waits), status_of(rests)) == (("queued", None), ("active", agent.pk))


def test_people_whose_page_never_was_seen_are_left_as_they_are(agent, sms_channel):
    Presence.objects.create(user=agent, state=PresenceState.ONLINE, since_at=timezone.now() - timedelta(days=1))
    assert (availability.watch_people(), Presence.objects.get(user=agent).state) == (0, PresenceState.ONLINE)


def test_what_lies_too_long_is_offered_to_nobody(pushed, agent, sms_channel):
    make_available(agent)
    waiting(sms_channel, 60 * 24 * 8)
    assert assignment.hand_out_work() == 0


@pytest.mark.django_db(transaction=True)
def test_ten_who_hand_out_at_once_make_every_offer_once(queue, team, sms_channel):
    QueueSettingsFactory(queue=queue)
    make_available(*[UserFactory(teams=[team], password=None) for _ in range(6)])
    for minutes in range(9):
        waiting(sms_channel, minutes)
    together, errors = threading.Barrier(10), []

    def hand_out():
        try:
            together.wait()
            assignment.hand_out_work()
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=hand_out) for _ in range(10)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert errors == []
    assignment.hand_out_work()
    found = offers()
    assert (
        len({agent_id for _work, agent_id, _status in found})
        == len({work for work, _a, _s in found})
        == len(found)
        == 6
    )
    assert Interaction.objects.filter(status="offered").count() == 6


@pytest.mark.django_db(transaction=True)
def test_an_offer_that_is_answered_and_runs_out_at_once_ends_one_way(agent, sms_channel):
    work = waiting(sms_channel)
    offer = OfferFactory(interaction=work, agent=agent, offered_at=timezone.now() - timedelta(seconds=32.9))
    AgentState.objects.create(user=agent)
    together = threading.Barrier(2)

    def race(verb):
        try:
            together.wait()
            verb()
        except Conflict:
            pass
        finally:
            connection.close()

    verbs = (lambda: assignment.accept(actor=agent, offer_id=offer.pk), assignment.expire_offers)
    threads = [threading.Thread(target=race, args=[verb]) for verb in verbs]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    found = Offer.objects.get().status
    assert (found, status_of(work)) in [
        (OfferStatus.ACCEPTED, ("active", agent.pk)),
        (OfferStatus.MISSED, ("queued", None)),
        (OfferStatus.PENDING, ("offered", None)),
    ]
