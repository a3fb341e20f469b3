"""Parse and validate what is written down of complaints; nothing is saved here."""

from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from complaints import terms
from complaints.enums import (
    Complainant,
    ComplaintCategory,
    ComplaintKind,
    ComplaintProtection,
    ComplaintStatus,
    ComplaintVerb,
    ReceivedBy,
    Severity,
)
from complaints.models import Complaint
from complaints.policies import can_own
from complaints.selectors import people_who_may_own, staff
from complaints.services.concluding import Step
from complaints.services.registering import Told
from contact_center.accounts.models import Team, User
from inbox.forms import AREA, DATE, SELECT, TEXT
from inbox.selectors.conversation import relatives_of
from patients.models import Patient, RelatedPerson

V = ComplaintVerb
MOMENT = TEXT | {"type": "datetime-local"}
MOST_WORDS = 20_000
SUGGESTED: dict[str, tuple[Any, int]] = {
    V.ACKNOWLEDGE: (_("Decide how grave it is and who looks into it"), 2),
    V.TRIAGE: (_("Find out what happened"), 5),
    V.START_INVESTIGATION: (_("Write the response"), 10),
    V.PROPOSE_RESPONSE: (_("Check the response"), 2),
    V.SEND_BACK: (_("Write the response anew"), 3),
    V.APPROVE_RESPONSE: (_("Give the response to the complainant"), 1),
    V.ANSWER: (_("Ask whether it is good now"), 7),
    V.FOLLOW_UP: (_("Ask whether it is good now"), 7),
    V.REOPEN: (_("Find out what happened"), 3),
    V.ESCALATE: (_("Decide what happens with it"), 1),
    V.REFER_EXTERNALLY: (_("Ask the outside body how it stands"), 30),
}
"""The usual next step of each move and in how many days."""


def _choice(label: Any, choices: Any, **options: Any) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, choices=choices, widget=forms.Select(SELECT), **options)


def _text(label: Any, **options: Any) -> forms.CharField:
    return forms.CharField(label=label, max_length=MOST_WORDS, widget=forms.Textarea(AREA), **options)


def _of_whom() -> forms.ModelMultipleChoiceField:
    return forms.ModelMultipleChoiceField(
        staff(), label=_("Of whom it speaks"), required=False, widget=forms.SelectMultiple(AREA | {"size": 4}),
        help_text=_("They see nothing of it. Whoever sees to it handles complaints."),
    )  # fmt: skip


class RegisterForm(forms.Form):
    """What somebody complains of to `user`. Relatives are offered where the patient has some whom they may know of."""

    words = _text(_("What happened, in their own words"), error_messages={"required": _("Write down what they say.")})
    wanted = _text(_("What would put it right"), required=False)
    kind = _choice(_("What it is"), ComplaintKind.choices, initial=ComplaintKind.COMPLAINT)
    category = _choice(_("What it is about"), ComplaintCategory.choices)
    severity = _choice(_("How grave"), Severity.choices, initial=Severity.MODERATE)
    received_by = _choice(_("How it reached us"), ReceivedBy.choices, initial=ReceivedBy.VOICE)
    complainant = _choice(_("Who complains"), Complainant.choices, initial=Complainant.PATIENT)
    received_at = forms.DateTimeField(
        label=_("When it reached us"), required=False, help_text=_("Empty: now."),
        widget=forms.DateTimeInput(MOMENT, format="%Y-%m-%dT%H:%M"),
    )  # fmt: skip
    relative = forms.ModelChoiceField(
        RelatedPerson.objects.none(), label=_("Which relative"), required=False, empty_label=_("None"),
        widget=forms.Select(SELECT),
    )  # fmt: skip
    complainant_name = forms.CharField(
        label=_("Name, if it is somebody else"), max_length=160, required=False, widget=forms.TextInput(TEXT)
    )
    owner = forms.ModelChoiceField(
        people_who_may_own(), label=_("Who sees to it"), required=False, empty_label=_("I"), widget=forms.Select(SELECT)
    )
    protection = _choice(
        _("Protection"), ComplaintProtection.choices, initial=ComplaintProtection.NONE,
        help_text=_("A protected one is seen only by whoever sees to it and by those who handle complaints."),
    )  # fmt: skip
    about_staff = _of_whom()

    def __init__(self, *args: Any, user: User, patient: Patient | None, is_from_channel: bool, **values: Any) -> None:
        super().__init__(*args, **values)
        self.user = user
        known = [one.pk for one in relatives_of(user, patient) if one.ended_at is None] if patient else []
        if known:
            self.fields["relative"].queryset = RelatedPerson.objects.filter(pk__in=known)  # type: ignore[attr-defined]
        else:
            del self.fields["relative"]
            self.fields["complainant"].choices = [  # type: ignore[attr-defined]
                one for one in Complainant.choices if one[0] != Complainant.RELATIVE
            ]
        if is_from_channel:
            del self.fields["received_by"]

    def clean_received_at(self) -> datetime | None:
        moment: datetime | None = self.cleaned_data["received_at"]
        if moment is not None and not terms.may_have_come(moment, timezone.now()):
            raise forms.ValidationError(_("Enter a moment of the last ten years, not in the future."))
        return moment

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        who = data.get("complainant")
        if who == Complainant.RELATIVE and not data.get("relative"):
            self.add_error("relative", _("Choose who of the patient's relatives complains."))
        if who == Complainant.OTHER and not (data.get("complainant_name") or "").strip():
            self.add_error("complainant_name", _("Say who complains."))
        owner, named, protection = data.get("owner") or self.user, data.get("about_staff", ()), data.get("protection")
        if protection and not can_own(owner, protection, is_about=owner in named):
            self.add_error("owner", _("Choose somebody who handles complaints and of whom it does not speak."))
        return data

    def told(self) -> Told:
        """What a valid form says."""
        return Told(**{name: value for name, value in self.cleaned_data.items() if name != "owner"})


