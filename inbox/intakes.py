"""Kinds of events in the ledger that an upper app understands. Apps register in `ready()`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inbox.models import WebhookEvent

Take = Callable[["WebhookEvent"], bool]
_intakes: dict[str, Take] = {}


def register(kind: str, take: Take) -> None:
    """`take` makes rows of an event of this kind, in the ledger's transaction; False when nothing of ours is concerned.

    What it cannot do it says by raising UnparseablePayload: the event goes to quarantine with these words.
    """
    _intakes[kind] = take


def intake_of(kind: str) -> Take | None:
    """Who understands events of this kind; None for those of the channels."""
    return _intakes.get(kind)
