"""The device that carries the sound: where its page finds it, and the token it signs in with."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from contact_center.accounts.models import User
from contact_center.accounts.requests import person_of
from contact_center.common import csp
from contact_center.common.ratelimit import is_over
from inbox.adapters.twilio_device import CONNECT_SOURCES, MEDIA_SOURCES
from inbox.policies import can_start
from inbox.selectors.softphone import TOKEN_SECONDS, device_of, token_for

TOKENS_PER_MINUTE = 20


def device_context(request: HttpRequest) -> dict[str, Any] | None:
    """What a page with a telephone carries; only such a page may speak to the telephone service."""
    person = request.user if isinstance(request.user, User) else None
    kind = device_of(person) if person else ""
    if person is None or not kind:
        return None
    if kind == "twilio":
        csp.allow(request, "connect-src", CONNECT_SOURCES)
        csp.allow(request, "media-src", MEDIA_SOURCES)
    return {"device": kind, "keys": "123456789*0#", "may_dial": can_start(person, None)}


@require_POST
def token(request: HttpRequest) -> HttpResponse:
    """A short-lived token for this person's own device; 404 without one, 429 for a page that asks all the time."""
    person = person_of(request)
    if is_over("device-token", str(person.pk), limit=TOKENS_PER_MINUTE, seconds=60):
        text = _("Too many requests. Wait a moment and try again.")
        return HttpResponse(text, status=429, content_type="text/plain", headers={"Retry-After": "60"})
    made = token_for(person)
    if made is None:
        raise Http404
    return JsonResponse({"token": made, "seconds": TOKEN_SECONDS})
