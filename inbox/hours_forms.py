"""What administrators fill in about hours and promises; nothing is saved here."""

import re
from datetime import datetime, time
from itertools import pairwise
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from contact_center.common.business_time import DAY_MINUTES, Hours
from inbox.enums import ChannelKind, Counting, PauseState, Priority, Weekday
from inbox.forms import AREA, DATE, SELECT, TEXT
from inbox.models import Queue, Reason, ServiceCalendar
from inbox.selectors.calendars import holiday_sets, zone_names, zone_of

LANGUAGES = [("en", _("English")), ("es", _("Spanish")), ("pt", _("Portuguese"))]
RANGE = re.compile(r"^(\d{1,2})[:.]?(\d{2})?\s*(?:-|–|to|a)\s*(\d{1,2})[:.]?(\d{2})?$")
MOMENT = {"class": "input", "type": "datetime-local"}
UNITS = {"m": 1, "h": 60, "d": DAY_MINUTES}
LONGEST_PROMISE = 366 * DAY_MINUTES
Ranges = list[tuple[time, time]]


def parse_hours(text: str) -> Ranges:
    """`08:00-12:00, 14:00-17:00` as clock times; `24h` is a whole day, nothing is closed. Raises ValidationError."""
    text = text.strip().lower()
    if text in ("", "-", "–"):
        return []
    if text.replace(" ", "") in ("24h", "24", "0-24", "00:00-24:00"):
        return [(time(0), time(0))]
    found: Ranges = []
    for part in text.split(","):
        match = RANGE.match(part.strip())
        if match is None:
            raise ValidationError(_("Write hours such as 08:00-12:00, 14:00-17:00, or 24h."))
        found.append((_time(match[1], match[2]), _time(match[3], match[4])))
    spans = sorted(Hours.of(opens, closes) for opens, closes in found)
    if any(later.opens < earlier.closes for earlier, later in pairwise(spans)):
        raise ValidationError(_("These hours overlap."))
    return found


def _time(hour: str, minute: str | None) -> time:
    hours, minutes = int(hour), int(minute or 0)
    if (hours, minutes) == (24, 0):
        return time(0)
    if hours > 23 or minutes > 59:
        raise ValidationError(_("There is no such time of day."))
    return time(hours, minutes)


def written_hours(ranges: Ranges) -> str:
    """The way back from `parse_hours`."""
    if ranges == [(time(0), time(0))]:
        return "24h"
    return ", ".join(f"{opens:%H:%M}-{closes:%H:%M}" for opens, closes in sorted(ranges))


