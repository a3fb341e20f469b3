"""Private notes by their words; only those of conversations that the person may see."""

from django.contrib.postgres.search import SearchVectorField
from django.db.models import F, Func, QuerySet

from inbox.models import Interaction, Note

RARE = 5_000
CHUNK = 300


def notes_saying(text: str) -> QuerySet[Note]:
    """Notes with all these words; the last one may be the beginning of a word. Found by their own index."""
    words = Func(F("body"), function="continuo_words", output_field=SearchVectorField())
    return Note.objects.alias(words=words).filter(words__mean=text).order_by()


def find_notes(visible: QuerySet[Interaction], text: str, *, limit: int) -> dict[int, int]:
    """Per visible conversation with these words in a note its newest such note, newest first.

    Of words that stand in more than 5,000 notes only the newest 300 are looked at.
    """
    pairs = list(notes_saying(text).values_list("pk", "interaction_id")[: RARE + 1])
    if len(pairs) > RARE:
        pairs = list(notes_saying(text).order_by("-pk").values_list("pk", "interaction_id")[:CHUNK])
    pairs.sort(reverse=True)
    found: dict[int, int] = {}
    for start in range(0, len(pairs), CHUNK):
        chunk = pairs[start : start + CHUNK]
        seen = set(visible.filter(pk__in={interaction for _note, interaction in chunk}).values_list("pk", flat=True))
        for note, interaction in chunk:
            if interaction in seen:
                found.setdefault(interaction, note)
        if len(found) >= limit:
            break
    return dict(list(found.items())[:limit])
