"""How much a request may bring, told from its announced length before anything of it is read."""

import re

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from contact_center.common.middleware import Handler

OWN_LIMIT = ("/webhooks/email/", "/forms/")  # mails are large; forms know what their files may have

# A reply with its files, a table of patients: from somebody with a session.
UPLOADS = re.compile(r"/inbox/\d+/(?:uploads|compose)/|/patients/(?:imports|fhir)/")


class BodyLimitMiddleware:
    """Answers 413 to a body over MAX_REQUEST_BYTES, unread, unless its address sets a limit of its own.

    Django reads at most the announced length, so what is announced is all that can come.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        announced = str(request.META.get("CONTENT_LENGTH") or "0")
        is_small = announced.isascii() and announced.isdigit() and int(announced[:16]) <= _most_for(request)
        if is_small or request.path_info.startswith(OWN_LIMIT):
            return self.get_response(request)
        return HttpResponse("Too large.", status=413, content_type="text/plain")


def _most_for(request: HttpRequest) -> int:
    has_session = settings.SESSION_COOKIE_NAME in request.COOKIES
    is_upload = UPLOADS.fullmatch(request.path_info) and has_session
    return int(settings.MAX_UPLOAD_BYTES if is_upload else settings.MAX_REQUEST_BYTES)