class HoursField(forms.CharField):
    """Hours of a day as people write them."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, max_length=200, widget=forms.TextInput(TEXT | {"placeholder": "–"}), **kwargs)

    def clean(self, value: Any) -> Any:
        return parse_hours(super().clean(value))


class CalendarForm(forms.Form):
    """A calendar: its week, its zone, whose holidays apply, and which queues it holds for."""

    name = forms.CharField(label=_("Name"), max_length=80, widget=forms.TextInput(TEXT))
    time_zone = forms.ChoiceField(label=_("Time zone"), widget=forms.Select(SELECT))
    country = forms.ChoiceField(label=_("Public holidays of"), required=False, widget=forms.Select(SELECT))
    subdivision = forms.CharField(
        label=_("Part of the country"),
        required=False,
        max_length=10,
        help_text=_("Its code, such as FL for Florida. Empty: the whole country."),
        widget=forms.TextInput(TEXT),
    )
    queues = forms.ModelMultipleChoiceField(
        widget=forms.CheckboxSelectMultiple,
        label=_("Queues"),
        required=False,
        queryset=Queue.objects.filter(is_active=True),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["time_zone"].choices = [(name, name.replace("_", " ")) for name in zone_names()]  # type: ignore[attr-defined]
        self.fields["country"].choices = [("", _("None")), *((code, code) for code in holiday_sets())]  # type: ignore[attr-defined]
        for day in Weekday:
            self.fields[f"day_{day.value}"] = HoursField(label=day.label)

    def weekdays(self) -> list[Any]:
        """The fields of the seven days, to be drawn."""
        return [self[f"day_{day.value}"] for day in Weekday]

    def weekly(self) -> dict[int, Ranges]:
        """Hours by weekday; only after validation."""
        return {day.value: self.cleaned_data[f"day_{day.value}"] for day in Weekday}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        parts = holiday_sets().get(cleaned.get("country", ""), ())
        part = cleaned.get("subdivision", "").strip().upper()
        by_code = {code.upper(): code for code in parts}
        if part and part not in by_code:
            known = ", ".join(parts[:60]) or _("none")
            self.add_error("subdivision", _("Its parts are: %(parts)s.") % {"parts": known})
        cleaned["subdivision"] = by_code.get(part, "")
        return cleaned


class MessagesForm(forms.Form):
    """Words for patients, one field per language."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for code, label in LANGUAGES:
            widget = forms.Textarea(AREA | {"rows": 2, "lang": code})
            self.fields[f"message_{code}"] = forms.CharField(label=label, required=False, max_length=400, widget=widget)

    def message_fields(self) -> list[Any]:
        """The fields of the languages, to be drawn."""
        return [self[f"message_{code}"] for code, _label in LANGUAGES]

    def messages(self) -> dict[str, str]:
        """By language; only after validation."""
        return {code: self.cleaned_data[f"message_{code}"] for code, _label in LANGUAGES}


class DayForm(MessagesForm):
    """A date with hours of its own."""

    date = forms.DateField(label=_("Date"), widget=forms.DateInput(DATE, format="%Y-%m-%d"))
    name = forms.CharField(label=_("Name"), max_length=80, widget=forms.TextInput(TEXT))
    hours = HoursField(label=_("Hours"), help_text=_("Empty: closed all day."))


