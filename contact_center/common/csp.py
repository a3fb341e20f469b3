"""The content policy of one page: most need nothing from elsewhere, a page with a telephone does."""

from collections.abc import Iterable

from csp.middleware import CSPMiddleware, PolicyParts
from django.http import HttpRequest, HttpResponseBase


def allow(request: HttpRequest, directive: str, sources: Iterable[str]) -> None:
    """Add sources to a directive of the policy that goes out with the answer to this request, and with no other."""
    extra: dict[str, list[str]] = request.__dict__.setdefault("csp_extra", {})
    extra[directive] = [*extra.get(directive, []), *sources]


class PageCSPMiddleware(CSPMiddleware):
    """The house's policy, and what the page asked for with `allow`."""

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        """See CSPMiddleware."""
        parts = super().get_policy_parts(request, response, report_only)
        extra = request.__dict__.get("csp_extra")
        if extra and not report_only:
            parts.update = {**(parts.update or {}), **extra}
        return parts
