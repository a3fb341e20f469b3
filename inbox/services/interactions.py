"""What people do with an interaction. Every verb locks the row, checks, moves, records and tells the sockets."""

import secrets
from collections.abc import Iterable, Sequence
from datetime import date

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from contact_center.common.errors import Conflict, Refused
from inbox import realtime, signals
from inbox.enums import CaseStatus, Direction, InteractionStatus, NotificationKind, TimelineKind
from inbox.models import Case, Disposition, Interaction, Note, Queue, Reason, TimelineEvent, Upload
from inbox.policies import can_assign, can_take, can_work
from inbox.selectors.setup import cases_visible_to
from inbox.selectors.tasks import tasks_of
from inbox.services import clocks
from inbox.services.mentions import note_mentions
from inbox.services.notifications import notify

S = InteractionStatus
ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_reference(prefix: str) -> str:
    """A short reference people can read out; without letters that look or sound alike."""
    return f"{prefix}-" + "".join(secrets.choice(ALPHABET) for _ in range(7))


def locked(interaction_id: int) -> Interaction:
    """The interaction with its row locked until the caller's transaction ends. Raises DoesNotExist."""
    return Interaction.objects.select_for_update(of=("self",)).get(pk=interaction_id)


def require(is_allowed: bool, why: str) -> None:
    """Raise Refused with this sentence unless it is allowed."""
    if not is_allowed:
        raise Refused(why)


def conclude(
    interaction: Interaction,
    *,
    actor: User | None,
    kind: TimelineKind,
    action: AuditAction,
    also: tuple[str, ...] = (),
    from_queue: Queue | None = None,
    to_user: User | None = None,
    detail: str = "",
) -> None:
    """End a verb: settle the clocks, save, put the event into the timeline, leave the audit entry, tell the sockets."""
    from inbox.services import assignment, escalations  # whose verbs end with this one

    if kind in (TimelineKind.TAKEN, TimelineKind.ASSIGNED) and interaction.owner is not None:
        escalations.note_taken(interaction, interaction.owner)
    if kind == TimelineKind.CLOSED and interaction.owner_id is not None:
        assignment.note_done(interaction.owner_id)
    clocks.settle(interaction)
    interaction.save()
    TimelineEvent.objects.create(
        interaction=interaction,
        kind=kind,
        actor=actor,
        from_queue=from_queue,
        to_queue_id=interaction.queue_id if from_queue else None,
        to_user=to_user,
        detail=detail[:240],
    )
    record(
        actor=actor,
        action=action,
        object_type="interaction",
        object_id=interaction.pk,
        patient_id=interaction.patient_id,
        to=str(kind),
    )
    tell(interaction, *also)


def tell(interaction: Interaction, *also: str) -> None:
    """Count a change of the interaction, its queue and its owner, and of other topics concerned.

    An offer that it left behind ends, and what waits or has been given up lets work be handed out.
    """
    from inbox.services import assignment  # whose verbs end with this one

    topics = [realtime.interaction_topic(interaction.pk), realtime.queue_topic(interaction.queue_id), *also]
    if interaction.owner_id:
        topics.append(realtime.agent_topic(interaction.owner_id))
    if interaction.left_offer:
        topics += [realtime.agent_topic(agent_id) for agent_id in assignment.end_offers_of(interaction)]
        interaction.left_offer = False
    if interaction.status != S.ACTIVE:
        assignment.hand_out_soon()
    realtime.touch(*topics)


def take(*, actor: User, interaction_id: int) -> Interaction:
    """Become the owner. Raises Conflict when somebody else was faster, Refused when it is done."""
    with realtime.atomic():
        interaction = locked(interaction_id)
        if interaction.owner_id == actor.pk and interaction.status == S.ACTIVE:
            return interaction
        require(can_work(actor, interaction), _("You may not work on this interaction."))
        require(not interaction.is_done, _("This interaction is closed. Reopen it first."))
        if not can_take(actor, interaction):
            raise Conflict(_("%(name)s has taken this interaction already.") % {"name": interaction.owner})
        if interaction.status == S.WRAP_UP:
            raise Conflict(_("This interaction is being wrapped up."))
        previous = interaction.owner_id
        interaction.owner = actor
        interaction.take()
        also = (realtime.agent_topic(previous),) if previous else ()
        conclude(interaction, actor=actor, kind=TimelineKind.TAKEN, action=AuditAction.ASSIGNED, also=also)
        return interaction


