"""Agents and calls: who is asked, who wins, what happens when the telephone service or a browser is gone."""

import re
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from contact_center.accounts.enums import Role
from contact_center.accounts.services import set_presence
from contact_center.common.errors import Conflict, Refused
from contact_center.common.moments import moment_words
from inbox.adapters.twilio_voice import TwilioVoiceAdapter
from inbox.distribution import Agent
from inbox.models import Call, Interaction, Note
from inbox.selectors.distribution import handing, waiting_calls
from inbox.selectors.interactions import interactions_visible_to
from inbox.services import call_control, call_placing
from inbox.services.assignment import is_free_for
from inbox.services.call_offers import watch_calls
from inbox.services.ledger import drain_ledger
from patients.models import Patient
from tests.factories.accounts import TeamFactory, UserFactory
from tests.factories.inbox import InteractionFactory, ReasonFactory
from tests.factories.patients import ConsentFactory, ContactPointFactory, PatientFactory
from tests.factories.voice import CallFactory, VoiceLineFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def talk(caller, provider, ready, agent):
    """A caller who talks to `agent`."""
    ready(agent)
    call = caller.wait_in_line()
    watch_calls()
    return call_control.accept_call(actor=agent, call_id=call.pk)


def kinds(call):
    return list(call.moments.values_list("kind", flat=True))


def end_leg(post_twilio, call, leg, party="agent"):
    answer = post_twilio(
        "/webhooks/twilio/voice-status",
        query=f"?call={call.pk}&party={party}",
        CallSid=leg.external_id,
        CallStatus="completed",
        From="+1",
        To="client",
    )
    assert answer.status_code == 204


def test_a_waiting_call_rings_at_whoever_has_been_idle_longest(caller, ready, agent, second_agent):
    ready(agent, minutes=5), ready(second_agent, minutes=9)
    call = caller.wait_in_line()
    assert watch_calls() == 1
    call.refresh_from_db()
    assert (call.offered_to, call.status, call.offer_ends_at > timezone.now()) == (second_agent, "waiting", True)
    assert kinds(call)[-1] == "offered"


@pytest.mark.parametrize("state", ["away", "busy", "offline"])
def test_nobody_who_is_not_available_is_asked(caller, agent, state):
    set_presence(user=agent, state=state)
    caller.wait_in_line()
    assert watch_calls() == 0


def test_a_declined_or_missed_call_rings_elsewhere_and_not_again_there(caller, ready, agent, second_agent):
    ready(agent, minutes=9), ready(second_agent, minutes=5)
    call = caller.wait_in_line()
    watch_calls()
    assert call_control.decline_call(actor=agent, call_id=call.pk) is True
    watch_calls()
    call.refresh_from_db()
    assert call.offered_to == second_agent
    Call.objects.update(offer_ends_at=timezone.now() - timedelta(seconds=1))
    assert watch_calls() == 0
    call.refresh_from_db()
    assert (call.offered_to, kinds(call)[3:]) == (None, ["offered", "declined", "offered", "missed"])


def test_one_call_at_a_time_rings_at_one_person(caller, another, ready, agent):
    ready(agent)
    caller.wait_in_line()
    another().wait_in_line()
    assert (watch_calls(), watch_calls()) == (1, 0)


def test_accepting_brings_both_into_one_room_and_makes_the_agent_the_owner(talk, provider, agent, caller):
    assert [asked[0] for asked in provider.asked] == ["call_agent", "send_to"]
    assert (talk.status, talk.agent, talk.interaction.__class__.objects.get().owner) == ("connected", agent, agent)
    assert provider.asked[0][1:3] == (f"call-{talk.pk}", agent.pk)
    path = provider.asked[1][2]
    caller.step(path)
    assert next(caller.twiml.iter("Conference")).text == f"call-{talk.pk}"
    interaction = talk.interaction.__class__.objects.get()
    assert (interaction.status, interaction.waiting_since_at, interaction.first_reply_at) == (
        "active",
        None,
        talk.answered_at,
    )


def test_a_second_agent_who_accepts_is_told_that_somebody_was_faster(talk, second_agent):
    with pytest.raises(Conflict, match="Somebody else has taken this call"):
        call_control.accept_call(actor=second_agent, call_id=talk.pk)


def test_nobody_accepts_a_second_call(talk, another, agent, ready):
    other = another().wait_in_line()
    assert watch_calls() == 0
    with pytest.raises(Conflict, match="You are on another call"):
        call_control.accept_call(actor=agent, call_id=other.pk)


