"""Parse and validate what is written into a patient's record; nothing is saved here."""

from typing import Any

from django import forms
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from contact_center.accounts.enums import Action
from contact_center.accounts.models import User
from contact_center.accounts.policies import roles_that_may
from contact_center.audit.enums import AuditAction
from contact_center.common.languages import language_choices
from patients.enums import (
    AddressUse,
    AlertKind,
    AlertSeverity,
    ContactScheme,
    ContactUse,
    Gender,
    PendingKind,
    Register,
    Sensitivity,
)
from patients.models import CareProgram, Patient
from patients.selectors.care import programs_in_use
from patients.tables.values import Described

TEXT, SELECT = {"class": "input"}, {"class": "select"}
AREA = {"class": "textarea", "rows": 3}
DATE = {"class": "input", "type": "date"}
FIRST = {"autofocus": True}


def carers() -> Any:
    """People who can own a step of a patient's way, by name."""
    found = User.objects.filter(is_active=True, is_service_account=False, role__in=roles_that_may(Action.EDIT_PATIENTS))
    return found.order_by("first_name", "last_name", "pk")


def _day(label: Any, **options: Any) -> forms.DateField:
    return forms.DateField(label=label, widget=forms.DateInput(DATE, format="%Y-%m-%d"), **options)


def _owner(label: Any = None) -> forms.ModelChoiceField:
    label = label or _("Owner")
    return forms.ModelChoiceField(
        User.objects.none(), label=label, required=False, empty_label=_("I"), widget=forms.Select(SELECT)
    )


class IdentityForm(forms.Form):
    """Who somebody is. The record number stays; life and death are switches of their own."""

    given_name = forms.CharField(
        label=_("Given name"), max_length=120, widget=forms.TextInput(TEXT | FIRST),
        error_messages={"required": _("A name is needed.")},
    )  # fmt: skip
    family_name = forms.CharField(
        label=_("Family name"), max_length=120, widget=forms.TextInput(TEXT),
        error_messages={"required": _("A name is needed.")},
    )  # fmt: skip
    preferred_name = forms.CharField(
        label=_("Likes to be called"), max_length=120, required=False, widget=forms.TextInput(TEXT)
    )
    birth_date = _day(_("Birth date"), required=False)
    gender = forms.ChoiceField(label=_("Gender"), choices=Gender.choices, widget=forms.Select(SELECT))
    site_name = forms.CharField(label=_("Site"), max_length=80, required=False, widget=forms.TextInput(TEXT))


