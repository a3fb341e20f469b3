"""What pages behind links in messages share: for a phone, without a login, on no search page, kept by no cache."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from contact_center.common.ratelimit import caller_address, is_over

OPENED, TRIED = 120, 20
"""Pages and changes from one network in ten minutes; more wait."""


def is_too_much(request: HttpRequest, kind: str = "visit", *, times: int = 1) -> bool:
    """Count one more page, or one more change, of this kind and network and say whether it has to wait; `times` allows
    more of both."""
    is_change = request.method == "POST"
    name, limit = (f"{kind}-change", TRIED * times) if is_change else (f"{kind}-link", OPENED * times)
    return is_over(name, caller_address(request), limit=limit, seconds=600)


def link_page(request: HttpRequest, name: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    """The page `scheduling/<name>.html`, which nobody finds, keeps or names as where they came from."""
    response = render(request, f"scheduling/{name}.html", context, status=status)
    response["X-Robots-Tag"] = "noindex, nofollow"
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "same-origin"
    return response
