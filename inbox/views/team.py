"""The supervisor's view: who works on what, what waits where, and handing a person's work over."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from contact_center.accounts.models import User
from contact_center.accounts.requests import person_of
from contact_center.common.answers import is_partial, say
from contact_center.common.errors import Refused
from contact_center.common.numbers import number_of
from inbox import realtime
from inbox.selectors import team as desk
from inbox.selectors.interactions import queue_ids_of
from inbox.selectors.people import workers
from inbox.services import bulk


def _supervisor(request: HttpRequest) -> User:
    user = person_of(request)
    if not desk.may_see_team(user):
        raise PermissionDenied
    return user


@require_safe
def team(request: HttpRequest) -> HttpResponse:
    """Queues and people, drawn again when either changes."""
    user = _supervisor(request)
    topics = [realtime.TEAM_TOPIC, *(realtime.queue_topic(pk) for pk in queue_ids_of(user))]
    live = " ".join(f"{topic}:{seq}" for topic, seq in realtime.sequences_of(topics).items())
    context: dict[str, Any] = {
        "team_live": live,
        "lines": desk.lines_of(user),
        "colleagues": desk.colleagues_of(user),
        "people": list(workers()),
    }
    return render(request, "inbox/_team.html" if is_partial(request) else "inbox/team_page.html", context)


@require_POST
def hand_over(request: HttpRequest, pk: int) -> HttpResponse:
    """Give all that a person has open to somebody else, or back to the queues."""
    user = _supervisor(request)
    person = User.objects.filter(pk=pk, is_service_account=False).first()
    if person is None:
        raise Http404
    assignee = number_of(request.POST.get("assignee", ""))
    order: bulk.Order = {"action": "release"}
    if assignee is not None:
        order = {"action": "assign", "assignee": assignee}
    try:
        result = bulk.carry_out(actor=user, order=order, ids=desk.open_ids_of(user, person))
    except Refused as error:
        return say(request, redirect("inbox:team"), str(error), is_error=True)
    if result.job is not None:
        return redirect("jobs:job", result.job.pk)
    text = ngettext("%(n)s conversation handed over.", "%(n)s conversations handed over.", len(result.done))
    answer = say(request, redirect("inbox:team"), text % {"n": len(result.done)})
    for _pk, why in result.refused[:3]:
        answer = say(request, answer, _("One was not: %(why)s") % {"why": why}, is_error=True)
    return answer
