"""The entries of a patient's timeline, put together in Python as those of a thread are; every value is escaped."""

from functools import lru_cache
from html import escape

from django import template
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from contact_center.common.moments import written
from contact_center.common.templatetags.continuo import icon
from inbox.enums import ChannelKind
from inbox.templatetags import desk
from patients.timeline import Entry, Line

register = template.Library()


@register.simple_tag
def line_entries(line: Line) -> SafeString:
    """List items of a page of the timeline."""
    channels = _channels(get_language() or "")
    return mark_safe("".join(_entry(entry, channels) for entry in line.entries))  # noqa: S308 - escaped where put in


@lru_cache(maxsize=8)
def _channels(language: str) -> dict[str, str]:
    return {
        kind.value: (
            f'<span class="ch" data-ch="{kind.value}" role="img" aria-label="{escape(str(kind.label))}">'
            f"{desk.channel_icon(kind)}</span>"
        )
        for kind in ChannelKind
    }


def _entry(entry: Entry, channels: dict[str, str]) -> str:
    at = timezone.localtime(entry.at)
    mark = channels.get(entry.channel)
    if mark is None:
        kind = f' data-ch="{escape(entry.channel)}"' if entry.channel else ""
        mark = f'<span class="ch"{kind} aria-hidden="true">{icon(entry.icon)}</span>'
    title = f"<b>{escape(str(entry.title))}</b>"
    if entry.url:
        title = f'<a class="link" href="{escape(entry.url)}">{title}</a>'
    who = f" · {escape(entry.who)}" if entry.who else ""
    chip = ""
    if entry.chip:
        tone = f" chip--{entry.chip[1]}" if entry.chip[1] else ""
        chip = f'<span class="chip{tone} push">{escape(str(entry.chip[0]))}</span>'
    text = f'<p class="soft" dir="auto">{escape(entry.text)}</p>' if entry.text else ""
    when = escape(written(at, "dated"))
    return (
        f'<li id="entry-{entry.place}">{mark}<div class="tl__head">{title}'
        f'<time datetime="{at.isoformat()}">{when}{who}</time>{chip}</div>{text}</li>\n'
    )
