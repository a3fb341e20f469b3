"""What administrators fill in about routing rules and how queues hand out their work; nothing is saved here."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from contact_center.accounts.models import Skill
from inbox.enums import ChannelKind, HoursState, Priority, Sharing
from inbox.forms import SELECT, TEXT
from inbox.models import Channel, Queue, QueueSettings, Reason
from patients.models import CareProgram

LEVELS = [("", "–"), *((str(level), str(level)) for level in range(1, 6))]
NUMBER = TEXT | {"inputmode": "numeric"}


def _seconds(label: Any, low: int, high: int, *, required: bool = True, help_text: Any = "") -> forms.IntegerField:
    return forms.IntegerField(
        label=label, min_value=low, max_value=high, required=required, help_text=help_text,
        widget=forms.NumberInput(NUMBER),
    )  # fmt: skip


class NeedsForm(forms.Form):
    """A form with a level for each skill, and each how many seconds it falls by one."""

    def __init__(self, *args: Any, needs: dict[int, tuple[int, int | None]] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.skills = list(Skill.objects.all())
        for skill in self.skills:
            level, relax = (needs or {}).get(skill.pk, ("", None))
            self.fields[f"level_{skill.pk}"] = forms.ChoiceField(
                label=skill.name, choices=LEVELS, required=False, initial=str(level), widget=forms.Select(SELECT)
            )
            self.fields[f"relax_{skill.pk}"] = forms.IntegerField(
                label=_("Falls by one each (seconds)"), required=False, min_value=5, max_value=86_400, initial=relax,
                widget=forms.NumberInput(NUMBER),
            )  # fmt: skip

    def skill_fields(self) -> list[tuple[Any, Any]]:
        """Level and time of each skill, to be drawn."""
        return [(self[f"level_{skill.pk}"], self[f"relax_{skill.pk}"]) for skill in self.skills]

    def needs(self) -> list[tuple[Skill, int, int | None]]:
        """Skills that are asked for; only after validation."""
        return [
            (skill, int(self.cleaned_data[f"level_{skill.pk}"]), self.cleaned_data[f"relax_{skill.pk}"])
            for skill in self.skills
            if self.cleaned_data[f"level_{skill.pk}"]
        ]

    def plain(self) -> dict[str, Any]:
        """Everything else; only after validation."""
        return {name: value for name, value in self.cleaned_data.items() if not name.startswith(("level_", "relax_"))}


class QueueSettingsForm(NeedsForm):
    """How a queue hands out its work."""

    sharing = forms.ChoiceField(label=_("Waiting work"), choices=Sharing.choices, widget=forms.Select(SELECT))
    offer_seconds = _seconds(_("An offer waits (seconds)"), 5, 600)
    again_after_seconds = _seconds(_("Nobody is asked again for (seconds)"), 0, 86_400)
    most_missed = _seconds(_("Away after so many missed offers"), 1, 20)
    stale_after_hours = _seconds(_("Left to the supervisor after (hours)"), 1, 8760)
    overflow_queue = forms.ModelChoiceField(
        label=_("Overflows into"), required=False, queryset=Queue.objects.filter(is_active=True),
        empty_label=_("Nowhere"), widget=forms.Select(SELECT),
    )  # fmt: skip
    overflow_after_seconds = _seconds(_("after waiting (seconds)"), 10, 604_800, required=False)
    escalation_queue = forms.ModelChoiceField(
        label=_("Missed deadlines go to"), required=False, queryset=Queue.objects.filter(is_active=True),
        empty_label=_("Nowhere"), widget=forms.Select(SELECT),
    )  # fmt: skip
    acknowledge_seconds = _seconds(
        _("Comes back without an answer after (seconds)"), 30, 604_800,
        help_text=_("Where the other team does not acknowledge it."),
    )  # fmt: skip
    answer_within_seconds = _seconds(_("A call is on time within (seconds)"), 1, 3600)
    on_time_percent = _seconds(_("So many calls are to be on time (per cent)"), 1, 100)
    short_abandon_seconds = _seconds(
        _("Hung up at once within (seconds)"), 0, 60, help_text=_("Does not count against the service level.")
    )
    alert_waiting = _seconds(
        _("The live board warns from so many waiting"), 1, 10_000, required=False, help_text=_("Empty: never.")
    )
    alert_wait_seconds = _seconds(
        _("The live board warns of a wait of (seconds)"), 1, 604_800, required=False, help_text=_("Empty: never.")
    )

    def __init__(self, *args: Any, row: QueueSettings, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.row = row
        for name in ("overflow_queue", "escalation_queue"):
            field: Any = self.fields[name]
            field.queryset = field.queryset.exclude(pk=row.queue_id)

    def plain_fields(self) -> list[Any]:
        """The fields without skills, to be drawn."""
        return [self[name] for name in self.base_fields]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("overflow_queue") and not cleaned.get("overflow_after_seconds"):
            self.add_error("overflow_after_seconds", _("Say after how long."))
        if cleaned.get("overflow_after_seconds") and not cleaned.get("overflow_queue"):
            self.add_error("overflow_queue", _("Choose where it goes."))
        return cleaned


class RuleForm(NeedsForm):
    """Which new work goes to which queue."""

    name = forms.CharField(label=_("Name"), max_length=80, widget=forms.TextInput(TEXT))
    queue = forms.ModelChoiceField(
        label=_("Goes to"), queryset=Queue.objects.filter(is_active=True), empty_label=None, widget=forms.Select(SELECT)
    )
    priority = forms.TypedChoiceField(
        label=_("Raise the priority to"), required=False, choices=[("", "–"), *Priority.choices], coerce=int,
        empty_value=None, widget=forms.Select(SELECT),
    )  # fmt: skip
    hours = forms.ChoiceField(
        label=_("Hours of the channel's queue"), required=False, choices=HoursState.choices, widget=forms.Select(SELECT)
    )
    channel_kinds = forms.MultipleChoiceField(
        widget=forms.CheckboxSelectMultiple, label=_("Channels"), required=False, choices=ChannelKind.choices
    )
    channels = forms.ModelMultipleChoiceField(
        widget=forms.CheckboxSelectMultiple, label=_("Numbers and mailboxes"), required=False,
        queryset=Channel.objects.filter(is_active=True),
    )  # fmt: skip
    reasons = forms.ModelMultipleChoiceField(
        widget=forms.CheckboxSelectMultiple, label=_("Reasons"), required=False,
        queryset=Reason.objects.filter(is_active=True), help_text=_("A reason means those below it too."),
    )  # fmt: skip
    languages = forms.MultipleChoiceField(
        widget=forms.CheckboxSelectMultiple, label=_("Languages"), required=False, choices=settings.LANGUAGES
    )
    programs = forms.ModelMultipleChoiceField(
        widget=forms.CheckboxSelectMultiple, label=_("Programs"), required=False,
        queryset=CareProgram.objects.filter(is_active=True),
    )  # fmt: skip
    priorities = forms.TypedMultipleChoiceField(
        widget=forms.CheckboxSelectMultiple, label=_("Priorities"), required=False, choices=Priority.choices, coerce=int
    )

    CONDITIONS = ("channel_kinds", "channels", "reasons", "languages", "programs", "priorities")
    MANY = ("channels", "reasons", "programs")

    def conditions(self) -> list[Any]:
        """The fields that say what it takes, to be drawn."""
        return [self[name] for name in self.CONDITIONS]


class PreviewForm(forms.Form):
    """What a new interaction would be like."""

    channel = forms.ModelChoiceField(
        label=_("Channel"), queryset=Channel.objects.filter(is_active=True), empty_label=None,
        widget=forms.Select(SELECT),
    )  # fmt: skip
    language = forms.ChoiceField(
        label=_("Language"), required=False, choices=[("", "–"), *settings.LANGUAGES], widget=forms.Select(SELECT)
    )
    reason = forms.ModelChoiceField(
        label=_("Reason"),
        required=False,
        queryset=Reason.objects.filter(is_active=True),
        empty_label=_("Not known yet"),
        widget=forms.Select(SELECT),
    )
    priority = forms.TypedChoiceField(
        label=_("Priority"), choices=Priority.choices, coerce=int, initial=Priority.NORMAL, widget=forms.Select(SELECT)
    )
    program = forms.ModelChoiceField(
        label=_("Program"), required=False, queryset=CareProgram.objects.filter(is_active=True),
        empty_label=_("No program"), widget=forms.Select(SELECT),
    )  # fmt: skip
    hours = forms.ChoiceField(
        label=_("Hours"),
        choices=[(HoursState.OPEN, _("While it is served")), (HoursState.CLOSED, _("While it is closed"))],
        widget=forms.Select(SELECT),
    )
