"""Calls as agents see them: the one that rings or is talked on, and the record of those that were."""

from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Exists, F, OuterRef, Prefetch, Q, QuerySet

from contact_center.accounts.enums import Action
from contact_center.accounts.models import User
from contact_center.accounts.policies import can
from contact_center.common.prepared import Given, planned
from contact_center.common.request_memory import remembered
from inbox import realtime
from inbox.enums import (
    CALL_OVER,
    RECORDING_LIVE,
    TALKING,
    CallMomentKind,
    CallParty,
    CallStatus,
    RecordingMode,
    RecordingStatus,
)
from inbox.models import Call, CallLeg, CallMoment, Interaction, Recording
from inbox.policies import can_listen
from inbox.selectors.distribution import own_state
from inbox.selectors.interactions import get_interaction_for, interactions_visible_to
from inbox.selectors.story import LastContact, last_contact_of
from inbox.selectors.voice_lines import line_of


@dataclass(slots=True)
class Phone:
    """What a person's telephone shows. `live` is their topic with its present sequence; `is_sealed` says that the
    conversation of the present call no longer opens for them, be it protected or moved since: the call stays theirs."""

    live: str
    ringing: Call | None = None
    rings_since: datetime | None = None
    last_contact: LastContact | None = None
    current: Call | None = None
    colleague: User | None = None
    is_consulted: bool = False
    is_sealed: bool = False
    supervised: Call | None = None
    is_supervised_sealed: bool = False
    mode: str = ""
    watchers: list[CallLeg] = field(default_factory=list)
    recording: Recording | None = None
    may_record: bool = False


def phone_of(user: User) -> Phone | None:
    """The call that rings at this person and the one they are on; None for people who do not work in the inbox."""
    if not can(user, Action.WORK_INBOX):
        return None
    topic = realtime.agent_topic(user.pk)
    own = remembered(("own", topic), lambda: own_state(user.pk, topic))
    phone = Phone(live=f"{topic}:{own.sequence}")
    for call in _calls_with(user):
        if call.offered_to_id == user.pk:
            phone.ringing = call
        elif mode := _mode_of(user, call):
            phone.supervised, phone.mode = call, mode
        else:
            phone.current, phone.is_consulted = call, call.agent_id != user.pk
    if phone.ringing is not None:
        offers = CallMoment.objects.filter(call=phone.ringing, kind=CallMomentKind.OFFERED)
        phone.rings_since = offers.values_list("at", flat=True).last()
        phone.last_contact = last_contact_of(user, phone.ringing.interaction)
    if phone.current is not None:
        phone.colleague = phone.current.agent if phone.is_consulted else colleague_on(phone.current)
        phone.is_sealed = is_sealed(user, phone.current)
        _recording_of(phone, phone.current)
    if phone.supervised is not None:
        phone.is_supervised_sealed = is_sealed(user, phone.supervised)
    if (shown := phone.current or phone.supervised) is not None:
        phone.watchers = [leg for leg in watchers_of(shown) if leg.user_id != user.pk]
    return phone


def _calls_with(user: User) -> list[Call]:
    """Live calls of which this person is a party. Every page asks, and hardly anybody is on the telephone: so first for
    the ids alone, as eight joins take PostgreSQL forty milliseconds to plan."""
    ids = [pk for (pk,) in _live().tuples(user.pk)]
    if not ids:
        return []
    found = Call.objects.filter(pk__in=ids).order_by("pk")
    return list(found.select_related("interaction__patient", "interaction__reason", "queue", "channel", "agent"))


@planned
def _live() -> QuerySet[Call]:
    """Of the person 0."""
    parties = [CallParty.CONSULTED, CallParty.SUPERVISOR]
    asked = CallLeg.objects.filter(call=OuterRef("pk"), user=Given(0), party__in=parties, left_at=None)
    found = Call.objects.filter(Q(agent=Given(0)) | Q(offered_to=Given(0)) | Exists(asked))
    return found.exclude(status__in=CALL_OVER).order_by().values_list("pk")  # type: ignore[return-value]


