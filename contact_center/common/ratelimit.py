"""Counting requests of strangers. Lives in the cache: when Redis is away, nobody is refused."""

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest


def caller_address(request: HttpRequest) -> str:
    """The caller's IP address; behind TRUSTED_PROXY_COUNT proxies of ours it is the one the outermost of them saw."""
    hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",") if hop.strip()]
    trusted = settings.TRUSTED_PROXY_COUNT
    if trusted and len(hops) >= trusted:
        return hops[-trusted]
    return str(request.META.get("REMOTE_ADDR", ""))


def is_over(name: str, key: str, *, limit: int, seconds: int) -> bool:
    """Count one more for `key` and say whether that is more than `limit` within a window of `seconds`."""
    entry = f"rate:{name}:{key}"
    try:
        if cache.add(entry, 1, timeout=seconds):
            return limit < 1
        return bool(cache.incr(entry) > limit)
    except Exception:
        return False
