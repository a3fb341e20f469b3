"""Join interactions of one person, and take a second matter out of an interaction."""

from collections.abc import Iterable
from uuid import uuid4

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.common.errors import Conflict, Refused
from inbox import realtime
from inbox.enums import Direction, InteractionStatus, MessageKind, MessageStatus, Priority, TimelineKind
from inbox.models import FormSubmission, Interaction, Message, Upload
from inbox.policies import can_take, can_work, why_not_merge
from inbox.services import clocks
from inbox.services.drafts import move_drafts
from inbox.services.interactions import conclude, locked, require
from inbox.services.locks import hold_for_transaction

S = InteractionStatus
MOVING = (MessageStatus.DRAFT, MessageStatus.QUEUED, MessageStatus.SENDING)


def merge(*, actor: User, source_id: int, target_id: int) -> Interaction:
    """Close the source with a pointer to the target, where later replies of both land; returns the target.

    Messages stay where they were: the patient's thread shows them in order either way. Open tasks of the source count
    for the target, which takes over what it lacks of case and reason and the more urgent priority. Raises Refused for
    itself, a closed one or another person's, and Conflict for one that a colleague works on or that changed meanwhile.
    """
    require(source_id != target_id, _("An interaction cannot be merged into itself."))
    with realtime.atomic():
        source, target = hold_both(source_id, target_id)
        why = why_not_merge(actor, source, target)
        if why:
            raise (Conflict if _is_taken(actor, source, target) else Refused)(why)
        before = tuple(_topics_of(source))
        for earlier in Interaction.objects.filter(merged_into=source):
            earlier.merged_into = target
            earlier.save(update_fields=["merged_into", "updated_at"])
        _take_over(target, source)
        move_drafts(source=source, target=target)
        Upload.objects.filter(interaction=source, sent_with=None).update(interaction=target)
        source.merge(target)
        merged, changed = TimelineKind.MERGED, AuditAction.CHANGED
        conclude(source, actor=actor, kind=merged, action=changed, detail=f"into:{target.pk}", also=before)
        conclude(target, actor=actor, kind=merged, action=changed, detail=f"from:{source.pk}")
        return target


def hold_both(source_id: int, target_id: int) -> tuple[Interaction, Interaction]:
    """Both rows locked, the source first: an inbound message follows pointers in that direction too.

    Merges of one person wait for each other, so two in opposite directions cannot wait for each other for ever.
    """
    rows = Interaction.objects.filter(pk=source_id)
    patient_id, contact_value = rows.values_list("patient_id", "contact_value").first() or (None, "")
    hold_for_transaction("merge", patient_id or contact_value)
    list(Interaction.objects.select_for_update(of=("self",)).filter(merged_into=source_id).order_by("pk"))
    return locked(source_id), locked(target_id)


def hold_messages(rows: QuerySet[Message]) -> None:
    """Lock these messages; before their interaction, as whoever notes the outcome of a send locks them."""
    list(rows.select_for_update(of=("self",)).order_by("pk").values_list("pk"))


def _is_taken(actor: User, *interactions: Interaction) -> bool:
    return any(not one.is_done and not can_take(actor, one) for one in interactions)


def _topics_of(interaction: Interaction) -> Iterable[str]:
    return [realtime.agent_topic(interaction.owner_id)] if interaction.owner_id else []


def _take_over(target: Interaction, source: Interaction) -> None:
    if source.last_message_at > target.last_message_at:
        target.snippet, target.last_message_at = source.snippet, source.last_message_at
    target.last_inbound_at = max(filter(None, [source.last_inbound_at, target.last_inbound_at]), default=None)
    target.waiting_since_at = min(filter(None, [source.waiting_since_at, target.waiting_since_at]), default=None)
    target.unread_count += source.unread_count
    target.priority = Priority(min(target.priority, source.priority))
    target.reason = target.reason or source.reason
    target.case = target.case or source.case


