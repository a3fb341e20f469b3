"""What the conversation page shows around the messages: days, openings, ways to answer, the patient beside it."""

from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from contact_center.accounts.asker import Asker, asker
from contact_center.accounts.enums import Action
from contact_center.accounts.models import User
from contact_center.accounts.policies import can
from contact_center.common.prepared import Given, give, planned
from inbox import gate
from inbox.enums import CaseStatus, ChannelKind, Direction, GateDecision, MessageKind, MessagePurpose, TemplateStatus
from inbox.models import Case, Channel, FormSubmission, Interaction, Message, MessageTemplate, OptOut
from inbox.selectors.addresses import address_on
from inbox.selectors.drafts import newest_ids
from inbox.selectors.gate_facts import last_inbound_at_of
from inbox.selectors.interactions import asked_by, interactions_visible_to
from inbox.selectors.outbox import GATE_SENTENCES
from inbox.selectors.setup import cases_visible_to
from inbox.selectors.thread import Place, thread_of
from patients.enums import ContactScheme
from patients.models import ContactPoint, Patient, RelatedPerson
from patients.selectors.access import may_open
from patients.selectors.people import match_patients

ANSWER_KINDS = (ChannelKind.WHATSAPP, ChannelKind.SMS, ChannelKind.EMAIL)
THREAD_LIMIT, MOST_CANDIDATES = 60, 20
OPENING = (
    *("status", "channel_kind", "language", "contact_name", "contact_value", "last_inbound_at", "channel__name"),
    *("reason__name", "disposition__name", "patient__given_name", "patient__family_name"),
)

OTHER = (
    *("status", "channel_kind", "subject", "last_message_at", "channel__name", "reason__name"),
    *("owner__first_name", "owner__last_name"),
)


@dataclass(slots=True)
class ReplyOption:
    """One way to answer. `reason` says why it is off; `needs_template` that only a template would arrive."""

    kind: str
    label: str
    channel_id: int
    is_available: bool
    reason: str = ""
    needs_template: bool = False
    window_closes_at: datetime | None = None


def conversation_page(
    user: User, interaction: Interaction, *, before: Place | None = None, since: Place | None = None
) -> dict[str, Any]:
    """`items`: a page of the thread as it is drawn, oldest first; `earlier`: the place before which there are more;
    `thread_since`: where a later look at it begins.

    Items are days, openings (where one exchange ends and another begins) and entries. Each has `kind` (day, opening,
    message, note, event), `at` (in the reader's zone), `is_present`, `interaction`, and under its kind the object.
    `before` and `since` are those of `thread_of`. Five more queries than `thread_of` at most, whatever the number of
    entries.
    """
    thread = thread_of(user, interaction, limit=THREAD_LIMIT, before=before, since=since)
    return {"items": _items(thread.entries, interaction), "earlier": thread.earlier, "thread_since": thread.since}


def _items(entries: list[dict[str, Any]], interaction: Interaction) -> list[dict[str, Any]]:
    known = _interactions_in(entries, interaction)
    submissions = _submissions_in(entries)
    items: list[dict[str, Any]] = []
    day, present, zone = None, None, timezone.get_current_timezone()
    for entry in entries:
        at = entry["at"].astimezone(zone)
        local_day, owner = at.date(), known.get(entry["item"].interaction_id, interaction)
        common = {"at": at, "is_present": entry["is_present"], "interaction": owner}
        if local_day != day:
            items.append({"kind": "day", **common})
        if owner.pk != present and len(known) > 1:
            items.append({"kind": "opening", **common})
        day, present = local_day, owner.pk
        item = {"kind": entry["type"], entry["type"]: entry["item"], **common}
        if entry["type"] == "message":
            item["attachments"] = list(entry["item"].attachments.all())
            item["submission"] = submissions.pop(owner.pk, None) if entry["item"].kind == MessageKind.FORM else None
        items.append(item)
    return items


def _interactions_in(entries: list[dict[str, Any]], present: Interaction) -> dict[int, Interaction]:
    ids = {entry["item"].interaction_id for entry in entries} - {present.pk}
    if not ids:
        return {present.pk: present}
    return {row.pk: row for row in _openings().ask(list(ids))} | {present.pk: present}


@planned
def _openings() -> QuerySet[Interaction]:
    """Of the interactions 0."""
    found = Interaction.objects.filter(pk__any_of=Given(0))
    return found.select_related("channel", "reason", "disposition", "patient").only(*OPENING)


def _submissions_in(entries: list[dict[str, Any]]) -> dict[int, FormSubmission]:
    ids = {
        entry["item"].interaction_id
        for entry in entries
        if entry["type"] == "message" and entry["item"].kind == MessageKind.FORM
    }
    if not ids:
        return {}
    return {row.interaction_id: row for row in _submissions().ask(list(ids))}


