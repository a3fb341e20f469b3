"""Every refusal of a signed-in person is on record."""

from collections.abc import Callable

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record


class AccessDeniedMiddleware:
    """Leaves one ACCESS_DENIED entry for a view that raised PermissionDenied; the answer stays 403."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        if isinstance(exception, PermissionDenied) and request.user.is_authenticated:
            match = request.resolver_match
            with transaction.atomic():
                record(
                    actor=request.user,
                    action=AuditAction.ACCESS_DENIED,
                    object_type="page",
                    page=match.view_name if match else "",
                    ids=match.kwargs if match else {},
                )
