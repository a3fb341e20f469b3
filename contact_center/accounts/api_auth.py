"""Keys of machines: who they are and what their scopes allow."""

from datetime import timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from knox.auth import TokenAuthentication
from knox.crypto import hash_token
from rest_framework import exceptions
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from contact_center.accounts.models import ApiKey, User
from contact_center.accounts.policies import SCOPES, can

READ_METHODS = {"GET", "HEAD", "OPTIONS"}
NOTE_USE_EVERY = timedelta(minutes=1)


class ApiKeyAuthentication(TokenAuthentication):
    """`Authorization: Token <key>`; answers 401 with a challenge when the key is missing, wrong, old or shut out."""

    def authenticate_credentials(self, token: bytes) -> tuple[User, ApiKey]:
        """The user and the key of this text, in one query. Raises AuthenticationFailed, always with the same words."""
        now = timezone.now()
        try:
            key = ApiKey.objects.select_related("user").get(digest=hash_token(token.decode("ascii")))
        except (UnicodeDecodeError, TypeError, ValueError, ApiKey.DoesNotExist):
            raise exceptions.AuthenticationFailed(_("This API key is not valid.")) from None
        if not key.user.is_active or (key.expiry is not None and key.expiry <= now):
            raise exceptions.AuthenticationFailed(_("This API key is not valid."))
        if key.last_used_at is None or now - key.last_used_at > NOTE_USE_EVERY:
            ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
        return key.user, key


class ApiKeyScheme(OpenApiAuthenticationExtension):
    """How the schema describes the key; found by the library through its base class."""

    target_class = ApiKeyAuthentication
    name = "ApiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        words = "`Token <key>`; keys are made by `manage.py create_api_key`."
        return {"type": "apiKey", "in": "header", "name": "Authorization", "description": words}


class HasScope(BasePermission):
    """The key carries `<scope>:read` or `<scope>:write` of the view and its user's role still allows it.

    A view without `scope` is refused. What a view names in `reading_actions` reads, whatever its method: a search
    carries its words in the body, never in the address.
    """

    message = _("This API key does not carry the scope that this address needs.")

    def has_permission(self, request: Request, view: Any) -> bool:
        key: Any = request.auth
        scope = getattr(view, "scope", None)
        if key is None or scope is None:
            return False
        is_read = request.method in READ_METHODS or getattr(view, "action", None) in getattr(
            view, "reading_actions", ()
        )
        needed = f"{scope}:{'read' if is_read else 'write'}"
        return needed in key.scopes and needed in SCOPES and can(request.user, SCOPES[needed])  # type: ignore[arg-type]
