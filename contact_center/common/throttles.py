"""How often one key may ask of what is dear."""

from typing import Any

from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from contact_center.common.ratelimit import is_over

SECONDS = 60


class PerKeyThrottle(BaseThrottle):
    """At most `requests_per_minute` of the view, of one key; 429 beyond. When Redis is away nobody is refused."""

    def allow_request(self, request: Request, view: Any) -> bool:
        who = getattr(request.user, "pk", None)
        limit = getattr(view, "requests_per_minute", None)
        if who is None or limit is None:
            return True
        return not is_over(f"api-{type(view).__name__}", str(who), limit=limit, seconds=SECONDS)

    def wait(self) -> float:
        return float(SECONDS)
