"""Keys of machines: who they are and what their scopes allow."""

from typing import Any

from knox.auth import TokenAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

READ_METHODS = {"GET", "HEAD", "OPTIONS"}


class ApiKeyAuthentication(TokenAuthentication):
    """`Authorization: Token <key>`; answers 401 with a challenge when the key is missing or wrong."""


class HasScope(BasePermission):
    """The key carries `<scope>:read` or `<scope>:write` for the view's `scope`; a view without scope is refused."""

    message = "This API key does not carry the scope that this address needs."

    def has_permission(self, request: Request, view: Any) -> bool:
        key: Any = request.auth
        scope = getattr(view, "scope", None)
        if key is None or scope is None:
            return False
        needed = f"{scope}:{'read' if request.method in READ_METHODS else 'write'}"
        return needed in key.scopes
