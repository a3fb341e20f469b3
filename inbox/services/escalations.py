"""Another team is asked to see to work: by a person, because it waited too long, or because its deadline has passed.

The work goes to that team's queue at once. Whoever takes it, or says so, acknowledges; else it goes back in time, and
both teams' leads hear of it. Nothing is in two queues, nothing in none.
"""

from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from contact_center.accounts.enums import PresenceState
from contact_center.accounts.models import Presence, User
from contact_center.audit.enums import AuditAction
from contact_center.common.errors import Conflict
from inbox import realtime
from inbox.enums import CallStatus, EscalationWhy, InteractionStatus, NotificationKind, Sharing, TimelineKind
from inbox.models import Call, Escalation, Interaction, Queue
from inbox.policies import can_assign, can_take, can_work
from inbox.selectors.distribution import handing
from inbox.selectors.hours import standing_of_queue
from inbox.selectors.team import leads_of
from inbox.services.interactions import conclude, locked, require
from inbox.services.notifications import notify

S, W = InteractionStatus, EscalationWhy
LIMIT = 200


def escalate(*, actor: User, interaction_id: int, queue: Queue, detail: str) -> Escalation:
    """Ask another team to take over, with a reason. Raises Refused without one, for its own queue, for a closed one and
    while another escalation waits for its answer."""
    with realtime.atomic():
        work = locked(interaction_id)
        require(can_assign(actor, work) or can_take(actor, work), _("You may not work on this interaction."))
        require(not work.is_done, _("This interaction is closed. Reopen it first."))
        require(bool(detail.strip()), _("Say why you are escalating it."))
        require(queue.pk != work.queue_id, _("Choose another team's queue."))
        if open_escalation(work) is not None:
            raise Conflict(_("Another team has been asked already and has not answered yet."))
        return _move(work, queue, why=W.ASKED, actor=actor, detail=detail.strip())


def open_escalation(work: Interaction) -> Escalation | None:
    """The escalation of this work that nobody has answered yet."""
    return Escalation.objects.filter(interaction=work, acknowledged_at=None, returned_at=None).first()


def _move(
    work: Interaction, queue: Queue, *, why: EscalationWhy, actor: User | None = None, detail: str = ""
) -> Escalation:
    """Put locked work into the other team's queue, owned by nobody."""
    now, before, previous = timezone.now(), work.queue, work.owner_id
    found = Escalation.objects.create(
        interaction=work,
        why=why,
        detail=detail[:240],
        from_queue=before,
        to_queue=queue,
        asked_by=actor,
        asked_at=now,
        answer_due_at=now + timedelta(seconds=handing().of(before.pk).acknowledge_seconds),
    )
    _put_into(work, queue)
    also = [realtime.queue_topic(before.pk)] + ([realtime.agent_topic(previous)] if previous else [])
    conclude(
        work,
        actor=actor,
        kind=TimelineKind.ESCALATED,
        action=AuditAction.ASSIGNED,
        also=tuple(also),
        from_queue=before,
        detail=detail or str(why),
    )
    _tell(work, queue.pk, f"escalated:{found.pk}", actor)
    return found


def _put_into(work: Interaction, queue: Queue) -> None:
    work.queue = queue
    if work.status not in (S.QUEUED, S.BOT):
        work.return_to_queue()


def _tell(work: Interaction, queue_id: int, key: str, actor: User | None = None) -> None:
    for lead in leads_of(queue_id):
        if actor is None or lead.pk != actor.pk:
            notify(user=lead, kind=NotificationKind.ESCALATED, interaction=work, actor=actor, dedupe_key=key)


def acknowledge(*, actor: User, interaction_id: int) -> Escalation:
    """Say that one's team sees to it; twice is once. Raises Conflict when it went back or was never asked."""
    with realtime.atomic():
        work = locked(interaction_id)
        require(can_work(actor, work), _("You may not work on this interaction."))
        found = _waiting(work)
        note_taken(work, actor)
        conclude(work, actor=actor, kind=TimelineKind.ACKNOWLEDGED, action=AuditAction.CHANGED)
        found.refresh_from_db()
        return found


def _waiting(work: Interaction) -> Escalation:
    found = open_escalation(work)
    if found is None:
        raise Conflict(_("Nobody waits for an answer to this any more."))
    return found


def note_taken(work: Interaction, actor: User) -> None:
    """Whoever takes escalated work acknowledges it, and who asked for it hears so; in the caller's transaction."""
    found = open_escalation(work)
    if found is None:
        return
    found.acknowledged_at, found.acknowledged_by = timezone.now(), actor
    found.save()
    notify(
        user=found.asked_by, kind=NotificationKind.ESCALATED, interaction=work, actor=actor,
        dedupe_key=f"seen:{found.pk}",
    )  # fmt: skip


def send_back(*, actor: User, interaction_id: int, why: str) -> Interaction:
    """Give escalated work back to the team it came from, with a reason; also after it was acknowledged.

    Raises Refused without a reason, Conflict where it was not escalated or went on to another queue meanwhile.
    """
    with realtime.atomic():
        work = locked(interaction_id)
        require(can_assign(actor, work) or can_take(actor, work), _("You may not work on this interaction."))
        require(not work.is_done, _("This interaction is closed. Reopen it first."))
        require(bool(why.strip()), _("Say why it goes back."))
        found = Escalation.objects.filter(interaction=work, returned_at=None, to_queue=work.queue_id).last()
        if found is None:
            raise Conflict(_("It did not come from another team."))
        _return(found, work, actor=actor, why=why.strip())
        return work


