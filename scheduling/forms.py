"""Parsing what is asked of the agenda."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4, uuid5
from zoneinfo import ZoneInfo

from django import forms
from django.core.signing import BadSignature, Signer
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from contact_center.common.business_time import moment_of
from inbox.forms import DATE, SELECT, TEXT
from scheduling.enums import Party, VisitMode
from scheduling.models import HealthcareService, Location, Practitioner, Room
from scheduling.selectors.openings import Search, fit_of
from scheduling.services.booking import MOST_VISITS, Wish
from scheduling.slots import Fit, Slot

PARTS = {
    "": (_("Any time of day"), None),
    "morning": (_("Mornings"), (time(0), time(12))),
    "afternoon": (_("Afternoons"), (time(12), time(17))),
    "evening": (_("Evenings"), (time(17), time(23, 59))),
}
SOON = 28
WAITS = {60: _("At most an hour"), 120: _("At most two hours"), 240: _("At most half a day")}
USUAL_WAIT = 120
_signer = Signer(salt="scheduling.slot")
_row_signer = Signer(salt="scheduling.slots-in-a-row")


def sealed(slot: Slot, mode: str) -> str:
    """A slot as the page gives it back: what was offered, not what somebody typed."""
    return _signer.sign(_words(slot, mode))


def _words(slot: Slot, mode: str) -> str:
    return ":".join(map(str, [slot.start, slot.practitioner_id, slot.location_id, slot.room_id or 0, mode]))


def unsealed(text: str) -> dict[str, Any]:
    """Start, practitioner, place and way of an offered slot. Raises BadSignature for anything else."""
    return _slot_of(_signer.unsign(text))


def _slot_of(words: str) -> dict[str, Any]:
    start, practitioner, location, room, mode = words.split(":")
    return {
        "starts_at": datetime.fromtimestamp(int(start), timezone.get_current_timezone()),
        "practitioner_id": int(practitioner),
        "location_id": int(location),
        "room_id": int(room) or None,
        "mode": mode,
    }


def sealed_row(services: Iterable[HealthcareService], slots: Iterable[Slot], mode: str) -> str:
    """Several slots in a row as the page gives them back, each with its service."""
    pairs = zip(services, slots, strict=True)
    return _row_signer.sign("|".join(f"{service.pk}:{_words(slot, mode)}" for service, slot in pairs))


def unsealed_row(text: str) -> list[tuple[int, dict[str, Any]]]:
    """The services and slots of an offer. Raises BadSignature for anything else."""
    parts = (part.partition(":") for part in _row_signer.unsign(text).split("|"))
    return [(int(service), _slot_of(words)) for service, _colon, words in parts]


def also(label: Any) -> forms.ModelChoiceField:
    """Another visit of the same trip."""
    rows = HealthcareService.objects.filter(is_active=True)
    return forms.ModelChoiceField(
        rows, label=label, required=False, empty_label=_("Nothing more"), widget=forms.Select(SELECT)
    )


class OfRows(forms.Form):
    """A form whose fields for several visits in a row (`of_rows`) are left out where there is one visit."""

    of_rows: tuple[str, ...] = ()

    def __init__(self, *args: Any, is_single: bool = False, **values: Any) -> None:
        super().__init__(*args, **values)
        for name in self.of_rows if is_single else ():
            del self.fields[name]


class SearchForm(OfRows):
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

    of_rows = ("second", "third", "wait")
    second, third = also(_("In the same trip")), also(_("And also"))
    wait = forms.ChoiceField(
        choices=list(WAITS.items()),
        initial=USUAL_WAIT,
        required=False,
        label=_("Wait between them"),
        widget=forms.Select(SELECT),
    )

    def clean(self) -> dict[str, Any]:
        """Only ways in which the services are offered, and each service once."""
        given = super().clean() or {}
        services, mode = self.services(), given.get("mode")
        if mode and any(mode not in service.modes for service in services):
            self.add_error("mode", _("This visit is not offered in that way."))
        if len({service.pk for service in services}) < len(services):
            self.add_error("second", _("Choose each visit once."))
        return given

    def most_wait(self) -> int:
        """Minutes that the patient may wait between visits."""
        return int(self.cleaned_data["wait"] or USUAL_WAIT)

    def services(self) -> list[HealthcareService]:
        """What is looked for, as it was chosen."""
        named = [self.cleaned_data.get(name) for name in ("service", "second", "third")]
        return [service for service in named if service]

    def search(self, service: HealthcareService | None = None) -> Search:
        """The search of a valid form for its first service or this one: four weeks from the day asked for, or from
        today. Whom was asked for counts where that person offers the service."""
        given = self.cleaned_data
        service = service or given["service"]
        whom: Practitioner | None = given["practitioner"]
        if whom and service != given["service"] and not whom.services.filter(pk=service.pk).exists():
            whom = None
        today = timezone.localdate()
        first: date = max(given["from_date"] or today, today)
        fit, span = fit_of(service), PARTS[given["part"]][1]
        if span:
            fit = Fit(fit.minutes, fit.buffer_before, fit.buffer_after, fit.step, span)
        return Search(
            service,
            from_date=first,
            until_date=min(first + timedelta(days=SOON), today + timedelta(days=service.horizon_days)),
            practitioners=frozenset({whom.pk}) if whom else frozenset(),
            locations=frozenset({given["location"].pk}) if given["location"] else frozenset(),
            mode=given["mode"],
            fit=fit,
        )


class PointedForm(forms.Form):
    """A time that was pointed at in a calendar, by the clock of the visit's site."""

    day = forms.DateField(input_formats=["%Y-%m-%d"])
    at = forms.TimeField(input_formats=["%H:%M"])
    practitioner = forms.ModelChoiceField(Practitioner.objects.all(), required=False, empty_label=_("Anybody"))
    room = forms.ModelChoiceField(Room.objects.all(), required=False, empty_label=_("Any room"))

    def clean_day(self) -> date:
        """Only days within ten years: no clock is known for all that can be written down."""
        day: date = self.cleaned_data["day"]
        if abs(day - timezone.localdate()) > timedelta(days=3660):
            raise forms.ValidationError(_("Choose a day within ten years."))
        return day

    def moment(self, zone: ZoneInfo) -> datetime:
        """When that is; a time that a change of the clock leaves out is the moment of the change."""
        at: time = self.cleaned_data["at"]
        return moment_of(zone, self.cleaned_data["day"], at.hour * 60 + at.minute)


