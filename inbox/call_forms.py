"""Forms of the telephone: where a call goes, and why somebody is called."""

from typing import Any

from django import forms
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from contact_center.accounts.models import User
from inbox.forms import AREA, SELECT, TEXT
from inbox.models import Interaction
from inbox.selectors.people import people_serving
from inbox.working_forms import FIRST, MOMENT, TransferForm


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
    """Leave the call to the colleague on the line."""

    why = forms.CharField(
        label=_("Reason"),
        max_length=240,
        widget=forms.TextInput(TEXT | FIRST),
        error_messages={"required": _("Say why you are transferring it.")},
    )
    note = forms.CharField(
        label=_("Summary for the next person"), required=False, max_length=4000, widget=forms.Textarea(AREA)
    )

    def __init__(self, *args: Any, interaction: Interaction, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)


class PlaceCallForm(forms.Form):
    """Why the person is called."""

    purpose = forms.CharField(
        label=_("Reason of the call"),
        max_length=240,
        widget=forms.TextInput(TEXT | FIRST),
        error_messages={"required": _("Say why you are calling.")},
    )


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