@planned
def _submissions() -> QuerySet[FormSubmission]:
    """Of the interactions 0."""
    return FormSubmission.objects.filter(interaction__any_of=Given(0)).select_related("form").order_by("-id")


def latest_message_ids(user: User, interaction: Interaction) -> tuple[int, int]:
    """Ids of the newest inbound message and of the newest one this person sent; 0 for none."""
    return newest_ids(user, interaction)[:2]


def reply_options(interaction: Interaction) -> list[ReplyOption]:
    """Ways to answer, the channel of the interaction first, each with the gate's reason when it is off."""
    channels = _channels_for(interaction)
    give({interaction.pk: interaction}, "merged_from", "merged_into_id", _merged())
    if interaction.patient:
        give({interaction.patient.pk: interaction.patient}, "contact_points", "patient_id", _points())
    addresses = {channel.pk: address_on(interaction, channel)[1] for channel in channels}
    stopped = set(_stops().tuples(list(filter(None, addresses.values()))))
    return [_option(channel, interaction, addresses[channel.pk], stopped) for channel in channels]


@planned
def _merged() -> QuerySet[Interaction]:
    """Into the interactions 0."""
    return Interaction.objects.filter(merged_into__any_of=Given(0))


@planned
def _points() -> QuerySet[ContactPoint]:
    """Of the patients 0."""
    return ContactPoint.objects.filter(patient__any_of=Given(0))


@planned
def _stops() -> QuerySet[OptOut]:
    """Of the addresses 0."""
    found = OptOut.objects.filter(address__any_of=Given(0), ended_at=None).order_by()
    return found.values_list("channel_kind", "address")  # type: ignore[return-value]


@planned
def _answering() -> QuerySet[Channel]:
    """Those by which one can answer."""
    return Channel.objects.filter(kind__in=ANSWER_KINDS, is_active=True).order_by()


def mode_for(interaction: Interaction, options: list[ReplyOption]) -> str:
    """Which way the reply box starts with: the person's own, else one that works, else one by template, else a note."""
    wrote_by = ChannelKind.EMAIL if interaction.contact_scheme == ContactScheme.EMAIL else ChannelKind.SMS
    usable = [option for option in options if option.is_available or option.needs_template]
    own = [option for option in usable if option.kind == interaction.channel_kind]
    open_ones = sorted((option for option in usable if option.is_available), key=lambda one: one.kind != wrote_by)
    return next((option.kind for option in [*own, *open_ones, *usable]), "note")


def _channels_for(interaction: Interaction) -> list[Channel]:
    found = {interaction.channel_kind: interaction.channel} if interaction.channel_kind in ANSWER_KINDS else {}
    for channel in sorted(_answering().ask(), key=lambda row: (row.queue_id != interaction.queue_id, row.pk)):
        found.setdefault(channel.kind, channel)
    order = [interaction.channel_kind, *ANSWER_KINDS]
    return sorted(found.values(), key=lambda row: order.index(row.kind))


def _option(channel: Channel, interaction: Interaction, address: str, stopped: set[tuple[str, str]]) -> ReplyOption:
    patient = interaction.patient
    last = last_inbound_at_of(channel.pk, address) if channel.kind == ChannelKind.WHATSAPP else None
    is_answer = channel.pk == interaction.channel_id
    is_stopped = (channel.kind, address) in stopped
    verdict = expected_verdict(channel, patient, address, is_stopped=is_stopped, last=last, is_answer=is_answer)
    option = ReplyOption(
        kind=channel.kind,
        label=str(ChannelKind(channel.kind).label),
        channel_id=channel.pk,
        is_available=verdict.decision == GateDecision.SEND,
        needs_template=verdict.reason == gate.GateReason.WINDOW_CLOSED,
        window_closes_at=gate.window_closes_at(last),
    )
    if verdict.reason == gate.GateReason.NO_ADDRESS and patient is None:
        option.reason = _("Link the patient first: only then is it known where else to reach them.")
    elif not option.is_available:
        option.reason = str(GATE_SENTENCES[verdict.reason])
    return option


def expected_verdict(
    channel: Channel,
    patient: Patient | None,
    address: str,
    *,
    is_stopped: bool,
    last: datetime | None,
    is_answer: bool = False,
) -> gate.Verdict:
    """What the gate would say now of a person's words to this address; `last` is when it last wrote to us."""
    return gate.decide(
        gate.SendFacts(
            purpose=MessagePurpose.REPLY,
            channel_kind=ChannelKind(channel.kind),
            now=timezone.now(),
            has_address=bool(address),
            is_channel_active=channel.is_active,
            is_opted_out=is_stopped,
            is_address_bounced=_is_bounced(patient, address),
            is_do_not_contact=bool(patient and patient.is_do_not_contact) and not is_answer,
            is_deceased=bool(patient and patient.deceased_date) and not is_answer,
            last_inbound_at=last,
        )
    )