def recount(interaction: Interaction) -> None:
    """Read snippet, times and waiting anew from the messages of the interaction; the caller saves it."""
    from inbox.services.inbound import snippet_of

    words = interaction.messages.exclude(kind__in=[MessageKind.REACTION, MessageKind.DELETED])
    last = words.order_by("-occurred_at", "-pk").first()
    if last is None:
        return
    inbound = words.filter(direction=Direction.INBOUND).order_by("occurred_at", "pk")
    answered = words.filter(direction=Direction.OUTBOUND, author__isnull=False).order_by("-occurred_at").first()
    open_ones = inbound.filter(occurred_at__gt=answered.occurred_at) if answered else inbound
    newest, waiting = inbound.last(), open_ones.first()
    interaction.snippet, interaction.last_message_at = snippet_of(last), last.occurred_at
    interaction.last_inbound_at = newest.occurred_at if newest else None
    interaction.waiting_since_at = waiting.occurred_at if waiting else None
    interaction.unread_count = 0 if waiting is None else min(interaction.unread_count, open_ones.count())


def split(*, actor: User, interaction_id: int, message_ids: Iterable[int]) -> Interaction:
    """Take these messages out into a new interaction of the actor, with pointers both ways; returns the new one.

    A form goes with its message. New replies of the patient go on coming to the first one, except answers to a mail.
    Raises Refused without messages, for all of them, for one that is not of this interaction or still being sent, and
    Conflict when somebody else owns it.
    """
    wanted = set(message_ids)
    with realtime.atomic():
        hold_messages(Message.objects.filter(interaction=interaction_id, pk__in=wanted))
        source = locked(interaction_id)
        require(can_work(actor, source), _("You may not work on this interaction."))
        require(not source.is_done, _("This interaction is closed. Reopen it first."))
        if not can_take(actor, source):
            raise Conflict(_("%(name)s has taken this interaction already.") % {"name": source.owner})
        new = take_out(source, actor, wanted)
        conclude(new, actor=actor, kind=TimelineKind.SPLIT, action=AuditAction.CREATED, detail=f"from:{source.pk}")
        conclude(source, actor=actor, kind=TimelineKind.SPLIT, action=AuditAction.CHANGED, detail=f"into:{new.pk}")
        return new


def take_out(source: Interaction, actor: User, wanted: set[int]) -> Interaction:
    """A new conversation of the actor with these messages of a locked one; the caller saves both.

    Refuses as `split`.
    """
    chosen = _chosen(source, wanted)
    new = _part_of(source, actor, chosen)
    new.save(force_insert=True)
    Message.objects.filter(pk__in=wanted).update(interaction=new)
    move_forms(source, new, chosen)
    recount(new)
    recount(source)
    if not source.is_done:
        clocks.settle(source, is_answered=False)
    return new


def _chosen(source: Interaction, wanted: set[int]) -> list[Message]:
    found = list(source.messages.select_for_update(of=("self",)).filter(pk__in=wanted).order_by("occurred_at", "pk"))
    require(bool(wanted), _("Choose the messages that are another matter."))
    require(len(found) == len(wanted), _("Choose messages of this conversation only."))
    is_moving = any(message.status in MOVING for message in found)
    require(not is_moving, _("One of these messages is still being sent. Try again in a moment."))
    stays = source.messages.exclude(pk__in=wanted).exists()
    require(stays, _("At least one message has to stay. To change everything, move the whole conversation."))
    return found


def _part_of(source: Interaction, actor: User, chosen: list[Message]) -> Interaction:
    first = chosen[0]
    return Interaction(
        channel=source.channel,
        channel_kind=source.channel_kind,
        direction=source.direction,
        thread_key=f"split:{source.pk}:{uuid4().hex}",
        contact_scheme=source.contact_scheme,
        contact_value=source.contact_value,
        contact_name=source.contact_name,
        patient=source.patient,
        is_contact_shared=source.is_contact_shared,
        queue=source.queue,
        owner=actor,
        status=S.ACTIVE,
        priority=source.priority,
        language=source.language,
        subject=first.subject,
        split_from=source,
        opened_at=first.occurred_at,
    )


def move_forms(source: Interaction, new: Interaction, chosen: list[Message]) -> None:
    """Let a form and its receipt number go with its message; the caller saves both interactions."""
    if any(message.kind == MessageKind.FORM for message in chosen):
        FormSubmission.objects.filter(interaction=source).update(interaction=new)
        new.reference, source.reference = source.reference, ""
