"""Colleagues named in a note: who is meant, and what it gives them."""

import re
from collections.abc import Iterable

from contact_center.accounts.models import User
from inbox.enums import NotificationKind
from inbox.models import Mention, Note
from inbox.policies import can_be_mentioned
from inbox.selectors.mentions import mentionable_in
from inbox.services.notifications import notify

NAME = re.compile(r"@(\w[\w'’.-]*(?: \w[\w'’.-]*){0,4})")
MOST = 20


def note_mentions(note: Note, *, chosen: Iterable[int] = ()) -> list[Mention]:
    """Keep whom the note names with `@First Last`, and tell them; in the caller's transaction.

    Of two people with the same name the one in `chosen` is meant, without it both. At most 20. Whoever may not see
    the conversation even as a guest (a partner agent, where it is sensitive) is not mentioned.
    """
    wanted = _named_in(note, set(chosen))[:MOST]
    rows = [Mention(note=note, interaction=note.interaction, user=user) for user in wanted]
    Mention.objects.bulk_create(rows, ignore_conflicts=True)
    for user in wanted:
        notify(
            user=user,
            kind=NotificationKind.MENTIONED,
            interaction=note.interaction,
            actor=note.author,
            dedupe_key=f"mention:{note.pk}",
        )
    return rows


def _named_in(note: Note, chosen: set[int]) -> list[User]:
    texts = [found.casefold() for found in NAME.findall(note.body)]
    if not texts:
        return []
    by_name: dict[str, list[User]] = {}
    for user in mentionable_in(note.interaction):
        if user.pk != note.author_id and can_be_mentioned(user, note.interaction):
            by_name.setdefault(str(user).casefold(), []).append(user)
    found: dict[int, User] = {}
    for text in texts:
        words = text.split(" ")
        for size in range(len(words), 0, -1):  # the longest name that fits
            people = by_name.get(" ".join(words[:size]).rstrip(".-'’"), [])
            meant = [user for user in people if user.pk in chosen] or people
            if meant:
                found |= {user.pk: user for user in meant}
                break
    return list(found.values())
