"""Supervisors in calls: who may, how, what the agent sees, and what a race ends in."""

import pytest

from contact_center.accounts.enums import Role
from contact_center.accounts.services import change_role, disable_user, set_presence
from contact_center.audit.models import AuditEntry
from contact_center.common.errors import Conflict, Refused
from inbox.adapters.base import AdapterError
from inbox.adapters.twilio_voice import TwilioVoiceAdapter
from inbox.enums import Supervision
from inbox.models import CallLeg, Notification
from inbox.selectors.calls import calls_now, phone_of
from inbox.services import call_control, call_departures, supervision
from inbox.services.call_consults import ASKING
from inbox.services.call_offers import watch_calls
from inbox.services.call_rows import locked_call
from inbox.services.ledger import drain_ledger
from tests.factories.patients import PatientFactory

pytestmark = pytest.mark.django_db
LISTEN, WHISPER, BARGE = Supervision.LISTEN, Supervision.WHISPER, Supervision.BARGE


@pytest.fixture
def talk(caller, provider, agent):
    """A caller who talks to `agent`."""
    set_presence(user=agent, state="online")
    call = caller.wait_in_line()
    watch_calls()
    call = call_control.accept_call(actor=agent, call_id=call.pk)
    provider.asked.clear()
    return call


def agent_leg(call):
    return call.legs.get(party="agent").external_id


def take_part(user, call, *modes):
    return [supervision.supervise(actor=user, call_id=call.pk, mode=mode) for mode in modes][-1]


def test_a_supervisor_listens_whispers_joins_and_leaves_and_all_of_it_is_on_record(talk, provider, supervisor, agent):
    leg = take_part(supervisor, talk, LISTEN, WHISPER, BARGE)
    room, number = talk.room, talk.channel.address
    assert provider.asked == [
        ("supervise", room, supervisor.pk, number, str(talk.pk), {"is_heard": False, "agent_leg": ""}),
        ("let_speak", room, leg.external_id, {"is_heard": True, "agent_leg": agent_leg(talk)}),
        ("let_speak", room, leg.external_id, {"is_heard": True, "agent_leg": ""}),
    ]
    assert [(one.user, one.mode) for one in phone_of(agent).watchers] == [(supervisor, "barge")]
    assert (phone_of(supervisor).supervised, phone_of(supervisor).mode) == (talk, "barge")
    assert supervision.leave(actor=supervisor, call_id=talk.pk) is True
    assert supervision.leave(actor=supervisor, call_id=talk.pk) is False
    assert (phone_of(agent).watchers, phone_of(supervisor).supervised) == ([], None)
    entries = AuditEntry.objects.filter(action="listened", object_type="call", object_id=talk.pk).order_by("pk")
    assert [entry.detail["mode"] for entry in entries] == ["listen", "whisper", "barge"]
    kinds = talk.moments.values_list("kind", flat=True)
    assert list(kinds)[-4:] == ["listens", "whispers", "barges", "left"]


def test_only_supervisors_may_and_nobody_listens_to_two_calls(talk, provider, second_agent, supervisor, another):
    with pytest.raises(Refused, match="may not listen"):
        take_part(second_agent, talk, LISTEN)
    take_part(supervisor, talk, LISTEN)
    set_presence(user=second_agent, state="online")
    other = another().wait_in_line()
    watch_calls()
    call_control.accept_call(actor=second_agent, call_id=other.pk)
    with pytest.raises(Conflict, match="Leave it first"):
        take_part(supervisor, other, LISTEN)
    assert calls_now(second_agent) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [("end", "This call has ended."), ("agent", "Somebody else talks to the caller now.")],
)
def test_what_changed_while_the_supervisors_telephone_rang_is_said_and_the_line_is_let_go(
    talk, provider, supervisor, second_agent, monkeypatch, change, words
):
    from inbox.models import Call

    rows = Call.objects.filter(pk=talk.pk)

    def meanwhile(self, *args, **given):
        if change == "end":
            call_control.hang_up(actor=talk.agent, call_id=talk.pk)
        else:
            rows.update(agent=second_agent)
        return "CLlate"

    monkeypatch.setattr(TwilioVoiceAdapter, "supervise", meanwhile)
    with pytest.raises(Conflict, match=words):
        take_part(supervisor, talk, LISTEN)
    assert ("hang_up", "CLlate") in provider.asked
    assert talk.legs.filter(party="supervisor").count() == 0


