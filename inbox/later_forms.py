"""When a message should leave: a preset, or a day and a time where the patient is."""

from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contact_center.common.moments import written
from inbox.forms import DATE, TEXT
from inbox.gate import quiet_until
from inbox.models import Interaction
from inbox.selectors.gate_facts import time_zone_of

OTHER = "other"
MORNING = time(9, 0)


class LaterForm(forms.Form):
    """`moment()` is what was chosen; times are those of the patient's zone, the clinic's where it is not known."""

    when = forms.ChoiceField(
        label=gettext_lazy("When"), error_messages={"required": gettext_lazy("Choose when it should be sent.")}
    )
    on_date = forms.DateField(
        label=gettext_lazy("Day"), required=False, widget=forms.DateInput(DATE, format="%Y-%m-%d")
    )
    at_time = forms.TimeField(
        label=gettext_lazy("Time"), required=False, widget=forms.TimeInput(TEXT | {"type": "time"}, format="%H:%M")
    )

    def __init__(self, *args: Any, interaction: Interaction, **kwargs: Any) -> None:
        self.zone_name = time_zone_of(interaction.patient)
        self.zone = ZoneInfo(self.zone_name)
        self.hours = interaction.patient.contact_hours if interaction.patient else None
        self.is_abroad = self.zone_name != timezone.get_default_timezone_name()
        now = timezone.now().astimezone(self.zone)
        tomorrow = now.date() + timedelta(days=1)
        kwargs.setdefault("initial", {"when": "tomorrow", "on_date": tomorrow, "at_time": MORNING})
        super().__init__(*args, **kwargs)
        self.presets = self._presets(now)
        names = [(key, title) for key, title, _moment in self.presets]
        self.fields["when"].choices = [*names, (OTHER, _("Another day and time"))]  # type: ignore[attr-defined]

    def _presets(self, now: datetime) -> list[tuple[str, str, datetime]]:
        tomorrow = now.date() + timedelta(days=1)
        monday = now.date() + timedelta(days=7 - now.weekday())
        soon = (now + timedelta(hours=2)).replace(second=0, microsecond=0)
        found = [
            ("tomorrow", _("Tomorrow morning"), datetime.combine(tomorrow, MORNING, self.zone)),
            ("monday", _("Monday morning"), datetime.combine(monday, MORNING, self.zone)),
        ]
        if quiet_until(soon, self.zone_name, self.hours) is None:
            found.insert(0, ("soon", _("In two hours"), soon))
        return found[:2] if monday == tomorrow else found

    def choices(self) -> list[dict[str, Any]]:
        """Presets as the dialog draws them: value, title, and the moment in words."""
        return [{"value": key, "title": title, "hint": written(moment)} for key, title, moment in self.presets]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("when") == OTHER:
            for name, sentence in (("on_date", _("Choose a day.")), ("at_time", _("Choose a time."))):
                if not data.get(name) and name not in self.errors:
                    self.add_error(name, sentence)
        return data

    def moment(self) -> datetime:
        """The chosen moment, aware; only after validation."""
        chosen = {key: moment for key, _title, moment in self.presets}.get(self.cleaned_data["when"])
        return chosen or datetime.combine(self.cleaned_data["on_date"], self.cleaned_data["at_time"], self.zone)
