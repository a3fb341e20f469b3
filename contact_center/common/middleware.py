"""Request-wide duties: an honest 503 when PostgreSQL is away, a short way for machines, no caching of private pages."""

from collections.abc import Callable

import structlog
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.urls import resolve

log = structlog.get_logger(__name__)
Handler = Callable[[HttpRequest], HttpResponse]
MACHINE_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class DatabaseUnavailableMiddleware:
    """Answers 503 with a sentence and Retry-After when the database cannot serve the request."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            return self.get_response(request)
        except (OperationalError, InterfaceError):
            return unavailable(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, OperationalError | InterfaceError):
            log.error("database_unavailable", error=type(exception).__name__, path=request.path)
            return unavailable(request)
        return None


def unavailable(request: HttpRequest) -> HttpResponse:
    """The 503 answer, JSON for machines and a page for people; touches no database."""
    sentence = "The service cannot reach its database at the moment. Nothing was saved. Please try again shortly."
    if request.path.startswith(("/api/", "/webhooks/")) or "text/html" not in request.headers.get("Accept", ""):
        response: HttpResponse = JsonResponse({"detail": sentence}, status=503)
    else:
        response = HttpResponse(render_to_string("503.html"), status=503)
    response["Retry-After"] = "5"
    return response


class MachineDoorMiddleware:
    """Leads providers' requests straight to their view: sessions, languages and page headers do not concern them.

    Only views below `/webhooks/` that gave up login and CSRF protection themselves are reached this way; they prove
    the sender by its signature.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith("/webhooks/"):
            return self.get_response(request)
        match = resolve(request.path_info)
        if getattr(match.func, "login_required", True) or not getattr(match.func, "csrf_exempt", False):
            return self.get_response(request)
        request.resolver_match = match
        try:
            response: HttpResponse = match.func(request, *match.args, **match.kwargs)
        except (OperationalError, InterfaceError) as error:
            log.error("database_unavailable", error=type(error).__name__, path=request.path)
            response = unavailable(request)
        for name, value in MACHINE_HEADERS.items():
            response.headers.setdefault(name, value)
        if not response.streaming:
            response.headers["Content-Length"] = str(len(response.content))
        return response


class NoStoreMiddleware:
    """Pages may hold patient data, so nothing but static files is kept by browsers or proxies."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if "Cache-Control" not in response:
            response["Cache-Control"] = "no-store"
        return response
