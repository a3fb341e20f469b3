"""The send gate: one pure function that says whether a message may leave, when, and why.

Purpose × channel × consent × WhatsApp window × quiet hours × frequency cap × patient safety switches.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from inbox.enums import ChannelKind, GateDecision, MessagePurpose

WHATSAPP_WINDOW = timedelta(hours=24)
# A message that may still be under way when the window closes would be refused by the provider.
WINDOW_MARGIN = timedelta(seconds=30)
QUIET_FROM, QUIET_UNTIL = time(21, 0), time(8, 0)
DAILY_CAP = 3
Hours = tuple[time, time]

AUTOMATIC = {
    MessagePurpose.CARE,
    MessagePurpose.REMINDERS,
    MessagePurpose.SURVEYS,
    MessagePurpose.MARKETING,
}
CONSENT_REQUIRED = {MessagePurpose.SURVEYS, MessagePurpose.MARKETING}
MACHINE_CHANNELS = {ChannelKind.SMS, ChannelKind.WHATSAPP}


class GateReason(StrEnum):
    """Why the gate decided so; `GATE_SENTENCES` in `selectors` puts them in words."""

    ALLOWED = "allowed"
    CHANNEL_OFF = "channel_off"
    NO_ADDRESS = "no_address"
    OPTED_OUT = "opted_out"
    DECEASED = "deceased"
    DO_NOT_CONTACT = "do_not_contact"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    NO_CONSENT = "no_consent"
    WINDOW_CLOSED = "window_closed"
    TEMPLATE_NOT_APPROVED = "template_not_approved"
    ADDRESS_BOUNCED = "address_bounced"
    EMPTY = "empty"
    UNRESOLVED_VARIABLE = "unresolved_variable"
    QUIET_HOURS = "quiet_hours"
    CONTACT_HOURS = "contact_hours"
    DAILY_CAP = "daily_cap"
    CONVERSATION_CLOSED = "conversation_closed"
    PATIENT_DATA = "patient_data"
    OUT_OF_DATE = "out_of_date"


@dataclass(frozen=True, slots=True)
class SendFacts:
    """All the gate looks at. Times are aware; `time_zone` is the patient's (IANA name).

    `contact_hours` are the patient's own, local, from and until; they take the place of our quiet hours.
    """

    purpose: MessagePurpose
    channel_kind: ChannelKind
    now: datetime
    has_address: bool = True
    has_content: bool = True
    has_unresolved_variable: bool = False
    is_channel_active: bool = True
    is_patient_data_refused: bool = False
    is_out_of_date: bool = False
    is_opted_out: bool = False
    is_address_bounced: bool = False
    is_deceased: bool = False
    is_do_not_contact: bool = False
    consent: bool | None = None
    is_scheduled: bool = False
    is_template: bool = False
    is_template_approved: bool = False
    last_inbound_at: datetime | None = None
    automatic_today: int = 0
    time_zone: str = "UTC"
    contact_hours: Hours | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """`until_at` is set for DEFER only: when to ask again (UTC)."""

    decision: GateDecision
    reason: GateReason
    until_at: datetime | None = field(default=None)


def decide(facts: SendFacts) -> Verdict:
    """Decide on one message at `facts.now`. First refusal wins, hard ones before those that only postpone.

    A person's reply and care messages need no consent row (implied by the contact) but respect a withdrawal;
    surveys and marketing need a grant. The confirmation of STOP, START or HELP passes the opt-out it confirms,
    because carriers require exactly one. A one-time code is what the person asks for at that moment, so it passes a
    wish not to be contacted, but no STOP. The daily cap holds back automatic purposes only; quiet hours those and what
    a person put off, since nobody waits for it at that moment.
    """
    refusal = _refusal(facts)
    if refusal:
        return Verdict(GateDecision.SUPPRESS, refusal)
    if facts.purpose in AUTOMATIC or facts.is_scheduled:
        until_at = quiet_until(facts.now, facts.time_zone, facts.contact_hours)
        if until_at:
            reason = GateReason.CONTACT_HOURS if facts.contact_hours else GateReason.QUIET_HOURS
            return Verdict(GateDecision.DEFER, reason, until_at)
    if facts.purpose in AUTOMATIC and facts.automatic_today >= DAILY_CAP:
        return Verdict(GateDecision.DEFER, GateReason.DAILY_CAP, facts.now + timedelta(hours=12))
    return Verdict(GateDecision.SEND, GateReason.ALLOWED)


def _refusal(facts: SendFacts) -> GateReason | None:
    is_keyword_answer = facts.purpose == MessagePurpose.OPT_OUT_CONFIRMATION
    is_asked_for = is_keyword_answer or facts.purpose == MessagePurpose.CODE
    checks = [
        (not facts.is_channel_active, GateReason.CHANNEL_OFF),
        (not facts.has_address, GateReason.NO_ADDRESS),
        (not facts.has_content, GateReason.EMPTY),
        (facts.has_unresolved_variable, GateReason.UNRESOLVED_VARIABLE),
        (facts.is_patient_data_refused, GateReason.PATIENT_DATA),
        (facts.is_out_of_date, GateReason.OUT_OF_DATE),
        (facts.is_deceased, GateReason.DECEASED),
        (facts.is_do_not_contact and not is_asked_for, GateReason.DO_NOT_CONTACT),
        (facts.is_opted_out and not is_keyword_answer, GateReason.OPTED_OUT),
        (facts.consent is False and not is_keyword_answer, GateReason.CONSENT_WITHDRAWN),
        (facts.consent is None and facts.purpose in CONSENT_REQUIRED, GateReason.NO_CONSENT),
        (facts.is_address_bounced and facts.channel_kind == ChannelKind.EMAIL, GateReason.ADDRESS_BOUNCED),
        (facts.is_template and not facts.is_template_approved, GateReason.TEMPLATE_NOT_APPROVED),
        (needs_template(facts), GateReason.WINDOW_CLOSED),
    ]
    return next((reason for is_true, reason in checks if is_true), None)


def needs_template(facts: SendFacts) -> bool:
    """True when WhatsApp would refuse free text: no word from the person within 24 hours."""
    if facts.channel_kind != ChannelKind.WHATSAPP or facts.is_template:
        return False
    closes_at = window_closes_at(facts.last_inbound_at)
    return closes_at is None or facts.now > closes_at - WINDOW_MARGIN


def window_closes_at(last_inbound_at: datetime | None) -> datetime | None:
    """When WhatsApp's 24-hour window closes; only the person's own messages extend it."""
    return last_inbound_at + WHATSAPP_WINDOW if last_inbound_at else None


def quiet_until(now: datetime, time_zone: str, hours: Hours | None = None) -> datetime | None:
    """End of the quiet hours that `now` lies in, as UTC; None outside them.

    They are 21:00 to 08:00 local, or whatever lies outside the patient's own hours, which may pass midnight.
    """
    opens, closes = hours or (QUIET_UNTIL, QUIET_FROM)
    local = now.astimezone(ZoneInfo(time_zone))
    at = local.time()
    if opens <= at < closes if opens < closes else at >= opens or at < closes:
        return None
    day = local.date() if at < opens else local.date() + timedelta(days=1)
    return datetime.combine(day, opens, tzinfo=ZoneInfo(time_zone)).astimezone(UTC)
