"""What a message that was put off does to its conversation when it leaves, or may not leave any more."""

from contact_center.accounts.models import User
from inbox.enums import DONE, Direction, MessagePurpose, MessageStatus, NotificationKind
from inbox.models import Interaction, Message
from inbox.services import clocks
from inbox.services.notifications import notify

NOT_AN_ANSWER = [MessageStatus.CANCELLED, MessageStatus.FAILED, MessageStatus.SUPPRESSED]


def may_still_leave(interaction: Interaction) -> bool:
    """False once the conversation was closed; one that was merged goes on in its target."""
    goes_on = interaction.merged_into or interaction
    return goes_on.status not in DONE


def held_where_it_goes_on(interaction_id: int) -> Interaction:
    """The interaction, or the one it was merged into, locked in the direction in which merging locks."""
    rows = Interaction.objects.select_for_update(of=("self",))
    interaction = rows.get(pk=interaction_id)
    while interaction.merged_into_id is not None:
        interaction = rows.get(pk=interaction.merged_into_id)
    return interaction


def note_departure(message: Message) -> None:
    """A message that was put off has left: it is the last word now, and an answer to what it was written after.

    Call it with the message's row locked, in its transaction; any other message is left alone.
    """
    if message.scheduled_at is not None and message.purpose == MessagePurpose.REPLY:
        become_last_word(message)


def become_last_word(message: Message) -> None:
    """The message is what was said last, and the answer to what the patient had written when it was composed."""
    interaction = held_where_it_goes_on(message.interaction_id)
    interaction.snippet = snippet_of(message.text, has_files=not message.text)
    interaction.last_message_at = max(interaction.last_message_at, message.occurred_at)
    interaction.first_reply_at = interaction.first_reply_at or message.occurred_at
    if interaction.last_inbound_at is None or interaction.last_inbound_at <= message.created_at:
        interaction.waiting_since_at = None
    clocks.settle(interaction)
    interaction.save()


def note_taken_back(message: Message) -> None:
    """A reply that was taken back is no answer: the patient waits as if it had never been written.

    Call it with the message's row locked, in its transaction.
    """
    interaction = Interaction.objects.select_for_update(of=("self",)).get(pk=message.interaction_id)
    others = interaction.messages.filter(direction=Direction.OUTBOUND, author__isnull=False, scheduled_at=None)
    others = others.exclude(pk=message.pk).exclude(status__in=NOT_AN_ANSWER)
    since = interaction.last_inbound_at
    if since and not interaction.is_done and not others.filter(occurred_at__gt=since).exists():
        interaction.waiting_since_at = interaction.waiting_since_at or since
    if not others.filter(occurred_at__gte=interaction.episode_started_at).exists():
        interaction.first_reply_at = None
    last = interaction.messages.exclude(status=MessageStatus.CANCELLED).filter(scheduled_at=None)
    newest = last.exclude(pk=message.pk).order_by("-occurred_at", "-id").first()
    if newest is not None:
        interaction.snippet = snippet_of(newest.text, has_files=not newest.text)
    if interaction.waiting_since_at is not None:
        clocks.bring_back(interaction, ended_since=message.created_at, kinds=clocks.RESPONSES)
    clocks.settle(interaction)
    interaction.save()


def snippet_of(text: str, *, has_files: bool) -> str:
    """One line for the list; a paper clip where there is only a file."""
    return " ".join(text.split())[:160] or ("📎" if has_files else "")


def tell_author(message: Message) -> None:
    """Notify whoever put the message off that it was not sent, in the caller's transaction."""
    author: User | None = message.author
    key = f"not-sent:{message.pk}"
    notify(user=author, kind=NotificationKind.SEND_FAILED, interaction=message.interaction, dedupe_key=key)