@pytest.mark.parametrize("party", ["supervisor", "consulted"])
def test_whoever_may_not_any_more_while_they_are_rung_does_not_come_to_the_line(
    talk, provider, agent, supervisor, second_agent, admin, monkeypatch, django_capture_on_commit_callbacks, party
):
    person, name = (supervisor, "supervise") if party == "supervisor" else (second_agent, "consult")

    def meanwhile(self, *args, **given):
        with django_capture_on_commit_callbacks(execute=True):
            change_role(actor=admin, user_id=person.pk, role=Role.AUDITOR)
        return "CLlate"

    monkeypatch.setattr(TwilioVoiceAdapter, name, meanwhile)
    with django_capture_on_commit_callbacks(execute=True), pytest.raises(Conflict):
        if party == "supervisor":
            take_part(supervisor, talk, LISTEN)
        else:
            call_control.consult(actor=agent, call_id=talk.pk, colleague=second_agent)
    assert talk.legs.filter(party=party).exclude(left_at__isnull=False, external_id__startswith=ASKING).count() == 0
    assert talk.moments.filter(kind="left", user=person).count() == 1
    assert [asked[1] for asked in provider.asked if asked[0] == "hang_up"] == ["CLlate"]


def test_a_leg_that_got_its_id_meanwhile_is_let_go_by_it(
    talk, provider, supervisor, monkeypatch, django_capture_on_commit_callbacks
):
    leg = take_part(supervisor, talk, LISTEN)
    CallLeg.objects.filter(pk=leg.pk).update(external_id=f"{ASKING}1")

    def answered_first(call_id):
        CallLeg.objects.filter(pk=leg.pk).update(external_id=leg.external_id)
        return locked_call(call_id)

    monkeypatch.setattr(call_departures, "locked_call", answered_first)
    supervisor.role = Role.AGENT
    supervisor.save()
    with django_capture_on_commit_callbacks(execute=True):
        call_departures.leave_calls(supervisor.pk)
    assert provider.asked[-1] == ("hang_up", leg.external_id)


def test_a_whisper_falls_silent_before_the_call_goes_to_a_colleague(talk, provider, agent, second_agent, supervisor):
    set_presence(user=second_agent, state="online")
    leg = take_part(supervisor, talk, WHISPER)
    call_control.consult(actor=agent, call_id=talk.pk, colleague=second_agent)
    provider.asked.clear()
    call_control.hand_over(actor=agent, call_id=talk.pk, why="Knows more")
    leg.refresh_from_db()
    assert provider.asked[0] == ("let_speak", talk.room, leg.external_id, {"is_heard": False})
    assert (leg.mode, leg.left_at) == ("listen", None)


def test_a_whisperer_who_left_unheard_of_keeps_nobody_from_handing_over_and_one_who_is_joining_does(
    talk, provider, agent, second_agent, supervisor, monkeypatch
):
    def not_there(*_args, **_given):
        raise AdapterError("Not found.", permanent=True, reason="unknown", code="20404")

    leg = take_part(supervisor, talk, WHISPER)
    call_control.consult(actor=agent, call_id=talk.pk, colleague=second_agent)
    monkeypatch.setattr(TwilioVoiceAdapter, "let_speak", not_there)
    CallLeg.objects.filter(pk=leg.pk).update(external_id=f"{ASKING}1")
    with pytest.raises(Conflict, match="is joining at this moment"):
        call_control.hand_over(actor=agent, call_id=talk.pk, why="Knows more")
    CallLeg.objects.filter(pk=leg.pk).update(external_id=leg.external_id)
    handed = call_control.hand_over(actor=agent, call_id=talk.pk, why="Knows more")
    leg.refresh_from_db()
    assert (handed.agent, leg.mode, leg.left_at is None) == (second_agent, "whisper", False)
    assert talk.moments.filter(kind="left", user=supervisor).count() == 1


