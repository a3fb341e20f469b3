"""Parsing wishes of the waitlist and what was learnt about a missed visit."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from contact_center.common.moments import moment_words
from inbox.enums import Weekday
from inbox.forms import DATE, SELECT, TEXT
from patients.models import Patient
from scheduling.enums import Barrier, Urgency, VisitMode
from scheduling.models import Appointment, HealthcareService, Location, Practitioner
from scheduling.services.waitlist import Wishes

NOTICE = {"60": _("An hour"), "240": _("Four hours"), "1440": _("A day"), "2880": _("Two days")}
TIME = TEXT | {"type": "time"}
BOXES = forms.CheckboxSelectMultiple


class VisitField(forms.ModelChoiceField):
    """A choice of visits, by day and service."""

    def label_from_instance(self, obj: Appointment) -> str:
        """What people read."""
        return f"{moment_words(obj.visit_date, 'weekday')} · {obj.service.name_in()}"


class WishForm(forms.Form):
    """What a patient on the waitlist wants. Nothing chosen: anything."""

    service = forms.ModelChoiceField(
        HealthcareService.objects.filter(is_active=True),
        label=_("Visit"),
        empty_label=_("Choose a visit"),
        widget=forms.Select(SELECT),
    )
    urgency = forms.ChoiceField(
        choices=Urgency.choices, initial=Urgency.ROUTINE, label=_("Urgency"), widget=forms.Select(SELECT)
    )
    mode = forms.ChoiceField(
        choices=VisitMode.choices, initial=VisitMode.ON_SITE, label=_("Way of visit"), widget=forms.Select(SELECT)
    )
    notice_minutes = forms.ChoiceField(
        choices=NOTICE.items(), initial="240", label=_("Notice needed"), widget=forms.Select(SELECT)
    )
    first_date = forms.DateField(label=_("Not before"), required=False, widget=forms.DateInput(DATE, format="%Y-%m-%d"))
    last_date = forms.DateField(label=_("Last day"), required=False, widget=forms.DateInput(DATE, format="%Y-%m-%d"))
    not_before = forms.TimeField(label=_("Earliest hour"), required=False, widget=forms.TimeInput(TIME, format="%H:%M"))
    not_after = forms.TimeField(label=_("Latest hour"), required=False, widget=forms.TimeInput(TIME, format="%H:%M"))
    weekdays = forms.TypedMultipleChoiceField(
        choices=Weekday.choices, coerce=int, required=False, label=_("Days"), widget=BOXES
    )
    locations = forms.ModelMultipleChoiceField(
        Location.objects.filter(is_active=True), required=False, label=_("Sites"), widget=BOXES
    )
    practitioners = forms.ModelMultipleChoiceField(
        Practitioner.objects.filter(is_active=True),
        required=False,
        label=_("With"),
        widget=forms.SelectMultiple(SELECT),
    )
    note = forms.CharField(label=_("Note"), max_length=240, required=False, widget=forms.TextInput(TEXT))

    def __init__(self, *args: Any, patient: Patient, visits: list[Appointment], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["appointment"] = VisitField(
            Appointment.objects.filter(pk__in=[one.pk for one in visits], patient=patient),
            required=False,
            label=_("In place of"),
            empty_label=_("No visit yet"),
            widget=forms.Select(SELECT),
        )

    def wishes(self) -> Wishes:
        """The wishes of a valid form."""
        given: dict[str, Any] = dict(self.cleaned_data)
        given |= {name: [one.pk for one in given[name]] for name in ("locations", "practitioners")}
        service, visit, notice = given.pop("service"), given.pop("appointment"), int(given.pop("notice_minutes"))
        return Wishes(service_id=service.pk, appointment_id=visit.pk if visit else None, notice_minutes=notice, **given)


class BarrierForm(forms.Form):
    """What got in the way."""

    barrier = forms.ChoiceField(
        choices=[("", _("Choose what got in the way")), *Barrier.choices],
        label=_("What got in the way"),
        error_messages={"required": _("Choose what got in the way.")},
        widget=forms.Select(SELECT),
    )
    note = forms.CharField(label=_("Note"), max_length=240, required=False, widget=forms.TextInput(TEXT))
