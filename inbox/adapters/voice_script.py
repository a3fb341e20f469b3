"""What a caller hears and may do, in our words. An adapter turns it into the provider's language."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Say:
    """Words spoken aloud in one language (`en`, `es`, `pt`)."""

    text: str
    language: str


@dataclass(frozen=True, slots=True)
class Music:
    """Music for so many seconds; a key may interrupt it inside `Ask`."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Ask:
    """Say and play `parts`, and wait for one key or, with `hints`, a word; both go to `next`. Without either, go on."""

    parts: tuple[Say | Music, ...]
    next: str
    language: str
    hints: tuple[str, ...] = ()
    seconds: int = 4


@dataclass(frozen=True, slots=True)
class GoOn:
    """Fetch the next script from `next`."""

    next: str


@dataclass(frozen=True, slots=True)
class Join:
    """Meet in a room; whoever is left goes on with `next`. `is_last` ends it for all when this party leaves."""

    room: str
    next: str = ""
    is_last: bool = True


@dataclass(frozen=True, slots=True)
class Record:
    """Take a message of at most so many seconds; its address goes to `next`, its words to `transcript`, if anywhere."""

    next: str
    transcript: str
    seconds: int = 120


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the call."""


Step = Say | Music | Ask | GoOn | Join | Record | HangUp
Script = tuple[Step, ...]
