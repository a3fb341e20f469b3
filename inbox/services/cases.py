"""Needs that outlive one contact: open a case, join one, resolve it, close it."""

from datetime import date

from django.utils import timezone
from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from contact_center.common.errors import Conflict
from inbox import realtime
from inbox.enums import CaseStatus, TimelineKind
from inbox.models import Case, Interaction
from inbox.policies import can_work
from inbox.services.interactions import conclude, locked, new_reference, require, tell

UNFINISHED = (CaseStatus.OPEN, CaseStatus.WAITING)


def open_case(
    *, actor: User, interaction_id: int, title: str, next_step: str, next_step_date: date, owner: User | None = None
) -> Case:
    """Open a case from an interaction, with who does what by when; without `owner` its queue has it.

    Raises Refused without title, step or a date to come, and Conflict when the interaction has an unfinished case.
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


def resolve_case(*, actor: User, interaction_id: int) -> Case:
    """The need behind an interaction is met. Raises Refused when there is no unfinished case."""
    with realtime.atomic():
        interaction, case = _case_of(actor, interaction_id)
        require(case.status in UNFINISHED, _("This case is resolved already."))
        case.resolve()
        case.save()
        _record(case, actor, AuditAction.CLOSED)
        kind = TimelineKind.CASE_RESOLVED
        conclude(interaction, actor=actor, kind=kind, action=AuditAction.CHANGED, detail=case.reference)
        return case


def close_case(*, actor: User, interaction_id: int) -> Case:
    """Nothing more is expected of a resolved case. Raises Refused for one that is not resolved."""
    with realtime.atomic():
        interaction, case = _case_of(actor, interaction_id)
        require(case.status == CaseStatus.RESOLVED, _("Resolve the case first."))
        case.close()
        case.save()
        _record(case, actor, AuditAction.CLOSED)
        tell(interaction)
        return case


def reopen_case(
    *, actor: User, interaction_id: int, next_step: str, next_step_date: date, owner: User | None = None
) -> Case:
    """There is work again, with its next step. Raises Refused without one and for a case that is not resolved."""
    with realtime.atomic():
        interaction, case = _case_of(actor, interaction_id)
        require(case.status not in UNFINISHED, _("This case is open already."))
        _require_step(next_step, next_step_date)
        case.reopen()
        case.next_step, case.next_step_date = next_step.strip()[:240], next_step_date
        case.owner, case.queue = owner, interaction.queue
        case.save()
        _record(case, actor, AuditAction.REOPENED)
        tell(interaction)
        return case


def _workable(actor: User, interaction_id: int) -> Interaction:
    interaction = locked(interaction_id)
    require(can_work(actor, interaction), _("You may not work on this interaction."))
    return interaction


def _locked_case(case_id: int) -> Case:
    return Case.objects.select_for_update(of=("self",)).get(pk=case_id)


def _case_of(actor: User, interaction_id: int) -> tuple[Interaction, Case]:
    interaction = _workable(actor, interaction_id)
    require(interaction.case_id is not None, _("This conversation belongs to no case."))
    assert interaction.case_id is not None
    return interaction, _locked_case(interaction.case_id)


def _require_step(next_step: str, next_step_date: date) -> None:
    require(bool(next_step.strip()), _("Say what happens next."))
    require(next_step_date >= timezone.localdate(), _("The date of the next step has passed."))


def _tie(interaction: Interaction, case: Case, actor: User, kind: TimelineKind) -> None:
    interaction.case = case
    conclude(interaction, actor=actor, kind=kind, action=AuditAction.CHANGED, detail=case.reference)


def _record(case: Case, actor: User, action: AuditAction) -> None:
    record(actor=actor, action=action, object_type="case", object_id=case.pk, patient_id=case.patient_id)
