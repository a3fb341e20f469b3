"""A patient's wishes, consent and family in words. Pure: no queries."""

from functools import lru_cache
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from contact_center.accounts.enums import Action
from contact_center.accounts.policies import can
from contact_center.common.templatetags.continuo import icon
from patients.care_forms import ConsentForm
from patients.enums import AccessNeed, ConsentStatus, DataClass, ProxyScope
from patients.models import Consent

register = template.Library()
SOURCES = dict(ConsentForm.SOURCES) | {
    "registration form": _("Registration form"),
    "form": _("Web form"),
    "keyword": _("Keyword in a message"),
    "patient page": _("On the patient's own page"),
}


@register.filter
def need_label(need: str) -> str:
    """What helps this patient, in words."""
    return str(AccessNeed(need).label) if need in AccessNeed.values else need


@register.filter
def scope_label(scope: str) -> str:
    """What a proxy may do, in words."""
    return str(ProxyScope(scope).label) if scope in ProxyScope.values else scope


@register.filter
def consent_source(source: str) -> str:
    """How we know what a patient said."""
    return str(SOURCES.get(source, source))


@register.simple_tag
def consent_mark(word: Consent | None) -> SafeString:
    """Sign and word of what a patient said last."""
    return _mark(word.status if word else "", get_language() or "")


@lru_cache(maxsize=32)
def _mark(status: str, language: str) -> SafeString:
    """In the language that is set, which is `language`: thirty of them stand on a page."""
    if not status:
        return format_html('{}<span class="vh">{}</span>', icon("minus", "muted"), _("Nothing said"))
    sign = icon("check", "ok") if status == ConsentStatus.GRANTED else icon("ban", "danger")
    return format_html('{}<span class="vh">{}</span>', sign, ConsentStatus(status).label)


@register.filter
def may_configure(user: Any) -> bool:
    """True for those who set the house up."""
    return can(user, Action.CONFIGURE)


@register.filter
def data_class_names(names: list[str]) -> str:
    """Classes of data in words."""
    return ", ".join(str(DataClass(name).label) for name in names if name in DataClass.values)


@register.filter
def verbose_name(model: Any) -> str:
    """What the rows of a table are, in words."""
    return str(model._meta.verbose_name_plural).capitalize()
