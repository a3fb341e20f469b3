"""What patients fill in to book a visit themselves or to wait for one; nothing is saved here."""

from datetime import date, time, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.core.signing import BadSignature, TimestampSigner
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from inbox.enums import Weekday
from inbox.portal_forms import INPUT, AddressForm, BornForm, DigitsForm
from patients.enums import ContactChannel
from scheduling.enums import NeedKind, VisitMode
from scheduling.forms import unsealed
from scheduling.models import HealthcareService, Location, Practitioner
from scheduling.patient_forms import HELP
from scheduling.selectors.openings import Search
from scheduling.selectors.public import people_for, places_of
from scheduling.services.claiming import Wish
from scheduling.services.self_booking import Person, Proof
from scheduling.services.waitlist import Wishes

SELECT = {"class": "select"}
BOXES = forms.CheckboxSelectMultiple
CODE_SECONDS, HELD_SECONDS = 900, 7200
HOURS = {
    "": (_("Any time of day"), (None, None)),
    "morning": (_("Mornings"), (None, time(12))),
    "afternoon": (_("Afternoons"), (time(12), time(17))),
    "evening": (_("Evenings"), (time(17), None)),
}
NOTICE = {
    "1440": _("A day before is enough"),
    "240": _("Four hours before is enough"),
    "2880": _("I need two days"),
}
_held = TimestampSigner(salt="scheduling.held")
_asked = TimestampSigner(salt="scheduling.code")


def token_of(hold: UUID, service_id: int, slot: str) -> str:
    """The signed words of the page on which a kept time is booked; `slot` is sealed."""
    return _held.sign(f"{hold.hex}.{service_id}.{slot}")


def read_token(token: str) -> tuple[UUID, Wish]:
    """The hold of such a page, within two hours, and the time it keeps. Raises BadSignature, ValueError."""
    hold, service, slot = _held.unsign(token, max_age=HELD_SECONDS).split(".", 2)
    key = UUID(hold)
    return key, Wish(service_id=int(service), key=key, hold_token=key, **unsealed(slot))


def ticket_of(code_id: UUID) -> str:
    """The signed number of a request for a code, for the form that takes the code."""
    return _asked.sign(code_id.hex)