class MovingForm(PointedForm):
    """When and with whom several visits take place instead, by the clock of their site, and why."""

    day = forms.DateField(label=_("Day"), widget=forms.DateInput(DATE, format="%Y-%m-%d"))
    at = forms.TimeField(label=_("Time"), widget=forms.TimeInput(TEXT | {"type": "time"}, format="%H:%M"))
    practitioner = forms.ModelChoiceField(
        Practitioner.objects.filter(is_active=True), label=_("With"), empty_label=None, widget=forms.Select(SELECT)
    )
    room = None  # type: ignore[assignment]
    asked_by = forms.ChoiceField(
        choices=Party.choices, initial=Party.PATIENT, label=_("Asked for by"), widget=forms.Select(SELECT)
    )
    reason = forms.CharField(
        label=_("Why it is moved"),
        max_length=240,
        widget=forms.TextInput(TEXT),
        error_messages={"required": _("Say why.")},
    )
    may_overlap = forms.BooleanField(required=False, label=_("Move although there is another visit at that time"))


class BookForm(OfRows):
    """The slot that was chosen, a `row` of several, or a time `beside` the agenda; `key` makes a second click
    harmless."""

    of_rows = ("row",)

    slot = forms.CharField(required=False)
    beside = forms.CharField(required=False)
    row = forms.CharField(required=False)
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
        slot, beside, row = (given.get(name, "") for name in ("slot", "beside", "row"))
        chosen = sum(map(bool, (slot, beside, row)))
        if chosen != 1:
            self.add_error("slot", _("Choose one time.") if chosen else _("Choose a time."))
            return given
        try:
            given["visits"] = unsealed_row(row) if row else [(given["service"].pk, unsealed(slot or beside))]
        except (BadSignature, ValueError, KeyError):
            self.add_error("slot", _("Choose one of the times offered."))
        return given | {"is_overbooking": bool(beside), "key": given.get("key") or uuid4()}

    def wishes(self) -> list[Wish]:
        """The wishes of a valid form: one, or those of a row. What was held for them is held under their keys."""
        given = self.cleaned_data
        pairs = zip(given["visits"], self.keys(), strict=False)
        return [
            Wish(service_id=service, note=given["note"], key=one, hold_token=one, **slot)
            for (service, slot), one in pairs
        ]

    def keys(self) -> list[UUID]:
        """Those of all visits that a valid form can book; whatever is held for it is held under one of them."""
        key: UUID = self.cleaned_data["key"]
        return [key, *(uuid5(key, str(place)) for place in range(1, MOST_VISITS))]


class CancelForm(forms.Form):
    """Who asked for it, and why."""

    asked_by = forms.ChoiceField(
        choices=Party.choices, initial=Party.PATIENT, label=_("Asked for by"), widget=forms.Select(SELECT)
    )
    reason = forms.CharField(
        label=_("Why"), max_length=240, widget=forms.TextInput(TEXT), error_messages={"required": _("Say why.")}
    )
