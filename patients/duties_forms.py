"""Forms of the privacy pages. They parse and check; services save."""

from django import forms
from django.utils.translation import gettext_lazy as _

from patients.enums import DataClass

INPUT, AREA = {"class": "input"}, {"class": "textarea", "rows": 2}


class ErasureForm(forms.Form):
    """Why a patient is to be forgotten."""

    reason = forms.CharField(
        label=_("Who asked for it, and how"), max_length=240, widget=forms.Textarea(AREA),
        help_text=_("No diagnosis; for example: by letter of 3 March, signed, identity checked."),
    )  # fmt: skip


class DeclineForm(forms.Form):
    """Why not."""

    why = forms.CharField(label=_("Why not"), max_length=240, widget=forms.TextInput(INPUT))


class HoldForm(forms.Form):
    """What is kept, and why."""

    mrn = forms.CharField(
        label=_("Record number"), max_length=32, required=False, widget=forms.TextInput(INPUT),
        help_text=_("Empty: everybody's data."),
    )  # fmt: skip
    data_classes = forms.MultipleChoiceField(
        label=_("What is kept"), choices=DataClass.choices, required=False, widget=forms.CheckboxSelectMultiple,
        help_text=_("None chosen: everything."),
    )  # fmt: skip
    reason = forms.CharField(label=_("Why it must be kept"), max_length=240, widget=forms.TextInput(INPUT))


class RetentionForm(forms.Form):
    """How long one class is kept."""

    data_class = forms.ChoiceField(choices=DataClass.choices, widget=forms.HiddenInput)
    days = forms.IntegerField(
        label=_("Days"), required=False, min_value=1, max_value=36_500,
        widget=forms.NumberInput(INPUT | {"inputmode": "numeric"}),
    )  # fmt: skip
