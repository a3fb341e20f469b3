"""Sessions that end, after idle time and, whatever happens, after twelve hours; pages in a person's own language."""

import time
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.utils import translation

STARTED, SEEN = "session_started", "session_seen"
WRITE_EVERY_SECONDS = 60
BACKGROUND_HEADER = "X-Background"


class SessionLifetimeMiddleware:
    """Signs out a session that was idle for SESSION_IDLE_SECONDS or lives longer than SESSION_ABSOLUTE_SECONDS.

    A page that refreshes itself sends `X-Background: 1`, which counts as idle: an unattended screen must end too.
    The time of the last sign of life is written once a minute at most.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            now = int(time.time())
            started, seen = request.session.get(STARTED), request.session.get(SEEN)
            if started is None or seen is None:
                request.session[STARTED] = request.session[SEEN] = now
            elif now - started > settings.SESSION_ABSOLUTE_SECONDS or now - seen > settings.SESSION_IDLE_SECONDS:
                logout(request)
            elif now - seen >= WRITE_EVERY_SECONDS and BACKGROUND_HEADER not in request.headers:
                request.session[SEEN] = now
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
