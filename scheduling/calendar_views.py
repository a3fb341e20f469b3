"""Calendars that leave the house: a practitioner's feed, and one visit for the patient."""

from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from contact_center.accounts.requests import person_of
from contact_center.common.answers import say
from scheduling.calendar_text import Entry, calendar_text
from scheduling.link_pages import is_too_much
from scheduling.models import Appointment, CalendarFeed, Practitioner
from scheduling.policies import can_share_names
from scheduling.selectors.calendars import feed_address, feed_behind, get_practitioner_for, own_entry
from scheduling.services import calendars

REFRESH_MINUTES = 15


@login_not_required
@require_safe
def calendar(request: HttpRequest, token: str) -> HttpResponse:
    """The agenda of a practitioner, for whoever has the address."""
    if is_too_much(request):
        return HttpResponse("Too many requests.", status=429, content_type="text/plain")
    try:
        feed = feed_behind(token)
    except CalendarFeed.DoesNotExist:
        raise Http404 from None
    with translation.override(settings.LANGUAGE_CODE):
        return _file(calendars.read_feed(feed), "agenda", feed.practitioner.name, REFRESH_MINUTES)


@require_http_methods(["GET", "HEAD", "POST"])
def feed(request: HttpRequest, practitioner_id: int) -> HttpResponse:
    """The address of a practitioner's feed: make it, make it anew, end it."""
    person = person_of(request)
    try:
        practitioner = get_practitioner_for(person, practitioner_id)
    except Practitioner.DoesNotExist:
        raise Http404 from None
    if request.method == "POST":
        given: dict[str, Any] = {"actor": person, "practitioner_id": practitioner.pk}
        if request.POST.get("verb") == "end":
            calendars.end_feed(**given)
            words = _("The address opens nothing any more.")
        else:
            calendars.make_feed(**given, shows_patients=request.POST.get("shows_patients") == "on")
            words = _("This address is new. An old one opens nothing any more.")
        return say(request, redirect("scheduling:feed", practitioner.pk), words)
    found = CalendarFeed.objects.filter(practitioner=practitioner).first()
    context = {
        "practitioner": practitioner, "feed": found, "address": feed_address(found) if found else "",
        "may_name": can_share_names(person),
    }  # fmt: skip
    return render(request, "scheduling/feed.html", context)


def visit_file(visit: Appointment, language: str, *, until: int) -> HttpResponse:
    """One visit for the patient's own calendar, cancelled ones as such, so that they go from it. The link in it ends at
    `until`."""
    return _file([own_entry(visit, language, until=until)], "visit")


def _file(entries: list[Entry], name: str, title: str = "", refresh: int | None = None) -> HttpResponse:
    words = calendar_text(entries, name=title, refresh_minutes=refresh)
    response = HttpResponse(words, content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.ics"'
    response["Cache-Control"] = "no-store"
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response
