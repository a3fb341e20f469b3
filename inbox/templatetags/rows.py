"""The rows of the list, put together in Python: fifty of them as templates cost more than everything else on the page.

Every value that comes from people passes through `escape`; what is not escaped is ours. `make bench` has the figures.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from django import template
from django.urls import reverse
from django.utils import timezone
from django.utils.html import conditional_escape, escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from contact_center.common.highlight import marked
from contact_center.common.templatetags.continuo import icon
from inbox.enums import ChannelKind, InteractionStatus, Priority
from inbox.models import Interaction
from inbox.templatetags.desk import CHANNEL_ICONS, person, row_time, since_short

register = template.Library()
NUMBER = 987_654_321


class Words:
    """Texts, icons and addresses that all rows share, in one language."""

    def __init__(self) -> None:
        self.url = reverse("inbox:interaction", args=[NUMBER])
        self.channels = {
            kind.value: (icon(CHANNEL_ICONS[kind]), escape(kind.label)) for kind in ChannelKind if kind in CHANNEL_ICONS
        }
        self.priorities = {
            Priority.URGENT: self._priority("urgent", Priority.URGENT),
            Priority.HIGH: self._priority("high", Priority.HIGH),
        }
        self.clock, self.arrow, self.hourglass = icon("clock"), icon("arrow-right"), icon("hourglass")
        pencil, drafted = icon("pencil"), escape(_("You have a draft here"))
        self.draft = f'<span class="conv__draft" title="{drafted}">{pencil}<span class="vh">{drafted}</span></span>'
        self.waiting_for, self.next_step = escape(_("Waiting for")), escape(_("Next step:"))
        self.snoozed, self.snoozed_until = escape(_("Snoozed")), escape(_("Snoozed until"))
        self.answer, self.owner, self.nobody = escape(_("answer")), escape(_("Owner: ")), escape(_("Nobody yet"))
        self.shared, self.unknown = escape(_("Shared")), escape(_("Unknown"))

    @staticmethod
    def _priority(word: str, priority: Priority) -> str:
        label = escape(priority.label)
        return f'<span class="prio" data-p="{word}" role="img" aria-label="{label}">{icon(f"prio-{word}")}</span>'


@lru_cache(maxsize=8)
def _words(language: str) -> Words:
    return Words()


@register.simple_tag(takes_context=True)
def conversation_rows(context: Any, rows: Iterable[Interaction]) -> SafeString:
    """List items of these conversations for the view, the search and the drafts in `context`."""
    words = _words(get_language() or "")
    view_key, query = escape(context["view"].key), context.get("query") or ""
    drafts, selected = context.get("draft_ids") or (), context.get("selected_id")
    return mark_safe(  # noqa: S308 - every part is escaped where it is put in
        "".join(_row(row, words, view_key, query, row.pk in drafts, row.pk == selected) for row in rows)
    )


def _row(row: Interaction, words: Words, view_key: str, query: str, is_drafted: bool, is_selected: bool) -> str:
    name = person(row)
    url = f"{words.url.replace(str(NUMBER), str(row.pk))}?view={view_key}"
    channel_icon, channel = words.channels.get(row.channel_kind, ("", ""))
    unread = ""
    if row.unread_count:
        told = ngettext("%(n)s unread message", "%(n)s unread messages", row.unread_count) % {"n": row.unread_count}
        unread = f", {escape(told)}"
    state = (" data-unread" if unread else "") + (' aria-current="true"' if is_selected else "")
    picked = escape(_("Select %(name)s") % {"name": name})
    language = escape(row.language)
    code = f'<abbr class="lang" title="{language.upper()}">{language.upper()[:2]}</abbr>' if language else ""
    return (
        f'<li id="row-{row.pk}" class="pickable"><label class="pick">'
        f'<input type="checkbox" name="pick" value="{row.pk}" form="bulk" data-pick>'
        f'<span class="vh">{picked}</span></label>'
        f'<a class="conv" data-row href="{url}" hx-get="{url}" hx-target="#workspace" hx-swap="outerHTML"'
        f' hx-push-url="true"{state}>'
        f'<span class="ch ch--lg" data-ch="{row.channel_kind}" aria-hidden="true">{channel_icon}</span>'
        f'<span class="conv__name"><span class="truncate">{marked(name, query) if query else escape(name)}</span>{code}'
        f'<span class="vh">, {channel}{unread}</span></span>{_clock(row, words)}{_text(row, words)}'
        f"{_foot(row, words, is_drafted)}</a></li>\n"
    )


def _clock(row: Interaction, words: Words) -> str:
    if row.waiting_since_at and not row.is_done:
        since = timezone.localtime(row.waiting_since_at).isoformat()
        return (
            f'<span class="sla conv__wait">{words.clock}<span class="vh">{words.waiting_for} </span>'
            f'<span class="num" data-since="{since}">{since_short(row.waiting_since_at)}</span></span>'
        )
    return f'<span class="sla">{_time(row.last_message_at)}</span>'


def _time(moment: Any) -> str:
    return f'<time datetime="{timezone.localtime(moment).isoformat()}">{escape(row_time(moment))}</time>'


def _text(row: Interaction, words: Words) -> str:
    priority = words.priorities.get(Priority(row.priority), "")
    reason = f"<b>{escape(row.reason.name)}</b> " if row.reason else ""
    hit = getattr(row, "hit", None)
    said: str = escape(row.snippet)
    if hit and hit.snippet:
        said = f'<span class="vh">{escape(hit.label)}: </span>{conditional_escape(hit.snippet)}'
    language = f' lang="{escape(row.language)}"' if row.language else ""
    chips = ""
    if row.status == InteractionStatus.SNOOZED:
        until = _time(row.snoozed_until_at) if row.snoozed_until_at else words.answer
        chips = f'<span class="chip" title="{words.snoozed}">{words.hourglass}<span class="vh">{words.snoozed_until} </span>{until}</span>'  # noqa: E501
    if not row.patient_id and not row.is_done:
        chips += f'<span class="chip chip--warn">{words.shared if row.is_contact_shared else words.unknown}</span>'
    return (
        f'<span class="conv__text">{priority}<span class="truncate">{reason}<span{language}>{said}</span></span>'
        f"{chips}</span>"
    )


def _foot(row: Interaction, words: Words, is_drafted: bool) -> str:
    step = f'<span class="truncate">{escape(row.queue.name)}</span>'
    if row.next_step:
        step = (
            f'{words.arrow}<span class="truncate"><span class="vh">{words.next_step} </span>{escape(row.next_step)}'
            "</span>"
        )
    count = f'<span class="count count--accent" aria-hidden="true">{row.unread_count}</span>'
    owner = f'<span class="avatar avatar--xs avatar--none" role="img" aria-label="{words.nobody}">–</span>'
    if row.owner:
        owner = (
            f'<span class="avatar avatar--xs avatar--staff" role="img" aria-label="{words.owner}{escape(row.owner)}">'
            f"{escape(row.owner.initials)}</span>"
        )
    return (
        f'<span class="conv__foot"><span class="conv__next">{step}</span>{words.draft if is_drafted else ""}'
        f"{count if row.unread_count > 1 else ''}{owner}</span>"
    )
