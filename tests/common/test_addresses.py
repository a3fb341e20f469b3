"""`{% url %}` says what Django's says, whatever it is given."""

import pytest
from django.template import Context, Template, TemplateSyntaxError
from django.template.defaulttags import URLNode
from django.urls import NoReverseMatch, set_script_prefix

from contact_center.common.templatetags.addresses import AddressNode


def drawn(said, **values):
    return Template("{% url " + said + " %}").render(Context(values))


@pytest.mark.parametrize(
    ("said", "values"),
    [
        ("'inbox:list'", {}),
        ("'inbox:interaction' n", {"n": 7}),
        ("'inbox:interaction' n", {"n": "7"}),
        ("name n", {"name": "inbox:talk", "n": 10**17}),
        ("'inbox:colleague-draft' n m", {"n": 3, "m": 33}),
        ("'inbox:colleague-draft' n n", {"n": 3}),
        ("'inbox:interaction' pk=n", {"n": 7}),
        ("'inbox:message-text' n 'text'", {"n": 7}),
        ("'inbox:interaction' n as address", {"n": 7}),
        ("'inbox:interaction' n as address", {"n": "x"}),
    ],
)
def test_the_same_address_as_djangos_tag_every_time(said, values, monkeypatch):
    ours = [drawn(said, **values) for _turn in range(2)]
    monkeypatch.setattr(AddressNode, "render", URLNode.render)
    assert ours == [drawn(said, **values)] * 2


@pytest.mark.parametrize("values", [{"n": -1}, {"n": None}, {"n": True}, {"n": "x"}, {}])
def test_what_is_no_address_is_an_error_as_there(values, monkeypatch):
    def outcome():
        try:
            return drawn("'inbox:interaction' n", **values)
        except NoReverseMatch:
            return "no address"

    ours = outcome()
    monkeypatch.setattr(AddressNode, "render", URLNode.render)
    assert ours == outcome()


def test_an_unknown_name_and_a_lost_word_are_errors():
    with pytest.raises(NoReverseMatch):
        drawn("'inbox:nowhere'")
    with pytest.raises(TemplateSyntaxError):
        drawn("")


def test_an_address_follows_where_the_house_stands():
    try:
        before = drawn("'inbox:interaction' n", n=7)
        set_script_prefix("/desk/")
        assert drawn("'inbox:interaction' n", n=7) == "/desk" + before
    finally:
        set_script_prefix("/")
