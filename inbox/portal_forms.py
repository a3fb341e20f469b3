"""What patients fill in on their own page; nothing is saved here."""

from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from patients.care_forms import PreferencesForm
from patients.services.addresses import normalise_address

INPUT = {"class": "input"}


class AddressForm(forms.Form):
    """A phone number or an e-mail address; `found` is its scheme and stored spelling."""

    address = forms.CharField(
        label=_("Your mobile number or e-mail"), max_length=254,
        error_messages={"required": _("Write your mobile number or e-mail.")},
        widget=forms.TextInput(INPUT | {"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}),
    )  # fmt: skip

    found: tuple[str, str] = ("", "")

    def clean_address(self) -> str:
        text = str(self.cleaned_data["address"]).strip()
        scheme = "email" if "@" in text else "phone"
        try:
            self.found = (scheme, normalise_address(scheme, text))
        except ValidationError as error:
            raise ValidationError(error.message_dict["value"]) from None
        return text


class BornForm(forms.Form):
    """The birth date of the patient as three numbers; `birth_date` in `cleaned_data` once it is a day."""

    day = forms.IntegerField(label=_("Day"), min_value=1, max_value=31, widget=forms.TextInput(INPUT))
    month = forms.IntegerField(label=_("Month"), min_value=1, max_value=12, widget=forms.TextInput(INPUT))
    year = forms.IntegerField(label=_("Year"), min_value=1890, max_value=2200, widget=forms.TextInput(INPUT))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, hint in (("day", "bday-day"), ("month", "bday-month"), ("year", "bday-year")):
            self.fields[name].widget.attrs |= {"inputmode": "numeric", "autocomplete": hint, "aria-describedby": "born"}

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not {"day", "month", "year"} & set(self.errors):
            try:
                data["birth_date"] = date(data["year"], data["month"], data["day"])
            except ValueError:
                self.add_error("day", _("This day is not in the calendar."))
        return data


class DigitsForm(forms.Form):
    """The code that was sent."""

    code = forms.CharField(
        label=_("The six digits we sent"), max_length=20, error_messages={"required": _("Write the six digits.")},
        widget=forms.TextInput(INPUT | {"inputmode": "numeric", "autocomplete": "one-time-code"}),
    )  # fmt: skip


class CodeForm(DigitsForm, BornForm):
    """The code that was sent, and the birth date of the patient."""

    first_name = forms.CharField(
        label=_("First name, if a twin uses this number or e-mail too"), max_length=120, required=False,
        widget=forms.TextInput(INPUT | {"autocomplete": "given-name"}),
    )  # fmt: skip


class OwnPreferencesForm(PreferencesForm):
    """The same wishes in the patient's own words."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        labels = {
            "preferred_channel": _("How shall we reach you?"),
            "contact_from": _("Send me messages from"),
            "contact_until": _("and until"),
            "interpreter_language": _("Do you want an interpreter?"),
            "communication_style": _("How shall we explain things?"),
            "access_needs": _("What helps you?"),
            "access_note": _("Anything else that helps"),
        }
        for name, label in labels.items():
            self.fields[name].label = label
        self.fields["contact_until"].help_text = _("Reminders wait for these hours. A person may still answer you.")
