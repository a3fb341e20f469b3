"""What patients send from the page of a link."""

from typing import Any

from django import forms
from django.core.signing import BadSignature
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from scheduling.enums import NeedKind
from scheduling.forms import unsealed

AREA = {"class": "textarea", "rows": 3}
REASONS = {
    "transport": (_("I have no way to get there"), "car"),
    "work": (_("I do not get time off work"), "briefcase"),
    "fear": (_("I am afraid or nervous"), "frown"),
    "ill": (_("I feel ill"), "heart-pulse"),
    "not_needed": (_("I do not need it any more"), "circle-check"),
    "other": (pgettext_lazy("reason for cancelling", "Something else"), "ellipsis"),
}
HELP = {
    NeedKind.TRANSPORT: _("I need help to get there"),
    NeedKind.INTERPRETER: _("I need an interpreter"),
}


class SeenForm(forms.Form):
    """Every form of the page says which visit the patient saw."""

    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)


class CancelOwnForm(SeenForm):
    """Why the patient cancels."""

    reason = forms.ChoiceField(
        choices=[(key, words) for key, (words, _icon) in REASONS.items()],
        error_messages={"required": _("Choose what fits best."), "invalid_choice": _("Choose what fits best.")},
    )


class TimeForm(forms.Form):
    """A time among those offered."""

    slot = forms.CharField(error_messages={"required": _("Choose a time.")})

    def clean_slot(self) -> dict[str, Any]:
        """The offered slot."""
        try:
            return unsealed(self.cleaned_data["slot"])
        except (BadSignature, ValueError):
            raise forms.ValidationError(_("Choose one of the times offered.")) from None


class MoveOwnForm(SeenForm, TimeForm):
    """The time the patient chose. `key` makes a second click harmless."""

    key = forms.UUIDField(required=False, widget=forms.HiddenInput)


class PrepareForm(SeenForm):
    """That it was read, and what we should know before the visit."""

    is_read = forms.BooleanField(
        label=_("I have read it and I know what to do"),
        error_messages={"required": _("Tick this when you have read it.")},
    )
    needs = forms.MultipleChoiceField(
        choices=[(kind.value, words) for kind, words in HELP.items()],
        required=False,
        label=_("What do you need?"),
        widget=forms.CheckboxSelectMultiple,
    )
    words = forms.CharField(
        max_length=500, required=False, label=_("What should we know before?"), widget=forms.Textarea(AREA)
    )
