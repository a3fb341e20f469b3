"""By which way many patients can be told something: their wishes, consents, opt-outs and addresses, read at once."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from inbox.enums import ChannelKind, Direction, MessagePurpose, TemplateStatus
from inbox.gate import CONSENT_REQUIRED
from inbox.models import Channel, Message, MessageTemplate, OptOut
from patients.enums import ConsentPurpose, ConsentStatus, ContactScheme
from patients.models import Consent, ContactPoint, Patient
from scheduling.enums import DropReason

KINDS = (ChannelKind.WHATSAPP, ChannelKind.SMS, ChannelKind.EMAIL)
PURPOSES = {MessagePurpose.REMINDERS: ConsentPurpose.REMINDERS, MessagePurpose.SURVEYS: ConsentPurpose.SURVEYS}
TEMPLATE = "appointment_reminder"
OPEN_FOR = timedelta(hours=23)
"""Of WhatsApp's 24 hours; a message that waits an hour shall still be let in."""


@dataclass(frozen=True, slots=True)
class Way:
    """One address of a patient on one of our channels; `template` where free words would be refused."""

    channel: Channel
    scheme: str
    address: str
    template: MessageTemplate | None = None


@dataclass(slots=True)
class Ways:
    """What is on record about these patients at `now`. Six queries, however many patients."""

    patients: Collection[int]
    now: datetime
    channels: dict[str, Channel] = field(init=False)
    points: dict[int, list[tuple[str, str]]] = field(init=False)
    stopped: set[tuple[str, str]] = field(init=False)
    words: dict[tuple[int, str, str], tuple[datetime, int, bool]] = field(init=False)
    templates: dict[str, MessageTemplate] = field(init=False)
    open_windows: set[str] = field(init=False)

    def __post_init__(self) -> None:
        self.channels = {}
        for channel in Channel.objects.filter(is_active=True, kind__in=KINDS).order_by("pk"):
            self.channels.setdefault(channel.kind, channel)
        self.points = defaultdict(list)
        points = ContactPoint.objects.filter(patient__in=self.patients, bounced_at=None)
        for patient, scheme, value in points.order_by("rank", "pk").values_list("patient_id", "scheme", "value"):
            self.points[patient].append((scheme, value))
        addresses = {value for known in self.points.values() for _scheme, value in known}
        stopped = OptOut.objects.filter(address__in=addresses, ended_at=None)
        self.stopped = set(stopped.values_list("channel_kind", "address"))
        self._read_consents()
        rows = MessageTemplate.objects.filter(name=TEMPLATE, status=TemplateStatus.APPROVED)
        self.templates = {one.language[:2]: one for one in rows if one.channel_kind == ChannelKind.WHATSAPP}
        self.open_windows = self._windows(addresses)

    def _read_consents(self) -> None:
        self.words = {}
        said = Consent.objects.filter(patient__in=self.patients, purpose__in=PURPOSES.values())
        newest = said.order_by("patient", "purpose", "channel_kind", "-recorded_at", "-pk")
        rows = newest.distinct("patient", "purpose", "channel_kind")
        for patient, purpose, kind, at, pk, status in rows.values_list(
            "patient_id", "purpose", "channel_kind", "recorded_at", "pk", "status"
        ):
            self.words[patient, purpose, kind] = (at, pk, status == ConsentStatus.GRANTED)

    def _windows(self, addresses: Collection[str]) -> set[str]:
        whatsapp = self.channels.get(ChannelKind.WHATSAPP)
        if whatsapp is None or not addresses:
            return set()
        came = Message.objects.filter(channel=whatsapp, address__in=addresses, direction=Direction.INBOUND)
        return set(came.filter(occurred_at__gt=self.now - OPEN_FOR).values_list("address", flat=True))

    def to(self, patient: Patient, purpose: MessagePurpose, *, has_template: bool) -> Way | DropReason:
        """The way the patient prefers among those that are open, or why there is none. Asks no query.

        `has_template` says that WhatsApp's approved words for a visit say the same.
        """
        if patient.deceased_date or patient.is_do_not_contact:
            return DropReason.NOT_WANTED
        is_unwanted = False
        for kind in sorted(KINDS, key=lambda kind: kind != patient.preferred_channel):
            for scheme, address in self._addresses(patient, kind):
                if (kind, address) in self.stopped or not self._agrees(patient, purpose, kind):
                    is_unwanted = True
                    continue
                template = None
                if kind == ChannelKind.WHATSAPP and address not in self.open_windows:
                    template = self.templates.get(patient.language[:2]) if has_template else None
                    if template is None:
                        continue
                return Way(self.channels[kind], scheme, address, template)
        return DropReason.NOT_WANTED if is_unwanted else DropReason.NO_WAY

    def _addresses(self, patient: Patient, kind: str) -> list[tuple[str, str]]:
        if kind not in self.channels:
            return []
        wanted = ContactScheme.EMAIL if kind == ChannelKind.EMAIL else ContactScheme.PHONE
        return [(scheme, value) for scheme, value in self.points.get(patient.pk, ()) if scheme == wanted]

    def _agrees(self, patient: Patient, purpose: MessagePurpose, kind: str) -> bool:
        wanted = PURPOSES[purpose]
        said = [self.words.get((patient.pk, wanted, one)) for one in (kind, "")]
        latest = max((word for word in said if word is not None), default=None)
        return purpose not in CONSENT_REQUIRED if latest is None else latest[2]