class ClosureForm(MessagesForm):
    """Closing now."""

    until = forms.CharField(
        label=_("Until"),
        required=False,
        max_length=16,
        help_text=_("Empty: until somebody opens again."),
        widget=forms.TextInput(MOMENT),
    )

    def __init__(self, *args: Any, time_zone: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = zone_of(time_zone)

    def clean_until(self) -> datetime | None:
        return parse_moment(self.cleaned_data["until"], self.zone)


def parse_moment(text: str, zone: Any) -> datetime | None:
    """A date and time as its field sends it, in that zone. Raises ValidationError for what is none."""
    if not text.strip():
        return None
    try:
        return datetime.fromisoformat(text.strip()).replace(tzinfo=zone)
    except ValueError:
        raise ValidationError(_("Enter a date and a time.")) from None


class DurationField(forms.CharField):
    """A promise such as `15m`, `4h`, `2d`; in minutes. A day has 24 hours of the time that counts."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, max_length=12, widget=forms.TextInput(TEXT | {"placeholder": "–"}), **kwargs)

    def clean(self, value: Any) -> Any:
        text = super().clean(value).strip().lower()
        if not text:
            return None
        parts = re.fullmatch(r"((?:\d{1,5}\s*[mhd]\s*)+)|(\d{1,6})", text)
        if parts is None:
            raise ValidationError(_("Write a time such as 15m, 4h or 1d 12h."))
        minutes = int(parts[2]) if parts[2] else sum(int(n) * UNITS[u] for n, u in re.findall(r"(\d+)\s*([mhd])", text))
        if not 0 < minutes <= LONGEST_PROMISE:
            raise ValidationError(_("Promise something between a minute and a year."))
        return minutes


class PolicyForm(forms.Form):
    """What is promised to whom."""

    name = forms.CharField(label=_("Name"), max_length=80, widget=forms.TextInput(TEXT))
    first_response_minutes = DurationField(
        label=_("First reply within"), help_text=_("15m, 4h or 2d; empty: no promise.")
    )
    next_response_minutes = DurationField(label=_("Next reply within"))
    resolution_minutes = DurationField(label=_("Resolved within"))
    counting = forms.ChoiceField(label=_("Which time counts"), choices=Counting.choices, widget=forms.Select(SELECT))
    calendar = forms.ModelChoiceField(
        label=_("Calendar"),
        required=False,
        queryset=ServiceCalendar.objects.all(),
        empty_label=_("No calendar"),
        widget=forms.Select(SELECT),
    )
    warn_percent = forms.IntegerField(
        label=_("Warn when so many percent are left"), min_value=0, max_value=90, initial=25,
        widget=forms.NumberInput(TEXT),
    )  # fmt: skip
    queues = forms.ModelMultipleChoiceField(
        widget=forms.CheckboxSelectMultiple,
        label=_("Queues"),
        required=False,
        queryset=Queue.objects.filter(is_active=True),
    )
    reasons = forms.ModelMultipleChoiceField(widget=forms.CheckboxSelectMultiple,
        label=_("Reasons"), required=False, queryset=Reason.objects.filter(is_active=True),
        help_text=_("A reason means those below it too."),
    )  # fmt: skip
    priorities = forms.TypedMultipleChoiceField(
        widget=forms.CheckboxSelectMultiple, label=_("Priorities"), required=False, choices=Priority.choices, coerce=int
    )
    channel_kinds = forms.MultipleChoiceField(
        widget=forms.CheckboxSelectMultiple, label=_("Channels"), required=False, choices=ChannelKind.choices
    )
    pauses_in = forms.MultipleChoiceField(
        widget=forms.CheckboxSelectMultiple,
        label=_("The clocks rest while"),
        required=False,
        choices=PauseState.choices,
    )

    CONDITIONS = ("queues", "reasons", "priorities", "channel_kinds")

    def conditions(self) -> list[Any]:
        """The fields that say to whom it applies, to be drawn."""
        return [self[name] for name in self.CONDITIONS]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("counting") == Counting.CALENDAR and not cleaned.get("calendar"):
            self.add_error("calendar", _("Choose the calendar whose hours count."))
        targets = ("first_response_minutes", "next_response_minutes", "resolution_minutes")
        if not self.errors and not any(cleaned.get(name) for name in targets):
            self.add_error("first_response_minutes", _("Promise at least one of the three."))
        return cleaned


class TimeLabForm(forms.Form):
    """A moment and what an interaction would be like."""

    moment = forms.CharField(label=_("Moment"), max_length=19, widget=forms.TextInput(MOMENT))
    zone = forms.ChoiceField(label=_("Time zone"), widget=forms.Select(SELECT))
    queue = forms.ModelChoiceField(
        label=_("Queue"), queryset=Queue.objects.filter(is_active=True), empty_label=None, widget=forms.Select(SELECT)
    )
    reason = forms.ModelChoiceField(
        label=_("Reason"),
        required=False,
        queryset=Reason.objects.filter(is_active=True),
        empty_label=_("Not known yet"),
        widget=forms.Select(SELECT),
    )
    priority = forms.TypedChoiceField(
        label=_("Priority"), choices=Priority.choices, coerce=int, widget=forms.Select(SELECT)
    )
    channel_kind = forms.ChoiceField(label=_("Channel"), choices=ChannelKind.choices, widget=forms.Select(SELECT))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["zone"].choices = [(name, name.replace("_", " ")) for name in zone_names()]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if "moment" in cleaned and "zone" in cleaned:
            try:
                cleaned["at"] = parse_moment(cleaned["moment"], zone_of(cleaned["zone"]))
            except ValidationError as error:
                self.add_error("moment", error)
            else:
                if not 2000 <= cleaned["at"].year <= timezone.now().year + 20:
                    self.add_error("moment", _("Choose a moment within twenty years."))
        return cleaned
