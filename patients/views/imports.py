"""Taking in a file of patients: choose it, say what its columns hold, look at the dry run, let it be written."""

import csv
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from contact_center.accounts.models import User
from contact_center.accounts.requests import person_of
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from contact_center.common.errors import Refused
from contact_center.jobs import services as jobs
from contact_center.jobs.selectors import troubles_of
from contact_center.jobs.worker import harmless
from patients.enums import ImportStatus
from patients.importing_forms import ColumnsForm, RunForm, UploadForm
from patients.models import PatientImport
from patients.policies import can_import_patients
from patients.selectors.imports import (
    alike_rows,
    counts_of,
    get_import_for,
    imports_visible_to,
    report_of,
    samples_of,
    wrong_rows,
)
from patients.services import importing
from patients.services.traces import note_shown
from patients.views.lists import go, page_of

S = ImportStatus


def _require(request: HttpRequest) -> User:
    user = person_of(request)
    if not can_import_patients(user):
        raise PermissionDenied
    return user


def _find(user: User, pk: int) -> PatientImport:
    try:
        return get_import_for(user, pk)
    except PatientImport.DoesNotExist:
        raise Http404 from None


@require_http_methods(["GET", "HEAD", "POST"])
def import_list(request: HttpRequest) -> HttpResponse:
    """One's own imports, and a new one."""
    user = _require(request)
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data["file"]
        try:
            return redirect("patients:import", importing.upload(actor=user, name=given.name, file=given).pk)
        except Refused as error:
            form.add_error("file", str(error))
    context = {"page": page_of(request, imports_visible_to(user)), "form": form, "section": "imports"}
    return render(request, "patients/import_list.html", context, status=422 if form.errors else 200)


@require_safe
def import_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Where an import is: columns to choose, progress, what the dry run found, what became of the rows."""
    user = _require(request)
    _find(user, pk)
    importing.settle(pk)
    return _show(request, user, _find(user, pk))


def _show(
    request: HttpRequest,
    user: User,
    row: PatientImport,
    *,
    columns: ColumnsForm | None = None,
    run: RunForm | None = None,
) -> HttpResponse:
    job = row.check_job if row.status in (S.CHECKING, S.UPLOADED) else row.job
    context: dict[str, Any] = {"row": row, "section": "imports", "job": job}
    if row.status in (S.CHECKING, S.RUNNING):
        context |= {"can_stop": job is not None and not job.is_over and not job.is_stop_wanted}
    elif row.status == S.UPLOADED or columns is not None:
        context |= _columns(user, row, columns)
    if row.status not in (S.UPLOADED, S.CHECKING):
        context |= _result(user, row, run)
    is_wrong = bool((columns and columns.errors) or (run and run.errors))
    is_piece = request.headers.get("HX-Target", "").endswith("#import")
    name = "patients/_import.html" if is_piece else "patients/import_page.html"
    return render(request, name, context, status=422 if is_wrong else 200)


def _columns(user: User, row: PatientImport, form: ColumnsForm | None) -> dict[str, Any]:
    given = {f"column_{place}": name for place, name in enumerate(row.columns)} | row.settings
    form = form or ColumnsForm(initial=given, header=row.header)
    job = row.check_job
    return {
        "form": form,
        "columns": list(
            zip(form.column_fields(), samples_of(row) if row.file else [[]] * len(row.header), strict=False)
        ),
        "troubles": [trouble.why for trouble in troubles_of(user, job)] if job and job.is_over else [],
    }


def _result(user: User, row: PatientImport, form: RunForm | None) -> dict[str, Any]:
    counts, alike = counts_of(row), alike_rows(user, row)
    note_shown(actor=user, patient_ids=[one.like_id for one in alike if one.like_id], what="import")
    may_run = row.status in (S.CHECKED, S.STOPPED) and counts["states"]["ready"]
    return {
        "counts": counts,
        "wrong": wrong_rows(row),
        "alike": alike,
        "run_form": (form or RunForm(initial=row.settings)) if may_run else None,
    }


@require_http_methods(["GET", "HEAD", "POST"])
def columns(request: HttpRequest, pk: int) -> HttpResponse:
    """What the columns hold; a POST starts the dry run."""
    user = _require(request)
    row = _find(user, pk)
    if row.status not in (S.UPLOADED, S.CHECKED):
        return redirect("patients:import", pk)
    if request.method != "POST":
        return _show(request, user, row, columns=ColumnsForm(initial=_initial(row), header=row.header))
    form = ColumnsForm(request.POST, header=row.header)
    if form.is_valid():
        settings = row.settings | {name: form.cleaned_data[name] for name in ("dates", "identifier_system")}
        try:
            importing.check(actor=user, import_id=pk, columns=form.columns(), settings=settings)
            return redirect("patients:import", pk)
        except Refused as error:
            form.add_error(None, str(error))
    return _show(request, user, row, columns=form)


def _initial(row: PatientImport) -> dict[str, str]:
    return {f"column_{place}": name for place, name in enumerate(row.columns)} | row.settings


@require_POST
def run(request: HttpRequest, pk: int) -> HttpResponse:
    """Write the rows without errors, in the background."""
    user = _require(request)
    row = _find(user, pk)
    form = RunForm(request.POST)
    if form.is_valid():
        try:
            importing.run(actor=user, import_id=pk, **form.cleaned_data)
            return redirect("patients:import", pk)
        except Refused as error:
            return go(request, str(error), "patients:import", pk, is_error=True)
    return _show(request, user, row, run=form)


@require_POST
def stop(request: HttpRequest, pk: int) -> HttpResponse:
    """Stop what is under way; what was taken in stays."""
    user = _require(request)
    row = _find(user, pk)
    job = row.check_job if row.status == S.CHECKING else row.job
    try:
        if job is None:
            raise Http404
        jobs.stop(actor=user, job_id=job.pk)
    except Refused as error:
        return go(request, str(error), "patients:import", pk, is_error=True)
    importing.settle(pk)
    return go(request, _("It stops after the rows it is at."), "patients:import", pk)


class _Echo:
    def write(self, text: str) -> str:
        return text


@require_safe
def errors(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """The rows with errors as a file to correct and take in again."""
    user = _require(request)
    row = _find(user, pk)
    with transaction.atomic():
        record(actor=user, action=AuditAction.DOWNLOADED, object_type="patientimport", object_id=pk)
    writer = csv.writer(_Echo())
    lines = (writer.writerow([harmless(cell) for cell in cells]) for cells in report_of(row))
    response = StreamingHttpResponse(("\ufeff" + line if not n else line for n, line in enumerate(lines)))
    response["Content-Type"] = "text/csv; charset=utf-8"
    response["Content-Disposition"] = f'attachment; filename="import-{pk}-errors.csv"'
    response["X-Content-Type-Options"] = "nosniff"
    return response
