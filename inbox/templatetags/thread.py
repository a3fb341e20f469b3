"""The entries of a thread, put together in Python: sixty of them as templates cost more than all else on the page.

Every value that comes from people passes through `escape`; what is not escaped is ours. What is rare (forms, places,
failures) stays in templates.
"""

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from html import escape
from typing import Any

from django import template
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from contact_center.common.addresses import address_of
from contact_center.common.templatetags.continuo import icon
from inbox.enums import ChannelKind, GateDecision, MessageKind, MessageStatus
from inbox.models import Attachment, Interaction, Message, Note, NoteFile, TimelineEvent
from inbox.templatetags import desk, events

register = template.Library()
Item = dict[str, Any]
UNSENT = (MessageStatus.FAILED, MessageStatus.SUPPRESSED)
OTHER_KINDS = {
    MessageKind.LOCATION: "",
    MessageKind.CONTACTS: "",
    MessageKind.REACTION: "",
    MessageKind.DELETED: " bubble--removed",
    MessageKind.UNSUPPORTED: " bubble--unsupported",
}
"""Kinds that are drawn by `_message_kind.html`, with what the bubble's class says of them."""


class Words:
    """Texts and icons that all entries share, in one language."""

    def __init__(self) -> None:
        self.channels = {
            kind.value: (
                f'<span class="ch" data-ch="{kind}" aria-hidden="true">{desk.channel_icon(kind)}</span>',
                escape(str(kind.label)),
            )
            for kind in ChannelKind
        }
        self.statuses = {status.value: escape(str(status.label)) for status in MessageStatus}
        self.note = f'<span class="ch" data-ch="note" aria-hidden="true">{icon("sticky-note")}</span>'
        self.fold, self.download, self.ban = icon("chevron-right"), icon("download"), icon("ban")
        self.by = escape(_("by %(name)s"))
        self.private, self.open = escape(_("Private note")), escape(_("Open"))
        template, sensitive = escape(_("Template")), escape(_("Only a link left"))
        self.template = f'<span class="chip chip--auto">{icon("layout-template")}{template}</span>'
        self.sensitive = f'<span class="chip chip--warn">{icon("lock")}{sensitive}</span>'
        self.automatic, self.deferred = escape(_("Automatic")), escape(_("Waits until sending is allowed"))
        self.whole_note = escape(_("Show all of this note"))
        self.whole, self.subject = escape(_("Show all of this message")), escape(_("No subject"))
        self.copy, self.answers = escape(_("Copy:")), escape(_("Asks for answers at:"))
        self.quoted, self.formatted = escape(_("Quoted text and signature")), escape(_("As it was formatted"))
        self.frame = escape(_("The mail as it was formatted"))
        self.present, self.earlier = escape(_("This conversation")), escape(_("Earlier conversation"))


@lru_cache(maxsize=8)
def _words(language: str) -> Words:
    return Words()


def words() -> Words:
    """Those of the reader's language."""
    return _words(get_language() or "")


@register.simple_tag(takes_context=True)
def thread_items(context: Any, items: Iterable[Item], above: object = "") -> SafeString:
    """List items of these entries; `above` is the place of an earlier page, so that its days have ids of their own."""
    known, suffix = words(), f"-{above}" if above else ""
    return mark_safe("".join(_item(context, item, known, suffix) for item in items))  # noqa: S308 - escaped where put in


def _item(context: Any, item: Item, known: Words, suffix: str) -> str:
    kind = item["kind"]
    if kind == "message":
        return _message(context, item, known)
    if kind == "note":
        return _note(item, known)
    if kind == "event":
        return _event(item, known)
    if kind == "day":
        day = item["at"].date()
        return f'<li class="day" id="day-{day:%Y%m%d}{suffix}">{escape(desk.day_title(day))}</li>\n'
    return _opening(item, known, suffix)


def _opening(item: Item, known: Words, suffix: str) -> str:
    row: Interaction = item["interaction"]
    channel, _label = known.channels[row.channel_kind]
    reason = f" · {escape(row.reason.name)}" if row.reason else ""
    state, rest = " data-present", ""
    if not item["is_present"]:
        ending = row.disposition.name if row.disposition else str(row.get_status_display())
        state = ""
        rest = (
            f'<span class="chip chip--outline">{escape(ending)}</span>'
            f'<a class="link" href="{address_of("inbox:interaction", row.pk)}">{known.open}</a>'
        )
    return (
        f'<li class="thread__opening" id="opening-{row.pk}{suffix}" data-item{state}>{channel}'
        f"<span><b>{known.present if item['is_present'] else known.earlier}</b> · {escape(row.channel.name)}{reason}"
        f"</span>{rest}</li>\n"
    )


