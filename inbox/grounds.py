"""Whether what a message tells is still so. An app that writes messages ahead is asked at the moment of sending.

Such a message names its app in `payload["grounds"]`. Apps register in `ready()`.
"""

from collections.abc import Callable
from typing import Any

Check = Callable[[int], bool]
_checks: dict[str, Check] = {}


def register(key: str, check: Check) -> None:
    """Add an app's check, which is given a message's id; a second one with the same key takes its place."""
    _checks[key] = check


def still_hold(message_id: int, payload: dict[str, Any]) -> bool:
    """False when the app that wrote it says that it is no longer so; True for every message without grounds."""
    check = _checks.get(str(payload.get("grounds", "")))
    return check is None or check(message_id)
