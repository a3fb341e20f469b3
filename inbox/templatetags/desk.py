"""How interactions and messages look in words and icons. Pure: no queries."""

import re
from datetime import date, datetime
from typing import Any

from django import template
from django.conf import settings
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from contact_center.accounts.enums import away_words
from contact_center.common.highlight import marked
from contact_center.common.languages import name_of
from contact_center.common.moments import moment_words
from contact_center.common.templatetags.continuo import icon
from inbox.enums import ChannelKind, MessageStatus, Priority
from inbox.gate import GateReason
from inbox.models import Attachment, Interaction, Message, Note, NoteFile
from inbox.selectors.failures import delivery_sentence, file_sentence
from inbox.selectors.lists import ORDERS
from inbox.selectors.mentions import names_in
from inbox.selectors.outbox import GATE_SENTENCES
from inbox.selectors.team import overload_of
from inbox.selectors.uploads import PICTURES, SOUNDS
from patients.numbers import readable_address

register = template.Library()
LONG_TEXT = 4000

CHANNEL_ICONS = {
    ChannelKind.VOICE: "phone",
    ChannelKind.WHATSAPP: "whatsapp",
    ChannelKind.SMS: "message-square-text",
    ChannelKind.EMAIL: "mail",
    ChannelKind.FORM: "clipboard-list",
    ChannelKind.WEBCHAT: "message-square-quote",
}
STATUS_ICONS = {
    MessageStatus.DRAFT: "pencil",
    MessageStatus.QUEUED: "clock",
    MessageStatus.SENDING: "clock",
    MessageStatus.SENT: "check",
    MessageStatus.DELIVERED: "check-check",
    MessageStatus.READ: "check-check",
    MessageStatus.FAILED: "triangle-alert",
    MessageStatus.SUPPRESSED: "ban",
    MessageStatus.CANCELLED: "x",
}
PRIORITY_WORDS = {
    Priority.URGENT: "urgent",
    Priority.HIGH: "high",
    Priority.NORMAL: "normal",
    Priority.LOW: "low",
}
NOTICE_ICONS = {
    "assigned": "user-plus",
    "new_work": "inbox",
    "patient_replied": "message-square-text",
    "mentioned": "sticky-note",
    "send_failed": "triangle-alert",
    "snooze_ended": "clock",
    "task_due": "list-checks",
    "proxy_ends": "hourglass",
    "job_finished": "circle-check",
    "deadline_near": "timer",
    "deadline_missed": "timer",
    "escalated": "git-branch",
    "left_lying": "hourglass",
    "supervised": "user-round-check",
}


@register.simple_tag
def channel_icon(kind: str) -> SafeString:
    """The icon of a kind of channel."""
    return icon(CHANNEL_ICONS.get(ChannelKind(kind), "circle"))


@register.filter
def channel_label(kind: str) -> str:
    """The name of a kind of channel."""
    return str(ChannelKind(kind).label)


@register.filter
def status_icon(message: Message) -> str:
    """Icon name of an outbound message's status."""
    return STATUS_ICONS.get(MessageStatus(message.status), "circle")


@register.filter
def priority_word(priority: int) -> str:
    """Value for `data-p` and the icon's name."""
    return PRIORITY_WORDS[Priority(priority)]


@register.filter
def person(interaction: Interaction) -> str:
    """Who writes: the linked patient, else what the sender calls themself, else the address."""
    if interaction.patient_id and interaction.patient:
        return interaction.patient.full_name
    address = readable_address(interaction.contact_value, settings.DEFAULT_PHONE_REGION)
    return interaction.contact_name or address or _("Unknown sender")


@register.simple_tag
def caller(interaction: Interaction, is_sealed: bool | str = False) -> str:
    """Who is on the line; “The caller” for readers to whom the conversation `is_sealed`."""
    return _("The caller") if is_sealed else person(interaction)


@register.filter
def person_initials(interaction: Interaction) -> str:
    """Two letters for the avatar."""
    if interaction.patient_id and interaction.patient:
        return interaction.patient.initials
    words = interaction.contact_name.split()
    return "".join(word[0] for word in words[:2]).upper() or "?"


@register.filter
def day_title(day: datetime) -> str:
    """`Today`, `Yesterday` or the weekday with its date."""
    date = timezone.localtime(day).date() if isinstance(day, datetime) else day
    distance = (timezone.localdate() - date).days
    if distance == 0:
        return _("Today")
    if distance == 1:
        return _("Yesterday")
    return capfirst(moment_words(date, "full_day"))


@register.filter
def is_long(words: str) -> bool:
    """True for a text that is folded in the thread: a page of whole ones would not be a page any more."""
    return len(words) > LONG_TEXT


@register.filter
def file_note(attachment: Attachment | NoteFile) -> str:
    """Size of a file that may be downloaded, else why it may not, in the reader's language."""
    if attachment.status == "clean":
        size = filesizeformat(attachment.size) if attachment.size is not None else ""
        is_known = isinstance(attachment, NoteFile) or attachment.scanned_at
        return size if is_known else " · ".join(filter(None, [size, _("not scanned")]))
    assert isinstance(attachment, Attachment)
    return file_sentence(attachment.error) or str(attachment.get_status_display())


@register.filter
def is_picture(attachment: Attachment | NoteFile) -> bool:
    """True for a picture that a browser can draw."""
    return attachment.status == "clean" and attachment.content_type in PICTURES