@pytest.mark.fault
@pytest.mark.parametrize("down", ["call_agent", "send_to"])
def test_when_the_service_is_down_the_caller_keeps_the_place_and_the_call_can_be_taken_later(
    caller, provider, ready, agent, down
):
    ready(agent)
    call = caller.wait_in_line()
    provider.down = {down}
    with pytest.raises(Refused, match="The caller keeps waiting"):
        call_control.accept_call(actor=agent, call_id=call.pk)
    call.refresh_from_db()
    assert (call.status, call.agent, call.claimed_at, call.interaction.status) == ("waiting", None, None, "queued")
    provider.down = set()
    assert call_control.accept_call(actor=agent, call_id=call.pk).status == "connected"


@pytest.mark.fault
def test_a_claim_of_a_process_that_died_is_released_and_the_caller_hears_so(caller, provider, ready, agent):
    call = caller.wait_in_line()
    Call.objects.filter(pk=call.pk).update(agent=agent, claimed_at=timezone.now() - timedelta(minutes=1))
    watch_calls()
    call.refresh_from_db()
    assert (call.agent, call.claimed_at) == (None, None)


def test_a_caller_who_hangs_up_while_being_connected_is_not_owned_by_anybody(
    caller, provider, ready, agent, monkeypatch
):
    ready(agent)
    call = caller.wait_in_line()
    before = call_control._answered

    def meanwhile(*args):
        caller.hang_up()
        return before(*args)

    monkeypatch.setattr(call_control, "_answered", meanwhile)
    with pytest.raises(Conflict, match="hung up"):
        call_control.accept_call(actor=agent, call_id=call.pk)
    call.refresh_from_db()
    assert (call.status, call.agent) == ("abandoned", None)


def test_holding_is_counted_and_the_record_says_who_hung_up(talk, provider, agent, caller):
    call_control.hold_call(actor=agent, call_id=talk.pk)
    Call.objects.update(held_at=timezone.now() - timedelta(seconds=30))
    call_control.hold_call(actor=agent, call_id=talk.pk, is_held=False)
    call = call_control.hang_up(actor=agent, call_id=talk.pk)
    assert (call.status, call.ended_by, call.hold_seconds in (30, 31)) == ("completed", "agent", True)
    assert kinds(call)[3:] == ["offered", "answered", "held", "resumed", "ended"]
    assert caller.hang_up().ended_by == "agent"
    interaction = caller.settle().interaction
    assert (interaction.status, interaction.owner) == ("wrap_up", agent)


def test_a_patient_who_hangs_up_leaves_the_agent_in_wrap_up_and_no_call_is_offered_meanwhile(
    talk, caller, another, agent, ready
):
    call = caller.hang_up()
    assert (call.status, call.ended_by, call.interaction.status) == ("completed", "patient", "wrap_up")
    assert call.wrap_up_ends_at > timezone.now()
    another().wait_in_line()
    assert watch_calls() == 0
    Call.objects.filter(pk=call.pk).update(wrap_up_ends_at=timezone.now() - timedelta(seconds=1))
    assert watch_calls() == 1


@pytest.mark.fault
def test_when_the_agent_s_browser_dies_the_caller_waits_again_at_the_old_place(talk, caller, post_twilio, agent):
    leg = talk.legs.get(party="agent")
    end_leg(post_twilio, talk, leg)
    words = caller.step(f"/webhooks/twilio/voice?step=after&lang=en&queue={talk.queue_id}")
    assert words == [
        "We lost the person you were talking to. Please stay on the line.",
        "Please stay on the line. We try to bring them back.",
    ]
    assert caller.settle().status == "connected"
    assert caller.follow()[0] == "Thank you. We connect you with somebody who can help."
    call = caller.settle()
    assert (call.status, call.agent, call.queued_at, call.interaction.status, call.interaction.owner) == (
        "waiting",
        None,
        talk.queued_at,
        "queued",
        None,
    )


def test_a_transfer_needs_a_reason_and_takes_the_summary_along(talk, provider, agent, clinical_queue, caller):
    with pytest.raises(Refused, match="Say why"):
        call_control.transfer_call(actor=agent, call_id=talk.pk, queue=clinical_queue, why=" ")
    given = {"why": "Chest pain", "summary": "Since this morning, left arm."}
    call_control.transfer_call(actor=agent, call_id=talk.pk, queue=clinical_queue, **given)
    call = caller.settle()
    assert (call.status, call.queue, call.agent, call.queued_at) == ("waiting", clinical_queue, None, talk.queued_at)
    assert (call.interaction.queue, call.interaction.status) == (clinical_queue, "queued")
    assert Note.objects.get().body == "Since this morning, left arm."
    assert [asked[0] for asked in provider.asked[2:]] == ["send_to", "hang_up"]


