"""The rows of the list, put together in Python: fifty of them as templates cost more than everything else on the page.

Every value that comes from people passes through `escape`; what is not escaped is ours. `make bench` has the figures.
"""

from collections.abc import Iterable
from datetime import datetime, tzinfo
from functools import lru_cache
from html import escape
from typing import Any

from django import template
from django.conf import settings
from django.utils import timezone
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from contact_center.common.addresses import address_of
from contact_center.common.highlight import marked
from contact_center.common.moments import written
from contact_center.common.templatetags.continuo import icon
from inbox.enums import ChannelKind, InteractionStatus, Priority
from inbox.selectors.list_rows import ListRow
from inbox.templatetags.clocks import clock_chip
from inbox.templatetags.desk import CHANNEL_ICONS, span
from patients.numbers import readable_address

register = template.Library()


class Words:
    """Texts and icons that all rows share, in one language."""

    def __init__(self) -> None:
        self.channels = {
            kind.value: (str(icon(CHANNEL_ICONS[kind])), escape(str(kind.label)))
            for kind in ChannelKind
            if kind in CHANNEL_ICONS
        }
        self.priorities = {
            Priority.URGENT.value: self._priority("urgent", Priority.URGENT),
            Priority.HIGH.value: self._priority("high", Priority.HIGH),
        }
        self.clock, self.arrow, self.hourglass = (str(icon(name)) for name in ("clock", "arrow-right", "hourglass"))
        pencil, drafted = icon("pencil"), escape(_("You have a draft here"))
        self.draft = f'<span class="conv__draft" title="{drafted}">{pencil}<span class="vh">{drafted}</span></span>'
        self.waiting_for, self.next_step = escape(_("Waiting for")), escape(_("Next step:"))
        self.snoozed, self.snoozed_until = escape(_("Snoozed")), escape(_("Snoozed until"))
        self.answer, self.owner, self.nobody = escape(_("answer")), escape(_("Owner: ")), escape(_("Nobody yet"))
        self.shared, self.unknown = escape(_("Shared")), escape(_("Unknown"))
        self.unknown_sender, self.select = _("Unknown sender"), _("Select %(name)s")
        self.unread: dict[int, str] = {}

    @staticmethod
    def _priority(word: str, priority: Priority) -> str:
        label = escape(str(priority.label))
        return f'<span class="prio" data-p="{word}" role="img" aria-label="{label}">{icon(f"prio-{word}")}</span>'

    def unread_messages(self, count: int) -> str:
        """ ", 2 unread messages"; empty for none."""
        if count and count not in self.unread:
            told = ngettext("%(n)s unread message", "%(n)s unread messages", count) % {"n": count}
            if len(self.unread) > 1000:
                return f", {escape(told)}"
            self.unread[count] = f", {escape(told)}"
        return self.unread[count] if count else ""


@lru_cache(maxsize=8)
def _words(language: str) -> Words:
    return Words()


class Look:
    """How all rows of one page are drawn: words, view, search, and what time it is where."""

    def __init__(self, context: Any) -> None:
        self.words = _words(get_language() or "")
        self.view, self.query = escape(context["view"].key), context.get("query") or ""
        self.drafts, self.selected = context.get("draft_ids") or (), context.get("selected_id")
        self.now: datetime = timezone.now()
        self.zone: tzinfo = timezone.get_current_timezone()


@register.simple_tag(takes_context=True)
def conversation_rows(context: Any, rows: Iterable[ListRow]) -> SafeString:
    """List items of these conversations for the view, the search and the drafts in `context`."""
    look = Look(context)
    return mark_safe("".join([_row(row, look) for row in rows]))  # noqa: S308 - every part is escaped where it is put in


