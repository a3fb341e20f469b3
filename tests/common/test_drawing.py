"""What is drawn once and kept says the same as what is drawn anew each time."""

import pytest
from django.db.models import Model
from django.template import Context, Template
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse, set_script_prefix
from django.utils.html import escape

from contact_center.common.addresses import address_of, place_of
from contact_center.common.templatetags.continuo import icon
from inbox.models import Interaction
from patients.models import ContactPoint


@pytest.mark.parametrize(
    ("said", "name", "css"),
    [
        ('"clock"', "clock", ""),
        ('"clock" css="ok"', "clock", "ok"),
        ('"clock" "ok"', "clock", "ok"),
        ("n", "mail", ""),
        ("n css=c", "mail", "x"),
        ('"clock" css=c|upper', "clock", "X"),
    ],
)
def test_an_icon_is_the_functions_whatever_of_it_stands_in_the_template(said, name, css):
    template = Template("{% icon " + said + " %}|{% icon " + said + " as kept %}{{ kept }}")
    drawn = [template.render(Context({"n": "mail", "c": "x"})) for _turn in range(2)]
    assert drawn == [f"{icon(name, css)}|{icon(name, css)}"] * 2
    template.render(Context({"n": "phone", "c": "y"}))
    assert template.render(Context({"n": "mail", "c": "x"})) == drawn[0]


@pytest.mark.parametrize(
    "given", [("inbox:interaction", 7), ("inbox:message-text", 10**17, "quoted"), ("patients:record", 0)]
)
def test_an_address_is_the_one_that_reverse_gives(given):
    name, *args = given
    assert [address_of(*given) for _turn in range(2)] == [reverse(name, args=args)] * 2


def test_an_address_follows_where_the_house_stands():
    try:
        before = address_of("inbox:interaction", 7)
        set_script_prefix("/desk/")
        assert address_of("inbox:interaction", 7) == "/desk" + before
    finally:
        set_script_prefix("/")


def test_no_address_is_an_error_as_there():
    with pytest.raises(NoReverseMatch):
        address_of("inbox:nowhere", 7)
    with pytest.raises(NoReverseMatch):
        place_of("inbox:nowhere")


def test_a_place_is_where_reverse_says():
    assert [place_of("inbox:list") for _turn in range(2)] == [reverse("inbox:list")] * 2


@pytest.mark.parametrize(
    ("said", "name"), [("'icons.svg'", "icons.svg"), ("n", "a&b.css"), ("'icons.svg' as file", "icons.svg")]
)
def test_a_file_has_the_address_that_django_gives_it(said, name):
    template = Template("{% load static %}{% static " + said + " %}{{ file }}")
    drawn = [template.render(Context({"n": name})) for _turn in range(2)]
    assert drawn == [str(escape(static(name)))] * 2
    template.render(Context({"n": "other.css"}))
    assert template.render(Context({"n": name})) == drawn[0]


@pytest.mark.parametrize("row", [Interaction(status="closed"), ContactPoint(scheme="phone"), ContactPoint(scheme="?")])
def test_a_choice_has_the_word_that_django_gives_it(row):
    field = row._meta.get_field("status" if isinstance(row, Interaction) else "scheme")
    assert getattr(row, f"get_{field.name}_display")() == Model._get_FIELD_display(row, field)
