"""Reading what must be known of a patient and what is expected."""

from django.db.models import QuerySet
from django.utils import timezone

from contact_center.accounts.models import User
from contact_center.common.prepared import Given, give, planned, prepared
from contact_center.common.request_memory import remembered
from patients.enums import CoverageStatus, EnrolmentStatus, PendingStatus
from patients.models import (
    Alert,
    CareProgram,
    Coverage,
    LifeEvent,
    Patient,
    PendingResult,
    ProgramEnrolment,
    ProgramStep,
    StepCompletion,
)
from patients.selectors.people import patients_visible_to

SEVERITIES = {"danger": 0, "warning": 1, "info": 2}
OPEN_PENDING = (PendingStatus.WAITING, PendingStatus.ARRIVED)


def alerts_of(patient: Patient) -> list[Alert]:
    """Alerts that hold today, the most serious first."""
    found = _alerts().ask(patient.pk, timezone.localdate())
    return sorted(found, key=lambda alert: (SEVERITIES[alert.severity], -alert.pk))


@planned
def _alerts() -> QuerySet[Alert]:
    """Of the patient 0 on the day 1. Every conversation asks this."""
    found = Alert.objects.filter(patient=Given(0)).valid_on(Given(1))  # type: ignore[arg-type, misc]
    return found.select_related("created_by").order_by()


def enrolments_of(patient: Patient) -> list[ProgramEnrolment]:
    """Programs the patient is in, with steps and what is done; the one whose step is due first on top."""
    return remembered(("enrolments", patient.pk), lambda: _with_steps(_enrolments().ask(patient.pk)))


def _with_steps(rows: list[ProgramEnrolment]) -> list[ProgramEnrolment]:
    give({row.pk: row for row in rows}, "completions", "enrolment_id", _completions())
    programs = {row.program_id: row.program for row in rows}
    give(programs, "steps", "program_id", _steps())
    for row in rows:
        row.program = programs[row.program_id]
    return rows


@prepared
def _enrolments() -> QuerySet[ProgramEnrolment]:
    """Of the patient 0."""
    found = ProgramEnrolment.objects.filter(patient=Given(0), status=EnrolmentStatus.ACTIVE)
    return found.select_related("program", "step", "owner").order_by("step_due_date", "pk")


@prepared
def _completions() -> QuerySet[StepCompletion]:
    """Of the enrolments 0."""
    return StepCompletion.objects.filter(enrolment_id__any_of=Given(0)).order_by("done_at", "pk")


@prepared
def _steps() -> QuerySet[ProgramStep]:
    """Of the programs 0."""
    return ProgramStep.objects.filter(program_id__any_of=Given(0)).order_by("position")


def path_of(enrolment: ProgramEnrolment) -> list[dict[str, object]]:
    """The steps of a program as a way: each with its title, `state` (done, current, ahead) and day where known."""
    done = {row.step_id: row for row in enrolment.completions.all()}
    path: list[dict[str, object]] = []
    for step in enrolment.program.steps.all():
        row = done.get(step.pk)
        state = "done" if row else "current" if step.pk == enrolment.step_id else "ahead"
        day = timezone.localdate(row.done_at) if row else enrolment.step_due_date if state == "current" else None
        is_late = state == "current" and day is not None and day < timezone.localdate()
        path.append({"title": step.title, "state": state, "day": day, "is_late": is_late})
    return path


def pending_of(patient: Patient) -> list[PendingResult]:
    """Results and authorisations that are not over, the earliest expected first."""
    return remembered(("pending", patient.pk), lambda: _pending().ask(patient.pk))


@prepared
def _pending() -> QuerySet[PendingResult]:
    """Of the patient 0."""
    found = PendingResult.objects.filter(patient=Given(0), status__in=OPEN_PENDING)
    return found.select_related("owner").order_by("expected_date", "pk")


def coverages_of(patient: Patient) -> list[Coverage]:
    """Coverage that holds or will, then what is over, newest first; errors left out."""
    return sorted(_coverages().ask(patient.pk), key=lambda row: (row.status != CoverageStatus.ACTIVE, -row.pk))


@prepared
def _coverages() -> QuerySet[Coverage]:
    """Of the patient 0."""
    return Coverage.objects.filter(patient=Given(0)).exclude(status=CoverageStatus.ENTERED_IN_ERROR).order_by()


def life_events_of(patient: Patient) -> list[LifeEvent]:
    """The last 20 things worth remembering."""
    return _life_events().ask(patient.pk)


@prepared
def _life_events() -> QuerySet[LifeEvent]:
    """Of the patient 0."""
    return LifeEvent.objects.filter(patient=Given(0)).order_by("-happened_date", "-pk")[:20]


def programs_in_use(patient: Patient | None = None) -> QuerySet[CareProgram]:
    """Programs with steps that a patient can begin, without those they are in."""
    found = CareProgram.objects.filter(is_active=True, steps__isnull=False).distinct()
    if patient is not None:
        found = found.exclude(enrolments__in=patient.enrolments.filter(status=EnrolmentStatus.ACTIVE))
    return found


def get_row_for(user: User, model: type, pk: int):  # type: ignore[no-untyped-def]
    """One row of a record that this person may open, with its patient. Raises `model.DoesNotExist`."""
    visible = patients_visible_to(user).values("pk")
    return model.objects.select_related("patient").get(pk=pk, patient__in=visible)  # type: ignore[attr-defined]
