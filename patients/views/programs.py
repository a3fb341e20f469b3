"""Which programs there are and what their steps are: for those who configure."""

from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from contact_center.accounts.requests import person_of, sent_once
from contact_center.common.answers import tell_errors
from patients import policies
from patients.models import CareProgram
from patients.record_forms import ProgramForm
from patients.services.programs import save_program
from patients.views.answers import back_to


def _require_right(request: HttpRequest) -> None:
    if not policies.can_configure_programs(person_of(request)):
        raise PermissionDenied


@require_safe
def program_list(request: HttpRequest) -> HttpResponse:
    """All programs, how many steps they have and how many patients are in them."""
    _require_right(request)
    active = Count("enrolments", filter=Q(enrolments__status="active"), distinct=True)
    rows = CareProgram.objects.annotate(step_count=Count("steps", distinct=True), active_count=active)
    return render(request, "patients/program_list.html", {"rows": rows, "section": "programs"})


@require_http_methods(["GET", "HEAD", "POST"])
def program(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """A new program, or another form of one."""
    _require_right(request)
    row = CareProgram.objects.filter(pk=pk).first() if pk else None
    if pk and row is None:
        raise Http404
    initial = {}
    if row is not None:
        lines = "\n".join(f"{step.title} | {step.days}" for step in row.steps.all())
        initial = {"name": row.name, "description": row.description, "steps": lines, "is_active": row.is_active}
    form = ProgramForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_bound and form.is_valid():
        try:
            sent_once(
                request,
                lambda: save_program(actor=person_of(request), program_id=pk, **form.cleaned_data),
            )
            return back_to(request, _("Saved."), "patients:programs")
        except ValidationError as error:
            tell_errors(form, error)
    context = {"form": form, "row": row, "section": "programs"}
    return render(request, "patients/program_form.html", context, status=422 if form.is_bound else 200)
