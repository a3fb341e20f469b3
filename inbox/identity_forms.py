"""What a person says to be known, and how identity is checked here; nothing is saved."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from inbox.enums import IdentifierKind, Unchecked
from inbox.forms import SELECT, TEXT
from inbox.models import IdentityPolicy
from patients.models import ContactPoint

HINTS = {
    IdentifierKind.FULL_NAME: _("Given and family name, as they say it"),
    IdentifierKind.BIRTH_DATE: _("Day, month and year, such as 5 9 1950"),
    IdentifierKind.DOCUMENT: _("The last four signs"),
}


class IdentityForm(forms.Form):
    """One field per kind that is asked for here. What is typed is never shown again."""

    def __init__(self, *args: Any, policy: IdentityPolicy, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for place, kind in enumerate(policy.kinds):
            known = IdentifierKind(kind)
            self.fields[kind] = forms.CharField(
                label=known.label,
                required=False,
                max_length=254,
                help_text=HINTS.get(known, ""),
                widget=forms.TextInput(TEXT | {"autocomplete": "off", "autofocus": not place}),
            )


class IdentityPolicyForm(forms.Form):
    """How identity is checked here."""

    kinds = forms.MultipleChoiceField(
        label=_("What is asked for"), choices=IdentifierKind.choices, widget=forms.CheckboxSelectMultiple
    )
    required_count = forms.IntegerField(
        label=_("How many have to agree"), min_value=1, max_value=4, widget=forms.NumberInput(TEXT)
    )
    valid_minutes = forms.IntegerField(
        label=_("Minutes it holds"), min_value=1, max_value=720, widget=forms.NumberInput(TEXT)
    )
    most_failures = forms.IntegerField(
        label=_("Failed attempts until it is locked"), min_value=1, max_value=10, widget=forms.NumberInput(TEXT)
    )
    unchecked = forms.ChoiceField(
        label=_("Sending something sensitive without a check"), choices=Unchecked.choices, widget=forms.Select(SELECT)
    )


def policy_fields(policy: IdentityPolicy) -> dict[str, Any]:
    """What the policy form begins with."""
    return {name: getattr(policy, name) for name in IdentityPolicyForm.base_fields}


def hinted(point: ContactPoint) -> str:
    """An address of which only the end can be read, so that it is asked for and not read out."""
    if "@" not in point.value:
        return f"…{point.value[-4:]}"
    name, _at, host = point.value.partition("@")
    return f"{name[:2]}…@{host}"
