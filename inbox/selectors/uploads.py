"""Files that wait in a reply box, and the addresses from which providers fetch what is being sent."""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from contact_center.accounts.models import User
from contact_center.common.prepared import Given, planned
from inbox import file_limits
from inbox.enums import AttachmentStatus, ChannelKind, Direction, MessageStatus
from inbox.models import Attachment, Interaction, Message, NoteFile, Upload

SALT, OWN_SALT = "inbox.media", "inbox.file"
OWN_FOR = timedelta(minutes=1)
PICTURES = ("image/jpeg", "image/png", "image/gif", "image/webp")
SOUNDS = {
    "audio/mpeg": "audio/mpeg",
    "audio/mp3": "audio/mpeg",
    "audio/wav": "audio/wav",
    "audio/wave": "audio/wav",
    "audio/x-wav": "audio/wav",
    "audio/vnd.wave": "audio/wav",
    "audio/ogg": "audio/ogg",
    "audio/opus": "audio/ogg",
    "audio/mp4": "audio/mp4",
    "audio/x-m4a": "audio/mp4",
    "audio/aac": "audio/aac",
    "audio/amr": "audio/amr",
    "audio/webm": "audio/webm",
}
"""What a browser is told, by what we know of the content; nothing else is served in a page."""
FETCHABLE_FOR = timedelta(hours=24)
FETCHABLE = [MessageStatus.SENDING, MessageStatus.SENT, MessageStatus.DELIVERED, MessageStatus.READ]
FILE_KINDS = (ChannelKind.WHATSAPP, ChannelKind.SMS, ChannelKind.EMAIL)


@dataclass(slots=True)
class Waiting:
    """A file in the reply box; `problems` says per channel kind why that channel does not carry it."""

    upload: Upload
    problems: list[tuple[str, str]]


def waiting_uploads(user: User, interaction: Interaction) -> list[Waiting]:
    """The files in this person's reply box, oldest first. One query."""
    return [Waiting(row, _problems(row)) for row in _waiting().ask(interaction.pk, user.pk)]


def boxed_uploads(user: User, box: str) -> list[Waiting]:
    """The files that wait in this person's form of a conversation that is not started, oldest first. One query."""
    rows = Upload.objects.filter(interaction=None, author=user, box=box, sent_with=None).order_by("pk")
    return [Waiting(row, _problems(row)) for row in rows] if box else []


@planned
def _waiting() -> QuerySet[Upload]:
    """In the interaction 0 by the author 1."""
    return Upload.objects.filter(interaction=Given(0), author=Given(1), sent_with=None).order_by("pk")


def _problems(row: Upload) -> list[tuple[str, str]]:
    facts = file_limits.OneFile(row.name, row.content_type, row.size)
    found = [(kind.value, file_limits.problem_of(kind, facts)) for kind in FILE_KINDS]
    return [(kind, sentence) for kind, sentence in found if sentence]


def digests_of(user: User, interaction: Interaction, ids: list[int]) -> list[str]:
    """The contents of these files, sent or not, in an order of their own: the same form has the same ones."""
    rows = Upload.objects.filter(interaction=interaction, author=user, pk__in=ids)
    return sorted(rows.values_list("digest", flat=True))


def public_address(attachment: Attachment) -> str:
    """Where the provider may fetch the file of a message that is leaving: signed, unguessable, good for a day."""
    token = signing.dumps(attachment.pk, salt=SALT)
    return f"{settings.PUBLIC_BASE_URL}{reverse('inbox:media', args=[token])}"


def get_public_file(token: str) -> Attachment:
    """The file behind a provider's address: only of a message being sent or sent within a day.

    Raises Attachment.DoesNotExist for everything else alike.
    """
    try:
        number = signing.loads(token, salt=SALT, max_age=FETCHABLE_FOR)
    except signing.BadSignature:
        raise Attachment.DoesNotExist from None
    since = timezone.now() - FETCHABLE_FOR
    return Attachment.objects.get(
        available(),
        pk=number,
        message__direction=Direction.OUTBOUND,
        message__status__in=FETCHABLE,
        message__claimed_at__gte=since,
    )


def own_address(user: User, file: Attachment | NoteFile, use: str) -> str:
    """Where this person may get the file now: signed, theirs alone, good for a minute. `use` says which kind of file it
    is and whether it is downloaded or drawn."""
    token = signing.dumps([user.pk, file.pk, use], salt=OWN_SALT)
    return reverse("inbox:file", args=[token])


def read_own_address(user: User, token: str) -> tuple[int, str]:
    """The file's id and what it is for. Raises Attachment.DoesNotExist for what is forged, old or another person's."""
    try:
        user_id, number, use = signing.loads(token, salt=OWN_SALT, max_age=OWN_FOR)
    except signing.BadSignature:
        raise Attachment.DoesNotExist from None
    if user_id != user.pk:
        raise Attachment.DoesNotExist
    return number, use


def available() -> Q:
    """Files that anybody may get: allowed, kept, and looked at where a scanner is configured."""
    checked = Q(scanned_at__isnull=False) if settings.SCAN_BACKEND else Q()
    return Q(status=AttachmentStatus.CLEAN) & checked


def files_of(message: Message) -> list[Attachment]:
    """The files that leave with a message, in their order."""
    return list(message.attachments.filter(available()).order_by("pk"))