def test_a_warm_transfer_asks_the_colleague_first_and_then_leaves_them_the_call(talk, provider, agent, second_agent):
    call_control.consult(actor=agent, call_id=talk.pk, colleague=second_agent)
    talk.refresh_from_db()
    assert (talk.status, talk.agent) == ("held", agent)
    call = call_control.hand_over(actor=agent, call_id=talk.pk, why="Knows the case", summary="Asks for a date")
    call.refresh_from_db()
    assert (call.status, call.agent, call.interaction.owner) == ("connected", second_agent, second_agent)
    names = [asked[0] for asked in provider.asked[2:]]
    assert names == ["hold", "consult", "make_last", "make_last", "hold", "hang_up"]


def test_a_nurse_who_serves_other_queues_is_asked_and_gets_the_call_in_a_queue_of_theirs(
    talk, provider, agent, clinical_queue, clinical_team, client
):
    nurse = UserFactory(role=Role.CLINICAL_AGENT, teams=[clinical_team])
    talk.queue.teams.remove(clinical_team)
    call_control.consult(actor=agent, call_id=talk.pk, colleague=nurse)
    with pytest.raises(Refused, match="does not serve this queue"):
        call_control.hand_over(actor=agent, call_id=talk.pk, why="Chest pain")
    assert not interactions_visible_to(nurse).filter(pk=talk.interaction_id).exists()
    client.force_login(agent)
    said = {"why": "Chest pain", "note": "Since noon", "colleague": nurse.pk}
    answers = [client.post(f"/calls/{talk.pk}/transfer/", said | {"queue": one}) for one in (0, clinical_queue.pk)]
    assert [answer.status_code for answer in answers] == [422, 302]
    talk.refresh_from_db()
    work = Interaction.objects.get(pk=talk.interaction_id)
    assert (talk.status, talk.agent, talk.queue, work.owner, work.queue) == (
        *("connected", nurse, clinical_queue, nurse, clinical_queue),
    )
    assert (interactions_visible_to(nurse).get(), Note.objects.get().body) == (work, "Since noon")


def test_a_form_about_a_colleague_who_left_or_joined_meanwhile_does_nothing_and_keeps_what_was_typed(
    talk, provider, agent, second_agent, clinical_queue, signed_in
):
    browser, there, said = signed_in(agent), f"/calls/{talk.pk}/transfer/", {"why": "Chest pain", "note": "Since noon"}
    call_control.consult(actor=agent, call_id=talk.pk, colleague=second_agent)
    stale = browser.post(there, said | {"queue": clinical_queue.pk})
    assert f'name="colleague" value="{second_agent.pk}"' in stale.content.decode()
    talk.legs.filter(user=second_agent).update(left_at=timezone.now())
    left = browser.post(there, said | {"queue": clinical_queue.pk, "colleague": second_agent.pk})
    assert [(answer.status_code, answer.context["form"].errors) for answer in (stale, left)] == [
        (409, {"__all__": [f"{second_agent} is on the line now. Check what you chose and send it again."]}),
        (409, {"__all__": [f"{second_agent} is not on the line any more."]}),
    ]
    assert "Since noon" in left.content.decode()
    talk.refresh_from_db()
    assert (talk.status, talk.agent, talk.queue) == ("held", agent, talk.channel.queue)


@pytest.mark.fault
def test_a_call_that_is_moved_while_it_is_handed_over_stays_where_it_was_moved_to(
    talk, provider, agent, clinical_agent, clinical_queue, monkeypatch
):
    call_control.consult(actor=agent, call_id=talk.pk, colleague=clinical_agent)

    def meanwhile(self, *args):
        Interaction.objects.filter(pk=talk.interaction_id).update(queue=clinical_queue)

    monkeypatch.setattr(TwilioVoiceAdapter, "make_last", meanwhile)
    call_control.hand_over(actor=agent, call_id=talk.pk, why="Knows the case")
    work = Interaction.objects.get(pk=talk.interaction_id)
    assert (work.queue, work.owner) == (clinical_queue, clinical_agent)


