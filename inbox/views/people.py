"""Settings: what each person can do, and how much they carry at once."""

from typing import Any

from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from contact_center.accounts.models import User
from contact_center.accounts.requests import person_of
from contact_center.common.answers import say, status_of
from contact_center.common.errors import Refused
from contact_center.common.numbers import number_of
from inbox.people_forms import AbilitiesForm
from inbox.selectors import people as selector
from inbox.selectors.calendars import versions_of
from inbox.selectors.team import may_see_team
from inbox.services import abilities as service


def _supervisor(request: HttpRequest) -> User:
    user = person_of(request)
    if not may_see_team(user):
        raise PermissionDenied
    return user


@require_safe
def people(request: HttpRequest) -> HttpResponse:
    """Everybody who works the inbox, with skills and capacity."""
    _supervisor(request)
    context = {"lines": selector.ability_lines(), "section": "people"}
    return render(request, "inbox/people_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def person(request: HttpRequest, pk: int) -> HttpResponse:
    """One person's skills and capacity; a POST with `version` brings an earlier state back."""
    user = _supervisor(request)
    found = selector.workers().filter(pk=pk).first()
    if found is None:
        raise Http404
    if request.method == "POST" and "version" in request.POST:
        return _restore(request, user, found)
    skills, limits = selector.abilities_of(found)
    initial = {"most_open": service.most_open_of(found), "seen": service.newest_version(found)}
    posted = request.POST if request.method == "POST" else None
    form, status = AbilitiesForm(posted, skills=skills, limits=limits, initial=initial), 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                service.keep_abilities(actor=user, user_id=pk, **form.abilities())
            except Refused as error:
                form.add_error(None, str(error))
                status = status_of(error)
            else:
                return say(request, redirect("inbox:person", pk), _("Saved. It holds for what waits now."))
    context: dict[str, Any] = {"form": form, "person": found, "section": "people"}
    context["versions"] = versions_of(service.OBJECT, pk)
    return render(request, "inbox/person_form.html", context, status=status)


def _restore(request: HttpRequest, user: User, person: User) -> HttpResponse:
    version = number_of(request.POST.get("version", "")) or 0
    try:
        service.restore_abilities(actor=user, user_id=person.pk, version_id=version)
    except ObjectDoesNotExist:
        raise Http404 from None
    except Refused as error:
        return say(request, redirect("inbox:person", person.pk), str(error), is_error=True)
    return say(request, redirect("inbox:person", person.pk), _("Brought back."))