def test_an_agent_asks_for_help_and_who_comes_answers_it(talk, provider, agent, supervisor, admin):
    supervision.ask_for_help(actor=agent, call_id=talk.pk)
    supervision.ask_for_help(actor=agent, call_id=talk.pk)
    told = Notification.objects.filter(kind="help_asked")
    assert [(one.user, one.actor) for one in told] == [(supervisor, agent)]
    assert [bool(one.help_asked_at) for one in calls_now(supervisor)] == [True]
    take_part(supervisor, talk, LISTEN)
    talk.refresh_from_db()
    assert talk.help_asked_at is None
    with pytest.raises(Conflict):
        supervision.ask_for_help(actor=supervisor, call_id=talk.pk)


def test_a_supervisors_lost_device_is_noted_and_the_call_goes_on(talk, provider, supervisor, post_twilio):
    leg = take_part(supervisor, talk, LISTEN)
    post_twilio(
        "/webhooks/twilio/voice-status", query=f"?call={talk.pk}&party=supervisor", CallSid=leg.external_id,
        CallStatus="completed", SequenceNumber="3",
    )  # fmt: skip
    drain_ledger()
    talk.refresh_from_db()
    assert (talk.status, phone_of(supervisor).supervised) == ("connected", None)
    assert talk.moments.order_by("pk").last().kind == "left"


def test_the_page_of_calls_and_the_bar_carry_the_buttons(talk, provider, supervisor, agent, signed_in):
    desk = signed_in(supervisor)
    page = desk.get("/calls/").content.decode()
    assert f'data-call-now="{talk.pk}"' in page
    answer = desk.post(f"/calls/{talk.pk}/", {"do": "listen"}, headers={"HX-Request": "true", "HX-Target": "phone"})
    assert (answer.status_code, f'data-supervised="{talk.pk}" data-mode="listen"' in answer.content.decode()) == (
        200,
        True,
    )
    assert "data-watchers" in signed_in(agent).get("/phone/").content.decode()
    assert signed_in(agent).get("/calls/").status_code == 403
    assert desk.post(f"/calls/{talk.pk}/", {"do": "leave"}).status_code == 302


def test_whose_call_one_listens_to_is_named_on_record_and_not_at_all_once_it_is_sealed(
    talk, provider, supervisor, signed_in, monkeypatch
):
    talk.interaction.patient = patient = PatientFactory(family_name="Quennellova")
    talk.interaction.save()
    take_part(supervisor, talk, LISTEN)
    desk = signed_in(supervisor)
    assert patient.family_name in desk.get("/phone/").content.decode()
    assert AuditEntry.objects.filter(patient_id=patient.pk, actor_id=supervisor.pk, action="viewed").count() == 1
    monkeypatch.setattr("inbox.selectors.calls.is_sealed", lambda user, call: True)
    bar = desk.get("/phone/").content.decode()
    assert ("data-supervised" in bar, patient.family_name in bar, "The caller" in bar) == (True, False, True)


@pytest.fixture
def lost_answer(monkeypatch):
    """`lost_answer(doubtful)`: the provider's answer to who wants to take part is an error."""

    def lose(doubtful):
        def asked(self, *args, **given):
            raise AdapterError("Broken.", permanent=False, reason="provider_down", doubtful=doubtful)

        monkeypatch.setattr(TwilioVoiceAdapter, "supervise", asked)

    return lose


def device_answers(post_twilio, call, user, sid):
    post_twilio(
        "/webhooks/twilio/voice-status", query=f"?call={call.pk}&party=supervisor", CallSid=sid,
        To=f"client:agent-{user.pk}?call={call.pk}&party=supervisor", CallStatus="in-progress", SequenceNumber="2",
    )  # fmt: skip
    drain_ledger()


