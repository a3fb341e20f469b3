"""The send gate: one function, one decision, one reason, for every combination of facts."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inbox.enums import ChannelKind, GateDecision, MessagePurpose
from inbox.gate import AUTOMATIC, GateReason, SendFacts, decide, quiet_until, window_closes_at

NOON = datetime(2026, 3, 10, 16, 0, tzinfo=UTC)  # noon in Miami
P, C, R = MessagePurpose, ChannelKind, GateReason
KEYWORD = P.OPT_OUT_CONFIRMATION


def facts(**changed):
    base = SendFacts(
        purpose=P.REPLY, channel_kind=C.SMS, now=NOON, consent=True, last_inbound_at=NOON, time_zone="America/New_York"
    )
    return replace(base, **changed)


@pytest.mark.parametrize(("purpose", "kind"), list(itertools.product(P, [C.SMS, C.WHATSAPP, C.EMAIL])))
def test_with_consent_by_day_and_a_word_from_the_patient_every_purpose_may_leave(purpose, kind):
    assert decide(facts(purpose=purpose, channel_kind=kind)).decision == GateDecision.SEND


REFUSALS = [
    ({"is_channel_active": False}, R.CHANNEL_OFF, set()),
    ({"has_address": False}, R.NO_ADDRESS, set()),
    ({"has_content": False}, R.EMPTY, set()),
    ({"has_unresolved_variable": True}, R.UNRESOLVED_VARIABLE, set()),
    ({"is_patient_data_refused": True}, R.PATIENT_DATA, set()),
    ({"is_deceased": True}, R.DECEASED, set()),
    ({"is_do_not_contact": True}, R.DO_NOT_CONTACT, {KEYWORD, P.CODE}),
    ({"is_opted_out": True}, R.OPTED_OUT, {KEYWORD}),
    ({"consent": False}, R.CONSENT_WITHDRAWN, {KEYWORD}),
    ({"is_template": True, "is_template_approved": False}, R.TEMPLATE_NOT_APPROVED, set()),
]


@pytest.mark.parametrize("purpose", list(P))
@pytest.mark.parametrize(("change", "reason", "passes"), REFUSALS, ids=[reason for _, reason, _ in REFUSALS])
def test_a_hard_reason_suppresses_every_purpose_but_the_confirmation_that_carriers_require(
    change, reason, passes, purpose
):
    verdict = decide(facts(purpose=purpose, **change))
    expected = (GateDecision.SEND, R.ALLOWED) if purpose in passes else (GateDecision.SUPPRESS, reason)
    assert (verdict.decision, verdict.reason) == expected


@pytest.mark.parametrize("purpose", list(P))
def test_only_surveys_and_marketing_need_a_grant(purpose):
    verdict = decide(facts(purpose=purpose, consent=None))
    needs_one = purpose in (P.SURVEYS, P.MARKETING)
    assert verdict.reason == (R.NO_CONSENT if needs_one else R.ALLOWED)


@pytest.mark.parametrize("purpose", list(P))
@pytest.mark.parametrize("kind", [C.SMS, C.WHATSAPP, C.EMAIL])
@pytest.mark.parametrize("is_template", [False, True])
@pytest.mark.parametrize("hours", [None, 1, 23.9, 23.995, 24.1])
def test_whatsapp_takes_free_text_for_24_hours_and_approved_templates_always(purpose, kind, is_template, hours):
    last = None if hours is None else NOON - timedelta(hours=hours)
    given = facts(
        purpose=purpose, channel_kind=kind, is_template=is_template, is_template_approved=True, last_inbound_at=last
    )
    is_closed = kind == C.WHATSAPP and not is_template and (hours is None or hours > 23.99)
    assert decide(given).reason == (R.WINDOW_CLOSED if is_closed else R.ALLOWED)


@pytest.mark.parametrize("kind", [C.SMS, C.WHATSAPP, C.EMAIL])
def test_a_bounced_address_stops_mail_only(kind):
    verdict = decide(facts(channel_kind=kind, is_address_bounced=True))
    assert verdict.reason == (R.ADDRESS_BOUNCED if kind == C.EMAIL else R.ALLOWED)


@pytest.mark.parametrize("purpose", list(P))
def test_at_night_automatic_messages_wait_until_eight_in_the_patients_morning(purpose):
    night = datetime(2026, 3, 11, 3, 30, tzinfo=UTC)  # 23:30 in Miami
    verdict = decide(facts(purpose=purpose, now=night, last_inbound_at=night))
    if purpose in AUTOMATIC:
        assert (verdict.decision, verdict.reason) == (GateDecision.DEFER, R.QUIET_HOURS)
        assert verdict.until_at == datetime(2026, 3, 11, 12, 0, tzinfo=UTC)
    else:
        assert verdict.decision == GateDecision.SEND


@pytest.mark.parametrize("purpose", list(P))
@pytest.mark.parametrize(("count", "is_held"), [(2, False), (3, True)])
def test_the_fourth_automatic_message_of_a_day_waits_twelve_hours(purpose, count, is_held):
    verdict = decide(facts(purpose=purpose, automatic_today=count))
    if is_held and purpose in AUTOMATIC:
        assert (verdict.reason, verdict.until_at) == (R.DAILY_CAP, NOON + timedelta(hours=12))
    else:
        assert verdict.decision == GateDecision.SEND


def test_a_refusal_outweighs_a_delay():
    night = datetime(2026, 3, 11, 3, 30, tzinfo=UTC)
    verdict = decide(facts(purpose=P.MARKETING, now=night, is_opted_out=True, automatic_today=9))
    assert (verdict.decision, verdict.reason) == (GateDecision.SUPPRESS, R.OPTED_OUT)


ZONES = ["America/New_York", "America/Sao_Paulo", "Europe/Madrid", "Asia/Kolkata", "Australia/Lord_Howe", "UTC"]


@given(st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)), st.sampled_from(ZONES))
def test_quiet_hours_always_end_at_eight_local_and_never_lie_in_the_past(now, zone):
    from zoneinfo import ZoneInfo

    until = quiet_until(now, zone)
    local = now.astimezone(ZoneInfo(zone))
    assert (until is None) == (8 <= local.hour < 21)
    if until is not None:
        assert now < until <= now + timedelta(hours=12, minutes=1)
        assert (until.astimezone(ZoneInfo(zone)).hour, quiet_until(until, zone)) == (8, None)


_BOOLEANS = [
    "has_address", "has_content", "has_unresolved_variable", "is_channel_active", "is_opted_out",
    "is_address_bounced", "is_deceased", "is_do_not_contact", "is_template", "is_template_approved",
]  # fmt: skip


@given(
    st.fixed_dictionaries({name: st.booleans() for name in _BOOLEANS}),
    st.sampled_from(list(P)),
    st.sampled_from([C.SMS, C.WHATSAPP, C.EMAIL]),
    st.sampled_from([True, False, None]),
)
def test_nothing_ever_leaves_to_an_opted_out_deceased_or_missing_address(switches, purpose, kind, consent):
    verdict = decide(facts(purpose=purpose, channel_kind=kind, consent=consent, **switches))
    if verdict.decision == GateDecision.SEND:
        assert switches["has_address"] and switches["is_channel_active"] and not switches["is_deceased"]
        assert not switches["is_opted_out"] or purpose == KEYWORD
        assert consent is not False or purpose == KEYWORD
    assert (verdict.until_at is not None) == (verdict.decision == GateDecision.DEFER)


def test_the_window_closes_a_day_after_the_patients_last_word():
    assert (window_closes_at(NOON), window_closes_at(None)) == (NOON + timedelta(days=1), None)
