"""Forms of the telephone: where a call goes, and why somebody is called."""

from typing import Any

from django import forms
from django.conf import settings
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from contact_center.accounts.models import User
from inbox.forms import AREA, SELECT, TEXT
from inbox.models import Interaction, Queue
from inbox.selectors.interactions import queues_that_bring
from inbox.selectors.people import people_serving
from inbox.working_forms import FIRST, MOMENT, TransferForm
from patients.numbers import normalise_phone, readable_address


class CallTransferForm(TransferForm):
    """A queue, with the reason, or a colleague to ask first."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["assignee"].label = gettext("Ask a colleague first")
        self.fields["queue"].empty_label = gettext("Choose a queue")  # type: ignore[attr-defined]
        self.fields["note"].label = gettext("Summary for the next person")
        self.fields["why"].required = False

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        if data.get("queue") and not data.get("assignee") and not data.get("why"):
            self.add_error("why", gettext("Say why you are transferring it."))
        return data


class HandOverForm(forms.Form):
    """Leave the call to the colleague on the line, in a queue of theirs when they do not serve the present one."""

    queue = forms.ModelChoiceField(
        Queue.objects.none(),
        label=_("Queue"),
        empty_label=None,
        widget=forms.Select(SELECT),
        error_messages={"required": _("Choose a queue")},
    )
    why = forms.CharField(
        label=_("Reason"),
        max_length=240,
        widget=forms.TextInput(TEXT | FIRST),
        error_messages={"required": _("Say why you are transferring it.")},
    )
    note = forms.CharField(
        label=_("Summary for the next person"), required=False, max_length=4000, widget=forms.Textarea(AREA)
    )

    def __init__(self, *args: Any, interaction: Interaction, colleague: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        places = queues_that_bring(colleague, interaction.pk)
        self.fields["queue"].queryset = places  # type: ignore[attr-defined]
        if places.filter(pk=interaction.queue_id).exists():
            del self.fields["queue"]


class PlaceCallForm(forms.Form):
    """Why somebody is called, and at which of their `numbers`; without `numbers` any is typed."""

    purpose = forms.CharField(
        label=_("Reason of the call"),
        max_length=240,
        widget=forms.TextInput(TEXT | FIRST),
        error_messages={"required": _("Say why you are calling.")},
    )

    def __init__(self, *args: Any, numbers: list[str] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.numbers, label = numbers, gettext("Number")
        if numbers is None:
            typed = forms.TextInput(TEXT | FIRST | {"type": "tel", "autocomplete": "off"})
            self.fields["number"] = forms.CharField(label=label, max_length=40, widget=typed)
            self.fields["purpose"].widget.attrs.pop("autofocus", None)
        elif numbers:
            choices = [(number, readable_address(number)) for number in numbers]
            errors = dict.fromkeys(("required", "invalid_choice"), gettext("Choose a number of this person."))
            select = forms.Select(SELECT)
            self.fields["number"] = forms.ChoiceField(
                label=label, choices=choices, widget=select, error_messages=errors
            )
        self.order_fields(["number", "purpose"])

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if self.numbers is None and data.get("number"):
            found = normalise_phone(data["number"], settings.DEFAULT_PHONE_REGION)
            if found is None or not found.is_valid:
                self.add_error("number", gettext("This is no phone number."))
            else:
                data["number"] = found.e164
        return data

    @property
    def number(self) -> str:
        """The number that is meant, in E.164; empty where there is none."""
        return str(self.cleaned_data.get("number", ""))


class CallbackForm(forms.Form):
    """When the person is called back, by whom, and why."""

    due_at = forms.DateTimeField(
        label=_("Day and time"),
        widget=forms.DateTimeInput(MOMENT | FIRST, format="%Y-%m-%dT%H:%M"),
        error_messages={"required": _("Choose a day and time.")},
    )
    owner = forms.ModelChoiceField(User.objects.none(), label=_("Who calls"), empty_label=None)
    fallback_owner = forms.ModelChoiceField(
        User.objects.none(), label=_("If they cannot"), required=False, empty_label=_("Whoever is free")
    )
    purpose = forms.CharField(
        label=_("Reason of the call"),
        max_length=240,
        widget=forms.TextInput(TEXT),
        error_messages={"required": _("Say why you are calling.")},
    )

    def __init__(self, *args: Any, user: User, interaction: Interaction, **kwargs: Any) -> None:
        kwargs["initial"] = {"owner": user.pk} | kwargs.get("initial", {})
        super().__init__(*args, **kwargs)
        people = User.objects.filter(Q(pk=user.pk) | Q(pk__in=people_serving(interaction.queue).values("pk")))
        for name in ("owner", "fallback_owner"):
            self.fields[name].queryset = people  # type: ignore[attr-defined]
            self.fields[name].widget.attrs |= SELECT