def test_nobody_is_asked_about_what_they_could_have_in_no_queue(talk, agent, clinical_queue):
    partner = UserFactory(role=Role.PARTNER_AGENT, teams=[clinical_queue.teams.get()])
    Interaction.objects.filter(pk=talk.interaction_id).update(reason=ReasonFactory(is_sensitive=True))
    with pytest.raises(Refused, match="does not serve this queue"):
        call_control.consult(actor=agent, call_id=talk.pk, colleague=partner)


def test_our_call_is_a_conversation_with_its_reason_and_connects_when_the_patient_answers(
    line, provider, agent, post_twilio, voice_channel
):
    call = call_placing.place_call(actor=agent, purpose="Result is here", number="+13055550177")
    assert (call.status, call.direction, call.purpose, call.interaction.owner) == (
        "ringing",
        "outbound",
        "Result is here",
        agent,
    )
    for status in ("in-progress", "completed"):
        post_twilio(
            "/webhooks/twilio/voice-status",
            query=f"?call={call.pk}&party=patient",
            CallSid=call.external_id,
            CallStatus=status,
            From=voice_channel.address,
            To="+13055550177",
        )
    drain_ledger()
    call.refresh_from_db()
    told = (call.status, call.answered_at is not None, sorted(kinds(call)))
    assert told == ("completed", True, ["answered", "ended", "started"])


def test_nobody_is_called_without_a_reason_or_who_must_not_be_contacted(line, provider, agent):
    with pytest.raises(Refused, match="Say why you are calling"):
        call_placing.place_call(actor=agent, purpose="", number="+13055550177")
    patient = PatientFactory(is_do_not_contact=True)
    with pytest.raises(Refused, match="must not be contacted"):
        call_placing.place_call(actor=agent, purpose="x", patient=patient, number="+13055550177")
    with pytest.raises(Refused, match="must not be contacted"):  # also where nobody has said whose number it is
        call_placing.place_call(actor=agent, purpose="x", number=PatientFactory(
            is_do_not_contact=True, phone="+13055550199").contact_points.get().value)  # fmt: skip
    assert (provider.asked, Call.objects.count()) == ([], 0)


def test_who_withdrew_consent_to_calls_is_called_only_when_they_ask_for_it(line, provider, agent, caller, ready):
    patient = PatientFactory(phone=caller.number, language="")
    ConsentFactory(patient=patient, purpose="care", channel_kind="voice", status="withdrawn")
    for given in ({"patient": patient}, {"number": caller.number}):
        with pytest.raises(Refused, match="withdrew consent"):
            call_placing.place_call(actor=agent, purpose="x", **given)
    assert provider.asked == []
    call = caller.wait_in_line()
    caller.press("1"), caller.hang_up(), ready(agent)
    assert watch_calls() == 1
    call_control.accept_call(actor=agent, call_id=Call.objects.exclude(pk=call.pk).get().pk)
    assert [asked[0] for asked in provider.asked] == ["call_agent", "call_number"]


def test_a_shared_number_is_called_unless_nobody_who_has_it_may_be_and_no_hidden_record_is_told_of(
    line, provider, agent
):
    number, told = "+13055550197", "Nobody may be called at this number"
    first = PatientFactory(is_do_not_contact=True, phone=number, sensitivity="vip")
    for given in ({"number": number}, {"number": number, "patient": first}):
        with pytest.raises(Refused, match=told):
            call_placing.place_call(actor=agent, purpose="x", **given)
    second = PatientFactory(is_do_not_contact=True)
    ContactPointFactory(patient=second, scheme="phone", value=number)
    with pytest.raises(Refused, match=told):
        call_placing.place_call(actor=agent, purpose="x", number=number)
    assert provider.asked == []
    Patient.objects.filter(pk=second.pk).update(is_do_not_contact=False)
    assert call_placing.place_call(actor=agent, purpose="x", number=number).interaction.patient is None


@pytest.mark.parametrize(
    ("number", "why"),
    [
        ("+19005551234", "This kind of number"),  # premium rate
        ("+34902123456", "This kind of number"),  # shared cost
        ("+447012345678", "This kind of number"),  # personal
        ("+445511234567", "This kind of number"),  # company-wide
        ("+881612345678", "Numbers of this country"),  # satellite
        ("+18765551234", "Numbers of this country"),  # written as numbers at home are, and far away
        ("+15005550111", "This is a number of ours"),
        ("+1911", "This is no phone number"),
    ],
)
def test_numbers_that_cost_more_of_other_countries_and_our_own_are_not_called(line, provider, agent, number, why):
    with pytest.raises(Refused, match=why):
        call_placing.place_call(actor=agent, purpose="x", number=number)
    with pytest.raises(Refused, match=why):
        call_placing.place_call(actor=agent, purpose="x", number=number, patient=PatientFactory())
    assert (provider.asked, Call.objects.count()) == ([], 0)


