"""What people fill in for a change to many interactions; each form knows its order. Nothing is saved here."""

from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from contact_center.accounts.enums import Action
from contact_center.accounts.models import User
from contact_center.accounts.policies import can
from inbox.enums import Priority
from inbox.forms import SELECT, TEXT, DueField, WorkerField
from inbox.models import Disposition, Queue, Reason, Tag
from inbox.selectors.people import workers

SNOOZES = [
    ("2h", _("For two hours")),
    ("tomorrow", _("Until tomorrow at 9")),
    ("monday", _("Until Monday at 9")),
    ("answer", _("Until the patient answers")),
]


class BulkForm(forms.Form):
    """The base: `order()` is the plain data of what was chosen, after validation."""

    action = ""

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def order(self) -> dict[str, Any]:
        return {"action": self.action} | {
            name: getattr(value, "pk", value) for name, value in self.cleaned_data.items()
        }


class BulkAssignForm(BulkForm):
    action = "assign"
    assignee = forms.ModelChoiceField(
        User.objects.none(), label=_("Person"), empty_label=_("Choose a person"), widget=forms.Select(SELECT)
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["assignee"].queryset = workers()  # type: ignore[attr-defined]
        self.fields["assignee"].initial = self.user.pk


class BulkTransferForm(BulkForm):
    action = "transfer"
    queue = forms.ModelChoiceField(
        Queue.objects.filter(is_active=True),
        label=_("Queue"),
        empty_label=_("Choose a queue"),
        widget=forms.Select(SELECT),
    )
    why = forms.CharField(label=_("Why, for the next person"), max_length=240, widget=forms.TextInput(TEXT))


class BulkTagForm(BulkForm):
    action = "tag"
    tag = forms.ModelChoiceField(
        Tag.objects.filter(is_active=True), label=_("Tag"), empty_label=_("Choose a tag"), widget=forms.Select(SELECT)
    )


class BulkPriorityForm(BulkForm):
    action = "priority"
    priority = forms.TypedChoiceField(
        label=_("Priority"),
        choices=Priority.choices,
        coerce=int,
        initial=Priority.NORMAL,
        widget=forms.Select(SELECT),
    )


class BulkSnoozeForm(BulkForm):
    action = "snooze"
    until = forms.ChoiceField(label=_("How long"), choices=SNOOZES, widget=forms.Select(SELECT))

    def order(self) -> dict[str, Any]:
        moment = moment_of(self.cleaned_data["until"], timezone.localtime())
        return {"action": self.action, "until_at": moment.isoformat() if moment else ""}


def moment_of(choice: str, now: datetime) -> datetime | None:
    """When a snooze ends that was chosen by name at `now`; None: when the patient answers."""
    if choice == "answer":
        return None
    if choice == "2h":
        return now + timedelta(hours=2)
    days = 1 if choice == "tomorrow" else (7 - now.weekday()) or 7
    return timezone.make_aware(datetime.combine(now.date() + timedelta(days=days), time(9)))


class BulkCloseForm(BulkForm):
    action = "close"
    reason = forms.ModelChoiceField(
        Reason.objects.none(),
        label=_("Reason"),
        required=False,
        empty_label=_("Each keeps its own"),
        widget=forms.Select(SELECT),
    )
    disposition = forms.ModelChoiceField(
        Disposition.objects.filter(is_active=True),
        label=_("Outcome"),
        empty_label=_("Choose an outcome"),
        widget=forms.Select(SELECT),
    )
    next_step = forms.CharField(label=_("Next step"), required=False, max_length=240, widget=forms.TextInput(TEXT))
    next_step_owner = WorkerField(empty_label=_("Choose a person"))
    next_step_date = DueField()
    asked_at = forms.DateTimeField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        reasons = Reason.objects.filter(is_active=True)
        if not can(self.user, Action.VIEW_SENSITIVE):
            reasons = reasons.exclude(is_sensitive=True)
        self.fields["reason"].queryset = reasons  # type: ignore[attr-defined]
        self.fields["asked_at"].initial = timezone.now().isoformat()

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        disposition = data.get("disposition")
        names = ("next_step", "next_step_owner", "next_step_date")
        is_started = data.get("next_step") or data.get("next_step_date")
        if disposition is not None and (is_started or not disposition.is_resolved):
            sentences = (_("Say what happens next."), _("Say who does it."), _("Say by when."))
            for name, sentence in zip(names, sentences, strict=True):
                if not data.get(name) and name not in self.errors:
                    self.add_error(name, sentence)
        return data

    def order(self) -> dict[str, Any]:
        order = super().order()
        day, asked_at = order["next_step_date"], order["asked_at"] or timezone.now()
        is_open = bool(order["next_step"])
        return order | {
            "next_step_owner": order["next_step_owner"] if is_open else None,
            "next_step_date": day.isoformat() if day and is_open else "",
            "asked_at": asked_at.isoformat(),
        }


FORMS = {
    form.action: form
    for form in (BulkAssignForm, BulkTransferForm, BulkTagForm, BulkPriorityForm, BulkSnoozeForm, BulkCloseForm)
}
