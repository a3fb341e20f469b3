"""What the page frame needs on every screen."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from contact_center.common.shell import entries_for

THEMES = {"light", "dark"}


def shell(request: HttpRequest) -> dict[str, Any]:
    """`theme` (light, dark or empty for the system's), `organisation`, `live_url`, after how long the screen locks
    (seconds; 0 for strangers), `navigation` of this person."""
    theme = request.COOKIES.get("theme", "")
    return {
        "theme": theme if theme in THEMES else "",
        "organisation": settings.ORGANISATION_NAME,
        "live_url": settings.LIVE_URL,
        "idle_seconds": settings.SESSION_IDLE_SECONDS
        if getattr(request, "user", None) and request.user.is_authenticated
        else 0,
        "navigation": SimpleLazyObject(lambda: entries_for(request)),  # parts of pages show none
    }
