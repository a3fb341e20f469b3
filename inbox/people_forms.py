"""What supervisors fill in about what people can do and carry; nothing is saved here."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from contact_center.accounts.models import Skill
from inbox.distribution import USUAL_CAPACITY
from inbox.enums import ChannelKind
from inbox.forms import SELECT
from inbox.routing_forms import LEVELS, NUMBER
from inbox.services.abilities import MOST


class AbilitiesForm(forms.Form):
    """A level for each skill, and how many conversations of each kind and in all; empty is the usual number."""

    seen = forms.IntegerField(required=False, min_value=0, widget=forms.HiddenInput)
    most_open = forms.IntegerField(
        label=_("Written conversations at once, in all"), min_value=0, max_value=MOST, widget=forms.NumberInput(NUMBER)
    )

    def __init__(self, *args: Any, skills: dict[int, int], limits: dict[str, int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.skills = list(Skill.objects.all())
        for skill in self.skills:
            self.fields[f"level_{skill.pk}"] = forms.ChoiceField(
                label=skill.name, choices=LEVELS, required=False, initial=str(skills.get(skill.pk, "")),
                widget=forms.Select(SELECT),
            )  # fmt: skip
        for kind in ChannelKind:
            usual = USUAL_CAPACITY.get(kind, 1)
            self.fields[f"most_{kind}"] = forms.IntegerField(
                label=kind.label, required=False, min_value=0, max_value=1 if kind == ChannelKind.VOICE else MOST,
                initial=limits.get(kind), widget=forms.NumberInput(NUMBER | {"placeholder": str(usual)}),
            )  # fmt: skip

    def skill_fields(self) -> list[Any]:
        """The levels, to be drawn."""
        return [self[f"level_{skill.pk}"] for skill in self.skills]

    def limit_fields(self) -> list[Any]:
        """The numbers by kind, to be drawn."""
        return [self[f"most_{kind}"] for kind in ChannelKind]

    def abilities(self) -> dict[str, Any]:
        """What the service is told; only after validation."""
        data = self.cleaned_data
        return {
            "skills": {one.pk: int(data[f"level_{one.pk}"]) for one in self.skills if data[f"level_{one.pk}"]},
            "limits": {str(kind): data[f"most_{kind}"] for kind in ChannelKind if data[f"most_{kind}"] is not None},
            "most_open": data["most_open"],
            "seen": data["seen"],
        }
