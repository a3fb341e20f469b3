"""Parsing what is asked of visits that come again."""

from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.signing import BadSignature
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from inbox.enums import Weekday
from inbox.forms import DATE, SELECT, TEXT
from scheduling.enums import Every
from scheduling.forms import BookForm, unsealed
from scheduling.models import Location, Practitioner
from scheduling.recurrence import MOST_VISITS, Pattern
from scheduling.services.booking import Wish
from scheduling.services.series import Terms, key_of

NUMBER = TEXT | {"inputmode": "numeric"}
USUAL_COUNT = 6


class SeriesForm(BookForm):
    """A chosen time, and how it comes again."""

    every = forms.IntegerField(
        label=gettext_lazy("Every"), min_value=1, max_value=52, initial=1, widget=forms.TextInput(NUMBER)
    )
    unit = forms.ChoiceField(
        label=gettext_lazy("Days or weeks"), choices=Every.choices, initial=Every.WEEK, widget=forms.Select(SELECT)
    )
    weekdays = forms.TypedMultipleChoiceField(
        label=gettext_lazy("On"), choices=Weekday.choices, coerce=int, required=False,
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip
    count = forms.IntegerField(
        label=gettext_lazy("How many visits"), min_value=2, max_value=MOST_VISITS, required=False,
        initial=USUAL_COUNT, widget=forms.TextInput(NUMBER),
    )  # fmt: skip
    until = forms.DateField(
        label=gettext_lazy("Or until"), required=False, widget=forms.DateInput(DATE, format="%Y-%m-%d")
    )

    def clean(self) -> dict[str, Any]:
        """A time that was offered, and an end."""
        given = super().clean() or {}
        if not given.get("count") and not given.get("until") and not self.errors:
            self.add_error("count", _("Say how many visits, or until when."))
        return given

    def terms(self) -> Terms:
        """What all visits of a valid form have in common."""
        service, slot = self.cleaned_data["service"], self._slot()
        return Terms(
            service, Practitioner.objects.get(pk=slot["practitioner_id"]),
            Location.objects.get(pk=slot["location_id"]), slot["room_id"], slot["mode"],
        )  # fmt: skip

    def pattern(self, zone: ZoneInfo) -> Pattern:
        """How the visits of a valid form come again, by the clock of their site."""
        local, given = self._slot()["starts_at"].astimezone(zone), self.cleaned_data
        return Pattern(
            local.date(), local.time(), given["every"], given["unit"], frozenset(given["weekdays"]), given["count"],
            given["until"],
        )  # fmt: skip

    def chosen(self, data: QueryDict) -> dict[int, Wish]:
        """The visits that were ticked, by their number; none where something else was sent, or two for one number."""
        service, key = self.cleaned_data["service"], self.cleaned_data["key"]
        note = self.cleaned_data["note"]
        return {
            number: Wish(service.pk, **slot, note=note, key=key_of(key, number))
            for number, slot in ticked(data).items()
        }

    def _slot(self) -> dict[str, Any]:
        (_service, slot), *_more = self.cleaned_data["visits"]
        return slot


def begin_of(value: str) -> str:
    """The number and the beginning in the value of a box: it stays the same where only the room becomes another."""
    return value.partition(":")[0]


def ticked(data: QueryDict) -> dict[int, dict[str, Any]]:
    """The times that were ticked, by the number before each; empty where one was not offered or two are for one
    number."""
    found: dict[int, dict[str, Any]] = {}
    for text in data.getlist("visit"):
        number, _mark, slot = text.partition("~")
        try:
            known = unsealed(slot)
        except (BadSignature, ValueError):
            return {}
        if not (number.isascii() and number.isdecimal() and len(number) < 19) or int(number) in found:
            return {}
        found[int(number)] = known
    return found
