"""Find words in one person's thread: messages and notes, also those on pages that are not loaded."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Func, Q, TextField, Value
from django.db.models.functions import Lower
from django.utils.html import format_html
from django.utils.safestring import SafeString

from contact_center.accounts.models import User
from inbox.models import Interaction, Message, Note
from inbox.selectors.interactions import related_interactions
from inbox.selectors.thread import KINDS, Place

MOST_HITS = 50
FEWEST, MOST_LETTERS = 2, 100
AROUND = 60


@dataclass(slots=True)
class Hit:
    """One entry with the words: its id on the page, who said it when, and the place whose page ends with it."""

    anchor: str
    who: str
    at: datetime
    excerpt: SafeString
    after: Place


def find_within(user: User, interaction: Interaction, text: str) -> tuple[list[Hit], bool]:
    """Hits newest first, at most 50, and whether there are more. Case and accents make no difference.

    Only in interactions that the user may see. Fewer than two letters find nothing. Four queries.
    """
    words = " ".join(text.replace("\x00", "").split())[:MOST_LETTERS]
    if len(words) < FEWEST:
        return [], False
    ids = related_interactions(user, interaction)
    wanted = Lower(_plain(Value(words)))
    in_text, in_subject = (Q(**{f"plain_{name}__contains": wanted}) for name in ("text", "subject"))
    messages = (
        Message.objects.filter(interaction__in=ids)
        .annotate(plain_text=Lower(_plain(F("text"))), plain_subject=Lower(_plain(F("subject"))))
        .filter(in_text | in_subject)
        .select_related("author", "interaction__patient")
        .defer("html", "quoted_text", "payload")
        .order_by("-occurred_at", "-pk")[: MOST_HITS + 1]
    )
    notes = (
        Note.objects.filter(interaction__in=ids)
        .annotate(plain=Lower(_plain(F("body"))))
        .filter(plain__contains=wanted)
        .select_related("author")
        .order_by("-created_at", "-pk")[: MOST_HITS + 1]
    )
    hits = [_of_message(row, words) for row in messages] + [_of_note(row, words) for row in notes]
    hits.sort(key=lambda hit: hit.at, reverse=True)
    return hits[:MOST_HITS], len(hits) > MOST_HITS


def _plain(expression: F | Value) -> Func:
    return Func(expression, function="f_unaccent", output_field=TextField())


def _of_message(row: Message, words: str) -> Hit:
    who = str(row.author) if row.author else row.interaction.contact_name
    if not row.author and row.interaction.patient:
        who = row.interaction.patient.full_name
    place = Place(row.occurred_at, KINDS.index("message"), row.pk + 1)
    source = row.text if words.lower() in row.text.lower() or not row.subject else f"{row.subject} · {row.text}"
    return Hit(f"message-{row.pk}", who, row.occurred_at, excerpt(source, words), place)


def _of_note(row: Note, words: str) -> Hit:
    place = Place(row.created_at, KINDS.index("note"), row.pk + 1)
    return Hit(f"note-{row.pk}", str(row.author), row.created_at, excerpt(row.body, words), place)


def excerpt(text: str, words: str) -> SafeString:
    """The words marked, with what stands around them; escaped."""
    line = " ".join(text.split())
    at = max(line.lower().find(words.lower()), 0)
    length = len(words) if words.lower() in line.lower() else 0
    start, end = max(at - AROUND, 0), at + length + 2 * AROUND
    before, hit, after = line[start:at], line[at : at + length], line[at + length : end]
    return format_html(
        "{}{}<mark>{}</mark>{}{}", "…" if start else "", before, hit, after, "…" if end < len(line) else ""
    )
