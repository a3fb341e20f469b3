"""How a patient, or an address that nobody is linked to, can be written to first."""

from dataclasses import dataclass

from contact_center.accounts.models import User
from inbox import gate
from inbox.enums import ChannelKind, GateDecision
from inbox.models import Channel, OptOut
from inbox.selectors.conversation import ANSWER_KINDS, expected_verdict
from inbox.selectors.gate_facts import last_inbound_at_of
from inbox.selectors.outbox import GATE_SENTENCES
from inbox.selectors.setup import channels_visible_to
from patients.enums import ContactScheme
from patients.models import Patient
from patients.numbers import normalise_email, normalise_phone


@dataclass(slots=True)
class Way:
    """One of our channels and one address of theirs. `reason` says why it is off; `needs_template` that WhatsApp takes
    only a template there."""

    channel: Channel
    address: str
    reason: str = ""
    needs_template: bool = False

    @property
    def key(self) -> str:
        """Names the way in a form."""
        return f"{self.channel.pk} {self.address}"

    @property
    def is_available(self) -> bool:
        return not self.reason


def ways_to_write(user: User, patient: Patient | None, address: str, region: str) -> list[Way]:
    """Every way to reach the patient, or the address that was typed, those that work first; WhatsApp before SMS.

    One query for the channels, one for opt-outs, one per WhatsApp address.
    """
    channels = channels_visible_to(user).filter(kind__in=ANSWER_KINDS, is_active=True).order_by("pk")
    addresses = _addresses_of(patient) if patient else _addresses_in(address, region)
    pairs = [(channel, value) for channel in channels for value in addresses.get(scheme_of(channel.kind), [])]
    stopped = set(
        OptOut.objects.filter(address__in=[value for _channel, value in pairs], ended_at=None).values_list(
            "channel_kind", "address"
        )
    )
    ways = [_way(channel, patient, value, (channel.kind, value) in stopped) for channel, value in pairs]
    return sorted(ways, key=lambda way: (not way.is_available, ANSWER_KINDS.index(ChannelKind(way.channel.kind))))


def scheme_of(kind: str) -> str:
    """The kind of address that a channel reaches."""
    return ContactScheme.EMAIL if kind == ChannelKind.EMAIL else ContactScheme.PHONE


def _addresses_of(patient: Patient) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for point in patient.contact_points.all():
        found.setdefault(point.scheme, []).append(point.value)
    return found


def _addresses_in(text: str, region: str) -> dict[str, list[str]]:
    email = normalise_email(text) if "@" in text else None
    phone = normalise_phone(text, region) if text.strip() and not email else None
    number = phone.e164 if phone and phone.is_valid else None
    found = {ContactScheme.EMAIL.value: email, ContactScheme.PHONE.value: number}
    return {scheme: [value] for scheme, value in found.items() if value}


def _way(channel: Channel, patient: Patient | None, address: str, is_stopped: bool) -> Way:
    last = last_inbound_at_of(channel.pk, address) if channel.kind == ChannelKind.WHATSAPP else None
    verdict = expected_verdict(channel, patient, address, is_stopped=is_stopped, last=last)
    if verdict.reason == gate.GateReason.WINDOW_CLOSED:
        return Way(channel, address, needs_template=True)
    is_off = verdict.decision == GateDecision.SUPPRESS
    return Way(channel, address, str(GATE_SENTENCES[verdict.reason]) if is_off else "")
