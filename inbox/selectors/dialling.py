"""Which numbers are called at all, whoever has them."""

from django.conf import settings
from django.utils.translation import gettext as _

from inbox.models import Channel
from patients.numbers import normalise_phone, phone_variants

ORDINARY = {"fixed_line", "mobile", "fixed_line_or_mobile", "toll_free", "voip"}
"""Kinds of numbers whose calls cost what calls cost; premium rate, shared cost, personal and the like do not."""


def why_not_dialled(number: str) -> str:
    """Why this number, in E.164, is called by nobody; empty when it may be called. One query at most."""
    if Channel.objects.filter(address__in=phone_variants(number)).exists():
        return _("This is a number of ours.")
    found = normalise_phone(number)
    if found is None or not found.is_valid:
        return _("This is no phone number.")
    if found.type not in ORDINARY:
        return _("This kind of number is not called from here, for such calls can cost more.")
    if found.country not in settings.CALL_COUNTRIES:
        return _("Numbers of this country are not called from here. An administrator can allow it.")
    return ""
