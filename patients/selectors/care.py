"""Reading what must be known of a patient and what is expected."""

from django.db.models import Prefetch, QuerySet
from django.utils import timezone

from contact_center.accounts.models import User
from contact_center.common.prepared import Given, prepared
from patients.enums import CoverageStatus, EnrolmentStatus, PendingStatus
from patients.models import (
    Alert,
    CareProgram,
    Coverage,
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


@prepared
def _alerts() -> QuerySet[Alert]:
    """Of the patient 0 on the day 1. Every conversation asks this."""
    found = Alert.objects.filter(patient=Given(0)).valid_on(Given(1))  # type: ignore[arg-type, misc]
    return found.select_related("created_by").order_by()


def enrolments_of(patient: Patient) -> list[ProgramEnrolment]:
    """Programs the patient is in, with steps and what is done; the one whose step is due first on top."""
    steps = Prefetch("program__steps", queryset=ProgramStep.objects.order_by("position"))
    done = Prefetch("completions", queryset=StepCompletion.objects.select_related("done_by"))
    found = patient.enrolments.filter(status=EnrolmentStatus.ACTIVE).select_related("program", "step", "owner")
    return list(found.prefetch_related(steps, done).order_by("step_due_date", "pk"))


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
    found = patient.pending_results.filter(status__in=OPEN_PENDING).select_related("owner")
    return list(found.order_by("expected_date", "pk"))


def coverages_of(patient: Patient) -> list[Coverage]:
    """Coverage that holds or will, then what is over, newest first; errors left out."""
    found = patient.coverages.exclude(status=CoverageStatus.ENTERED_IN_ERROR)
    return sorted(found, key=lambda row: (row.status != CoverageStatus.ACTIVE, -row.pk))


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
