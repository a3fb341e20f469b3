"""Health checks and the pages for refused requests."""

from typing import Any

import redis
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from contact_center.common.shell import entries_for


@login_not_required
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """200 while the process can answer at all."""
    return HttpResponse("ok", content_type="text/plain")


@login_not_required
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when the database answers, else 503. Redis is losable: its absence is told, not fatal."""
    checks: dict[str, str] = {}
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        checks["database"] = "ok"
    except DatabaseError:
        checks["database"] = "unreachable"
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=0.5, socket_connect_timeout=0.5) as client:
            client.ping()
        checks["redis"] = "ok"
    except redis.RedisError:
        checks["redis"] = "unreachable"
    return JsonResponse(checks, status=200 if checks["database"] == "ok" else 503)


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The first place in the rail that this person may use; a page that says whom to ask where there is none."""
    entries = entries_for(request)
    return redirect(entries[0]["url"]) if entries else render(request, "no_place.html")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The page for a form whose token is missing or old. Says what to do; never blames."""
    return render(request, "403_csrf.html", status=403)


def error(request: HttpRequest, status: int, **context: Any) -> HttpResponse:
    """Render the page of an HTTP error."""
    return render(request, f"{status}.html", context, status=status)