class PlaceForm(forms.Form):
    """Where, with whom and in which way. Nothing chosen: anywhere, anybody."""

    mode = forms.ChoiceField(label=_("How shall it be?"), widget=forms.RadioSelect)
    location = forms.ModelChoiceField(
        Location.objects.none(), label=_("Where is easiest?"), required=False, empty_label=_("Any site"),
        widget=forms.Select(SELECT),
    )  # fmt: skip
    practitioner = forms.ModelChoiceField(
        Practitioner.objects.none(), label=_("With whom?"), required=False, empty_label=_("Anybody"),
        widget=forms.Select(SELECT),
    )  # fmt: skip

    def __init__(self, *args: Any, service: HealthcareService, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.service = service
        fields: dict[str, Any] = self.fields
        fields["mode"].choices = [(mode.value, mode.label) for mode in VisitMode if mode in service.modes]
        fields["location"].queryset = places_of(service)
        fields["practitioner"].queryset = people_for(service)

    def search(self, first: date) -> Search:
        """The search of a valid form, from this day on."""
        given, today = self.cleaned_data, timezone.localdate()
        return Search(
            self.service,
            from_date=max(first, today),
            until_date=today + timedelta(days=self.service.horizon_days),
            practitioners=frozenset({given["practitioner"].pk}) if given["practitioner"] else frozenset(),
            locations=frozenset({given["location"].pk}) if given["location"] else frozenset(),
            mode=given["mode"],
        )


class WhoForm(AddressForm, BornForm):
    """The patient, and where the code goes: a mobile number or an e-mail address."""

    given_name = forms.CharField(
        label=_("First name"), max_length=120, error_messages={"required": _("Write the first name.")},
        widget=forms.TextInput(INPUT | {"autocomplete": "given-name"}),
    )  # fmt: skip
    family_name = forms.CharField(
        label=_("Last name"), max_length=120, error_messages={"required": _("Write the last name.")},
        widget=forms.TextInput(INPUT | {"autocomplete": "family-name"}),
    )  # fmt: skip
    preferred_channel = forms.ChoiceField(
        label=_("Reminders by"), required=False, widget=forms.RadioSelect,
        choices=[(one.value, one.label) for one in (ContactChannel.WHATSAPP, ContactChannel.SMS)],
    )  # fmt: skip
    field_order = ("given_name", "family_name", "day", "month", "year", "address")

    def clean(self) -> dict[str, Any]:
        """Nobody is born tomorrow."""
        given = super().clean()
        if (given.get("birth_date") or date.min) > timezone.localdate():
            self.add_error("day", _("This day is still to come."))
        return given

    def person(self, language: str) -> Person:
        """The patient of a valid form."""
        given = self.cleaned_data
        channel = ContactChannel.EMAIL.value if self.found[0] == "email" else given["preferred_channel"]
        return Person(given["given_name"], given["family_name"], given["birth_date"], language, channel)


class DetailsForm(WhoForm):
    """The patient, and what would help."""

    needs = forms.MultipleChoiceField(
        choices=[(kind.value, words) for kind, words in HELP.items()],
        required=False, label=_("Anything that would help?"), widget=BOXES,
    )  # fmt: skip
    wants_earlier = forms.BooleanField(label=_("Tell me if an earlier time opens up"), required=False)

    def kinds(self) -> list[NeedKind]:
        """The needs of a valid form."""
        return [NeedKind(kind) for kind in self.cleaned_data["needs"]]


class WaitForm(WhoForm):
    """The patient, and which times would do. Nothing chosen: any."""

    weekdays = forms.TypedMultipleChoiceField(
        choices=Weekday.choices, coerce=int, required=False, label=_("Which days?"), widget=BOXES
    )
    hours = forms.ChoiceField(
        choices=[(key, words) for key, (words, _span) in HOURS.items()], required=False,
        label=_("Which time of day?"), widget=forms.Select(SELECT),
    )  # fmt: skip
    notice_minutes = forms.ChoiceField(
        choices=NOTICE.items(), initial="1440", label=_("How soon can you come?"), widget=forms.Select(SELECT)
    )
    last_date = forms.DateField(
        label=_("Not later than"), required=False,
        widget=forms.DateInput(INPUT | {"type": "date"}, format="%Y-%m-%d"),
    )  # fmt: skip

    def wishes(self, place: PlaceForm) -> Wishes:
        """What the patient of a valid form waits for, at the place and with whom was chosen before."""
        given, chosen = self.cleaned_data, place.cleaned_data
        not_before, not_after = HOURS[given["hours"]][1]
        return Wishes(
            service_id=place.service.pk,
            mode=chosen["mode"],
            weekdays=given["weekdays"],
            not_before=not_before,
            not_after=not_after,
            last_date=given["last_date"],
            notice_minutes=int(given["notice_minutes"]),
            locations=[chosen["location"].pk] if chosen["location"] else [],
            practitioners=[chosen["practitioner"].pk] if chosen["practitioner"] else [],
        )


class TicketForm(DigitsForm):
    """The digits, and the signed number of the request they were sent for."""

    ticket = forms.CharField(widget=forms.HiddenInput)

    def clean_ticket(self) -> UUID:
        """The number of a request within a quarter of an hour."""
        try:
            return UUID(_asked.unsign(self.cleaned_data["ticket"], max_age=CODE_SECONDS))
        except (BadSignature, ValueError):
            raise forms.ValidationError(_("These digits are too old. Ask for new ones.")) from None

    def proof(self) -> Proof:
        """The proof of a valid form."""
        return Proof(self.cleaned_data["ticket"], self.cleaned_data["code"])
