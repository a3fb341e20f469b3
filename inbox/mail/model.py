"""What one mail says, after reading."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from inbox.mail.bounce import Bounce
from inbox.mail.headers import MailAddress


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with a mail, still packed: nothing here ever opens or unpacks one.

    `name` is safe to show and to offer for download, not to build a path from. `content_type` is the
    sender's claim. `content_id` (no brackets) is what `cid:` addresses in the HTML mean.
    """

    name: str
    content_type: str
    content: bytes = field(repr=False)
    is_inline: bool = False
    content_id: str | None = None

    @property
    def size(self) -> int:
        """Length of the content in bytes."""
        return len(self.content)


@dataclass(frozen=True, slots=True)
class ParsedMail:
    """One mail. `text` is all of it, `new_text` without earlier mails and signature; `html` is sanitised.

    `message_id` has no angle brackets and is never empty: without one in the mail it is derived from the
    content (`is_message_id_derived`), so that the same mail fetched twice has the same id.
    `return_path` is the envelope sender, `""` for the null sender, None when unknown.
    `defects` name what was damaged or cut; an empty tuple is a clean mail.
    """

    message_id: str
    sender: MailAddress | None = None
    reply_to: tuple[MailAddress, ...] = ()
    to: tuple[MailAddress, ...] = ()
    cc: tuple[MailAddress, ...] = ()
    delivered_to: tuple[str, ...] = ()
    return_path: str | None = None
    subject: str = ""
    date: datetime | None = None
    is_message_id_derived: bool = False
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()
    text: str = ""
    new_text: str = ""
    quoted_text: str = ""
    signature: str = ""
    html: str = ""
    remote_images: int = 0
    attachments: tuple[Attachment, ...] = ()
    bounces: tuple[Bounce, ...] = ()
    is_bounce: bool = False
    is_auto_reply: bool = False
    is_auto_generated: bool = False
    is_bulk: bool = False
    is_reply_unwanted: bool = False
    precedence: str = ""
    loop_markers: tuple[str, ...] = ()
    size: int = 0
    defects: tuple[str, ...] = ()
