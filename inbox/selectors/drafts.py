"""Reads of what people have begun to write."""

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet

from contact_center.accounts.models import User
from contact_center.common.prepared import Given, ask_planned, planned
from inbox.enums import Direction
from inbox.models import Draft, Interaction
from inbox.policies import can_take
from inbox.selectors.interactions import interactions_visible_to

MOST_PRESENT = 12


def round_of(user: User, interaction: Interaction) -> str:
    """Names what this person sent here last, message and note; a draft of an earlier round has left already."""
    _seen, sent, noted = newest_ids(user, interaction)
    return f"{sent}-{noted}"


def newest_ids(user: User, interaction: Interaction) -> tuple[int, int, int]:
    """Ids of the newest inbound message, of the newest one this person sent and of their newest note; 0 for none."""
    ((seen, sent, noted),) = ask_planned(NEWEST_IDS, {"row": interaction.pk, "person": user.pk})
    return seen or 0, sent or 0, noted or 0


NEWEST_IDS = """
SELECT max(id) FILTER (WHERE direction = 'inbound'),
       max(id) FILTER (WHERE direction = 'outbound' AND author_id = %(person)s),
       (SELECT max(id) FROM inbox_note WHERE interaction_id = %(row)s AND author_id = %(person)s)
FROM inbox_message WHERE interaction_id = %(row)s
"""


def writing_context(
    user: User, interaction: Interaction, *, newest: int, draft_round: str, modes: Iterable[str]
) -> dict[str, Any]:
    """What reply box and collision bar show of drafts: `draft` (one's own), `draft_newer` (how many messages of the
    patient came since it was begun), `other_drafts` (each with `may_take_over`), `draft_round`; and with a draft
    `composer_text`, `mode` (when it can be used now) and the `seen_message_id` that sending is judged by.

    `newest` is the newest inbound message. One or two queries.
    """
    found = _drafts().ask(interaction.pk)
    mine = next((draft for draft in found if draft.author_id == user.pk), None)
    may_take = can_take(user, interaction) and not interaction.is_done
    others = [{"draft": draft, "may_take_over": may_take} for draft in found if draft is not mine]
    context: dict[str, Any] = {
        "draft": mine,
        "draft_newer": 0,
        "other_drafts": others,
        "draft_round": draft_round,
    }
    if mine is None:
        return context
    context["composer_text"], context["composer_sensitive"] = mine.text, mine.is_sensitive
    if mine.way in modes:
        context["mode"] = mine.way
    if mine.seen_message_id < newest:
        context["seen_message_id"] = mine.seen_message_id
        newer = interaction.messages.filter(direction=Direction.INBOUND, pk__gt=mine.seen_message_id)
        context["draft_newer"] = newer.count()
    return context


@planned
def _drafts() -> QuerySet[Draft]:
    """In the interaction 0."""
    return Draft.objects.filter(interaction=Given(0)).select_related("author").order_by("-updated_at")


@planned
def _drafted() -> QuerySet[Draft]:
    """By the person 0 in the interactions 1."""
    found = Draft.objects.filter(author=Given(0), interaction__any_of=Given(1)).order_by()
    return found.values_list("interaction_id")  # type: ignore[return-value]


def get_draft_for(user: User, interaction: Interaction, author_id: int) -> Draft:
    """A draft in a conversation that `user` was shown already. Raises Draft.DoesNotExist."""
    return Draft.objects.select_related("author").get(interaction=interaction, author_id=author_id)


def drafted_by(user: User, interaction_ids: Iterable[int]) -> set[int]:
    """Which of these conversations hold a draft of this person. One query."""
    return {pk for (pk,) in _drafted().tuples(user.pk, list(interaction_ids))}


def drafts_visible_to(user: User) -> QuerySet[Draft]:
    """The person's own drafts in conversations they still see, newest first."""
    found = Draft.objects.filter(author=user, interaction__in=interactions_visible_to(user).values("pk"))
    return found.order_by("-updated_at")


def people_present(user: User, *, viewing: list[int], writing: list[int], noting: list[int]) -> dict[str, Any]:
    """Colleagues at a conversation, those who write first: `people`, the first `writer`, how many `writers`, and the
    `viewers`. Only active people, never `user`. One query."""
    wanted = {*viewing, *writing, *noting} - {user.pk}
    found = User.objects.filter(pk__in=wanted, is_active=True, is_service_account=False)[:MOST_PRESENT]
    busy = {*writing, *noting}
    people = sorted(found, key=lambda one: (one.pk not in busy, one.pk in noting, str(one)))
    writers = [one for one in people if one.pk in busy]
    return {
        "people": [{"user": one, "is_writing": one.pk in busy} for one in people],
        "writer": writers[0] if writers else None,
        "writers": len(writers),
        "more_writers": len(writers) - 1,
        "is_note": bool(writers) and writers[0].pk not in writing,
        "viewers": [one for one in people if one.pk not in busy],
    }
