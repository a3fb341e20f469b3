"""Where admins set the house up. Sign-in is the one of all other pages; only people in the role admin come in."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from csp.constants import SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.contrib.admin.models import LogEntry
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.sites import UnfoldAdminSite

from contact_center.accounts.enums import Action
from contact_center.accounts.policies import can
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record

RELAXED = {"script-src": [SELF, UNSAFE_EVAL], "style-src": [SELF, UNSAFE_INLINE]}
"""The admin's widgets evaluate expressions in their attributes and set styles. No other page may; nothing that a
patient wrote is shown under these addresses."""


class ContinuoAdminSite(UnfoldAdminSite):
    """The admin site; its views alone answer with the relaxed content security policy."""

    site_title = site_header = "Continuo"
    index_title = _("Set-up")

    def has_permission(self, request: HttpRequest) -> bool:
        return can(request.user, Action.CONFIGURE)  # type: ignore[arg-type]

    def admin_view(self, view: Callable[..., HttpResponse], cacheable: bool = False) -> Callable[..., HttpResponse]:
        inner = super().admin_view(view, cacheable)

        @wraps(inner)
        def relaxed(*args: Any, **kwargs: Any) -> HttpResponse:
            response = inner(*args, **kwargs)
            response._csp_replace = RELAXED
            return response

        return relaxed

    @method_decorator(login_not_required)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The one sign-in page; whoever is signed in and no admin is refused."""
        if request.user.is_authenticated and not self.has_permission(request):
            raise PermissionDenied
        target = request.GET.get("next", reverse("admin:index"))
        return redirect_to_login(target if target.startswith("/admin/") else reverse("admin:index"))


class ConfiguredModelAdmin(ModelAdmin):
    """Admins may add and change; rows that history points to are switched off, not deleted. Every save is on record."""

    def _may(self, request: HttpRequest) -> bool:
        return can(request.user, Action.CONFIGURE)  # type: ignore[arg-type]

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self._may(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request)

    has_change_permission = has_view_permission

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._may(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def log_addition(self, request: HttpRequest, obj: models.Model, message: Any) -> LogEntry:
        self._record(request, AuditAction.CREATED, obj, [])
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: models.Model, message: Any) -> LogEntry:
        changes = message if isinstance(message, list) else []
        named = [field for change in changes for part in change.values() for field in part.get("fields", [])]
        self._record(request, AuditAction.CHANGED, obj, sorted({str(field) for field in named}))
        return super().log_change(request, obj, message)

    def _record(self, request: HttpRequest, action: AuditAction, obj: models.Model, fields: list[str]) -> None:
        kind = obj._meta.model_name or ""
        with transaction.atomic():
            record(actor=request.user, action=action, object_type=kind, object_id=_number(obj.pk), fields=fields)  # type: ignore[arg-type]


def _number(pk: Any) -> int | None:
    return pk if isinstance(pk, int) else None


class ConfiguredInline:
    """Mixin for rows inside another form: whoever may change the form may add, change and remove them."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return can(request.user, Action.CONFIGURE)  # type: ignore[arg-type]

    has_change_permission = has_delete_permission = has_add_permission = has_view_permission
