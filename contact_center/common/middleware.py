"""Request-wide duties: an honest 503 when PostgreSQL is away, a short way for machines, no caching of private pages."""

import sys
from collections.abc import Callable

import structlog
from django.conf import settings
from django.core.signals import got_request_exception
from django.db import InterfaceError, OperationalError, connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.urls import resolve
from django.utils.translation import gettext as _
from django.views.defaults import page_not_found

log = structlog.get_logger(__name__)
Handler = Callable[[HttpRequest], HttpResponse]
MACHINE_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


DATABASE_ERRORS = (OperationalError, InterfaceError)
STOPPED = {"57014"}  # SQLSTATE: the statement ran out of time
BUSY = {"40001", "40P01", "55P03"}  # serialization failure, deadlock, lock timeout
PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; font-src 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)


class PeoplesErrorPagesMiddleware:
    """With DEBUG, whoever opens a wrong address sees the page that production shows, not Django's list of addresses.

    Failures (500) keep Django's page there: a developer needs its trace.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        is_page = response.get("Content-Type", "").startswith("text/html")
        if response.status_code == 404 and is_page and settings.DEBUG:
            return page_not_found(request, Http404())
        return response


class DatabaseUnavailableMiddleware:
    """Answers 503 with a sentence and Retry-After when the database cannot serve the request.

    Covers views and everything before and after them: Django turns an exception of an inner middleware into a 500
    before it comes here, so a failure is noted on the request when Django announces it.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response
        got_request_exception.connect(_note_failure, dispatch_uid="common.database_unavailable")

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        error = getattr(request, "database_failure", None)
        if error is None or response.status_code != 500:
            return response
        answer = unavailable(request, error)
        answer.headers["Content-Security-Policy"] = PAGE_POLICY
        for name, value in MACHINE_HEADERS.items():
            answer.headers[name] = value
        return answer

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return unavailable(request, exception) if isinstance(exception, DATABASE_ERRORS) else None


def _note_failure(sender: object, request: HttpRequest | None = None, **kwargs: object) -> None:
    error = sys.exc_info()[1]
    if request is not None and isinstance(error, DATABASE_ERRORS):
        request.database_failure = error  # type: ignore[attr-defined]


def _sentence_about(error: BaseException) -> str:
    """What is known of the fate of the request. Only without any connection is it sure that nothing was saved."""
    state = getattr(error.__cause__, "pgcode", None)
    if state in STOPPED:
        return _("This took too long and was stopped. Look whether it was saved before you try again.")
    if state in BUSY:
        return _("Others were changing the same thing. Look whether yours was saved before you try again.")
    if connection.connection is None:
        return _("The service cannot reach its database at the moment. Nothing was saved. Please try again shortly.")
    return _("The connection to the database broke. Look whether your change was saved before you try again.")


def unavailable(request: HttpRequest, error: BaseException) -> HttpResponse:
    """The 503 answer, JSON for machines and a page for people; touches no database."""
    state = getattr(error.__cause__, "pgcode", None)
    log.error("database_unavailable", error=type(error).__name__, sqlstate=state, path=request.path)
    sentence = _sentence_about(error)
    if request.path.startswith(("/api/", "/webhooks/")) or "text/html" not in request.headers.get("Accept", ""):
        response: HttpResponse = JsonResponse({"detail": sentence}, status=503)
    else:
        response = HttpResponse(render_to_string("503.html", {"sentence": sentence}), status=503)
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
            response = unavailable(request, error)
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
