"""Parse and validate what people fill in at the desk; nothing is saved here."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from contact_center.accounts.enums import Role
from contact_center.accounts.models import User
from inbox.models import MessageTemplate

TEXT = {"class": "input"}
SELECT = {"class": "select"}
AREA = {"class": "textarea", "rows": 3}
DATE = {"class": "input", "type": "date"}
WORKERS = [Role.AGENT, Role.CLINICAL_AGENT, Role.PARTNER_AGENT, Role.SUPERVISOR, Role.ADMIN]


def workers() -> Any:
    """People who can own work, by name."""
    found = User.objects.filter(is_active=True, is_service_account=False, role__in=WORKERS)
    return found.order_by("first_name", "last_name")


class DeskForm(forms.Form):
    """Marks wrong fields for assistive technology."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""

    def full_clean(self) -> None:
        super().full_clean()
        self.mark_errors()

    def mark_errors(self) -> None:
        """Say at each wrong field that it is; once more after a service refused."""
        for name in self.errors if self.is_bound else ():
            if name in self.fields:
                widget = self.fields[name].widget
                widget.attrs |= {"aria-invalid": "true", "aria-describedby": f"{self[name].auto_id}_error"}


class ComposeForm(DeskForm):
    """A reply or a note, and by which way it goes."""

    do = forms.CharField(required=False, max_length=12)
    canned = forms.IntegerField(required=False, min_value=1)
    mode = forms.CharField(max_length=12)
    text = forms.CharField(required=False, strip=False, max_length=100_000)
    cc = forms.CharField(required=False, max_length=1000)
    remove = forms.IntegerField(required=False, min_value=1)
    form_key = forms.CharField(required=False, max_length=64)
    seen_message_id = forms.IntegerField(required=False, min_value=0)

    def upload_ids(self) -> list[int]:
        """Ids of the files that the reply box showed, in its order."""
        given = self.data.getlist("upload") if hasattr(self.data, "getlist") else []
        return [int(one) for one in given if one.isdecimal() and len(one) < 18][:50]


class DraftForm(DeskForm):
    """What was typed so far; `acknowledge` is the newest message its writer says they have read."""

    mode = forms.CharField(max_length=12)
    text = forms.CharField(required=False, strip=False, max_length=100_000)
    seen_message_id = forms.IntegerField(required=False, min_value=0)
    acknowledge = forms.IntegerField(required=False, min_value=0)
    draft_round = forms.CharField(required=False, max_length=44)


class NewPatientForm(DeskForm):
    """The few things needed to know a person again."""

    given_name = forms.CharField(label=_("Given name"), max_length=120, widget=forms.TextInput(TEXT))
    family_name = forms.CharField(label=_("Family name"), max_length=120, widget=forms.TextInput(TEXT))
    birth_date = forms.DateField(label=_("Birth date"), required=False, widget=forms.DateInput(DATE, format="%Y-%m-%d"))
    language = forms.ChoiceField(
        label=_("Language"),
        choices=[("en", _("English")), ("es", _("Spanish")), ("pt", _("Portuguese"))],
        widget=forms.Select(SELECT),
    )


class TemplateForm(DeskForm):
    """One field per variable of a template."""

    def __init__(self, *args: Any, template: MessageTemplate, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for number, variable in enumerate(template.variables, start=1):
            self.fields[f"variable-{variable['key']}"] = forms.CharField(
                label=f"{number}. {variable['label']}", max_length=200, widget=forms.TextInput(TEXT)
            )

    def variables(self) -> dict[str, str]:
        """Values by the template's own keys; only after validation."""
        return {name.removeprefix("variable-"): value for name, value in self.cleaned_data.items()}


class SavedViewForm(DeskForm):
    """Name, order and audience of a saved view. The conditions are read apart (`selectors.conditions.composed`)."""

    name = forms.CharField(
        label=_("Name"),
        max_length=60,
        widget=forms.TextInput(TEXT | {"autocomplete": "off"}),
        error_messages={"required": _("Give the view a name.")},
    )
    order = forms.ChoiceField(label=_("Order"), required=False, widget=forms.Select(SELECT))
    audience = forms.ChoiceField(label=_("Who has it"), required=False, widget=forms.Select(SELECT))

    def __init__(self, *args: Any, orders: list[tuple[str, Any]], audiences: list[tuple[str, Any]], **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["order"].choices = orders  # type: ignore[attr-defined]
        self.fields["audience"].choices = audiences  # type: ignore[attr-defined]
