"""Parsing what is asked of the agenda."""

from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.core.signing import BadSignature, Signer
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from inbox.forms import DATE, SELECT, TEXT
from scheduling.enums import Party, VisitMode
from scheduling.models import HealthcareService, Location, Practitioner
from scheduling.selectors.openings import Search, fit_of
from scheduling.services.booking import Wish
from scheduling.slots import Fit, Slot

PARTS = {
    "": (_("Any time of day"), None),
    "morning": (_("Mornings"), (time(0), time(12))),
    "afternoon": (_("Afternoons"), (time(12), time(17))),
    "evening": (_("Evenings"), (time(17), time(23, 59))),
}
SOON = 28
_signer = Signer(salt="scheduling.slot")


def sealed(slot: Slot, mode: str) -> str:
    """A slot as the page gives it back: what was offered, not what somebody typed."""
    words = [slot.start, slot.practitioner_id, slot.location_id, slot.room_id or 0, mode]
    return _signer.sign(":".join(map(str, words)))


def unsealed(text: str) -> dict[str, Any]:
    """Start, practitioner, place and way of an offered slot. Raises BadSignature for anything else."""
    start, practitioner, location, room, mode = _signer.unsign(text).split(":")
    return {
        "starts_at": datetime.fromtimestamp(int(start), timezone.get_current_timezone()),
        "practitioner_id": int(practitioner),
        "location_id": int(location),
        "room_id": int(room) or None,
        "mode": mode,
    }


class SearchForm(forms.Form):
    """What kind of visit, with whom, where and when."""

    service = forms.ModelChoiceField(
        HealthcareService.objects.filter(is_active=True),
        label=_("Visit"),
        empty_label=_("Choose a visit"),
        widget=forms.Select(SELECT),
    )
    mode = forms.ChoiceField(
        choices=VisitMode.choices, initial=VisitMode.ON_SITE, label=_("Way of visit"), widget=forms.Select(SELECT)
    )
    location = forms.ModelChoiceField(
        Location.objects.filter(is_active=True),
        label=_("Site"),
        required=False,
        empty_label=_("Any site"),
        widget=forms.Select(SELECT),
    )
    practitioner = forms.ModelChoiceField(
        Practitioner.objects.filter(is_active=True),
        label=_("With"),
        required=False,
        empty_label=_("Anybody"),
        widget=forms.Select(SELECT),
    )
    from_date = forms.DateField(label=_("Not before"), required=False, widget=forms.DateInput(DATE, format="%Y-%m-%d"))
    part = forms.ChoiceField(
        choices=[(key, words) for key, (words, _span) in PARTS.items()],
        label=_("Time of day"),
        required=False,
        widget=forms.Select(SELECT),
    )

    def clean(self) -> dict[str, Any]:
        """Only ways in which the service is offered."""
        given = super().clean() or {}
        service, mode = given.get("service"), given.get("mode")
        if service and mode and mode not in service.modes:
            self.add_error("mode", _("This visit is not offered in that way."))
        return given

    def search(self) -> Search:
        """The search of a valid form: four weeks from the day asked for, or from today."""
        given = self.cleaned_data
        service: HealthcareService = given["service"]
        today = timezone.localdate()
        first: date = max(given["from_date"] or today, today)
        fit, span = fit_of(service), PARTS[given["part"]][1]
        if span:
            fit = Fit(fit.minutes, fit.buffer_before, fit.buffer_after, fit.step, span)
        return Search(
            service,
            from_date=first,
            until_date=min(first + timedelta(days=SOON), today + timedelta(days=service.horizon_days)),
            practitioners=frozenset({given["practitioner"].pk}) if given["practitioner"] else frozenset(),
            locations=frozenset({given["location"].pk}) if given["location"] else frozenset(),
            mode=given["mode"],
            fit=fit,
        )


class BookForm(forms.Form):
    """The slot that was chosen, or a time `beside` the agenda. `key` makes a second click harmless."""

    slot = forms.CharField(required=False)
    beside = forms.CharField(required=False)
    service = forms.ModelChoiceField(HealthcareService.objects.filter(is_active=True), empty_label=None)
    note = forms.CharField(label=_("Note for the visit"), max_length=240, required=False, widget=forms.TextInput(TEXT))
    key = forms.UUIDField(required=False, widget=forms.HiddenInput)
    reason = forms.CharField(label=_("Why it is moved"), max_length=240, required=False, widget=forms.TextInput(TEXT))
    asked_by = forms.ChoiceField(
        choices=Party.choices,
        initial=Party.PATIENT,
        required=False,
        label=_("Asked for by"),
        widget=forms.Select(SELECT),
    )
    may_overlap = forms.BooleanField(required=False, label=_("Book although the patient has a visit at that time"))

    def clean(self) -> dict[str, Any]:
        """The time that was offered, in the agenda or beside it."""
        given = super().clean() or {}
        slot, beside = given.get("slot", ""), given.get("beside", "")
        if bool(slot) == bool(beside):
            self.add_error("slot", _("Choose one time.") if slot else _("Choose a time."))
            return given
        try:
            given["slot"] = unsealed(slot or beside)
        except (BadSignature, ValueError):
            self.add_error("slot", _("Choose one of the times offered."))
        return given | {"is_overbooking": bool(beside)}

    def wish(self) -> Wish:
        """The wish of a valid form."""
        given = self.cleaned_data
        key: UUID = given["key"] or uuid4()
        return Wish(service_id=given["service"].pk, note=given["note"], key=key, **given["slot"])


class CancelForm(forms.Form):
    """Who asked for it, and why."""

    asked_by = forms.ChoiceField(
        choices=Party.choices, initial=Party.PATIENT, label=_("Asked for by"), widget=forms.Select(SELECT)
    )
    reason = forms.CharField(
        label=_("Why"), max_length=240, widget=forms.TextInput(TEXT), error_messages={"required": _("Say why.")}
    )