def test_the_number_of_a_record_is_dialled_only_by_those_who_may_see_it(line, provider, agent, auditor):
    sealed = PatientFactory(sensitivity="vip", phone="+13055550198")
    with pytest.raises(Refused, match="There is no phone number"):
        call_placing.place_call(actor=agent, purpose="x", patient=sealed)
    with pytest.raises(Refused):
        call_placing.place_call(actor=auditor, purpose="x", number="+13055550177")
    assert provider.asked == []


def test_a_record_offers_its_numbers_and_the_telephone_any_number(line, provider, agent, signed_in, settings):
    settings.CALL_COUNTRIES = ["US", "GB"]
    patient = PatientFactory(phone="+13055550170")
    ContactPointFactory(patient=patient, scheme="phone", value="+13055550171", rank=2)
    browser, reason = signed_in(agent), {"purpose": "Result is here"}
    assert 'href="/calls/new/?patient=' in browser.get(f"/patients/{patient.pk}/").content.decode()
    page = browser.get("/calls/new/", {"patient": patient.pk})
    assert [value for value, _name in page.context["form"].fields["number"].choices] == ["+13055550170", "+13055550171"]
    browser.post("/calls/new/", reason | {"patient": patient.pk, "number": "+13055550171"})
    call = Call.objects.select_related("interaction").get()
    assert (call.interaction.patient, call.interaction.contact_value) == (patient, "+13055550171")
    end(call)
    wrong = browser.post("/calls/new/", {"number": "12", "purpose": ""})
    assert (wrong.status_code, sorted(wrong.context["form"].errors)) == (422, ["number", "purpose"])
    for typed, whose in (("(305) 555-0170", patient), ("+44 20 7946 0000", None)):
        browser.post("/calls/new/", reason | {"number": typed})
        call = Call.objects.select_related("interaction").latest("pk")
        assert call.interaction.patient == whose
        end(call)
    stranger = PatientFactory(sensitivity="vip", phone="+13055550172")
    assert browser.get("/calls/new/", {"patient": stranger.pk}).status_code == 404


def test_one_number_is_shown_too_and_who_sends_another_is_asked_again(line, provider, agent, signed_in):
    patient = PatientFactory(phone="+13055550170")
    there, browser = "/calls/new/", signed_in(agent)
    page = browser.get(there, {"patient": patient.pk})
    assert [value for value, _name in page.context["form"].fields["number"].choices] == ["+13055550170"]
    patient.contact_points.update(value="+13055550173")
    for number in ({"number": "+13055550170"}, {}):
        again = browser.post(there, {"patient": patient.pk, "purpose": "Result is here", **number})
        told = (again.status_code, again.context["form"].errors)
        assert told == (422, {"number": ["Choose a number of this person."]})
    assert (provider.asked, Call.objects.count()) == ([], 0)


def test_a_partner_agent_calls_numbers_of_their_conversation_and_no_others(
    line, provider, partner_agent, partner_queue, sms_channel, signed_in
):
    number, other = "+13055550174", "+13055550175"
    talk = InteractionFactory(channel=sms_channel, queue=partner_queue, contact_scheme="phone", contact_value=number)
    patient = PatientFactory(phone=other)
    for given in ({}, {"about": talk}, {"patient": patient}):
        with pytest.raises(Refused, match="You may not call this number"):
            call_placing.place_call(actor=partner_agent, purpose="x", number=other, **given)
    assert provider.asked == []
    signed_in(partner_agent).post(f"/inbox/{talk.pk}/call/", {"purpose": "x", "number": number})
    assert Call.objects.get().interaction.contact_value == number


def test_our_calls_show_the_number_of_the_agent_s_own_team(line, provider, agent, second_agent, queue):
    own = VoiceLineFactory(channel__address="+15005550112", channel__queue=queue)
    team = TeamFactory()
    team.members.add(agent)
    own.teams.add(team)
    for person, shown in ((agent, "+15005550112"), (second_agent, line.channel.address)):
        call_placing.place_call(actor=person, purpose="Result is here", number="+13055550177")
        assert {asked[3] for asked in provider.asked[-2:]} == {shown}


def end(call):
    Call.objects.filter(pk=call.pk).update(status="failed", agent=None)


