"""Rules about the forms of staff and patients."""

from collections.abc import Iterator

from django import forms
from django.urls import get_resolver


def every_form(base: type[forms.BaseForm] = forms.BaseForm) -> Iterator[type[forms.BaseForm]]:
    for form in base.__subclasses__():
        yield form
        yield from every_form(form)


def test_nothing_chosen_yet_is_said_in_words_and_not_in_dashes():
    assert get_resolver().url_patterns  # which imports every view with its forms
    ours = [form for form in every_form() if form.__module__.split(".")[0] in ("inbox", "patients", "scheduling")]
    mute = [
        f"{form.__module__}.{form.__name__}.{name}"
        for form in ours
        if not form.__module__.endswith(".admin")
        for name, field in form.base_fields.items()
        if getattr(field, "empty_label", None) == "---------"
    ]
    assert (len(ours) > 40, mute) == (True, [])