class NewPatientForm(IdentityForm):
    """Whom no record knows: who they are, how they are reached, and the number of one register."""

    language = forms.ChoiceField(label=_("Language"), widget=forms.Select(SELECT))
    phone = forms.CharField(
        label=_("Phone"), max_length=254, required=False, widget=forms.TextInput(TEXT | {"autocomplete": "off"})
    )
    email = forms.CharField(
        label=_("E-mail"), max_length=254, required=False, widget=forms.TextInput(TEXT | {"autocomplete": "off"})
    )
    system = forms.ChoiceField(label=_("Register"), choices=Register.choices, widget=forms.Select(SELECT))
    identifier = forms.CharField(
        label=_("Number"), max_length=64, required=False, widget=forms.TextInput(TEXT | {"autocomplete": "off"})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["language"].choices = language_choices()  # type: ignore[attr-defined]
        self.fields["language"].initial = get_language()
        self.fields["gender"].initial = Gender.UNKNOWN

    def described(self) -> Described:
        """The person in the words that are compared with the records; only after validation."""
        data = self.cleaned_data
        return Described(
            fields={name: data[name] for name in (*IdentityForm.base_fields, "language") if data[name]},
            phones=[(str(ContactUse.MOBILE), data["phone"])] if data["phone"] else [],
            emails=[data["email"]] if data["email"] else [],
            identifiers=[(data["system"], data["identifier"])] if data["identifier"] else [],
        )


class AddressForm(forms.Form):
    """One more way to reach a patient."""

    SCHEMES = ((ContactScheme.PHONE, _("Phone")), (ContactScheme.EMAIL, _("E-mail")))
    scheme = forms.ChoiceField(label=_("Kind"), choices=SCHEMES, widget=forms.Select(SELECT | FIRST))
    value = forms.CharField(
        label=_("Number or address"), max_length=254, widget=forms.TextInput(TEXT | {"autocomplete": "off"}),
        help_text=_("A phone number from abroad begins with + and its country code."),
        error_messages={"required": _("Write the number or the address.")},
    )  # fmt: skip
    use = forms.ChoiceField(label=_("Where it is used"), choices=ContactUse.choices, widget=forms.Select(SELECT))


class HomeForm(forms.Form):
    """Where letters reach a patient."""

    line = forms.CharField(
        label=_("Street and number"), max_length=200, required=False, widget=forms.TextInput(TEXT | FIRST)
    )
    extra_line = forms.CharField(
        label=_("Second address line"), max_length=200, required=False, widget=forms.TextInput(TEXT)
    )
    postal_code = forms.CharField(label=_("Postal code"), max_length=20, required=False, widget=forms.TextInput(TEXT))
    city = forms.CharField(label=_("City"), max_length=120, required=False, widget=forms.TextInput(TEXT))
    region = forms.CharField(label=_("State or province"), max_length=120, required=False, widget=forms.TextInput(TEXT))
    country = forms.CharField(label=_("Country"), max_length=60, required=False, widget=forms.TextInput(TEXT))
    use = forms.ChoiceField(label=_("Kind"), choices=AddressUse.choices, widget=forms.Select(SELECT))


class NumberForm(forms.Form):
    """A number that a register gave. It is never shown again as a whole, so a change writes it anew."""

    system = forms.ChoiceField(label=_("Register"), widget=forms.Select(SELECT | FIRST))
    value = forms.CharField(
        label=_("Number"), max_length=64, widget=forms.TextInput(TEXT | {"autocomplete": "off"}),
        help_text=_("Write all of it. Pages show only its end."),
        error_messages={"required": _("Write the number.")},
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        present = self.initial.get("system", Register.NATIONAL)
        others = [] if present in Register.values else [(present, present)]
        self.fields["system"].choices = [*Register.choices, *others]  # type: ignore[attr-defined]


class AlertForm(forms.Form):
    """A warning for everybody who opens the record."""

    text = forms.CharField(
        label=_("What everybody must know"), max_length=240, widget=forms.TextInput(TEXT | FIRST),
        error_messages={"required": _("Say what everybody must know.")},
    )  # fmt: skip
    kind = forms.ChoiceField(label=_("About"), choices=AlertKind.choices, widget=forms.Select(SELECT))
    severity = forms.ChoiceField(
        label=_("How serious"), choices=AlertSeverity.choices, initial=AlertSeverity.WARNING,
        widget=forms.Select(SELECT),
    )  # fmt: skip
    expires_date = _day(_("Last day"), required=False, help_text=_("Empty: until somebody ends it."))


class EnrolForm(forms.Form):
    """A program the patient begins."""

    program = forms.ModelChoiceField(
        CareProgram.objects.none(), label=_("Program"), empty_label=_("Choose a program"),
        widget=forms.Select(SELECT | FIRST),
        error_messages={"required": _("Choose a program.")},
    )  # fmt: skip
    owner = _owner()

    def __init__(self, *args: Any, patient: Patient, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["program"].queryset = programs_in_use(patient)  # type: ignore[attr-defined]
        self.fields["owner"].queryset = carers()  # type: ignore[attr-defined]


class StepForm(forms.Form):
    """The present step is done."""

    step = forms.IntegerField(min_value=1, widget=forms.HiddenInput)
    note = forms.CharField(
        label=_("What came of it"), required=False, max_length=240, widget=forms.TextInput(TEXT | FIRST)
    )


class OwnerAndDayForm(forms.Form):
    """Somebody else, or another day."""

    owner = _owner()
    day = _day(_("Due"), error_messages={"required": _("Say by when.")})

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["owner"].queryset = carers()  # type: ignore[attr-defined]
        self.fields["owner"].empty_label = gettext("Nobody yet")  # type: ignore[attr-defined]


class LeaveForm(forms.Form):
    """Why a program ends early."""

    why = forms.CharField(
        label=_("Why"), max_length=240, widget=forms.TextInput(TEXT | FIRST),
        error_messages={"required": _("Say why the patient leaves the program.")},
    )  # fmt: skip


class PendingForm(forms.Form):
    """A result or an authorisation that is waited for."""

    title = forms.CharField(
        label=_("What was asked for"), max_length=160, widget=forms.TextInput(TEXT | FIRST),
        help_text=_("The name of the test or treatment, never what came out."),
        error_messages={"required": _("Say what was asked for.")},
    )  # fmt: skip
    kind = forms.ChoiceField(label=_("Kind"), choices=PendingKind.choices, widget=forms.Select(SELECT))
    expected_date = _day(_("Expected by"), error_messages={"required": _("Say by when.")})
    requested_date = _day(_("Requested on"), required=False, help_text=_("Empty: today."))
    owner = _owner(_("Who looks after it"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["owner"].queryset = carers()  # type: ignore[attr-defined]


class CoverageForm(forms.Form):
    """Who pays."""

    payer = forms.CharField(
        label=_("Who pays"), max_length=120, widget=forms.TextInput(TEXT | FIRST),
        error_messages={"required": _("Say who pays.")},
    )  # fmt: skip
    plan = forms.CharField(label=_("Plan"), required=False, max_length=120, widget=forms.TextInput(TEXT))
    member_number = forms.CharField(
        label=_("Member number"), required=False, max_length=60, widget=forms.TextInput(TEXT | {"autocomplete": "off"})
    )
    valid_from_date = _day(_("From"), required=False)
    valid_until_date = _day(_("Until"), required=False)


class LifeEventForm(forms.Form):
    """Something worth remembering."""

    text = forms.CharField(
        label=_("What to remember"), max_length=240, widget=forms.TextInput(TEXT | FIRST),
        error_messages={"required": _("Say what to remember.")},
    )  # fmt: skip
    happened_date = _day(_("When it was"), required=False)


class ProtectForm(forms.Form):
    """Whether and why the record is protected."""

    sensitivity = forms.ChoiceField(label=_("Protection"), choices=Sensitivity.choices, widget=forms.RadioSelect)


class GlassForm(forms.Form):
    """Why a protected record is needed now."""

    reason = forms.CharField(
        label=_("Why you need this record now"), max_length=500, widget=forms.Textarea(AREA | FIRST),
        help_text=_("The privacy officer reads this."),
        error_messages={"required": _("Say in a sentence why you need this record now.")},
    )  # fmt: skip


class GlassByIdentityForm(GlassForm):
    """A protected record that no list shows, by two identifiers."""

    mrn = forms.CharField(
        label=_("Record number"), max_length=32, widget=forms.TextInput(TEXT | FIRST | {"autocomplete": "off"}),
        error_messages={"required": _("Enter the record number.")},
    )  # fmt: skip
    birth_date = _day(_("Birth date"), error_messages={"required": _("Enter the birth date.")})
    field_order = ["mrn", "birth_date", "reason"]


class ProgramForm(forms.Form):
    """A program: its steps stand one per line, as `title | days after the step before`."""

    name = forms.CharField(
        label=_("Name"), max_length=120, widget=forms.TextInput(TEXT | FIRST),
        error_messages={"required": _("Give the program a name.")},
    )  # fmt: skip
    description = forms.CharField(label=_("For whom"), required=False, max_length=240, widget=forms.TextInput(TEXT))
    steps = forms.CharField(
        label=_("Steps"), max_length=10_000, widget=forms.Textarea(AREA | {"rows": 8}),
        help_text=_("One per line: what is done | days after the step before."),
        error_messages={"required": _("Write one step per line: what is done, and after how many days.")},
    )  # fmt: skip
    is_active = forms.BooleanField(label=_("In use"), required=False, initial=True)

    def clean_steps(self) -> list[tuple[str, int]]:
        """Title and days of each line."""
        steps = []
        for line in filter(str.strip, self.cleaned_data["steps"].splitlines()):
            title, bar, days = line.rpartition("|")
            if not bar or not title.strip() or not days.strip().isdecimal() or len(days.strip()) > 4:
                raise forms.ValidationError(_("Write each line as: what is done | days."))
            steps.append((title.strip(), int(days)))
        return steps


class LookForm(forms.Form):
    """How the timeline is narrowed. What cannot be read narrows nothing."""

    kind = forms.CharField(required=False, max_length=20)
    channel = forms.CharField(required=False, max_length=12)
    since = forms.DateField(required=False)
    until = forms.DateField(required=False)


class AuditForm(forms.Form):
    """How the audit trail is narrowed."""

    action = forms.ChoiceField(label=_("What"), required=False, widget=forms.Select(SELECT))
    actor = forms.ModelChoiceField(
        User.objects.order_by("first_name", "last_name", "pk"), label=_("Who"), required=False,
        widget=forms.Select(SELECT), empty_label=_("Everybody"),
    )  # fmt: skip
    mrn = forms.CharField(label=_("Record number"), required=False, max_length=32, widget=forms.TextInput(TEXT))
    object_type = forms.RegexField(
        r"^[a-z_]+$", label=_("Kind of object"), required=False, max_length=60, widget=forms.TextInput(TEXT),
        error_messages={"invalid": _("Lower-case letters only, as in the list.")},
    )  # fmt: skip
    object_id = forms.IntegerField(
        label=_("Its number"), required=False, min_value=1, max_value=2**62, widget=forms.NumberInput(TEXT)
    )
    since = _day(_("From"), required=False)
    until = _day(_("Until"), required=False)
    only_glass = forms.BooleanField(label=_("Only protected records"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["action"].choices = [("", gettext("Everything")), *AuditAction.choices]  # type: ignore[attr-defined]
