"""What supervisors do from the live board: somebody's state, somebody's work, work that is stuck.

Each change has a reason of a fixed list, stands in the audit trail, and is told to the person it concerns.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.utils import timezone
from django.utils.translation import gettext as _

from contact_center.accounts.enums import Action, AutomaticAway, PresenceState
from contact_center.accounts.models import Presence, User
from contact_center.accounts.policies import can
from contact_center.accounts.services import set_presence
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from contact_center.common.errors import Conflict, Refused
from contact_center.common.wake import wake_on_commit
from inbox import realtime
from inbox.enums import TALKING, CallParty, InteractionStatus, NotificationKind, SupervisionReason
from inbox.models import Call, Disposition, Interaction, Reason
from inbox.services import interactions as desk
from inbox.services.call_offers import WATCH_QUEUE, WATCH_TASK
from inbox.services.call_rows import locked_call, show
from inbox.services.callbacks import follow_call
from inbox.services.calls import end_call, let_go
from inbox.services.notifications import notify

MOST = 50


@dataclass(slots=True)
class Done:
    """Ids of what was done, and of what was refused with the sentence why."""

    done: list[int] = field(default_factory=list)
    refused: list[tuple[int, str]] = field(default_factory=list)


def change_state(*, actor: User, user_id: int, state: str, reason: str) -> Presence:
    """Say what somebody does now. Raises Refused without the right or a known reason, for an unknown state and for
    people who are signed out or gone, DoesNotExist.

    Nothing is offered to whoever is set away, and when their pages are dead too, their work goes back in time
    (`availability.watch_people`).
    """
    _require(actor, reason)
    if state not in (PresenceState.ONLINE, PresenceState.BUSY, PresenceState.AWAY):
        raise Refused(_("Choose a state."))
    with realtime.atomic():
        person = User.objects.get(pk=user_id, is_active=True, is_service_account=False)
        before = Presence.objects.select_for_update().filter(user=person).first()
        if before is None or before.state == PresenceState.OFFLINE:
            raise Refused(_("%(name)s is not signed in.") % {"name": person})
        was = before.state
        presence = set_presence(
            user=person, state=state, reason=AutomaticAway.SUPERVISOR if state == PresenceState.AWAY else ""
        )
        record(
            actor=actor, action=AuditAction.CHANGED, object_type="presence", object_id=person.pk,
            before=was, after=state, reason=reason,
        )  # fmt: skip
        _tell(person, actor, reason)
        return presence


def hand_over(*, actor: User, user_id: int, ids: Iterable[int], to: User | None, reason: str) -> Done:
    """Give work of somebody to a colleague, or back to its queues (`to` None); each in a transaction of its own.

    What is not theirs any more, and what the colleague may not serve, is refused by itself. A live call moves with
    its caller only by a transfer. Raises Refused without the right, a known reason, or anything chosen.
    """
    _require(actor, reason)
    wanted = list(dict.fromkeys(ids))[:MOST]
    if not wanted:
        raise Refused(_("Nothing is selected."))
    result = Done()
    for pk in wanted:
        try:
            _hand_over_one(actor, user_id, pk, to, reason)
            result.done.append(pk)
        except Refused as error:
            result.refused.append((pk, str(error)))
    return result


def _hand_over_one(actor: User, user_id: int, interaction_id: int, to: User | None, reason: str) -> None:
    with realtime.atomic():
        work = _theirs(interaction_id, user_id)
        if Call.objects.filter(interaction=work, status__in=TALKING).exists():
            raise Refused(_("They are talking to this caller. End the call or let them transfer it."))
        previous, why = work.owner, str(SupervisionReason(reason).label)
        if to is None:
            desk.return_to_queue(actor=actor, interaction_id=work.pk, why=why)
        else:
            desk.assign(actor=actor, interaction_id=work.pk, assignee=to, why=why)
        _note(actor, work, "handed_over", reason)
        _tell(previous, actor, reason, work)


def complete_stuck(
    *,
    actor: User,
    user_id: int,
    interaction_id: int,
    disposition: Disposition,
    reason: str,
    about: Reason | None = None,
) -> Interaction:
    """End somebody's call or wrap-up that hangs and close the conversation as resolved; `about` where it has no reason.

    A call that the telephone service does not end is over on record all the same. Raises Refused without the right or a
    known reason, for an outcome that needs a next step, without any reason for the contact, and for what is neither a
    call nor in wrap-up; Conflict when it is not theirs any more, DoesNotExist.

    What its agent cannot open any more is ended and waits in its queue for somebody who can: nobody closes it for them.
    """
    _require(actor, reason)
    if not disposition.is_resolved:
        raise Refused(_("This outcome needs a next step. Wrap it up in the conversation."))
    with realtime.atomic():
        talking = Call.objects.filter(interaction=interaction_id, status__in=TALKING).first()
        call = locked_call(talking.pk) if talking else None  # calls before conversations, as everywhere
        work = _theirs(interaction_id, user_id)
        contact_reason, previous = about or work.reason, work.owner
        if call is not None and call.status in TALKING:
            _end(call, work)
            if work.owner_id is None:
                _note(actor, work, "ended", reason)
                _tell(previous, actor, reason, work)
                return work
        elif work.status != InteractionStatus.WRAP_UP:
            raise Refused(_("Only a call or a wrap-up can be stuck. Give other work to somebody else."))
        if contact_reason is None:
            raise Refused(_("Say what it was about."))
        label = str(SupervisionReason(reason).label)
        work = desk.close(
            actor=actor, interaction_id=interaction_id, reason=contact_reason, disposition=disposition, outcome=label
        )
        _note(actor, work, "completed", reason)
        _tell(previous, actor, reason, work)
        return work


def _end(call: Call, work: Interaction) -> None:
    """The call is over on record; its legs are hung up after commit, whatever the telephone service answers."""
    now = timezone.now()
    let_go(dict.fromkeys([call.external_id, *call.legs.filter(left_at=None).values_list("external_id", flat=True)]))
    call.ended_by = CallParty.SYSTEM
    end_call(call, work, now)
    follow_call(call, work, now)
    call.save()
    desk.clocks.settle(work)
    work.save()
    show(call, work)
    wake_on_commit(WATCH_TASK, WATCH_QUEUE)


def _theirs(interaction_id: int, user_id: int) -> Interaction:
    """The work, locked. Raises Conflict when it is not the person's any more, DoesNotExist."""
    work = desk.locked(interaction_id)
    if work.owner_id != user_id or work.is_done:
        raise Conflict(_("This is not theirs any more."))
    return work


def _require(actor: User, reason: str) -> None:
    if not can(actor, Action.ASSIGN_OTHERS):
        raise Refused(_("Only supervisors do this."))
    if reason not in SupervisionReason.values:
        raise Refused(_("Say why."))


def _note(actor: User, work: Interaction, what: str, reason: str) -> None:
    record(
        actor=actor, action=AuditAction.CHANGED, object_type="interaction", object_id=work.pk,
        patient_id=work.patient_id, to=what, reason=reason,
    )  # fmt: skip


def _tell(person: User | None, actor: User, reason: str, work: Interaction | None = None) -> None:
    key = f"supervised:{work.pk if work else 0}:{timezone.now().timestamp():.6f}"
    notify(
        user=person, kind=NotificationKind.SUPERVISED, interaction=work, actor=actor, dedupe_key=key, reason=reason,
        is_duty=person is not None and person.pk != actor.pk,
    )  # fmt: skip