class NoteForm(forms.Form):
    """A move with its reason. `arguments()` is what its verb takes beside actor and complaint."""

    note = _text(_("What was done, and why"), error_messages={"required": _("Say in a sentence what was done or why.")})

    def __init__(self, *args: Any, complaint: Complaint, verb: str, **values: Any) -> None:
        super().__init__(*args, **values)
        self.complaint, self.verb, self.auto_id = complaint, verb, f"{verb}-%s"

    def arguments(self) -> dict[str, Any]:
        """The values of a valid form."""
        return dict(self.cleaned_data)


class StepForm(NoteForm):
    """A move after which something is to happen."""

    next_step = forms.CharField(label=_("Next step"), max_length=240, widget=forms.TextInput(TEXT))
    next_step_date = forms.DateField(label=_("By when"), widget=forms.DateInput(DATE, format="%Y-%m-%d"))

    def __init__(self, *args: Any, **values: Any) -> None:
        super().__init__(*args, **values)
        title, days = SUGGESTED[self.verb]
        self.fields["next_step"].initial = title
        self.fields["next_step_date"].initial = timezone.localdate() + timedelta(days=days)
        if self.verb == V.ACKNOWLEDGE and self.complaint.status != ComplaintStatus.RECEIVED:
            self.fields["next_step"].initial = self.complaint.next_step

    def clean_next_step_date(self) -> date:
        day: date = self.cleaned_data["next_step_date"]
        if day < timezone.localdate():
            raise forms.ValidationError(_("The date of the next step has passed."))
        return day

    def arguments(self) -> dict[str, Any]:
        """As the base's, with the two fields of the step made one."""
        given = super().arguments()
        return given | {"step": Step(given.pop("next_step"), given.pop("next_step_date"))}


class TriageForm(StepForm):
    kind = _choice(_("What it is"), ComplaintKind.choices)
    category = _choice(_("What it is about"), ComplaintCategory.choices)
    severity = _choice(_("How grave"), Severity.choices)
    field_order = ("kind", "category", "severity", "note")

    def __init__(self, *args: Any, **values: Any) -> None:
        super().__init__(*args, **values)
        for name in ("kind", "category", "severity"):
            self.fields[name].initial = getattr(self.complaint, name)


class ResponseForm(StepForm):
    response = _text(_("Response to the complainant"), error_messages={"required": _("Write the response.")})
    field_order = ("response", "note")

    def __init__(self, *args: Any, **values: Any) -> None:
        super().__init__(*args, **values)
        self.fields["response"].initial = self.complaint.response


class AssignForm(NoteForm):
    owner = forms.ModelChoiceField(
        people_who_may_own(), label=_("Person"), required=False, empty_label=_("Nobody in particular"),
        widget=forms.Select(SELECT),
    )  # fmt: skip
    team = forms.ModelChoiceField(
        Team.objects.filter(is_partner=False), label=_("Team"), required=False, empty_label=_("None"),
        widget=forms.Select(SELECT),
    )  # fmt: skip
    field_order = ("owner", "team", "note")

    def __init__(self, *args: Any, **values: Any) -> None:
        super().__init__(*args, **values)
        self.fields["owner"].queryset = people_who_may_own(self.complaint)  # type: ignore[attr-defined]
        self.fields["owner"].initial, self.fields["team"].initial = self.complaint.owner_id, self.complaint.team_id

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not data.get("owner") and not data.get("team") and "owner" not in self.errors:
            self.add_error("owner", _("Choose who is responsible for it."))
        return data


class ProtectForm(NoteForm):
    protection = _choice(_("Protection"), ComplaintProtection.choices)
    about_staff = _of_whom()
    field_order = ("protection", "about_staff", "note")

    def __init__(self, *args: Any, **values: Any) -> None:
        super().__init__(*args, **values)
        self.fields["protection"].initial = self.complaint.protection
        self.fields["about_staff"].initial = self.complaint.about_staff.all()


class LinkForm(NoteForm):
    patient = forms.CharField(label=_("Record number of the patient"), max_length=40, widget=forms.TextInput(TEXT))
    field_order = ("patient", "note")

    def clean_patient(self) -> Patient:
        found = Patient.objects.filter(mrn__iexact=self.cleaned_data["patient"].strip(), merged_into=None).first()
        if found is None:
            raise forms.ValidationError(_("No patient has this number."))
        return found


class GlassForm(forms.Form):
    """The number of a protected complaint, and why it has to be read now."""

    reference = forms.CharField(label=_("Reference number"), max_length=16, widget=forms.TextInput(TEXT))
    reason = forms.CharField(label=_("Why you need it now"), max_length=500, widget=forms.Textarea(AREA))


class LookForm(forms.Form):
    """What the list is narrowed by."""

    status = _choice(_("State"), [("", _("Any state")), *ComplaintStatus.choices], required=False)
    severity = _choice(_("How grave"), [("", _("Any severity")), *Severity.choices], required=False)
    owner = forms.ModelChoiceField(
        people_who_may_own(), label=_("Owner"), required=False, empty_label=_("Anybody"), widget=forms.Select(SELECT)
    )
    due_by = forms.DateField(label=_("Due by"), required=False, widget=forms.DateInput(DATE, format="%Y-%m-%d"))
