"""Sessions that end: after idle time and, whatever happens, after twelve hours."""

import time
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse

STARTED, SEEN = "session_started", "session_seen"
WRITE_EVERY_SECONDS = 60


class SessionLifetimeMiddleware:
    """Signs out a session that was idle for SESSION_IDLE_SECONDS or lives longer than SESSION_ABSOLUTE_SECONDS."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            now = int(time.time())
            started = request.session.setdefault(STARTED, now)
            seen = request.session.get(SEEN, now)
            too_old = now - started > settings.SESSION_ABSOLUTE_SECONDS
            if too_old or now - seen > settings.SESSION_IDLE_SECONDS:
                logout(request)
            elif now - seen >= WRITE_EVERY_SECONDS or SEEN not in request.session:
                request.session[SEEN] = now
        return self.get_response(request)
