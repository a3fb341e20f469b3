"""`{% translate %}` says the same as Django's own, in each reader's language."""

import pytest
from django.template import Context, Template
from django.utils.translation import override


@pytest.mark.parametrize(
    ("source", "drawn"),
    [
        ('{% translate "Cancel" %}', ["Cancel", "Cancelar", "Cancel"]),
        ("{% trans 'Cancel' %}", ["Cancel", "Cancelar", "Cancel"]),
        ('{% translate "Cancel" as word %}<{{ word }}>', ["<Cancel>", "<Cancelar>", "<Cancel>"]),
        ('{% translate "Cancel" noop %}', ["Cancel"] * 3),
        ('{% translate "50 %" %}', ["50 %"] * 3),
        ("{% translate word %}", ["a&lt;b"] * 3),
        ('{% translate "Cancel"|upper %}', ["CANCEL", "CANCELAR", "CANCEL"]),
        ("{% for n in '12' %}{% translate \"Cancel\" %} {% endfor %}", ["Cancel " * 2, "Cancelar " * 2, "Cancel " * 2]),
    ],
)  # fmt: skip
def test_a_text_follows_the_language_of_whoever_reads(source, drawn):
    template = Template("{% load i18n %}" + source)
    seen = []
    for language in ("en", "es", "en"):
        with override(language):
            seen.append(template.render(Context({"word": "a<b"})))
    assert seen == drawn
