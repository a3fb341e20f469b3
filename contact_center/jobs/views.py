"""One's own long work: how far it is, what was not done, its file."""

from typing import Any

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from contact_center.accounts.models import User
from contact_center.accounts.requests import person_of
from contact_center.common.errors import Refused
from contact_center.jobs import policies, selectors, services
from contact_center.jobs.models import Job

SHOWN = 50
TYPES = {"csv": "text/csv; charset=utf-8", "zip": "application/zip"}


def _find(request: HttpRequest, pk: int) -> Job:
    try:
        return selectors.get_job_for(person_of(request), pk)
    except Job.DoesNotExist:
        raise Http404 from None


def _about(user: User, job: Job) -> dict[str, Any]:
    tried = job.done_count + job.failed_count
    return {
        "job": job,
        "left": max(0, job.total - tried),
        "minutes_left": _minutes(selectors.seconds_left(job)),
        "can_stop": policies.can_stop(user, job),
        "can_try_again": policies.can_try_again(user, job),
        "file_until": selectors.file_until(job),
    }


def _minutes(seconds: int | None) -> int | None:
    return None if seconds is None else max(1, round(seconds / 60))


@require_safe
def job_list(request: HttpRequest) -> HttpResponse:
    """The newest jobs of this person."""
    user = person_of(request)
    jobs = [_about(user, job) for job in selectors.jobs_visible_to(user)[:SHOWN]]
    is_moving = any(not about["job"].is_over for about in jobs)
    is_piece = request.headers.get("HX-Target", "").endswith("#jobs")
    name = "jobs/_jobs.html" if is_piece else "jobs/job_list.html"
    return render(request, name, {"jobs": jobs, "is_moving": is_moving})


@require_safe
def job_page(request: HttpRequest, pk: int) -> HttpResponse:
    """One job; while it is not over, the page asks every two seconds how far it is."""
    user, job = person_of(request), _find(request, pk)
    context = _about(user, job) | {"troubles": selectors.troubles_of(user, job) if job.is_over else []}
    is_piece = request.headers.get("HX-Target", "").endswith(f"#job-{pk}")
    return render(request, "jobs/_job.html" if is_piece else "jobs/job_page.html", context)


@require_POST
def stop(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask it to stop."""
    _find(request, pk)
    try:
        services.stop(actor=person_of(request), job_id=pk)
        messages.success(request, _("It stops after the one it is at."))
    except Refused as error:
        messages.error(request, str(error))
    return redirect("jobs:job", pk)


@require_POST
def again(request: HttpRequest, pk: int) -> HttpResponse:
    """Start anew what was not done."""
    _find(request, pk)
    try:
        pk = services.try_again(actor=person_of(request), job_id=pk).pk
    except Refused as error:
        messages.error(request, str(error))
    return redirect("jobs:job", pk)


@require_safe
def file(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The file of an export, for its owner and for a day; leaves a trace."""
    job = _find(request, pk)
    if selectors.file_until(job) is None:
        raise Http404
    services.note_download(actor=person_of(request), job=job)
    ending = str(job.file.name).rpartition(".")[2]
    response = FileResponse(
        job.file.open("rb"), as_attachment=True, filename=f"continuo-{pk}.{ending}", content_type=TYPES[ending]
    )
    response["X-Content-Type-Options"] = "nosniff"
    return response
