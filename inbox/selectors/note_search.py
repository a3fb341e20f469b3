"""Private notes by their words; only those of conversations that the person may see."""

from collections.abc import Callable
from typing import Any

from django.contrib.postgres.search import SearchVectorField
from django.db.models import F, Func, QuerySet

from contact_center.common.prepared import Given, prepared
from inbox.models import Interaction, Note

Seen = Callable[[list[int]], set[int]]
"""Which conversations of these ids somebody may see."""
RARE = 5_000
CHUNK = 300


def notes_saying(text: str | Given) -> QuerySet[Note]:
    """Notes with all these words; the last one may be the beginning of a word. Found by their own index."""
    words = Func(F("body"), function="continuo_words", output_field=SearchVectorField())
    return Note.objects.alias(words=words).filter(words__mean=text).order_by()


@prepared
def _saying(most: int) -> QuerySet[Note]:
    """The text 0."""
    return notes_saying(Given(0)).values_list("pk", "interaction_id")[:most]  # type: ignore[return-value]


def seen_in(visible: QuerySet[Interaction]) -> Seen:
    """Which of some ids are among these rows."""
    return lambda ids: set(visible.filter(pk__any_of=ids).values_list("pk", flat=True))


def find_notes(seen: Seen, text: str, *, limit: int) -> dict[int, int]:
    """Per conversation that is `seen`, with these words in a note, its newest such note, newest first.

    Of words that stand in more than 5,000 notes only the newest 300 are looked at.
    """
    pairs: list[Any] = _saying(RARE + 1).tuples(text)
    if len(pairs) > RARE:
        pairs = list(notes_saying(text).order_by("-pk").values_list("pk", "interaction_id")[:CHUNK])
    pairs.sort(reverse=True)
    found: dict[int, int] = {}
    for start in range(0, len(pairs), CHUNK):
        chunk = pairs[start : start + CHUNK]
        shown = seen(list({interaction for _note, interaction in chunk}))
        for note, interaction in chunk:
            if interaction in shown:
                found.setdefault(interaction, note)
        if len(found) >= limit:
            break
    return dict(list(found.items())[:limit])
