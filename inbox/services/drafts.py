"""What people have begun to write: kept on the server, shown to colleagues, given on, gone once it is sent."""

from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from contact_center.common.errors import Conflict, Refused
from inbox import realtime
from inbox.enums import ChannelKind
from inbox.models import Draft, Interaction
from inbox.models.writing import SENSITIVE
from inbox.policies import can_work
from inbox.selectors.drafts import round_of
from inbox.services.interactions import locked, take

NOTE = "note"
MODES = {*ChannelKind.values, NOTE}


class StaleRound(Conflict):
    """Something was sent since this text was drawn; keeping it now would bring back what has left."""


def keep_draft(
    *, actor: User, interaction_id: int, mode: str, text: str, seen_message_id: int = 0, draft_round: str = ""
) -> Draft | None:
    """Keep what `actor` has written so far in one conversation; an empty text takes the draft away. With a `!` after
    the mode it is sensitive.

    Works on closed conversations too: words outlive what happens to the conversation. `seen_message_id` only grows.
    With `draft_round` (see `round_of`) a late save of a text that was sent meanwhile raises StaleRound. Raises Refused
    for a person who may not write there or an unknown mode, Interaction.DoesNotExist.
    """
    with realtime.atomic():
        interaction = locked(interaction_id)
        if not can_work(actor, interaction):
            raise Refused(_("You may not work on this interaction."))
        if mode.removesuffix(SENSITIVE) not in MODES:
            raise Refused(_("Choose a channel that can be answered."))
        if draft_round and draft_round != round_of(actor, interaction):
            raise StaleRound(_("This was sent already."))
        if not text.strip():
            _drop(actor, interaction)
            return None
        draft = Draft.objects.filter(interaction=interaction, author=actor).first()
        is_new = draft is None
        draft = draft or Draft(interaction=interaction, author=actor)
        draft.mode, draft.text = mode, text.replace("\x00", "")
        draft.seen_message_id = max(draft.seen_message_id, seen_message_id)
        draft.save()
        if is_new:
            _tell(actor, interaction, AuditAction.CREATED, draft.pk)
        return draft


def drop_draft(*, actor: User, interaction_id: int) -> None:
    """Take the person's draft away: it was sent, or is not wanted any more."""
    with realtime.atomic():
        _drop(actor, locked(interaction_id))


def take_over_draft(*, actor: User, interaction_id: int, author_id: int) -> Draft:
    """Take the conversation and copy a colleague's draft into one's own, below what is there already.

    The colleague keeps theirs. Raises Draft.DoesNotExist, and what `take` raises.
    """
    with realtime.atomic():
        interaction = locked(interaction_id)
        theirs = Draft.objects.get(interaction=interaction, author_id=author_id)
        take(actor=actor, interaction_id=interaction_id)
        mine = Draft.objects.filter(interaction=interaction, author=actor).first()
        if theirs.author_id == actor.pk or (mine and theirs.text in mine.text):
            return mine or theirs
        draft = mine or Draft(interaction=interaction, author=actor, seen_message_id=theirs.seen_message_id)
        draft.text = f"{mine.text}\n\n{theirs.text}" if mine else theirs.text
        draft.mode = theirs.mode
        draft.seen_message_id = min(draft.seen_message_id, theirs.seen_message_id)
        draft.save()
        _tell(actor, interaction, AuditAction.CREATED, draft.pk, copied_from=theirs.pk)
        return draft


def move_drafts(*, source: Interaction, target: Interaction) -> None:
    """Let drafts follow a conversation that goes on in another one; call it inside the caller's transaction.

    Where the author has a draft in both, the text of the source stands below the other.
    """
    there = {draft.author_id: draft for draft in Draft.objects.filter(interaction=target)}
    for draft in Draft.objects.select_for_update().filter(interaction=source):
        other = there.get(draft.author_id)
        if other is None:
            draft.interaction = target
            draft.save()
            continue
        other.text = f"{other.text}\n\n{draft.text}"
        other.save()
        draft.delete()


def _drop(actor: User, interaction: Interaction) -> None:
    draft = Draft.objects.filter(interaction=interaction, author=actor).first()
    if draft is not None:
        draft_id = draft.pk
        draft.delete()
        _tell(actor, interaction, AuditAction.DELETED, draft_id)


def _tell(actor: User, interaction: Interaction, action: AuditAction, draft_id: int, **detail: int) -> None:
    """Only that a draft came or went is told; while it is written, its readers fetch it when they want to."""
    record(
        actor=actor,
        action=action,
        object_type="draft",
        object_id=draft_id,
        patient_id=interaction.patient_id,
        interaction=interaction.pk,
        **detail,
    )
    realtime.touch(realtime.interaction_topic(interaction.pk), realtime.agent_topic(actor.pk))
