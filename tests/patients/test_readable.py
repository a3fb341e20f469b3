"""Addresses as people read them; what is stored, dialled and searched stays as it is."""

import pytest
from django.template import Context, Template

from patients.numbers import readable_address


@pytest.mark.parametrize(
    ("address", "home", "shown"),
    [
        ("+13055550142", "US", "(305) 555-0142"),
        ("+13055550142", "BR", "+1 305-555-0142"),
        ("+14165550123", "US", "+1 416-555-0123"),
        ("+5511987654321", "US", "+55 11 98765-4321"),
        ("+5511987654321", "BR", "(11) 98765-4321"),
        ("ana.lima@example.com", "US", "ana.lima@example.com"),
        *((odd, "US", odd) for odd in ("", "+", "+1", "+99912345", "34567", "web-1a2b", "+1<script>")),
    ],
)
def test_a_number_is_read_as_it_is_dialled_at_home_and_others_as_they_stand(address, home, shown):
    assert readable_address(address, home) == shown


@pytest.mark.parametrize(
    ("address", "drawn"),
    [
        ("+13055550142", '<span class="nowrap">(305) 555-0142</span>'),
        ("a.b@c.org", "a<wbr>.b<wbr>@c<wbr>.org"),
        ("<b>@c.org", "&lt;b&gt;<wbr>@c<wbr>.org"),
        (None, ""),
    ],
)
def test_a_page_breaks_an_e_mail_address_between_its_parts_and_a_number_nowhere(address, drawn):
    page = Template("{% load addresses_shown %}{{ address|readable }}")
    assert page.render(Context({"address": address})) == drawn
