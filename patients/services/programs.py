"""Programs of care: what their steps are, who is in one, and which step is next."""

from datetime import date, timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.common.errors import Conflict, Refused
from patients import policies
from patients.enums import EnrolmentStatus
from patients.models import CareProgram, ProgramEnrolment, ProgramStep, StepCompletion
from patients.services.care import clean, conclude
from patients.services.locking import lock_patient, lock_row, record_change

MOST_STEPS, MOST_DAYS = 40, 1500


@transaction.atomic
def save_program(
    *,
    actor: User,
    name: str,
    steps: list[tuple[str, int]],
    description: str = "",
    is_active: bool = True,
    program_id: int | None = None,
) -> CareProgram:
    """A program with its steps: title, and days after the step before it.

    Steps keep their place: those that somebody has done or has before them can be renamed, not taken away. Raises
    ValidationError (by field), PermissionDenied, CareProgram.DoesNotExist.
    """
    if not policies.can_configure_programs(actor):
        raise PermissionDenied
    are_right = all(title.strip() and 0 <= days <= MOST_DAYS for title, days in steps)
    if not 0 < len(steps) <= MOST_STEPS or not are_right:
        raise ValidationError({"steps": _("Write one step per line: what is done, and after how many days.")})
    program = CareProgram.objects.select_for_update().get(pk=program_id) if program_id else CareProgram()
    action = AuditAction.CHANGED if program_id else AuditAction.CREATED
    program.name, program.description, program.is_active = name, description, is_active
    clean(program, set())
    try:
        with transaction.atomic():
            program.save()
    except IntegrityError:
        raise ValidationError({"name": _("There is a program of this name already.")}) from None
    _write_steps(program, steps)
    record_change(actor, action, program, None, steps=len(steps), is_active=is_active)
    return program


def _write_steps(program: CareProgram, steps: list[tuple[str, int]]) -> None:
    known = {step.position: step for step in program.steps.select_for_update()}
    for position, (title, days) in enumerate(steps, start=1):
        ProgramStep.objects.update_or_create(
            program=program, position=position, defaults={"title": title.strip()[:160], "days": days}
        )
    gone = [step.pk for position, step in known.items() if position > len(steps)]
    is_used = ProgramEnrolment.objects.filter(step__in=gone).exists()
    if is_used or StepCompletion.objects.filter(step__in=gone).exists():
        raise ValidationError({"steps": _("A step that somebody has done or has before them cannot be taken away.")})
    ProgramStep.objects.filter(pk__in=gone).delete()


@transaction.atomic
def enrol(*, actor: User, patient_id: int, program: CareProgram, owner: User | None = None) -> ProgramEnrolment:
    """Begin a program with its first step. Raises Refused when the patient is in it, the program is out of use or has
    no steps, PermissionDenied, Patient.DoesNotExist."""
    patient = lock_patient(actor, patient_id)
    first = program.steps.first()
    if not program.is_active or first is None:
        raise Refused(_("This program is not in use."))
    if patient.enrolments.filter(program=program, status=EnrolmentStatus.ACTIVE).exists():
        raise Refused(_("The patient is in this program already."))
    due = timezone.localdate() + timedelta(days=first.days)
    enrolment = ProgramEnrolment(patient=patient, program=program, step=first, step_due_date=due, owner=owner or actor)
    enrolment.save()
    conclude(actor, AuditAction.CREATED, enrolment, patient, program=program.pk, step=first.pk)
    return enrolment


@transaction.atomic
def advance(*, actor: User, enrolment_id: int, step_id: int, note: str = "") -> ProgramEnrolment:
    """The step `step_id` is done; the next one is due, and after the last the program is completed.

    Raises Conflict when another step is the present one by now, Refused when the program is over, PermissionDenied,
    ProgramEnrolment.DoesNotExist.
    """
    enrolment = _active(actor, enrolment_id)
    if enrolment.step_id != step_id:
        raise Conflict(_("Somebody has moved this program on meanwhile. Look at the step that is next now."))
    done = enrolment.step
    assert done is not None
    StepCompletion.objects.create(enrolment=enrolment, step=done, done_by=actor, note=note.strip()[:240])
    following = ProgramStep.objects.filter(program_id=enrolment.program_id, position__gt=done.position).first()
    if following is None:
        enrolment.complete()
    else:
        enrolment.step = following
        enrolment.step_due_date = timezone.localdate() + timedelta(days=following.days)
    enrolment.save()
    conclude(actor, AuditAction.CHANGED, enrolment, enrolment.patient, step=done.pk, status=enrolment.status)
    return enrolment


@transaction.atomic
def change_enrolment(*, actor: User, enrolment_id: int, owner: User | None, step_due_date: date) -> ProgramEnrolment:
    """Another owner or another day for the present step. Raises Refused when the program is over, PermissionDenied,
    ProgramEnrolment.DoesNotExist."""
    enrolment = _active(actor, enrolment_id)
    enrolment.owner, enrolment.step_due_date = owner, step_due_date
    enrolment.save()
    conclude(actor, AuditAction.CHANGED, enrolment, enrolment.patient, fields=["owner", "step_due_date"])
    return enrolment


@transaction.atomic
def leave(*, actor: User, enrolment_id: int, why: str) -> ProgramEnrolment:
    """The patient does not go on with it. Raises ValidationError at `why`, Refused when the program is over,
    PermissionDenied, ProgramEnrolment.DoesNotExist."""
    if not why.strip():
        raise ValidationError({"why": _("Say why the patient leaves the program.")})
    enrolment = _active(actor, enrolment_id)
    enrolment.leave(why.strip()[:240])
    enrolment.save()
    conclude(actor, AuditAction.CLOSED, enrolment, enrolment.patient)
    return enrolment


def _active(actor: User, enrolment_id: int) -> ProgramEnrolment:
    enrolment = lock_row(ProgramEnrolment, actor, enrolment_id)
    if enrolment.status != EnrolmentStatus.ACTIVE:
        raise Refused(_("This program is over for the patient."))
    return enrolment
