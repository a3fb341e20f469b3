"""Sessions that lock after idle time and end after twelve hours; second factors; pages in a person's own language."""

import time
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.urls import Resolver404, resolve
from django.utils import translation
from django.utils.http import urlencode

from contact_center.accounts import protection

STARTED, SEEN = "session_started", "session_seen"
WRITE_EVERY_SECONDS = 60
BACKGROUND_HEADER = "X-Background"


OPEN_WHILE_LOCKED = {"lock", "account_logout", "preferences", "healthz", "readyz"}
OPEN_WITHOUT_FACTOR = OPEN_WHILE_LOCKED | {"account_reauthenticate", "stay"}


def _name_of(request: HttpRequest) -> str:
    try:
        return resolve(request.path_info).view_name or ""
    except Resolver404:
        return ""


def _is_for_script(request: HttpRequest) -> bool:
    """A part of a page, which a redirect would put in the wrong place."""
    return "HX-Request" in request.headers or request.headers.get("Sec-Fetch-Mode", "navigate") != "navigate"


class SessionLifetimeMiddleware:
    """Locks a session that was idle for SESSION_IDLE_SECONDS and ends one older than SESSION_ABSOLUTE_SECONDS.

    A page that refreshes itself sends `X-Background: 1`, which counts as idle: an unattended screen must lock too.
    The time of the last sign of life is written once a minute at most. A locked session answers its lock page only:
    pages are sent there, parts of pages get 423.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            now = int(time.time())
            started, seen = request.session.get(STARTED), request.session.get(SEEN)
            if started is None or seen is None:
                request.session[STARTED] = request.session[SEEN] = now
            elif now - started > settings.SESSION_ABSOLUTE_SECONDS:
                logout(request)
            elif protection.is_locked(request.session) or now - seen > settings.SESSION_IDLE_SECONDS:
                protection.lock(request.session)
                if _name_of(request) not in OPEN_WHILE_LOCKED:
                    return _to_lock(request)
            elif now - seen >= WRITE_EVERY_SECONDS and BACKGROUND_HEADER not in request.headers:
                request.session[SEEN] = now
        return self.get_response(request)


def _to_lock(request: HttpRequest) -> HttpResponse:
    if _is_for_script(request):
        return HttpResponse(status=423)
    page = request.get_full_path() if request.method in {"GET", "HEAD"} else "/"
    return redirect(f"{resolve_url('lock')}?{urlencode({'next': page})}")


class SecondFactorMiddleware:
    """Lets a person who needs a second factor and has none reach only the pages on which it is set up."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated and protection.lacks_second_factor(request.user):
            name = _name_of(request)
            if not name.startswith("mfa_") and name not in OPEN_WITHOUT_FACTOR:
                return HttpResponse(status=403) if _is_for_script(request) else redirect("mfa_index")
        return self.get_response(request)


class PersonLanguageMiddleware:
    """Speaks the signed-in person's language, unless this browser was told another one on the sign-in page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated and not request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME):
            translation.activate(request.user.language)
            request.LANGUAGE_CODE = translation.get_language() or settings.LANGUAGE_CODE
        return self.get_response(request)