def assign(*, actor: User, interaction_id: int, assignee: User, why: str = "") -> Interaction:
    """Make `assignee` the owner; `why` stands in the thread.

    Raises Refused when they cannot see its queue or the actor may not assign it.
    """
    from inbox.selectors.interactions import interactions_visible_to

    with realtime.atomic():
        interaction = locked(interaction_id)
        may = can_assign(actor, interaction) or (assignee.pk == actor.pk and can_take(actor, interaction))
        require(may, _("Only its owner or a supervisor may assign this interaction."))
        require(not interaction.is_done, _("This interaction is closed. Reopen it first."))
        require(
            can_work(assignee, interaction)
            and interactions_visible_to(assignee, unowned=True, entrusted=True).filter(pk=interaction.pk).exists(),
            _("%(name)s does not serve this queue.") % {"name": assignee},
        )
        previous = interaction.owner_id
        if interaction.status == S.WRAP_UP:
            interaction.resume()
        interaction.owner = assignee
        interaction.take()
        also = (realtime.agent_topic(previous),) if previous else ()
        conclude(
            interaction,
            actor=actor,
            kind=TimelineKind.ASSIGNED,
            action=AuditAction.ASSIGNED,
            also=also,
            to_user=assignee,
            detail=why,
        )
        key = f"assigned:{interaction.pk}:{timezone.now().timestamp():.6f}"
        notify(user=assignee, kind=NotificationKind.ASSIGNED, interaction=interaction, actor=actor, dedupe_key=key)
        return interaction


def return_to_queue(*, actor: User, interaction_id: int, queue: Queue | None = None, why: str = "") -> Interaction:
    """Give it back to its queue, or transfer it to another one with a reason. Raises Refused without one."""
    with realtime.atomic():
        interaction = locked(interaction_id)
        require(can_assign(actor, interaction), _("Only its owner or a supervisor may move this interaction."))
        require(not interaction.is_done, _("This interaction is closed. Reopen it first."))
        is_transfer = queue is not None and queue.pk != interaction.queue_id
        require(not is_transfer or bool(why.strip()), _("Say why you are transferring it."))
        from_queue, previous = interaction.queue, interaction.owner_id
        if queue is not None:
            interaction.queue = queue
        if interaction.status != S.QUEUED:
            interaction.return_to_queue()
        also = [realtime.queue_topic(from_queue.pk)] + ([realtime.agent_topic(previous)] if previous else [])
        kind = TimelineKind.TRANSFERRED if is_transfer else TimelineKind.RETURNED
        conclude(
            interaction,
            actor=actor,
            kind=kind,
            action=AuditAction.ASSIGNED,
            also=tuple(also),
            from_queue=from_queue,
            detail=why,
        )
        return interaction


def add_note(
    *,
    actor: User,
    interaction_id: int,
    body: str,
    mention_ids: Iterable[int] = (),
    upload_ids: Sequence[int] = (),
    after_note_id: int | None = None,
) -> Note:
    """Write a private note, with the files `upload_ids` of the actor's box. Raises Refused when it is empty.

    Colleagues it names with `@First Last` are told and may read this interaction; of two with the same name the one
    in `mention_ids` is meant. `after_note_id` is the actor's newest note here when they began (0: none): the same
    words after it are on record already, of the same form sent twice, and that note is returned.
    """
    from inbox.services.uploads import keep_with_note

    with realtime.atomic():
        interaction = locked(interaction_id)
        require(can_work(actor, interaction), _("You may not work on this interaction."))
        words = body.replace("\x00", "").strip()
        require(bool(words or upload_ids), _("Write something first."))
        if after_note_id is not None:
            since = Note.objects.filter(interaction=interaction, author=actor, pk__gt=after_note_id)
            known, waiting = since.filter(body=words).first(), Upload.objects.filter(pk__in=upload_ids, sent_with=None)
            if known is not None and not waiting.exists():
                return known
        note = Note.objects.create(interaction=interaction, author=actor, body=words)
        keep_with_note(note, actor=actor, ids=upload_ids)
        record(
            actor=actor,
            action=AuditAction.CREATED,
            object_type="note",
            object_id=note.pk,
            patient_id=interaction.patient_id,
            mentions=sorted(mention.user_id for mention in note_mentions(note, chosen=mention_ids)),
        )
        tell(interaction)
        return note


def mark_read(*, actor: User, interaction_id: int) -> None:
    """The owner has seen everything up to now."""
    with realtime.atomic():
        interaction = locked(interaction_id)
        if interaction.unread_count and interaction.owner_id == actor.pk:
            interaction.unread_count = 0
            interaction.save()
            tell(interaction)


