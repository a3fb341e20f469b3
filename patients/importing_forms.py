"""Forms of taking in a file of patients. They parse and validate; nothing here saves."""

from collections.abc import Sequence

from django import forms
from django.utils.translation import gettext_lazy as _

from patients.enums import ImportField
from patients.tables.values import DAY_FIRST, MONTH_FIRST

SELECT = {"class": "select"}
LARGEST = 100 * 1024 * 1024
MOST_FHIR = 10 * 1024 * 1024


class UploadForm(forms.Form):
    """The file."""

    file = forms.FileField(
        label=_("CSV or XLSX file"),
        help_text=_("The first row names the columns. At most 250,000 rows and 100 MB."),
        widget=forms.ClearableFileInput(attrs={"class": "input", "accept": ".csv,.tsv,.txt,.xlsx"}),
        error_messages={"required": _("Choose a file."), "empty": _("The file is empty.")},
        max_length=None,
    )

    def clean_file(self) -> object:
        """Refuse what is too large."""
        file = self.cleaned_data["file"]
        if file.size > LARGEST:
            raise forms.ValidationError(_("The file is larger than 100 MB. Take it in by parts."))
        return file


class ColumnsForm(forms.Form):
    """What each column holds, and how dates and numbers are meant."""

    dates = forms.ChoiceField(
        label=_("Dates such as 03/09/1984 mean"),
        choices=[(DAY_FIRST, _("3 September: the day first")), (MONTH_FIRST, _("9 March: the month first"))],
        widget=forms.Select(attrs=SELECT),
    )
    identifier_system = forms.RegexField(
        r"^[\w .:/-]{1,120}$",
        label=_("Register of the identity numbers"),
        help_text=_("A short word such as national, passport or insurer."),
        widget=forms.TextInput(attrs={"class": "input"}),
        error_messages={"invalid": _("Use letters, digits, points and dashes.")},
    )

    def __init__(self, *args: object, header: Sequence[str], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        for place, heading in enumerate(header):
            self.fields[f"column_{place}"] = forms.ChoiceField(
                label=heading[:80] or f"{_('Column')} {place + 1}",
                choices=ImportField.choices,
                required=False,
                widget=forms.Select(attrs=SELECT),
            )

    def column_fields(self) -> list[forms.BoundField]:
        """The columns in their order."""
        return [self[name] for name in self.fields if name.startswith("column_")]

    def columns(self) -> list[str]:
        """What was chosen for each column, in order."""
        return [self.cleaned_data[name] for name in self.fields if name.startswith("column_")]


class RunForm(forms.Form):
    """What happens to people who are here already."""

    known = forms.ChoiceField(
        label=_("Rows whose record number or identity number is here"),
        choices=[("update", _("Update the record")), ("skip", _("Leave them out"))],
        widget=forms.Select(attrs=SELECT),
    )
    alike = forms.ChoiceField(
        label=_("Rows that are certainly somebody here, or in an earlier row"),
        choices=[("skip", _("Leave them out")), ("create", _("Create them; duplicates are suggested"))],
        widget=forms.Select(attrs=SELECT),
    )


class FhirForm(forms.Form):
    """A FHIR file, and where its ids come from."""

    file = forms.FileField(
        label=_("FHIR R4 file (JSON)"),
        help_text=_("One resource or a bundle of Patient, RelatedPerson, Consent and Coverage."),
        widget=forms.ClearableFileInput(attrs={"class": "input", "accept": ".json"}),
        error_messages={"required": _("Choose a file."), "empty": _("The file is empty.")},
    )
    source = forms.CharField(
        label=_("System it comes from"),
        help_text=_("Its address or name. With it, later files of that system find the same patients by their ids."),
        required=False,
        max_length=80,
        widget=forms.TextInput(attrs={"class": "input"}),
    )

    def clean_file(self) -> object:
        """Refuse what is too large to be read at once."""
        file = self.cleaned_data["file"]
        if file.size > MOST_FHIR:
            raise forms.ValidationError(_("The file is larger than 10 MB. Take it in by parts."))
        return file
