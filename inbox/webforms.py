"""The public form as Django sees it: built from what an admin defined, parsed and validated, never saved here."""

import secrets
from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.core import signing
from django.core.validators import MaxLengthValidator
from django.utils.translation import gettext_lazy as _

from inbox.enums import FieldRole, FieldType
from inbox.models import FormField, WebForm
from patients.numbers import normalise_phone

HONEYPOT = "website"
TOKEN = "form_token"  # noqa: S105
TOKEN_SALT = "inbox.webforms"  # noqa: S105
TOKEN_MAX_AGE_SECONDS = 24 * 3600
MAX_FILE_BYTES = 10 * 1024 * 1024
MAX_ANSWERS_BYTES = 1024 * 1024


class PhoneField(forms.CharField):
    """A phone number in any spelling; cleans to E.164."""

    widget = forms.TextInput(attrs={"type": "tel", "autocomplete": "tel", "inputmode": "tel"})

    def clean(self, value: Any) -> str:
        text = super().clean(value)
        if not text:
            return ""
        found = normalise_phone(text, settings.DEFAULT_PHONE_REGION)
        if found is None or not found.is_valid:
            raise forms.ValidationError(
                _("This does not look like a phone number. Write it with its area code, for example 305 555 0123.")
            )
        return found.e164


def new_token(slug: str) -> str:
    """Proof that we served this form, and the identity of one submission: sent twice, it is one submission."""
    return signing.dumps({"form": slug, "nonce": secrets.token_hex(12)}, salt=TOKEN_SALT)


def read_token(token: str, slug: str) -> str | None:
    """The nonce of a token of ours for this form, or None when it is forged, old or another form's."""
    try:
        content = signing.loads(token, salt=TOKEN_SALT, max_age=TOKEN_MAX_AGE_SECONDS)
    except signing.BadSignature:
        return None
    return str(content["nonce"]) if content.get("form") == slug else None


def largest_request(web_form: WebForm) -> int:
    """Bytes that a filled-in form of this kind may have: every file at its limit, and the words."""
    files = sum(1 for definition in web_form.fields.all() if definition.type == FieldType.FILE)
    return files * MAX_FILE_BYTES + MAX_ANSWERS_BYTES


def misread_answers(web_form: WebForm, answers: dict[str, Any]) -> dict[str, list[dict[str, str]]]:
    """What in a machine's answers has a JSON type that its field cannot have, as errors by field."""
    wrong = {
        definition.key: _("This is not what this field takes.")
        for definition in web_form.fields.all()
        if answers.get(definition.key) is not None and not _fits(FieldType(definition.type), answers[definition.key])
    }
    return {key: [{"message": str(words), "code": "type"}] for key, words in wrong.items()}


def _fits(kind: FieldType, value: Any) -> bool:
    match kind:
        case FieldType.CONSENT:
            return isinstance(value, bool | str)
        case FieldType.NUMBER:
            return isinstance(value, str | int | float | Decimal) and not isinstance(value, bool)
        case FieldType.CHOICES:
            return isinstance(value, list) and all(isinstance(item, str) for item in value)
        case FieldType.FILE:
            return False
    return isinstance(value, str)


class AnswerForm(forms.Form):
    """One public form. `rows` pairs each admin-defined field with its bound field for the template."""

    def __init__(self, web_form: WebForm, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.web_form = web_form
        self.definitions = list(web_form.fields.all())
        for definition in self.definitions:
            self.fields[definition.key] = build_field(definition)

    @property
    def rows(self) -> list[tuple[FormField, forms.BoundField]]:
        return [(definition, self[definition.key]) for definition in self.definitions]

    def clean(self) -> dict[str, Any]:
        """At least one way to answer must be given when the form asks for any."""
        data = super().clean() or {}
        roles = {FieldRole.PHONE, FieldRole.EMAIL}
        ways = [d.key for d in self.definitions if d.role in roles]
        if ways and not any(data.get(key) for key in ways) and not any(key in self.errors for key in ways):
            self.add_error(ways[0], _("Tell us a phone number or an e-mail address, so that we can answer you."))
        return data


def build_field(definition: FormField) -> forms.Field:
    """The Django field of one admin-defined field."""
    common: dict[str, Any] = {
        "label": definition.label,
        "help_text": definition.help_text,
        "required": definition.is_required,
        "error_messages": {"required": _("Please fill this in.")},
    }
    choices = [(choice, choice) for choice in definition.choices]
    match definition.type:
        case FieldType.TEXTAREA:
            return forms.CharField(
                max_length=10_000, widget=forms.Textarea(attrs={"rows": 5, "class": "textarea"}), **common
            )
        case FieldType.EMAIL:
            return forms.EmailField(
                max_length=254, widget=forms.EmailInput(attrs={"class": "input", "autocomplete": "email"}), **common
            )
        case FieldType.PHONE:
            field = PhoneField(max_length=40, **common)
            field.widget.attrs["class"] = "input"
            return field
        case FieldType.DATE:
            return forms.DateField(widget=forms.DateInput(attrs={"type": "date", "class": "input"}), **common)
        case FieldType.NUMBER:
            return forms.DecimalField(
                max_digits=12, decimal_places=3, widget=forms.NumberInput(attrs={"class": "input"}), **common
            )
        case FieldType.CHOICE:
            return forms.ChoiceField(choices=choices, widget=forms.RadioSelect, **common)
        case FieldType.CHOICES:
            return forms.MultipleChoiceField(choices=choices, widget=forms.CheckboxSelectMultiple, **common)
        case FieldType.FILE:
            return forms.FileField(
                max_length=200, validators=[_limit_size], widget=forms.ClearableFileInput(), **common
            )
        case FieldType.CONSENT:
            common["error_messages"] = {"required": _("Please tick this box to go on.")}
            return forms.BooleanField(**common)
    widget = forms.TextInput(attrs={"class": "input"} | AUTOCOMPLETE.get(FieldRole(definition.role), {}))
    return forms.CharField(max_length=500, validators=[MaxLengthValidator(500)], widget=widget, **common)


AUTOCOMPLETE: dict[FieldRole, dict[str, str]] = {
    FieldRole.GIVEN_NAME: {"autocomplete": "given-name"},
    FieldRole.FAMILY_NAME: {"autocomplete": "family-name"},
}


def _limit_size(upload: Any) -> None:
    if upload.size > MAX_FILE_BYTES:
        raise forms.ValidationError(_("This file is too large. Ten megabytes is the most we can take."))