def test_the_top_bar_rings_accepts_holds_and_ends(caller, provider, ready, agent, signed_in):
    ready(agent)
    call = caller.wait_in_line()
    watch_calls()
    browser = signed_in(agent)
    rings = browser.get("/phone/").content.decode()
    call.refresh_from_db()
    said = re.findall(f'data-ringing="{call.pk}" data-offered-at="(.+?)" data-expires-at="(.+?)"', rings)
    ring = (call.moments.get(kind="offered").at, call.offer_ends_at)
    assert [tuple(map(datetime.fromisoformat, pair)) for pair in said] == [ring]
    assert "Last contact" not in rings
    answer = browser.post(f"/calls/{call.pk}/", {"do": "accept"})
    assert (answer.status_code, answer.url) == (302, f"/inbox/{call.interaction_id}/")
    assert 'data-status="connected"' in browser.get("/phone/").content.decode()
    page = browser.get(answer.url).content.decode()
    assert f'data-call-card="{call.pk}"' in page
    browser.post(f"/calls/{call.pk}/", {"do": "hold"})
    assert 'value="resume"' in browser.get("/phone/").content.decode()
    refused = browser.post(f"/calls/{call.pk}/transfer/", {"queue": call.queue_id, "why": ""})
    assert (refused.status_code, "Say why you are transferring it." in refused.content.decode()) == (422, True)
    browser.post(f"/calls/{call.pk}/", {"do": "hang_up"})
    assert "data-call=" not in browser.get("/phone/").content.decode()


def test_a_ringing_call_says_when_the_patient_was_last_in_touch(caller, ready, agent, signed_in, sms_channel):
    ready(agent)
    call = caller.wait_in_line()
    at = timezone.now() - timedelta(days=4)
    same = {"contact_scheme": "phone", "contact_value": call.interaction.contact_value}
    InteractionFactory(channel=sms_channel, status="closed", opened_at=at, last_message_at=at, closed_at=at, **same)
    watch_calls()
    page = signed_in(agent).get("/phone/").content.decode()
    assert f"<dt>Last contact</dt><dd>{moment_words(at, 'weekday')} · SMS</dd>" in page


def test_a_stranger_s_call_is_not_there(outsider, signed_in, agent):
    call = CallFactory(agent=agent, status="connected")
    assert signed_in(outsider).post(f"/calls/{call.pk}/", {"do": "hang_up"}).status_code == 404


def test_the_last_to_have_talked_is_asked_last(talk, caller, another, ready, second_agent, supervisor):
    ready(second_agent, minutes=0.5)
    done = caller.hang_up()
    Interaction.objects.filter(pk=done.interaction_id).update(owner=supervisor)  # nothing else tells the two apart
    Call.objects.update(wrap_up_ends_at=timezone.now() - timedelta(seconds=1))
    later = another().wait_in_line()
    watch_calls()
    later.refresh_from_db()
    assert later.offered_to == second_agent


def test_callers_of_protected_patients_ring_only_at_those_who_may_serve_them(caller, ready, agent, partner_agent, team):
    team.members.add(partner_agent)
    ready(partner_agent, minutes=9), ready(agent)
    call = caller.wait_in_line()
    call.interaction.patient = PatientFactory(sensitivity="vip")
    call.interaction.save()
    watch_calls()
    call.refresh_from_db()
    assert call.offered_to == agent


def test_a_call_that_overflowed_rings_at_the_people_of_its_new_queue(caller, ready, clinical_agent, clinical_queue):
    ready(clinical_agent)
    call = caller.wait_in_line()
    call.interaction.queue = clinical_queue
    call.interaction.save()
    watch_calls()
    call.refresh_from_db()
    assert (call.offered_to, call.queue) == (clinical_agent, clinical_queue)


def test_nobody_is_asked_for_a_call_and_a_message_at_once(caller, ready, agent, sms_channel):
    ready(agent)
    call = caller.wait_in_line()
    watch_calls()
    work = InteractionFactory(channel=sms_channel, queue=sms_channel.queue)
    asked = Agent(agent.pk, {work.queue_id}, 0.0)
    assert is_free_for(work, asked, "sms") is False
    call_control.decline_call(actor=agent, call_id=call.pk)
    assert is_free_for(work, asked, "sms") is True


@pytest.mark.parametrize("calls", [1, 3])
def test_any_number_of_waiting_calls_is_read_in_eight_questions(line, voice_channel, calls, django_assert_num_queries):
    handing()
    CallFactory.create_batch(calls, channel=voice_channel)
    with django_assert_num_queries(8):
        assert len(waiting_calls(timezone.now())) == calls
