"""Needs that outlive one contact: open a case, join one, let it wait, give it away, resolve it, close it."""

from datetime import date

from django.utils import timezone
from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from contact_center.common.errors import Conflict
from inbox import realtime
from inbox.enums import OPEN, CaseStatus, TimelineKind
from inbox.models import Case, Interaction
from inbox.policies import can_assign_case, can_work, can_work_case
from inbox.services.interactions import conclude, locked, new_reference, require, require_seen_by_owner, tell

UNFINISHED = (CaseStatus.OPEN, CaseStatus.WAITING)


def open_case(
    *, actor: User, interaction_id: int, title: str, next_step: str, next_step_date: date, owner: User | None = None
) -> Case:
    """Open a case from an interaction, with who does what by when; without `owner` its queue has it.

    Raises Refused without title, step or a date to come and for an owner who could not see it, and Conflict when the
    interaction has an unfinished case.
    """
    with realtime.atomic():
        interaction = _workable(actor, interaction_id)
        if interaction.case_id and _locked_case(interaction.case_id).status in UNFINISHED:
            raise Conflict(_("This conversation belongs to an open case already."))
        require(bool(title.strip()), _("Say what the case is about."))
        _require_step(next_step, next_step_date)
        case = Case.objects.create(
            reference=new_reference("K"),
            patient=interaction.patient,
            title=title.strip()[:160],
            reason=interaction.reason,
            priority=interaction.priority,
            owner=owner,
            queue=interaction.queue,
            next_step=next_step.strip()[:240],
            next_step_date=next_step_date,
        )
        _record(case, actor, AuditAction.CREATED)
        _tie(interaction, case, actor, TimelineKind.CASE_OPENED)
        require_seen_by_owner(case)
        return case


def join_case(*, actor: User, interaction_id: int, case_id: int) -> Case:
    """Say that an interaction belongs to a case of the same patient.

    Raises Refused when the patient is another one or unknown, and Conflict when the case is resolved meanwhile.
    """
    with realtime.atomic():
        interaction = _workable(actor, interaction_id)
        case = _locked_case(case_id)
        is_same = interaction.patient_id is not None and case.patient_id == interaction.patient_id
        require(is_same, _("This case belongs to another patient."))
        if case.status not in UNFINISHED:
            raise Conflict(_("This case is resolved. Open it again or open a new one."))
        if interaction.case_id != case.pk:
            _tie(interaction, case, actor, TimelineKind.CASE_JOINED)
        return case


def resolve_case(*, actor: User, interaction_id: int | None = None, case_id: int | None = None) -> Case:
    """The need is met. The case is named itself, or by an interaction of it, whose timeline then says so.

    Raises Refused when there is no unfinished case.
    """
    with realtime.atomic():
        interaction, case = _case_of(actor, interaction_id, case_id)
        require(case.status in UNFINISHED, _("This case is resolved already."))
        case.resolve()
        _store(case, interaction, actor, AuditAction.CLOSED, TimelineKind.CASE_RESOLVED)
        return case


def close_case(*, actor: User, interaction_id: int | None = None, case_id: int | None = None) -> Case:
    """Nothing more is expected of a resolved case. Raises Refused for one that is not resolved."""
    with realtime.atomic():
        interaction, case = _case_of(actor, interaction_id, case_id)
        require(case.status == CaseStatus.RESOLVED, _("Resolve the case first."))
        case.close()
        _store(case, interaction, actor, AuditAction.CLOSED)
        return case


def wait_on_case(*, actor: User, interaction_id: int | None = None, case_id: int | None = None) -> Case:
    """Somebody else has to act first; the next step and its date stay. Raises Refused unless it is open."""
    with realtime.atomic():
        interaction, case = _case_of(actor, interaction_id, case_id)
        require(case.status == CaseStatus.OPEN, _("Only an open case can wait."))
        case.wait()
        _store(case, interaction, actor, AuditAction.CHANGED)
        return case


def resume_case(*, actor: User, interaction_id: int | None = None, case_id: int | None = None) -> Case:
    """It need not wait any longer. Raises Refused unless it waits."""
    with realtime.atomic():
        interaction, case = _case_of(actor, interaction_id, case_id)
        require(case.status == CaseStatus.WAITING, _("This case does not wait."))
        case.reopen()
        _store(case, interaction, actor, AuditAction.CHANGED)
        return case