def close(
    *,
    actor: User,
    interaction_id: int,
    reason: Reason,
    disposition: Disposition,
    outcome: str = "",
    next_step: str = "",
    next_step_owner: User | None = None,
    next_step_date: date | None = None,
    seen_message_id: int | None = None,
) -> Interaction:
    """Wrap up and close with reason, disposition and next step; an open next step lives on in a case.

    Raises Refused without a next step, owner and date unless the disposition says resolved and for an owner who could
    not see the case, and Conflict when a newer message of the patient than `seen_message_id` is there. A blocking task
    that is not done refuses too.
    """
    with realtime.atomic():
        interaction = locked(interaction_id)
        require(not interaction.is_done, _("This interaction is closed already."))
        require(interaction.owner_id is not None, _("Take this interaction first."))
        require(can_assign(actor, interaction), _("Only its owner or a supervisor may wrap this up."))
        newer = interaction.messages.filter(direction=Direction.INBOUND, pk__gt=seen_message_id or 0)
        if seen_message_id is not None and newer.exists():
            raise Conflict(_("The patient wrote while you were wrapping up. Read it before you close."))
        blocking = [task.title for task in tasks_of(interaction).filter(is_blocking=True, done_at=None)]
        require(not blocking, _("Not done yet: %(tasks)s.") % {"tasks": ", ".join(blocking)})
        needs_step = not disposition.is_resolved
        has_step = bool(next_step.strip()) and next_step_owner is not None and next_step_date is not None
        require(
            has_step or not needs_step,
            _("Say what happens next, who does it and by when, or choose a resolved outcome."),
        )
        require(
            next_step_date is None or next_step_date >= timezone.localdate(), _("The date of the next step has passed.")
        )
        interaction.reason, interaction.disposition, interaction.outcome = reason, disposition, outcome.strip()
        interaction.next_step = next_step.strip()[:240]
        interaction.next_step_owner, interaction.next_step_date = next_step_owner, next_step_date
        _settle_case(interaction, actor, is_resolved=not has_step)
        if interaction.status != S.WRAP_UP:
            interaction.start_wrap_up()
        interaction.close()
        also = [realtime.agent_topic(next_step_owner.pk)] if next_step_owner else []
        conclude(interaction, actor=actor, kind=TimelineKind.CLOSED, action=AuditAction.CLOSED, also=tuple(also))
        signals.announce(signals.interaction_closed, interaction_id=interaction.pk)
        return interaction


def _settle_case(interaction: Interaction, actor: User, *, is_resolved: bool) -> None:
    case = Case.objects.select_for_update().get(pk=interaction.case_id) if interaction.case_id else None
    if case is not None and case.patient_id != interaction.patient_id:
        case = interaction.case = None
    if is_resolved:
        if case is not None and case.status in (CaseStatus.OPEN, CaseStatus.WAITING):
            case.resolve()
            case.save()
        return
    if case is None:
        case = Case(reference=new_reference("K"), patient=interaction.patient, title=str(interaction.reason))
    elif case.status in (CaseStatus.RESOLVED, CaseStatus.CLOSED):
        case.reopen()
    case.reason, case.priority, case.queue = interaction.reason, interaction.priority, interaction.queue
    case.owner, case.next_step = interaction.next_step_owner, interaction.next_step
    case.next_step_date = interaction.next_step_date
    case.save()
    require_seen_by_owner(case)
    interaction.case = case


def require_seen_by_owner(case: Case) -> None:
    """Raise Refused when whoever is responsible for a case could not see it; call it when the case is saved."""
    is_theirs = case.owner is None or cases_visible_to(case.owner, among=[case.pk]).filter(pk=case.pk).exists()
    require(is_theirs, _("%(name)s may not see this case.") % {"name": case.owner})


def reopen(*, actor: User, interaction_id: int) -> Interaction:
    """Open a closed interaction again and own it. Raises Conflict when the thread goes on elsewhere already."""
    with realtime.atomic():
        interaction = locked(interaction_id)
        require(can_work(actor, interaction), _("You may not work on this interaction."))
        require(interaction.status == S.CLOSED, _("Only a closed interaction can be reopened."))
        require(interaction.merged_into_id is None, _("It goes on in another conversation. Undo the merge instead."))
        live = Interaction.objects.filter(channel_id=interaction.channel_id, thread_key=interaction.thread_key)
        if live.exclude(pk=interaction.pk).exclude(status__in=[S.CLOSED, S.ABANDONED]).exists():
            raise Conflict(_("This person already has an open interaction on this channel."))
        interaction.reopen()
        interaction.owner = actor
        interaction.take()
        try:
            with transaction.atomic():
                interaction.save()
        except IntegrityError as error:  # the patient wrote at the same moment
            raise Conflict(_("This person already has an open interaction on this channel.")) from error
        conclude(interaction, actor=actor, kind=TimelineKind.REOPENED, action=AuditAction.REOPENED)
        return interaction