def test_who_may_be_on_the_line_is_on_record_and_the_leg_that_answers_is_theirs(
    talk, provider, supervisor, agent, post_twilio, lost_answer, django_capture_on_commit_callbacks
):
    lost_answer(True)
    with pytest.raises(Refused):
        take_part(supervisor, talk, LISTEN)
    assert [(one.user, one.mode) for one in phone_of(agent).watchers] == [(supervisor, "listen")]
    assert AuditEntry.objects.filter(action="listened", object_id=talk.pk).count() == 1
    with django_capture_on_commit_callbacks(execute=True):
        device_answers(post_twilio, talk, agent, "CA" + "8" * 32)
        device_answers(post_twilio, talk, supervisor, "CA" + "9" * 32)
    assert talk.legs.get(party="supervisor").external_id == "CA" + "9" * 32
    assert provider.asked == [("hang_up", "CA" + "8" * 32)]


def test_who_is_surely_not_on_the_line_is_free_again(talk, provider, supervisor, agent, lost_answer):
    lost_answer(False)
    with pytest.raises(Refused):
        take_part(supervisor, talk, LISTEN)
    assert (phone_of(agent).watchers, talk.moments.order_by("pk").last().kind) == ([], "left")


def test_who_could_not_leave_is_seen_still_and_leaves_at_the_second_try(talk, provider, supervisor, agent):
    take_part(supervisor, talk, LISTEN)
    provider.down.add("hang_up")
    with pytest.raises(Refused, match="Put your telephone down"):
        supervision.leave(actor=supervisor, call_id=talk.pk)
    assert [one.user for one in phone_of(agent).watchers] == [supervisor]
    provider.down.clear()
    assert supervision.leave(actor=supervisor, call_id=talk.pk) is True
    assert phone_of(agent).watchers == []


def test_who_listens_takes_no_call_and_is_not_asked_and_who_is_rung_does_not_listen(
    talk, provider, agent, supervisor, another
):
    other = another().wait_in_line()
    type(other).objects.filter(pk=other.pk).update(offered_to=supervisor)
    with pytest.raises(Conflict, match="another call"):
        take_part(supervisor, talk, LISTEN)
    type(other).objects.filter(pk=other.pk).update(offered_to=None)
    take_part(supervisor, talk, LISTEN)
    with pytest.raises(Conflict, match="another call"):
        call_control.accept_call(actor=supervisor, call_id=other.pk)
    with pytest.raises(Conflict, match="another call"):
        call_control.consult(actor=agent, call_id=talk.pk, colleague=supervisor)


def test_a_disabled_person_listens_to_no_call_and_is_asked_in_none(
    talk, provider, agent, second_agent, supervisor, admin, django_capture_on_commit_callbacks
):
    legs = [take_part(supervisor, talk, LISTEN).external_id]
    call_control.consult(actor=agent, call_id=talk.pk, colleague=second_agent)
    legs.append(talk.legs.get(party="consulted").external_id)
    with django_capture_on_commit_callbacks(execute=True):
        for person in (supervisor, second_agent):
            disable_user(actor=admin, user_id=person.pk)
    assert talk.legs.filter(party__in=["supervisor", "consulted"], left_at=None).count() == 0
    assert [asked[1] for asked in provider.asked if asked[0] == "hang_up"] == legs


def test_whoever_may_not_supervise_any_more_leaves_the_line_and_whoever_may_not_work_any_more_the_caller(
    talk, provider, agent, supervisor, admin, django_capture_on_commit_callbacks
):
    leg = take_part(supervisor, talk, WHISPER)
    steps = [(agent, Role.CLINICAL_AGENT), (supervisor, Role.ADMIN), (supervisor, Role.AGENT), (agent, Role.AUDITOR)]
    seen = []
    for person, role in steps:
        provider.asked.clear()
        with django_capture_on_commit_callbacks(execute=True):
            change_role(actor=admin, user_id=person.pk, role=role)
        talk.refresh_from_db()
        leg.refresh_from_db()
        seen.append((talk.status, leg.left_at is None, [asked[0] for asked in provider.asked]))
    assert seen == [
        ("connected", True, []),
        ("connected", True, []),
        ("connected", False, ["hang_up"]),
        ("waiting", False, ["send_to", "hang_up"]),
    ]
