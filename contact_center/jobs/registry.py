"""Kinds of long work. Upper apps register how their items are done; this app knows none of them."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import IO, Any

from django.utils.functional import Promise

from contact_center.accounts.models import User
from contact_center.jobs.models import Job

DoOne = Callable[[Job, int], None]
Write = Callable[[Job], Iterator[list[Any]]]
Tell = Callable[[int], bool]
Make = Callable[[Job, IO[bytes], Tell], None]
Describe = Callable[[User, Iterable[int]], dict[int, tuple[str, str]]]


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind of work is done; exactly one of `do`, `write` and `make` is given.

    `do(job, object_id)` does one item with the owner's rights in the caller's transaction and raises Refused with a
    sentence where it may not. `write(job)` yields the rows of a table, its head first, which become a file.
    `make(job, out, tell)` writes a file of another kind, ending in `.{ending}`; it calls `tell(done)` after each step
    and leaves when that is False.
    `describe(user, ids)` names items for that person: id → (title, address), without those they may not see.
    """

    title: str | Promise
    do: DoOne | None = None
    write: Write | None = None
    make: Make | None = None
    ending: str = "csv"
    describe: Describe | None = None


_kinds: dict[str, Kind] = {}


def register(name: str, kind: Kind) -> None:
    """Make a kind of work known under `name`; call it in an app's `ready()`. Raises ValueError for a half one."""
    if [kind.do, kind.write, kind.make].count(None) != 2:
        raise ValueError(f"{name}: give either do or write or make")
    _kinds[name] = kind


def kind_of(name: str) -> Kind | None:
    """The kind of that name; None when the app that knew it is gone."""
    return _kinds.get(name)