def _note(item: Item, known: Words) -> str:
    note: Note = item["note"]
    earlier = "" if item["is_present"] else " item--earlier"
    return (
        f'<li class="item{earlier}" id="note-{note.pk}" data-item>{known.note}<article class="entry entry--note">'
        f'<div class="entry__head"><span class="entry__title">{escape(str(note.author))}</span>'
        f'<span class="muted xs">{known.private} · {_time(item["at"])}</span></div>'
        f'<div class="entry__body"><p class="entry__text">{_note_text(note, known)}</p>'
        f"{files(note.files.all(), known, 'note-file', 'note-picture')}</div></article></li>\n"
    )


def _note_text(note: Note, known: Words) -> str:
    """The note's words, folded where they are very long."""
    if not desk.is_long(note.body):
        return desk.note_body(note)
    url, anchor = address_of("inbox:note-text", note.pk), f"rest-note-{note.pk}"
    return (
        f'{desk.note_body(note, most=2000)}… <a class="link" id="{anchor}" href="{url}" hx-get="{url}"'
        f' hx-target="#{anchor}" hx-swap="outerHTML">{known.whole_note}</a>'
    )


def _event(item: Item, known: Words) -> str:
    event: TimelineEvent = item["event"]
    told = f"<b>{escape(events.event_sentence(event))}</b>"
    if event.actor:
        told += f" {known.by % {'name': escape(str(event.actor))}}"
    said, other = events.event_words(event), events.event_other(event)
    if said:
        told += f" · {escape(said)}"
    if other:
        url = address_of("inbox:interaction", int(other))
        told += f' · <a class="link" href="{url}">{known.open}<span class="vh"> {int(other)}</span></a>'
    return f'<li class="event" id="event-{event.pk}" data-item><span>{told}</span>{_time(item["at"])}</li>\n'


def _message(context: Any, item: Item, known: Words) -> str:
    message: Message = item["message"]
    channel, label = known.channels[message.channel_kind]
    out = " item--out" if message.is_outbound else ""
    earlier = "" if item["is_present"] else " item--earlier"
    if message.status == MessageStatus.CANCELLED:
        body = _drawn(context, "inbox/_message_cancelled.html", item)
    elif item["submission"]:
        body = _drawn(context, "inbox/_message_form.html", item)
    elif message.channel_kind == ChannelKind.EMAIL:
        body = _mail(item, message, known) + _trouble(context, item, message)
    else:
        body = _bubble(context, item, message, known, label) + _trouble(context, item, message)
    return (
        f'<li class="item{out}{earlier}" id="message-{message.pk}" data-item data-status="{message.status}">'
        f"{channel}{body}</li>\n"
    )


def _drawn(context: Any, name: str, item: Item) -> str:
    with context.push(item=item, message=item["message"]):
        text: str = context.template.engine.get_template(name).render(context)
    return text


def _trouble(context: Any, item: Item, message: Message) -> str:
    """Why it did not arrive, or when it will leave, with what can be done about it."""
    waits = message.status == MessageStatus.QUEUED and desk.is_waiting(message)
    return _drawn(context, "inbox/_failure.html", item) if waits or message.status in UNSENT else ""


def _bubble(context: Any, item: Item, message: Message, known: Words, label: str) -> str:
    who = known.automatic
    if not message.is_outbound:
        who = escape(desk.person(item["interaction"]))
    elif message.author:
        who = escape(str(message.author))
    chip = known.template if message.kind == MessageKind.TEMPLATE else known.sensitive if message.is_sensitive else ""
    css = " bubble--failed" if message.status in UNSENT else ""
    css += OTHER_KINDS.get(MessageKind(message.kind), "")
    if message.kind in OTHER_KINDS:
        said = _drawn(context, "inbox/_message_kind.html", item)
    else:
        text = _text(message, "text", message.text, known)
        said = f'<span class="bubble__text"{_language(item)} dir="auto">{text}</span>' if message.text else ""
    foot = f'<div class="bubble__foot">{ticks(message, known)}</div>' if message.is_outbound else ""
    return (
        f'<div class="item__meta">{chip}<b>{who}</b> <span class="vh">{label}</span>{_time(item["at"])}</div>'
        f'<div class="bubble-row"><div class="bubble{css}">{files(item["attachments"], known)}{said}{foot}</div></div>'
    )


def _mail(item: Item, message: Message, known: Words) -> str:
    out = " entry--out" if message.is_outbound else ""
    foot = f'<div class="entry__foot">{ticks(message, known, is_spelt_out=True)}</div>'
    return (
        f'<article class="entry{out}"><div class="entry__head">{known.sensitive if message.is_sensitive else ""}'
        f'<span class="entry__title" dir="auto">{escape(message.subject) or known.subject}</span>'
        f'<span class="muted xs">{_mail_head(item, message, known)}</span></div>'
        f'<div class="entry__body stack stack--sm"><div class="entry__text"{_language(item)} dir="auto">'
        f"{_text(message, 'text', message.text, known)}</div>{_mail_rest(message, known)}"
        f"{files(item['attachments'], known)}</div>{foot if message.is_outbound else ''}</article>"
    )


