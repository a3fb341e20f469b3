"""Replies that an app above understands, such as "1" to its reminder. Apps register a handler in `ready()`.

Whose reply it is, is found out before any handler sees it: a phone may belong to several patients, and then only the
one with something pending, or the one the person named, is meant.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Pending:
    """A question of an app that a patient has not answered. `key` is the app's own, such as `appointment:12`."""

    patient_id: int
    key: str
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class Reply:
    """What came in, and the one patient it is about."""

    patient_id: int
    message_id: int
    interaction_id: int
    text: str
    received_at: datetime


class Handler(Protocol):
    """One app's understanding of replies."""

    def pending(self, patient_ids: Collection[int], address: str) -> Sequence[Pending]:
        """What these patients were asked at this address and have not answered yet."""

    def may_be_cancelled(self, patient_ids: Collection[int], address: str) -> bool:
        """Whether "cancel", which also stops all messages, may be about something of these patients."""

    def take(self, reply: Reply, pending: Sequence[Pending]) -> bool:
        """Act on the reply in the caller's transaction; False when it is not understood, so that a person reads it.

        `pending` are those of this patient alone, newest first; empty for a "cancel" about what was answered before.
        An exception undoes what was done and counts as False, but OperationalError undoes the message too, which is
        tried again.
        """


_handlers: dict[str, Handler] = {}


def register(key: str, handler: Handler) -> None:
    """Add a handler; a second one with the same key takes its place."""
    _handlers[key] = handler


def withdraw(key: str) -> None:
    """Take a handler out again; one that is not there is none the less gone."""
    _handlers.pop(key, None)


def handlers() -> list[Handler]:
    """All handlers, in the order in which they were registered."""
    return list(_handlers.values())
