"""What each channel carries as files. Pure. Sizes in bytes."""

from collections.abc import Sequence
from typing import NamedTuple

from django.utils.translation import gettext as _

from inbox.enums import ChannelKind

MEGABYTE = 1024 * 1024
MOST_BYTES = 100 * MEGABYTE
MMS_BYTES, MMS_FILES = 5 * MEGABYTE, 10
MAIL_BYTES = 25 * MEGABYTE
WHATSAPP_IMAGE, WHATSAPP_SOUND = 5 * MEGABYTE, 16 * MEGABYTE
WHATSAPP_TYPES = {
    "image": {"image/jpeg", "image/png"},
    "audio": {"audio/mpeg", "audio/ogg", "audio/amr", "audio/aac", "audio/mp4", "audio/3gpp"},
    "video": {"video/mp4", "video/3gpp"},
}


class OneFile(NamedTuple):
    """What the limits look at."""

    name: str
    content_type: str
    size: int


def problem_of(kind: str, file: OneFile) -> str:
    """Why this channel does not carry this file, as a sentence; empty when it does."""
    if kind == ChannelKind.WHATSAPP:
        return _whatsapp_problem(file)
    most = {ChannelKind.SMS: MMS_BYTES, ChannelKind.EMAIL: MAIL_BYTES}.get(ChannelKind(kind))
    if most is None:
        return _("Files cannot be sent on this channel.")
    return _too_large(file, most) if file.size > most else ""


def problem_of_all(kind: str, files: Sequence[OneFile]) -> str:
    """The first reason why this channel does not carry these files together; empty when it does."""
    for file in files:
        if problem := problem_of(kind, file):
            return problem
    total = sum(file.size for file in files)
    if kind == ChannelKind.SMS and len(files) > MMS_FILES:
        return _("An SMS carries %(count)s files at most.") % {"count": MMS_FILES}
    most = {ChannelKind.SMS: MMS_BYTES, ChannelKind.EMAIL: MAIL_BYTES}.get(ChannelKind(kind))
    if most is not None and total > most:
        return _("Together these files are too large: %(limit)s MB at most.") % {"limit": most // MEGABYTE}
    return ""


def carries_text(content_type: str) -> bool:
    """True when a WhatsApp file of this type shows a text below it; sound does not."""
    return not content_type.startswith(("audio/", "text/vcard", "text/x-vcard"))


def _whatsapp_problem(file: OneFile) -> str:
    family = file.content_type.split("/")[0]
    known = WHATSAPP_TYPES.get(family)
    if known is not None and file.content_type not in known:
        return _("WhatsApp does not take “%(name)s”: this type of file is not shown there.") % {"name": file.name}
    most = {"image": WHATSAPP_IMAGE, "audio": WHATSAPP_SOUND, "video": WHATSAPP_SOUND}.get(family, MOST_BYTES)
    return _too_large(file, most) if file.size > most else ""


def _too_large(file: OneFile, most: int) -> str:
    values = {"name": file.name, "limit": most // MEGABYTE}
    return _("“%(name)s” is too large for this channel: %(limit)s MB at most.") % values
