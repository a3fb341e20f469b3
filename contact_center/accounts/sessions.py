"""Django's sessions in the database; reading one, which every request does, is a prepared question."""

from functools import cache
from typing import Any

from django.contrib.sessions.backends.db import SessionStore as DatabaseSessions
from django.contrib.sessions.models import Session
from django.utils import timezone

from contact_center.common.prepared import Given, Prepared


@cache
def _live_session() -> Prepared[Session]:
    return Prepared(Session.objects.filter(session_key=Given(0), expire_date__gt=Given(1)), is_planned_once=True)


class SessionStore(DatabaseSessions):
    """The session engine of SESSION_ENGINE."""

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def _get_session_from_db(self) -> Any:
        found = _live_session().ask(self.session_key, timezone.now()) if self.session_key else []
        if found:
            return found[0]
        self._session_key = None
        return None
