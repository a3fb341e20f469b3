"""What supervisors fill in on the live board; nothing is saved here."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from contact_center.accounts.enums import PresenceState
from inbox.enums import SupervisionReason
from inbox.forms import SELECT, ReasonField, workers
from inbox.models import Disposition, Interaction, Reason

STATES = [(state, state.label) for state in PresenceState if state != PresenceState.OFFLINE]


class PersonForm(forms.Form):
    """One of three changes (`do`), each with the reason: the person's state, a hand-over, ending what is stuck."""

    why = forms.ChoiceField(
        label=_("Why"), choices=[("", "–"), *SupervisionReason.choices],
        widget=forms.Select(SELECT | {"autofocus": True}), error_messages={"required": _("Say why.")},
    )  # fmt: skip
    do = forms.ChoiceField(choices=[("state", ""), ("hand_over", ""), ("complete", "")])
    state = forms.ChoiceField(label=_("State"), choices=STATES, required=False, widget=forms.Select(SELECT))
    items = forms.TypedMultipleChoiceField(
        label=_("Work"), coerce=int, required=False, widget=forms.CheckboxSelectMultiple
    )
    to: Any = forms.ModelChoiceField(
        label=_("To"), queryset=None, required=False, empty_label=_("Back to the queues"), widget=forms.Select(SELECT)
    )
    disposition = forms.ModelChoiceField(
        label=_("Outcome"), queryset=Disposition.objects.filter(is_active=True, is_resolved=True), required=False,
        widget=forms.Select(SELECT),
    )  # fmt: skip
    about = ReasonField(
        label=_("What it was about, where nobody said"), queryset=Reason.objects.filter(is_active=True),
        required=False, widget=forms.Select(SELECT),
    )  # fmt: skip

    def __init__(self, *args: Any, person_id: int, work: Iterable[Interaction], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        items, to = self.fields["items"], self.fields["to"]
        items.choices = [(one.pk, one.pk) for one in work]  # type: ignore[attr-defined]
        to.queryset = workers().exclude(pk=person_id)  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("do") in ("hand_over", "complete") and not data.get("items") and "items" not in self.errors:
            self.add_error("items", _("Choose what."))
        if data.get("do") == "complete" and not data.get("disposition") and "disposition" not in self.errors:
            self.add_error("disposition", _("Say how it ended."))
        return data
