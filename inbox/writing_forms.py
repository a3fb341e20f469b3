"""What people fill in to keep canned replies and macros; nothing is saved here."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from contact_center.accounts.models import User
from inbox import policies
from inbox.enums import ChannelKind
from inbox.forms import AREA, SELECT, TEXT, ReasonField
from inbox.models import CannedReply, Macro, Reason
from inbox.selectors.canned import teams_kept_by, unknown_variables
from inbox.selectors.macros import step_choices, step_of
from inbox.selectors.setup import reasons_visible_to
from inbox.services.macros import MOST_STEPS

LANGUAGES = [("", _("Any language")), ("en", _("English")), ("es", _("Spanish")), ("pt", _("Portuguese"))]
WRITTEN_KINDS = [
    (kind.value, kind.label) for kind in (ChannelKind.WHATSAPP, ChannelKind.SMS, ChannelKind.EMAIL, ChannelKind.WEBCHAT)
]


class StartForm(forms.Form):
    """The first words of the desk: to whom, by which way, why. The service refuses what does not fit together."""

    patient = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1)
    address = forms.CharField(
        label=_("Phone number or e-mail"),
        required=False,
        max_length=254,
        widget=forms.TextInput(TEXT | {"autocomplete": "off"}),
    )
    way = forms.CharField(max_length=280, error_messages={"required": _("Choose how you write.")})
    reason = ReasonField(
        Reason.objects.none(),
        label=_("Reason"),
        empty_label=_("Choose a reason"),
        widget=forms.Select(SELECT),
        error_messages={"required": _("Say why you write.")},
    )
    subject = forms.CharField(label=_("Subject"), required=False, max_length=240, widget=forms.TextInput(TEXT))
    text = forms.CharField(
        label=_("Message"), required=False, strip=False, max_length=100_000, widget=forms.Textarea(AREA | {"rows": 5})
    )
    form_key = forms.CharField(required=False, max_length=64)
    unchecked = forms.BooleanField(required=False)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].queryset = reasons_visible_to(user)  # type: ignore[attr-defined]


class KeeperForm(forms.Form):
    """Whose text it is: one's own, of a team, or everybody's; only what the person may keep is offered."""

    keeper = forms.ChoiceField(label=_("Who may use it"), widget=forms.Select(SELECT))

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.teams = {f"team-{team.pk}": team for team in teams_kept_by(user)}
        choices: list[tuple[str, Any]] = [("own", _("Only I"))]
        choices += [(key, team.name) for key, team in self.teams.items()]
        if policies.can_share_texts(user):
            choices.append(("everybody", _("Everybody")))
        self.fields["keeper"].choices = choices  # type: ignore[attr-defined]

    def keeping(self) -> dict[str, Any]:
        """`team` and `owner` for the service; only after validation."""
        keeper = self.cleaned_data["keeper"]
        return {"team": self.teams.get(keeper), "owner": self.user if keeper == "own" else None}


def keeper_of(text: CannedReply | Macro) -> str:
    """The choice of `KeeperForm` that a row stands for."""
    if text.owner_id:
        return "own"
    return f"team-{text.team_id}" if text.team_id else "everybody"


class CannedReplyForm(KeeperForm):
    """A text with its shortcode, and where it is offered."""

    title = forms.CharField(label=_("Title"), max_length=80, widget=forms.TextInput(TEXT))
    shortcode = forms.SlugField(
        label=_("Shortcode"),
        max_length=40,
        help_text=_("What follows the slash: letters, digits and hyphens."),
        error_messages={"invalid": _("Use letters, digits and hyphens only.")},
        widget=forms.TextInput(TEXT),
    )
    body = forms.CharField(label=_("Text"), max_length=4000, widget=forms.Textarea(AREA | {"rows": 6, "dir": "auto"}))
    language = forms.ChoiceField(label=_("Language"), required=False, choices=LANGUAGES, widget=forms.Select(SELECT))
    channel_kinds = forms.MultipleChoiceField(
        label=_("Channels"), required=False, choices=WRITTEN_KINDS, help_text=_("None chosen: all of them.")
    )
    field_order = ["title", "shortcode", "body", "language", "keeper", "channel_kinds"]

    def clean_body(self) -> str:
        body = str(self.cleaned_data["body"])
        if unknown := unknown_variables(body):
            raise forms.ValidationError(_("There is no variable %(names)s."), params={"names": ", ".join(unknown)})
        return body


class MacroForm(KeeperForm):
    """A name, and steps in their order; a row without a step is left out."""

    name = forms.CharField(label=_("Name"), max_length=80, widget=forms.TextInput(TEXT))
    field_order = ["name", "keeper"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices: list[Any] = [("", _("No step")), *step_choices(self.user)]
        self.rows = [f"step_{number}" for number in range(MOST_STEPS)]
        for number, row in enumerate(self.rows, start=1):
            label = _("Step %(number)s") % {"number": number}
            widget = forms.Select(SELECT)
            self.fields[row] = forms.ChoiceField(label=label, required=False, choices=choices, widget=widget)

    def step_fields(self) -> list[Any]:
        """The rows of steps, to be drawn."""
        return [self[row] for row in self.rows]

    def steps(self) -> list[dict[str, Any]]:
        """The chosen steps; only after validation."""
        return [step_of(value) for row in self.rows if (value := self.cleaned_data.get(row))]
