"""Files that an app encloses with a mail it wrote ahead, made when the mail leaves, so that they say what is so then.

Such a message names its app in `payload["grounds"]`, as in `inbox.grounds`. Apps register in `ready()`.
"""

from collections.abc import Callable
from typing import Any

from inbox.adapters.events import OutboundFile

Make = Callable[[int], list[OutboundFile]]
_makers: dict[str, Make] = {}


def register(key: str, make: Make) -> None:
    """Add what an app encloses, which is given a message's id; a second one with the same key takes its place."""
    _makers[key] = make


def enclosed_with(message_id: int, payload: dict[str, Any]) -> list[OutboundFile]:
    """The files of the app that wrote it; none for every message without grounds."""
    make = _makers.get(str(payload.get("grounds", "")))
    return make(message_id) if make else []
