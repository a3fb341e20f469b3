"""A mail can be seen as it was formatted, and can do nothing there."""

import pytest
from django.urls import reverse

from tests.factories.inbox import InteractionFactory, MessageFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def formatted(email_channel, agent, signed_in):
    """`formatted(html)` is the answer to the agent who opens the frame of a mail with that markup."""

    def visit(html, person=agent):
        interaction = InteractionFactory(channel=email_channel, owner=agent)
        message = MessageFactory(interaction=interaction, channel_kind="email", html=html)
        return signed_in(person).get(reverse("inbox:formatted-mail", args=[message.pk]))

    return visit


def test_tables_and_links_are_kept_and_nothing_else(formatted):
    html = (
        '<table><tr><td onclick="x()">9:40</td></tr></table><script>x()</script><img src=x onerror=x()>'
        '<img src="cid:a" alt="Scan"><a href="https://example.org">Map</a><form action="/"><input name=q></form>'
    )
    body = formatted(html).content.decode().split('<body dir="auto">')[1].split("</body>")[0]
    assert body == (
        "<table><tbody><tr><td>9:40</td></tr></tbody></table><span>[…]</span><span>[Scan]</span>"
        '<a href="https://example.org" target="_blank" rel="noopener noreferrer nofollow">Map</a>'
    )


def test_its_frame_runs_nothing_and_loads_nothing_but_our_style(formatted):
    answer = formatted("<p>Hello</p>")
    policy = dict(part.strip().partition(" ")[::2] for part in answer.headers["Content-Security-Policy"].split(";"))
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert {name: policy[name] for name in ("default-src", "script-src", "img-src", "form-action", "style-src")} == {
        "default-src": "'none'",
        "script-src": "'none'",
        "img-src": "'none'",
        "form-action": "'none'",
        "style-src": "'self'",
    }
    assert policy["sandbox"] == "allow-popups allow-popups-to-escape-sandbox"


def test_a_mail_without_markup_has_no_such_page(formatted):
    assert formatted("").status_code == 404


def test_nobody_else_sees_it(formatted, outsider):
    assert formatted("<p>Hello</p>", person=outsider).status_code == 404