def _mode_of(user: User, call: Call) -> str:
    """How this person listens to a call that is not theirs; empty when they do not."""
    legs = CallLeg.objects.filter(call=call, user=user, party=CallParty.SUPERVISOR, left_at=None)
    return "" if call.agent_id == user.pk else legs.values_list("mode", flat=True).last() or ""


def _recording_of(phone: Phone, call: Call) -> None:
    phone.recording = Recording.objects.filter(call=call, status__in=RECORDING_LIVE).first()
    if phone.recording is None and call.status == CallStatus.CONNECTED:
        line = line_of(call.channel.address)
        known = call.interaction.contact_value if call.interaction.contact_scheme == "phone" else ""
        phone.may_record = line is not None and line.mode_for(known, call.queue_id) != RecordingMode.OFF


def watchers_of(call: Call) -> list[CallLeg]:
    """Supervisors who are on the line now."""
    legs = CallLeg.objects.filter(call=call, party=CallParty.SUPERVISOR, left_at=None)
    return list(legs.select_related("user").order_by("joined_at"))


def calls_now(user: User) -> list[Call]:
    """Every call that is being talked on and that this person may listen to: who asks for help first, then the longest.

    Each has its `watchers`. Three queries.
    """
    if not can(user, Action.SUPERVISE_CALLS):
        return []
    legs = CallLeg.objects.filter(party=CallParty.SUPERVISOR, left_at=None).select_related("user")
    found = Call.objects.filter(status__in=TALKING, interaction__in=interactions_visible_to(user).values("pk"))
    found = found.select_related("interaction__patient", "interaction__reason", "queue", "agent")
    order = (F("help_asked_at").asc(nulls_last=True), "answered_at")
    return list(found.prefetch_related(Prefetch("legs", legs, to_attr="watchers")).order_by(*order))


def get_recording_for(user: User, pk: int) -> Recording:
    """A recording in our store that this person may listen to. Raises Recording.DoesNotExist for all others alike."""
    if not can_listen(user):
        raise Recording.DoesNotExist
    found = Recording.objects.select_related("call__interaction").filter(
        status=RecordingStatus.STORED, call__interaction__in=interactions_visible_to(user).values("pk")
    )
    recording: Recording = found.exclude(file="").get(pk=pk)
    return recording


def is_sealed(user: User, call: Call) -> bool:
    """The conversation of a call that this person holds does not open for them."""
    return not interactions_visible_to(user).filter(pk=call.interaction_id).exists()


def colleague_on(call: Call) -> User | None:
    """Who was asked to join and is still on the line."""
    legs = CallLeg.objects.filter(call=call, party=CallParty.CONSULTED, left_at=None).select_related("user")
    leg = legs.last()
    return leg.user if leg else None


def asked_in(call: Call, user_id: int | None) -> User | None:
    """This colleague, if they were asked to join the call, still on the line or not."""
    leg = CallLeg.objects.filter(call=call, party=CallParty.CONSULTED, user=user_id).select_related("user").first()
    return leg.user if leg else None


def get_call_for(user: User, pk: int) -> Call:
    """A call of a conversation this person may see, or one that rings at them or that they are on.

    Raises Call.DoesNotExist for all others alike.
    """
    if not can(user, Action.WORK_INBOX):
        raise Call.DoesNotExist
    call: Call = Call.objects.select_related("interaction", "queue", "agent", "offered_to").get(pk=pk)
    if user.pk in (call.agent_id, call.offered_to_id) or _mode_of(user, call):
        return call
    try:
        get_interaction_for(user, call.interaction_id)
    except Interaction.DoesNotExist:
        raise Call.DoesNotExist from None
    return call


def calls_of(interaction: Interaction) -> QuerySet[Call]:
    """The calls of a conversation with their moments and recordings, oldest first. Three questions, four with sound."""
    moments = CallMoment.objects.select_related("user")
    found = Call.objects.filter(interaction=interaction).select_related("agent", "queue")
    return found.prefetch_related(Prefetch("moments", queryset=moments), "recordings__lines").order_by("pk")
