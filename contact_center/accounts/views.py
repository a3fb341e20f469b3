"""What people choose for themselves: the language and the theme of their pages, and what they are doing now."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import check_for_language
from django.views.decorators.http import require_POST

from contact_center.accounts.enums import Action, AwayReason, PresenceState, away_words
from contact_center.accounts.models import Presence, User
from contact_center.accounts.policies import can
from contact_center.accounts.services import choose_language, set_presence
from contact_center.common.context import THEMES
from contact_center.common.errors import Refused
from contact_center.common.prepared import Given, planned

YEAR_SECONDS = 365 * 24 * 3600


@login_not_required  # the sign-in page offers the languages too
@require_POST
def preferences(request: HttpRequest) -> HttpResponse:
    """Take a `language` or a `theme` (light, dark, empty for the system's) and go back to where it was chosen.

    The language of a signed-in person is kept with the person, that of a stranger in the browser.
    """
    response = redirect(_back(request))
    if "language" in request.POST:
        _set_language(request, response, request.POST["language"])
    if "theme" in request.POST:
        theme = request.POST["theme"]
        if theme in THEMES:
            _keep(response, "theme", theme)
        else:
            response.delete_cookie("theme", samesite="Lax")
    return response


@require_POST
def presence(request: HttpRequest) -> HttpResponse:
    """Say what one is doing now: a `state`, for away with a `reason` after a colon; back to where it was chosen."""
    state, _colon, reason = request.POST.get("state", "").partition(":")
    if isinstance(request.user, User):
        try:
            set_presence(user=request.user, state=state, reason=reason if reason in AwayReason.values else "")
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
    if request.headers.get("HX-Request") == "true":
        return render(request, "components/_presence.html", presence_context(request))
    return redirect(_back(request))


def presence_context(request: HttpRequest) -> dict[str, Any] | None:
    """What the person says they are doing, since when, and what else they may say; None for who takes no work."""
    user = request.user
    if not isinstance(user, User) or not can(user, Action.WORK_INBOX):
        return None
    row = next(iter(_presence().ask(user.pk)), None) or Presence(user=user)
    states = [PresenceState.ONLINE, PresenceState.BUSY, PresenceState.OFFLINE]
    return {
        "presence": row,
        "presence_reason": away_words(row.reason),
        "presence_states": states,
        "away_reasons": list(AwayReason),
    }


@planned
def _presence() -> QuerySet[Presence]:
    """Of the user 0. Every page asks this."""
    return Presence.objects.filter(user=Given(0))


def _set_language(request: HttpRequest, response: HttpResponse, language: str) -> None:
    if isinstance(request.user, User):
        try:
            choose_language(actor=request.user, language=language)
        except Refused as error:
            messages.error(request, str(error))
        else:
            response.delete_cookie(settings.LANGUAGE_COOKIE_NAME)
    elif language in dict(settings.LANGUAGES) and check_for_language(language):
        _keep(response, settings.LANGUAGE_COOKIE_NAME, language)


def _keep(response: HttpResponse, name: str, value: str) -> None:
    response.set_cookie(name, value, max_age=YEAR_SECONDS, samesite="Lax", secure=settings.IS_TLS)


def _back(request: HttpRequest) -> str:
    """Path of the page the form stood on; the start when that is not a page of ours."""
    origin = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(origin, {request.get_host()}, require_https=request.is_secure()):
        return "/"
    page = urlsplit(origin)
    return f"{page.path}?{page.query}" if page.query else page.path or "/"
