"""Whom a note can name, and whom it names."""

import unicodedata
from collections.abc import Iterable

from django.db.models import Exists, OuterRef, QuerySet

from contact_center.accounts.models import TeamMembership, User
from contact_center.accounts.selectors import people
from inbox.models import Interaction, Mention
from inbox.policies import can_be_mentioned


def mentionable_in(interaction: Interaction) -> QuerySet[User]:
    """Everybody who works here, those who serve this queue first, then by name."""
    serves = TeamMembership.objects.filter(user=OuterRef("pk"), team__queues=interaction.queue_id)
    return people().annotate(serves=Exists(serves)).order_by("-serves", "first_name", "last_name", "pk")


def suggestions(user: User, interaction: Interaction, text: str, *, limit: int = 8) -> list[User]:
    """Colleagues whose name has a word that starts with `text` (accents and case do not count)."""
    wanted = _plain(text)
    found = []
    for person in mentionable_in(interaction):
        name = _plain(str(person))
        fits = name.startswith(wanted) or any(word.startswith(wanted) for word in name.split())
        if fits and person.pk != user.pk and can_be_mentioned(person, interaction):
            found.append(person)
    return found[:limit]


def _plain(text: str) -> str:
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in parts if not unicodedata.combining(char)).strip()


def names_in(mentions: Iterable[Mention]) -> list[str]:
    """`@Name` of everybody mentioned, the longest first."""
    return sorted({f"@{mention.user}" for mention in mentions}, key=len, reverse=True)