def is_sound(attachment: Attachment | NoteFile) -> bool:
    """True for a sound that a browser can play."""
    return attachment.status == "clean" and attachment.content_type in SOUNDS


@register.filter
def file_icon(attachment: Attachment | NoteFile) -> str:
    """Icon name of a file's kind."""
    family = attachment.content_type.split("/", maxsplit=1)[0]
    return {"audio": "audio-lines", "video": "play", "application": "file-text"}.get(family, "paperclip")


@register.filter
def is_waiting(message: Message) -> bool:
    """True while a queued message waits for a moment that a person chose, or can still be taken back."""
    is_held = message.next_attempt_at is not None and message.attempts == 0 and not message.gate_decision
    return message.scheduled_at is not None or is_held


@register.filter
def location_of(message: Message) -> dict[str, Any]:
    """Latitude, longitude, label and address of a location message, as far as they were sent."""
    return {key: message.payload.get(key, "") for key in ("latitude", "longitude", "label", "address")}


def span(seconds: float) -> str:
    """A length of time in short: `14m`, `2h 05m`, `3d`."""
    minutes = max(0, int(seconds)) // 60
    hours, days = minutes // 60, minutes // 1440
    if days:
        return f"{days}d"
    return f"{hours}h {minutes % 60:02d}m" if hours else f"{minutes}m"


@register.filter
def since_short(moment: datetime | None) -> str:
    """How long ago: `14m`, `2h 05m`, `3d`; the page's clock keeps it true."""
    return span((timezone.now() - moment).total_seconds()) if moment else ""


@register.filter
def until_short(moment: datetime | None) -> str:
    """How long is left: `14m`, `2h 05m`, `3d`."""
    return span((moment - timezone.now()).total_seconds()) if moment else ""


@register.filter
def language_title(code: str) -> str:
    """A language's name in the language of the page; the code where it is not known."""
    return name_of(code.split("-", maxsplit=1)[0])


@register.filter
def years_old(birth_date: date) -> int:
    """Age in full years."""
    today = timezone.localdate()
    return today.year - birth_date.year - ((today.month, today.day) < (birth_date.month, birth_date.day))


@register.filter
def answer_text(answer: dict[str, Any]) -> str:
    """One answer of a form as text."""
    value = answer.get("value")
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    return str(value) if value not in (None, "") else "–"


@register.simple_tag
def status_mark(message: Message) -> SafeString:
    """Clock, tick, two ticks, coloured ticks: how far an outbound message came."""
    css = "ticks ticks--read" if message.status == MessageStatus.READ else "ticks"
    return icon(status_icon(message), css)


@register.filter
def is_silent_status(message: Message) -> bool:
    """True where the ticks say it all; the word is then only for screen readers."""
    return message.status in (MessageStatus.SENT, MessageStatus.DELIVERED, MessageStatus.READ)


@register.filter
def status_chip(message: Message) -> str:
    """Class of the chip that shows the status."""
    return {"failed": "chip--danger", "suppressed": "chip--warn"}.get(message.status, "")


@register.filter
def why_sentence(message: Message) -> str:
    """Why an outbound message waits, failed or was held back; empty while all is well."""
    if message.status == MessageStatus.FAILED:
        return delivery_sentence(message) or _("The provider did not take it.")
    if message.gate_reason and message.gate_reason != GateReason.ALLOWED:
        return str(GATE_SENTENCES[GateReason(message.gate_reason)])
    return delivery_sentence(message)


@register.filter
def failure_sentence(message: Message) -> str:
    """The words under a failed bubble: what happened and why."""
    head = _("Not delivered.") if message.status == MessageStatus.FAILED else _("Not sent.")
    return f"{head} {why_sentence(message)}".strip()


@register.filter
def notice_icon(kind: str) -> str:
    """Icon name of a kind of notification."""
    return NOTICE_ICONS.get(kind, "bell")


@register.filter
def way_label(way: str) -> str:
    """The name of one way of being told."""
    return {"in_app": _("Panel"), "sound": _("Sound"), "desktop": _("Desktop"), "email": _("E-mail")}[way]


@register.filter
def note_body(note: Note, most: int | None = None) -> SafeString:
    """The note's text, or its first letters, escaped, with everybody it mentions marked."""
    names, body = names_in(note.mentions.all()), note.body[:most]
    if not names:
        return conditional_escape(body)
    parts = re.split("(" + "|".join(map(re.escape, names)) + ")", body, flags=re.IGNORECASE)
    marked = (
        format_html('<b class="mention">{}</b>', part) if place % 2 else conditional_escape(part)
        for place, part in enumerate(parts)
    )
    return mark_safe("".join(marked))  # noqa: S308 - every part is escaped above


@register.filter
def order_label(order: str) -> str:
    """The name of an order of the list."""
    return str(ORDERS.get(order, ""))


@register.filter
def mark_words(text: str, asked: str) -> SafeString:
    """The text, escaped, with what was searched for marked."""
    return marked(str(text), asked)


@register.filter
def away_label(reason: str) -> str:
    """The word for a reason of being away."""
    return away_words(reason)


@register.inclusion_tag("inbox/_overload.html", takes_context=True)
def overload_banner(context: dict[str, Any]) -> dict[str, Any]:
    """Says what to do first when too much waits; nothing otherwise."""
    entries = [entry for group in context.get("view_groups") or [] for entry in group["entries"]]
    waiting = next((entry.count or 0 for entry in entries if entry.key == "unassigned"), 0)
    return {"overload": overload_of(context["request"].user, waiting)}
