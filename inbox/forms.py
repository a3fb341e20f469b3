"""Parse and validate what people fill in at the desk; nothing is saved here."""

from collections.abc import Callable, Iterator
from datetime import date, time
from typing import Any

from django import forms
from django.core.validators import URLValidator
from django.forms.models import ModelChoiceIterator
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from contact_center.common.moments import written
from contact_center.common.numbers import numbers_in
from inbox.models import MessageTemplate, Reason
from inbox.selectors.people import workers

TEXT = {"class": "input"}
SELECT = {"class": "select"}
AREA = {"class": "textarea", "rows": 3}
DATE = {"class": "input", "type": "date"}
MOST_TEXT = 100_000


class ReasonTree(ModelChoiceIterator):
    """Reasons in the groups of their tree; a reason with children can be chosen itself too."""

    def __iter__(self) -> Iterator[Any]:
        if self.field.empty_label is not None:
            yield "", self.field.empty_label
        rows = list(self.queryset)
        known = {row.pk for row in rows}
        for top in rows:
            if top.parent_id in known:
                continue
            below = self._below(top.pk, rows)
            yield (top.name, [self.choice(top), *map(self.choice, below)]) if below else self.choice(top)

    def _below(self, parent_id: int, rows: list[Reason]) -> list[Reason]:
        found = []
        for row in rows:
            if row.parent_id == parent_id:
                found += [row, *self._below(row.pk, rows)]
        return found


class ReasonField(forms.ModelChoiceField):
    """One reason out of the tree."""

    iterator = ReasonTree


class WorkerField(forms.ModelChoiceField):
    """One of the people who can own work, or nobody."""

    def __init__(self, *, empty_label: Any) -> None:
        look = forms.Select(SELECT)
        super().__init__(workers(), label=_("Owner"), required=False, empty_label=empty_label, widget=look)


class DueField(forms.DateField):
    """The day by which something is done."""

    def __init__(self, *, required: bool = False) -> None:
        super().__init__(label=_("Due"), required=required, widget=forms.DateInput(DATE, format="%Y-%m-%d"))


class ComposeForm(forms.Form):
    """A reply or a note, and by which way it goes."""

    do = forms.CharField(required=False, max_length=12)
    canned = forms.IntegerField(required=False, min_value=1)
    mode = forms.CharField(max_length=12)
    text = forms.CharField(required=False, strip=False, max_length=MOST_TEXT)
    cc = forms.CharField(required=False, max_length=1000)
    sensitive = forms.BooleanField(required=False)
    unchecked = forms.BooleanField(required=False)
    form_key = forms.CharField(required=False, max_length=64)
    seen_message_id = forms.IntegerField(required=False, min_value=0)
    draft_round = forms.CharField(required=False, max_length=44)

    def upload_ids(self) -> list[int]:
        """Ids of the files that the reply box showed, in its order."""
        return numbers_in(self.data, "upload", most=50)


class DraftForm(forms.Form):
    """What was typed so far; `acknowledge` is the newest message its writer says they have read."""

    mode = forms.CharField(max_length=12)
    text = forms.CharField(required=False, strip=False, max_length=100_000)
    seen_message_id = forms.IntegerField(required=False, min_value=0)
    acknowledge = forms.IntegerField(required=False, min_value=0)
    draft_round = forms.CharField(required=False, max_length=44)


class NewPatientForm(forms.Form):
    """The few things needed to know a person again."""

    given_name = forms.CharField(label=_("Given name"), max_length=120, widget=forms.TextInput(TEXT))
    family_name = forms.CharField(label=_("Family name"), max_length=120, widget=forms.TextInput(TEXT))
    birth_date = forms.DateField(label=_("Birth date"), required=False, widget=forms.DateInput(DATE, format="%Y-%m-%d"))
    language = forms.ChoiceField(
        label=_("Language"),
        choices=[("en", _("English")), ("es", _("Spanish")), ("pt", _("Portuguese"))],
        widget=forms.Select(SELECT),
    )


class TemplateForm(forms.Form):
    """One field per variable of a template, of the variable's own type; dates and times in the template's language."""

    def __init__(self, *args: Any, template: MessageTemplate, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.template = template
        for number, variable in enumerate(template.variables, start=1):
            make = TEMPLATE_FIELDS.get(variable.get("type", "text"), TEMPLATE_FIELDS["text"])
            self.fields[f"variable-{variable['key']}"] = make(label=f"{number}. {variable['label']}")

    def variables(self) -> dict[str, str]:
        """Values by the template's own keys, as the patient reads them; only after validation."""
        return self._written(self.cleaned_data)

    def preview(self) -> str:
        """The template with what is filled in so far; the rest stays in braces."""
        if self.is_bound:
            self.is_valid()  # what is right is shown, what is wrong stays in braces
        given = self.cleaned_data if self.is_bound else {}
        body = self.template.body
        for key, value in self._written({name: value for name, value in given.items() if value is not None}).items():
            body = body.replace("{{" + key + "}}", value)
        return body

    def _written(self, values: dict[str, Any]) -> dict[str, str]:
        with translation.override(self.template.language[:2]):
            return {name.removeprefix("variable-"): _in_words(value) for name, value in values.items()}


def _in_words(value: Any) -> str:
    if isinstance(value, date):
        return written(value, "full_day")
    return written(value, "time") if isinstance(value, time) else str(value)


def _text(label: str) -> forms.Field:
    return forms.CharField(label=label, max_length=200, widget=forms.TextInput(TEXT))


def _date(label: str) -> forms.Field:
    return forms.DateField(label=label, widget=forms.DateInput(DATE, format="%Y-%m-%d"))


def _time(label: str) -> forms.Field:
    return forms.TimeField(label=label, widget=forms.TimeInput(TEXT | {"type": "time"}, format="%H:%M"))


def _url(label: str) -> forms.Field:
    return forms.URLField(
        label=label,
        max_length=200,
        assume_scheme="https",
        validators=[URLValidator(schemes=["https"])],
        widget=forms.URLInput(TEXT),
    )


TEMPLATE_FIELDS: dict[str, Callable[..., forms.Field]] = {"text": _text, "date": _date, "time": _time, "url": _url}


class SavedViewForm(forms.Form):
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
