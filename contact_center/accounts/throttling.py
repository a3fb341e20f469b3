"""Whom a failed sign-in counts against: the address that was tried, so that changing one's own address helps nobody."""

from typing import Any

from django.http import HttpRequest

MAX_NAME_LENGTH = 254


def sign_in_name(request: HttpRequest | None, credentials: dict[str, Any] | None) -> str:
    """The e-mail address that somebody tries to sign in with, spelled as accounts are; empty when there is none."""
    given = credentials or {}
    tried = given.get("email") or given.get("username") or given.get("login")
    if not tried and request is not None:
        tried = request.POST.get("login", "")
    return str(tried or "").replace("\x00", "").strip().lower()[:MAX_NAME_LENGTH]
