"""Forms of the telephone: where a call goes, and why somebody is called."""

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from inbox.forms import AREA, TEXT
from inbox.models import Interaction
from inbox.working_forms import FIRST, TransferForm


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

    why = forms.CharField(label=_("Reason"), max_length=240, widget=forms.TextInput(TEXT | FIRST))
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
