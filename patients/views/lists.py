"""What pages about many records share."""

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

ROWS = 50


def page_of(request: HttpRequest, rows: QuerySet) -> Page:
    """The page of a list that the address asks for; the nearest one for a senseless number."""
    number = request.GET.get("page", "")
    return Paginator(rows, ROWS).get_page(number if number.isdecimal() and len(number) < 6 else 1)


def go(request: HttpRequest, text: str, name: str, *args: object, is_error: bool = False) -> HttpResponse:
    """To the page of that name, which says `text`."""
    (messages.error if is_error else messages.success)(request, text)
    return redirect(name, *args)