def _is_bounced(patient: Patient | None, address: str) -> bool:
    points = patient.contact_points.all() if patient else ()
    return any(point.value == address and point.bounced_at for point in points)


def copied_before(interaction: Interaction) -> list[str]:
    """Who got a copy of the patient's last mail here, without our own mailboxes: shown before an answer leaves.

    No query for a conversation that is not by mail.
    """
    if interaction.channel_kind != ChannelKind.EMAIL:
        return []
    last = interaction.messages.filter(direction=Direction.INBOUND, channel_kind=ChannelKind.EMAIL)
    copied = last.order_by("-occurred_at", "-id").values_list("cc", flat=True).first() or []
    if not copied:
        return []
    ours = set(Channel.objects.filter(kind=ChannelKind.EMAIL).values_list("address", flat=True))
    return [address for address in copied if address not in ours and address != interaction.contact_value][:10]


def templates_for(interaction: Interaction, words: str = "") -> list[MessageTemplate]:
    """Approved WhatsApp templates with these words, those in the patient's language first."""
    return templates_in(interaction.language, words)


def templates_in(language: str, words: str = "") -> list[MessageTemplate]:
    """Approved WhatsApp templates with these words in name or text, those in this language first."""
    found = MessageTemplate.objects.filter(channel_kind=ChannelKind.WHATSAPP, status=TemplateStatus.APPROVED)
    for word in words.split()[:6]:
        found = found.filter(Q(name__icontains=word) | Q(body__icontains=word))
    return sorted(found, key=lambda row: (row.language[:2] != (language or "en")[:2], row.name))


def candidates_for(user: User, interaction: Interaction) -> tuple[list[Patient], bool]:
    """Patients who have the address of an interaction that belongs to nobody yet, 20 at most, and whether there are
    more; the agent chooses.

    Sensitive records only for those who may see such. A partner agent sees the others, whomever their work concerns.
    """
    if interaction.patient_id or not interaction.contact_value or not interaction.contact_scheme:
        return [], False
    matches = match_patients(interaction.contact_scheme, interaction.contact_value)
    found = list(islice((patient for patient in matches if may_open(user, patient)), MOST_CANDIDATES + 1))
    return found[:MOST_CANDIDATES], len(found) > MOST_CANDIDATES


def relatives_of(user: User, patient: Patient) -> list[RelatedPerson]:
    """Family and proxies, without those whose own record is sensitive where the person may not see such."""
    found = patient.related_persons.all()
    return [person for person in found if person.relative is None or may_open(user, person.relative)]


def other_interactions(user: User, interaction: Interaction, *, limit: int) -> list[Interaction]:
    """The visible interactions of the patient who is linked, without this one, newest first."""
    if interaction.patient_id is None or not can(user, Action.WORK_INBOX):
        return []
    return _others(user.role, limit).ask(*asked_by(user), interaction.patient_id, interaction.pk)


@planned
def _others(role: str, limit: int) -> QuerySet[Interaction]:
    """After the asker: of the patient, without the interaction."""
    found = interactions_visible_to(asker(role)).filter(patient=Given(Asker.NEXT)).exclude(pk=Given(Asker.NEXT + 1))
    named = found.select_related("channel", "reason", "owner").only(*OTHER)
    return named.order_by("-last_message_at", "-id")[:limit]


def open_cases(user: User, interaction: Interaction) -> list[Case]:
    """Cases of the patient that are not resolved and that the person may see, ten at most. Two queries at most."""
    if interaction.patient_id is None or not can(user, Action.WORK_INBOX):
        return []
    ids = [pk for (pk,) in _unfinished().tuples(interaction.patient_id)]
    return _cases(user.role).ask(*asked_by(user), ids) if ids else []


@planned
def _unfinished() -> QuerySet[Case]:
    """Of the patient 0, whoever may see them."""
    found = Case.objects.filter(patient=Given(0), status__in=[CaseStatus.OPEN, CaseStatus.WAITING]).order_by()
    return found.values_list("pk")  # type: ignore[return-value]


@planned
def _cases(role: str) -> QuerySet[Case]:
    """After the asker: among these ids."""
    among = Given(Asker.NEXT)
    return cases_visible_to(asker(role), among=among).filter(pk__any_of=among).order_by("next_step_date")[:10]


def get_message_for(user: User, pk: int) -> Message:
    """One message of a visible interaction. Raises Message.DoesNotExist."""
    return Message.objects.select_related("interaction").get(
        pk=pk, interaction__in=interactions_visible_to(user).values("pk")
    )