def _mail_head(item: Item, message: Message, known: Words) -> str:
    address = {"address": escape(message.address)}
    head: str = (_("To %(address)s") if message.is_outbound else _("From %(address)s")) % address
    if message.cc:
        head += f" · {known.copy} {escape(', '.join(map(str, message.cc)))}"
    if asked := message.payload.get("reply_to"):
        head += f" · {known.answers} {escape(', '.join(map(str, asked)))}"
    author = f" · {escape(str(message.author))}" if message.author else ""
    return f"{head} · {_time(item['at'])}{author}"


def _mail_rest(message: Message, known: Words) -> str:
    found = ""
    if message.quoted_text:
        quoted = _text(message, "quoted", message.quoted_text, known)
        found = (
            f'<details class="more" id="quote-{message.pk}"><summary>{known.fold}{known.quoted}</summary>'
            f'<div class="entry__quote" dir="auto">{quoted}</div></details>'
        )
    if message.has_html:  # type: ignore[attr-defined]
        found += (
            f'<details class="more" id="formatted-{message.pk}"><summary>{known.fold}{known.formatted}</summary>'
            f'<iframe class="entry__mail" src="{address_of("inbox:formatted-mail", message.pk)}"'
            f' sandbox="allow-popups allow-popups-to-escape-sandbox" loading="lazy" title="{known.frame}"></iframe>'
            "</details>"
        )
    return found


def _language(item: Item) -> str:
    language = item["interaction"].language
    return f' lang="{escape(language)}"' if language else ""


def _text(message: Message, part: str, said: str, known: Words) -> str:
    """The words, folded where they are very long."""
    if not desk.is_long(said):
        return escape(said)
    url, anchor = address_of("inbox:message-text", message.pk, part), f"rest-{part}-{message.pk}"
    return (
        f'{escape(said[:2000])}… <a class="link" id="{anchor}" href="{url}" hx-get="{url}" hx-target="#{anchor}"'
        f' hx-swap="outerHTML">{known.whole}</a>'
    )


def _time(at: datetime) -> str:
    return f'<time datetime="{at.isoformat()}">{at:%H:%M}</time>'


def ticks(message: Message, known: Words, *, is_spelt_out: bool = False) -> str:
    """How far an outbound message came, as a sign and a word; the word of an ordinary step is for screen readers alone
    unless it is spelt out."""
    css = "" if is_spelt_out or not desk.is_silent_status(message) else ' class="vh"'
    word = f"<span{css}>{known.statuses[message.status]}</span>"
    if message.status == MessageStatus.QUEUED and message.gate_decision == GateDecision.DEFER:
        word = f"<span>{known.deferred}</span>"
    return f'<span class="row row--xs" id="ticks-{message.pk}">{word}{desk.status_mark(message)}</span>'


@register.simple_tag
def message_files(attachments: list[Attachment]) -> SafeString:
    """The files of one message."""
    return mark_safe(files(attachments, words()))  # noqa: S308 - escaped where put in


def files(
    attachments: Iterable[Attachment | NoteFile], known: Words, whole: str = "attachment", thumb: str = "picture"
) -> str:
    """Pictures to look at, files to download, and why others may not be; empty without files."""
    drawn = "".join(_file(one, known, whole, thumb) for one in attachments)
    return f'<div class="bubble__files">{drawn}</div>' if drawn else ""


def _file(file: Attachment | NoteFile, known: Words, whole: str, thumb: str) -> str:
    name, note = escape(file.name), escape(desk.file_note(file))
    player = ""
    if whole == "attachment" and desk.is_sound(file):
        told = {"src": address_of("inbox:sound", file.pk), "label": file.name, "seconds": None}
        player = render_to_string("inbox/_player.html", told)
    if desk.is_picture(file):
        url, picture = address_of(f"inbox:{whole}", file.pk), address_of(f"inbox:{thumb}", file.pk)
        alt = _("Picture %(name)s") % {"name": name}
        return (
            f'<a class="picture" href="{url}" download data-picture="{picture}" data-picture-name="{name}">'
            f'<img src="{picture}" alt="{alt}" loading="lazy" width="160" height="120"></a>'
        )
    if file.status == "clean":
        url = address_of(f"inbox:{whole}", file.pk)
        return (
            f'{player}<a class="file" href="{url}" download>{icon(desk.file_icon(file))}'
            f'<span class="truncate">{name}</span><span class="muted">{note}</span></a>'
        )
    return (
        f'<span class="file" aria-disabled="true">{known.ban}<span class="truncate">{name}</span>'
        f"<span>{note}</span></span>"
    )
