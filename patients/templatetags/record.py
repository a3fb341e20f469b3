"""Small helpers for the templates of a patient's page."""

from typing import Any
from urllib.parse import urlencode

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from contact_center.audit.models import AuditEntry
from contact_center.common.addresses import address_of
from contact_center.common.templatetags.continuo import icon

register = template.Library()
ADDED_BY = {
    "reach": "address-new",
    "alerts": "alert-new",
    "programs": "enrol",
    "pending": "pending-new",
    "coverage": "coverage-new",
    "life": "life-event-new",
}
KEPT_ON = {"preferences": "preferences", "consent": "consents", "family": "family"}
"""Pieces that are kept on a page of their own."""
UNTOLD = {"glass", "asked", "fields"}


@register.simple_tag
def opens(name: str, pk: int) -> SafeString:
    """Attributes of a link to a form: a dialog with JavaScript, a page without it."""
    url = address_of(name, pk)
    return format_html('href="{0}" hx-get="{0}" hx-target="#dialogs" hx-swap="innerHTML"', url)


@register.simple_tag(takes_context=True)
def back_field(context: dict[str, Any]) -> SafeString | str:
    """Where a button leads back to, when that is not the patient's page."""
    back = context.get("back")
    return format_html('<input type="hidden" name="back" value="{}">', back) if back else ""


@register.simple_tag(takes_context=True)
def add_link(context: dict[str, Any], key: str) -> SafeString | str:
    """The button that adds to one piece of the page or leads to where it is kept, for those who may."""
    name = ADDED_BY.get(key) or KEPT_ON.get(key)
    if name is None or not context.get("may_edit"):
        return ""
    url, title = address_of(f"patients:{name}", context["patient"].pk), context["piece"]["title"]
    if key in KEPT_ON:
        shell = '<a class="btn btn--sm btn--ghost push" href="{}">{}<span class="vh">: {}</span></a>'
        return format_html(shell, url, _("Update"), title)
    return format_html(
        '<a class="btn btn--sm btn--ghost push" href="{0}" hx-get="{0}" hx-target="#dialogs" hx-swap="innerHTML">'
        '{1}{2}<span class="vh">: {3}</span></a>',
        url,
        icon("plus"),
        _("Add"),
        title,
    )


@register.simple_tag
def journey_of(places: dict[str, Any]) -> dict[str, Any] | None:
    """The way of the program whose step is due first, for the head of the page."""
    for piece in places["next"]:
        if piece["key"] == "programs" and piece["context"]["programs"]:
            row, path = piece["context"]["programs"][0]
            return {"program": row.program, "path": path}
    return None


@register.simple_tag
def first_phone(places: dict[str, Any]) -> str:
    """The number that is tried first and does not bounce, as the pieces of the page have read it."""
    for piece in places["who"]:
        if piece["key"] == "reach":
            points = (point for point, _marks in piece["context"]["points"])
            return next((one.value for one in points if one.scheme == "phone" and not one.bounced_at), "")
    return ""


@register.simple_tag
def first_payer(places: dict[str, Any]) -> str:
    """Who pays today, as the pieces of the page have read it."""
    for piece in places["who"]:
        if piece["key"] == "coverage":
            today = piece["context"]["today"]
            for one in piece["context"]["coverages"]:
                if one.status == "active" and (one.valid_until_date is None or one.valid_until_date >= today):
                    return str(one.payer)
    return ""


@register.simple_tag
def look_query(look: dict[str, str]) -> str:
    """What the timeline is narrowed by, for the address of its next page."""
    return f"&{urlencode(look)}" if look else ""


@register.simple_tag
def look_address(look: dict[str, str], kind: str) -> str:
    """The query of the page that shows this kind of entries, narrowed otherwise as the present one is."""
    words = {name: value for name, value in look.items() if name != "kind"} | ({"kind": kind} if kind else {})
    return f"?{urlencode(words)}" if words else ""


@register.filter
def split_words(text: str) -> list[str]:
    """The words of a text."""
    return text.split()


@register.filter
def audit_words(entry: AuditEntry) -> str:
    """What an entry says besides: ids and words of ours."""
    told = [f"{key}: {value}" for key, value in sorted(entry.detail.items()) if key not in UNTOLD and value != ""]
    told += [", ".join(entry.detail["fields"])] if entry.detail.get("fields") else []
    return " · ".join(str(part) for part in told)[:300]
