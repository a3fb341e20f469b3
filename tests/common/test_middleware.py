"""What everybody sees whatever address they open."""

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import RequestFactory

from contact_center.common.middleware import PeoplesErrorPagesMiddleware


@pytest.mark.parametrize(
    ("is_debug", "status", "kind", "expected"),
    [
        (True, 404, "text/html", "product"),
        (False, 404, "text/html", "given"),
        (True, 404, "application/json", "given"),
        (True, 500, "text/html", "given"),
        (True, 200, "text/html", "given"),
    ],
)
def test_a_wrong_address_shows_the_products_page_while_debugging_too(monkeypatch, is_debug, status, kind, expected):
    monkeypatch.setattr(settings, "DEBUG", is_debug)
    middleware = PeoplesErrorPagesMiddleware(lambda _: HttpResponse("Django's page", status=status, content_type=kind))
    answer = middleware(RequestFactory().get("/nowhere/"))
    shown = "given" if answer.content == b"Django's page" else "product"
    assert (answer.status_code, shown, b"Traceback" in answer.content) == (status, expected, False)