def assign_case(
    *, actor: User, owner: User | None, interaction_id: int | None = None, case_id: int | None = None
) -> Case:
    """Make `owner` responsible for an unfinished case; None leaves it to its queue.

    Raises Refused for a case that is over, without a queue to leave it to, for an actor who may not give it away, and
    for an owner who could not see it.
    """
    with realtime.atomic():
        interaction, case = _case_of(actor, interaction_id, case_id)
        require(case.status in UNFINISHED, _("This case is resolved already."))
        require(can_assign_case(actor, case, owner), _("Only its owner or a supervisor may give this case away."))
        require(owner is not None or case.queue_id is not None, _("Choose who is responsible for it."))
        also = [realtime.agent_topic(pk) for pk in (case.owner_id, owner.pk if owner else None) if pk]
        case.owner = owner
        _store(case, interaction, actor, AuditAction.ASSIGNED, also=also)
        require_seen_by_owner(case)
        return case


def reopen_case(
    *,
    actor: User,
    next_step: str,
    next_step_date: date,
    owner: User | None = None,
    interaction_id: int | None = None,
    case_id: int | None = None,
) -> Case:
    """There is work again, with its next step. Raises Refused without one, for a case that is not resolved and for an
    owner who could not see it."""
    with realtime.atomic():
        interaction, case = _case_of(actor, interaction_id, case_id)
        require(case.status not in UNFINISHED, _("This case is open already."))
        _require_step(next_step, next_step_date)
        case.reopen()
        case.next_step, case.next_step_date = next_step.strip()[:240], next_step_date
        case.owner = owner
        case.queue = interaction.queue if interaction else case.queue
        require(case.owner is not None or case.queue is not None, _("Choose who is responsible for it."))
        _store(case, interaction, actor, AuditAction.REOPENED)
        require_seen_by_owner(case)
        return case


def _workable(actor: User, interaction_id: int) -> Interaction:
    interaction = locked(interaction_id)
    require(can_work(actor, interaction), _("You may not work on this interaction."))
    return interaction


def _locked_case(case_id: int) -> Case:
    return Case.objects.select_for_update(of=("self",)).get(pk=case_id)


def _case_of(actor: User, interaction_id: int | None, case_id: int | None) -> tuple[Interaction | None, Case]:
    """Both locked, the interaction first; without one the case that is named. Raises Refused when they do not fit."""
    if interaction_id is None:
        assert case_id is not None
        case = _locked_case(case_id)
        require(can_work_case(actor, case), _("You may not work on this case."))
        return None, case
    interaction = _workable(actor, interaction_id)
    is_known = interaction.case_id is not None and case_id in (None, interaction.case_id)
    require(is_known, _("This conversation belongs to no case."))
    assert interaction.case_id is not None
    return interaction, _locked_case(interaction.case_id)


def _store(
    case: Case,
    interaction: Interaction | None,
    actor: User,
    action: AuditAction,
    kind: TimelineKind | None = None,
    also: list[str] | None = None,
) -> None:
    """Save and record it, and tell the conversations that show it."""
    case.save()
    _record(case, actor, action)
    if interaction is not None and kind is not None:
        conclude(interaction, actor=actor, kind=kind, action=AuditAction.CHANGED, detail=case.reference)
    for row in [interaction] if interaction else case.interactions.filter(status__in=OPEN):
        tell(row, *(also or ()))


def _require_step(next_step: str, next_step_date: date) -> None:
    require(bool(next_step.strip()), _("Say what happens next."))
    require(next_step_date >= timezone.localdate(), _("The date of the next step has passed."))


def _tie(interaction: Interaction, case: Case, actor: User, kind: TimelineKind) -> None:
    interaction.case = case
    conclude(interaction, actor=actor, kind=kind, action=AuditAction.CHANGED, detail=case.reference)


def _record(case: Case, actor: User, action: AuditAction) -> None:
    record(actor=actor, action=action, object_type="case", object_id=case.pk, patient_id=case.patient_id)
