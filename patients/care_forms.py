"""What people write down about a patient's wishes, consent and family; nothing is saved here."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from contact_center.common.languages import INTERPRETED, language_choices
from patients.enums import (
    AccessNeed,
    CommunicationStyle,
    ConsentPurpose,
    ConsentStatus,
    ContactChannel,
    ProofKind,
    ProxyScope,
    Relation,
)
from patients.models import Patient

TEXT, SELECT = {"class": "input"}, {"class": "select"}
DATE, TIME = {"class": "input", "type": "date"}, {"class": "input", "type": "time"}
AREA = {"class": "textarea", "rows": 4}


def date_field(label: Any, **more: Any) -> forms.DateField:
    return forms.DateField(label=label, required=False, widget=forms.DateInput(DATE, format="%Y-%m-%d"), **more)


def time_field(label: Any, **more: Any) -> forms.TimeField:
    return forms.TimeField(label=label, required=False, widget=forms.TimeInput(TIME, format="%H:%M"), **more)


class PreferencesForm(forms.Form):
    """How a patient wants to be reached and spoken with. Staff and patients fill in the same form."""

    language = forms.ChoiceField(label=_("Language"), widget=forms.Select(SELECT))
    preferred_channel = forms.ChoiceField(
        label=_("Best way to reach them"), required=False, widget=forms.Select(SELECT)
    )
    contact_from = time_field(_("Messages from"))
    contact_until = time_field(_("Messages until"), help_text=_("Automatic messages wait for these hours."))
    interpreter_language = forms.ChoiceField(label=_("Interpreter for"), required=False, widget=forms.Select(SELECT))
    communication_style = forms.ChoiceField(label=_("How to explain"), required=False, widget=forms.Select(SELECT))
    access_needs = forms.MultipleChoiceField(
        label=_("What helps"), required=False, choices=AccessNeed.choices, widget=forms.CheckboxSelectMultiple
    )
    access_note = forms.CharField(
        label=_("In their own words"), required=False, max_length=240, widget=forms.TextInput(TEXT)
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        present = str(self.initial.get("language", ""))
        self._choices("language", language_choices(present))
        self._choices("preferred_channel", [("", _("No wish")), *ContactChannel.choices])
        self._choices("interpreter_language", [("", _("No interpreter")), *language_choices("", INTERPRETED)])
        self._choices("communication_style", [("", _("No wish")), *CommunicationStyle.choices])

    def _choices(self, name: str, choices: Any) -> None:
        self.fields[name].choices = choices  # type: ignore[attr-defined]


def preferences_of(patient: Patient) -> dict[str, Any]:
    """What the preferences form begins with."""
    return {name: getattr(patient, name) for name in PreferencesForm.base_fields}


class ConsentForm(forms.Form):
    """What a patient said about one purpose, and how we know."""

    SOURCES = (
        ("phone call", _("Said in a call")),
        ("in person", _("Said in person")),
        ("message", _("Wrote it in a message")),
        ("signed form", _("Signed a form")),
    )
    purpose = forms.ChoiceField(label=_("Purpose"), choices=ConsentPurpose.choices, widget=forms.Select(SELECT))
    channel_kind = forms.ChoiceField(label=_("By which way"), required=False, widget=forms.Select(SELECT))
    status = forms.ChoiceField(
        label=_("What the patient said"), choices=ConsentStatus.choices, widget=forms.Select(SELECT)
    )
    source = forms.ChoiceField(label=_("How we know"), choices=SOURCES, widget=forms.Select(SELECT))
    was_shown = forms.BooleanField(label=_("The text below was read out or shown"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", _("Every way")), *ContactChannel.choices]
        self.fields["channel_kind"].choices = choices  # type: ignore[attr-defined]


class ConsentTextForm(forms.Form):
    """The next version of what patients are shown."""

    purpose = forms.ChoiceField(label=_("Purpose"), choices=ConsentPurpose.choices, widget=forms.Select(SELECT))
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES, widget=forms.Select(SELECT))
    text = forms.CharField(label=_("What patients are shown"), max_length=4000, widget=forms.Textarea(AREA))


class FamilyForm(forms.Form):
    """Somebody who belongs to a patient, and what they may do."""

    AGES = (("", _("As age and relation say")), ("yes", _("Yes")), ("no", _("No, it goes on")))
    name = forms.CharField(label=_("Name"), max_length=240, widget=forms.TextInput(TEXT))
    relation = forms.ChoiceField(
        label=_("Relation to the patient"), choices=Relation.choices, widget=forms.Select(SELECT)
    )
    relative_mrn = forms.CharField(
        label=_("Their own record number, if they are a patient here"),
        required=False,
        max_length=32,
        widget=forms.TextInput(TEXT),
    )
    is_proxy = forms.BooleanField(label=_("May act for the patient"), required=False)
    scopes = forms.MultipleChoiceField(
        label=_("In which matters"), required=False, choices=ProxyScope.choices, widget=forms.CheckboxSelectMultiple
    )
    valid_from_date = date_field(_("From"))
    valid_until_date = date_field(_("Until, that day included"))
    proof = forms.ChoiceField(
        label=_("Proved by"), required=False, choices=[("", _("Nothing yet")), *ProofKind.choices],
        widget=forms.Select(SELECT),
    )  # fmt: skip
    proof_note = forms.CharField(
        label=_("Where the proof is kept"), required=False, max_length=120, widget=forms.TextInput(TEXT)
    )
    is_for_minor = forms.ChoiceField(
        label=_("Ends when the patient comes of age"), required=False, choices=AGES, widget=forms.Select(SELECT)
    )

    def clean_is_for_minor(self) -> bool | None:
        return {"yes": True, "no": False}.get(self.cleaned_data["is_for_minor"])


class CareRuleForm(forms.Form):
    """When patients of a site come of age."""

    site_name = forms.CharField(
        label=_("Site; empty for everywhere else"), required=False, max_length=80, widget=forms.TextInput(TEXT)
    )
    adult_age = forms.IntegerField(
        label=_("Age at which patients decide for themselves"), min_value=12, max_value=25,
        initial=18, widget=forms.NumberInput(TEXT),
    )  # fmt: skip
    warning_days = forms.IntegerField(
        label=_("Days of warning before a proxy ends"), min_value=1, max_value=365, initial=30,
        widget=forms.NumberInput(TEXT),
    )  # fmt: skip


class SwitchesForm(forms.Form):
    """The two switches that stop every message to a patient."""

    is_do_not_contact = forms.BooleanField(label=_("The patient does not want to be contacted"), required=False)
    deceased_date = date_field(_("Died on"))

    def clean_deceased_date(self) -> Any:
        given = self.cleaned_data["deceased_date"]
        if given and given > timezone.localdate():
            raise forms.ValidationError(_("Enter a date that is not in the future."))
        return given