def _return(found: Escalation, work: Interaction, *, actor: User | None, why: str) -> None:
    previous, before = work.owner_id, work.queue
    found.returned_at, found.returned_by, found.returned_why = timezone.now(), actor, why[:240]
    found.save()
    _put_into(work, found.from_queue)
    also = [realtime.queue_topic(before.pk)] + ([realtime.agent_topic(previous)] if previous else [])
    conclude(
        work,
        actor=actor,
        kind=TimelineKind.SENT_BACK,
        action=AuditAction.ASSIGNED,
        also=tuple(also),
        from_queue=before,
        detail=why,
    )
    _tell(work, found.from_queue_id, f"back:{found.pk}", actor)
    notify(
        user=found.asked_by, kind=NotificationKind.ESCALATED, interaction=work, actor=actor,
        dedupe_key=f"back:{found.pk}",
    )  # fmt: skip


def overflow() -> int:
    """Hand on what waited in a queue for longer than it allows; once per episode, each in a transaction of its own.

    Callers on the line go only to a queue that is open: elsewhere nobody would answer them.
    """
    now, moved = timezone.now(), 0
    for queue_id, terms in handing().settings.items():
        if terms.overflow_queue_id is None or terms.overflow_after_seconds is None:
            continue
        since = now - timedelta(seconds=terms.overflow_after_seconds)
        stale = now - timedelta(hours=terms.stale_after_hours)
        waiting = Interaction.objects.filter(
            queue=queue_id, status=S.QUEUED, waiting_since_at__lt=since, waiting_since_at__gt=stale
        )
        if not standing_of_queue(terms.overflow_queue_id, now).is_open:
            on_the_line = Call.objects.filter(status=CallStatus.WAITING)
            waiting = waiting.exclude(pk__in=on_the_line.values("interaction_id"))
        for pk in waiting.order_by("waiting_since_at").values_list("pk", flat=True)[:LIMIT]:
            moved += _overflow_one(pk, queue_id, terms.overflow_queue_id)
    return moved


def _overflow_one(interaction_id: int, queue_id: int, to_id: int) -> bool:
    with realtime.atomic():
        rows = Interaction.objects.select_for_update(of=("self",), skip_locked=True)
        work = rows.filter(pk=interaction_id, queue=queue_id, status=S.QUEUED).first()
        if work is None or _was_asked(work):
            return False
        _move(work, Queue.objects.get(pk=to_id), why=W.OVERFLOW)
        return True


def _was_asked(work: Interaction) -> bool:
    """In this episode, from this queue: what came back once is not handed on again by itself."""
    earlier = Escalation.objects.filter(interaction=work, asked_at__gte=work.episode_started_at)
    return earlier.filter(from_queue=work.queue_id).exists() or open_escalation(work) is not None


def return_unanswered() -> int:
    """Take back what another team was asked for and nobody there acknowledged in time; returns how many."""
    late = Escalation.objects.filter(acknowledged_at=None, returned_at=None, answer_due_at__lt=timezone.now())
    return sum(_return_one(pk) for pk in late.order_by("answer_due_at").values_list("pk", flat=True)[:LIMIT])


def _return_one(escalation_id: int) -> bool:
    with realtime.atomic():
        rows = Interaction.objects.select_for_update(of=("self",), skip_locked=True)
        work = rows.filter(escalations=escalation_id).first()
        found = Escalation.objects.select_for_update().get(pk=escalation_id)
        if work is None or found.returned_at is not None or found.acknowledged_at is not None:
            return False
        if work.is_done or work.queue_id != found.to_queue_id:  # it was dealt with, or somebody moved it on
            found.returned_at, found.returned_why = timezone.now(), "moved"
            found.save()
            return False
        _return(found, work, actor=None, why=_("Nobody acknowledged it in time."))
        _tell(work, found.to_queue_id, f"unanswered:{found.pk}")
        return True


def follow_missed_deadline(work: Interaction) -> bool:
    """A deadline has passed: what belongs to somebody who is not there goes back to its queue, where work is offered;
    what nobody owns goes to the queue that is set for it. True where it moved. In the caller's transaction, with the
    row locked."""
    terms = handing().of(work.queue_id)
    if work.status == S.ACTIVE and work.owner_id is not None and terms.sharing == Sharing.PUSH:
        is_there = Presence.objects.filter(
            user=work.owner_id, user__is_active=True, state__in=[PresenceState.ONLINE, PresenceState.BUSY]
        ).exists()
        if is_there:
            return False
        left, queue = work.owner_id, work.queue
        work.return_to_queue()
        conclude(
            work,
            actor=None,
            kind=TimelineKind.RETURNED,
            action=AuditAction.ASSIGNED,
            also=(realtime.agent_topic(left),),
            from_queue=queue,
            detail=str(W.DEADLINE),
        )
        return True
    if work.owner_id is not None or work.is_done or terms.escalation_queue_id is None or _was_asked(work):
        return False
    _move(work, Queue.objects.get(pk=terms.escalation_queue_id), why=W.DEADLINE)
    return True