def _row(row: ListRow, look: Look) -> str:
    words, name = look.words, row.patient_name or row.contact_name
    name = name or readable_address(row.contact_value, settings.DEFAULT_PHONE_REGION) or words.unknown_sender
    plain = escape(name)
    shown = marked(name, look.query) if look.query else plain
    url = f"{address_of('inbox:interaction', row.pk)}?view={look.view}"
    channel_icon, channel = words.channels.get(row.channel_kind, ("", ""))
    unread = words.unread_messages(row.unread_count)
    state = (" data-unread" if unread else "") + (' aria-current="true"' if row.pk == look.selected else "")
    language = escape(row.language)
    code = f'<abbr class="lang" title="{language.upper()}">{language.upper()[:2]}</abbr>' if language else ""
    return (
        f'<li id="row-{row.pk}" class="pickable"><label class="pick">'
        f'<input type="checkbox" name="pick" value="{row.pk}" form="bulk" data-pick>'
        f'<span class="vh">{words.select % {"name": plain}}</span></label>'
        f'<a class="conv" data-row href="{url}" hx-get="{url}" hx-target="#workspace" hx-swap="outerHTML"'
        f' hx-push-url="true"{state}>'
        f'<span class="ch ch--lg" data-ch="{row.channel_kind}" aria-hidden="true">{channel_icon}</span>'
        f'<span class="conv__name"><span class="truncate">{shown}</span>{code}'
        f'<span class="vh">, {channel}{unread}</span></span>{_clock(row, look)}{_text(row, look, language)}'
        f"{_foot(row, look)}</a></li>\n"
    )


def _clock(row: ListRow, look: Look) -> str:
    if chip := clock_chip(row, "conv__wait", look.now):
        return chip
    since = row.waiting_since_at
    if since and not row.is_done:
        return (
            f'<span class="sla conv__wait">{look.words.clock}<span class="vh">{look.words.waiting_for} </span>'
            f'<span class="num" data-since="{since.astimezone(look.zone).isoformat()}">'
            f"{span((look.now - since).total_seconds())}</span></span>"
        )
    return f'<span class="sla">{_time(row.last_message_at, look)}</span>'


def _time(moment: datetime, look: Look) -> str:
    local = moment.astimezone(look.zone)
    short = escape(written(local, "near"))
    return f'<time datetime="{local.isoformat()}">{short}</time>'


def _text(row: ListRow, look: Look, language: str) -> str:
    words = look.words
    priority = words.priorities.get(row.priority, "")
    reason = f"<b>{escape(row.reason_name)}</b> " if row.reason_name else ""
    said: str = escape(row.snippet)
    if row.hit and row.hit.snippet:
        said = f'<span class="vh">{escape(row.hit.label)}: </span>{conditional_escape(row.hit.snippet)}'
    tongue = f' lang="{language}"' if language else ""
    chips = ""
    if row.status == InteractionStatus.SNOOZED:
        until = _time(row.snoozed_until_at, look) if row.snoozed_until_at else words.answer
        chips = f'<span class="chip" title="{words.snoozed}">{words.hourglass}<span class="vh">{words.snoozed_until} </span>{until}</span>'  # noqa: E501
    if not row.patient_id and not row.is_done:
        chips += f'<span class="chip chip--warn">{words.shared if row.is_contact_shared else words.unknown}</span>'
    return (
        f'<span class="conv__text">{priority}<span class="truncate">{reason}<span{tongue}>{said}</span></span>'
        f"{chips}</span>"
    )


def _foot(row: ListRow, look: Look) -> str:
    words = look.words
    if row.next_step:
        step = (
            f'{words.arrow}<span class="truncate"><span class="vh">{words.next_step} </span>{escape(row.next_step)}'
            "</span>"
        )
    else:
        step = f'<span class="truncate">{escape(row.queue_name)}</span>'
    count = ""
    if row.unread_count > 1:
        count = f'<span class="count count--accent" aria-hidden="true">{row.unread_count}</span>'
    owner = f'<span class="avatar avatar--xs avatar--none" role="img" aria-label="{words.nobody}">–</span>'
    if row.owner_id:
        name = escape(row.owner_name or f"user {row.owner_id}")
        owner = (
            f'<span class="avatar avatar--xs avatar--staff" role="img" aria-label="{words.owner}{name}">'
            f"{escape(row.owner_initials)}</span>"
        )
    draft = words.draft if row.pk in look.drafts else ""
    return f'<span class="conv__foot"><span class="conv__next">{step}</span>{draft}{count}{owner}</span>'
