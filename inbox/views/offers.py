"""The card of what is offered to a person, their answer to it, and answers to escalations."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from contact_center.accounts.enums import Action
from contact_center.accounts.models import User
from contact_center.accounts.policies import can
from contact_center.accounts.requests import person_of
from contact_center.common.answers import is_partial, say, status_of
from contact_center.common.errors import Refused
from inbox.enums import DeclineReason
from inbox.models import Offer, Queue
from inbox.selectors.distribution import offer_to
from inbox.services import assignment, escalations
from inbox.views.interactions import find, show
from inbox.views.lists import require_desk
from inbox.views.notices import own_topic
from inbox.views.traces import leave_trace


def offers_context(request: HttpRequest) -> dict[str, Any] | None:
    """The offer that waits for the person's answer, and the topic that says when it changes; None for whoever takes
    no work."""
    user = request.user
    if not isinstance(user, User) or not can(user, Action.WORK_INBOX):
        return None
    topic, (sequence, offer_id) = own_topic(user)
    offer = offer_to(user) if offer_id is not None else None
    if offer is not None:
        leave_trace(request, offer.interaction)
    return {"offer": offer, "offers_live": f"{topic}:{sequence}", "decline_reasons": list(DeclineReason)}


@require_http_methods(["GET", "HEAD", "POST"])
def offers(request: HttpRequest) -> HttpResponse:
    """The card, which is a sign of life; a POST with `offer` answers it: `accept`, or `decline` with a `reason`."""
    require_desk(request)
    user = person_of(request)
    if request.method == "POST":
        return _answer(request, user)
    assignment.note_seen(user.pk)
    if not is_partial(request):
        return redirect("inbox:list")
    return render(request, "inbox/_offers.html", offers_context(request))


def _answer(request: HttpRequest, user: User) -> HttpResponse:
    text = request.POST.get("offer", "")
    if not (text.isascii() and text.isdecimal() and len(text) < 18):
        raise Http404
    try:
        if request.POST.get("answer") == "accept":
            return _accepted(request, assignment.accept(actor=user, offer_id=int(text)).pk)
        assignment.decline(actor=user, offer_id=int(text), reason=request.POST.get("reason", ""))
    except Offer.DoesNotExist:
        raise Http404 from None
    except Refused as error:
        return _card(request, str(error), status=status_of(error))
    return _card(request, _("Declined. It is offered to somebody else."))


def _accepted(request: HttpRequest, interaction_id: int) -> HttpResponse:
    """The conversation itself: in place on the inbox, else its page."""
    there = reverse("inbox:interaction", args=[interaction_id])
    if not is_partial(request):
        return redirect(there)
    if "/inbox/" not in request.headers.get("HX-Current-URL", ""):
        return HttpResponse(headers={"HX-Redirect": there})
    answer = show(request, interaction_id)
    answer["HX-Retarget"], answer["HX-Reswap"], answer["HX-Push-Url"] = "#workspace", "outerHTML", there
    return answer


def _card(request: HttpRequest, said: str, *, status: int = 200) -> HttpResponse:
    if not is_partial(request):
        return say(request, redirect("inbox:list"), said, is_error=status >= 400)
    answer = render(request, "inbox/_offers.html", offers_context(request), status=status)
    return say(request, answer, said, is_error=status >= 400)


@require_POST
def escalation(request: HttpRequest, pk: int) -> HttpResponse:
    """Answer an escalation: `acknowledge`, or `back` with a reason; or make one: `ask` with a `queue` and a reason."""
    interaction, user = find(request, pk), person_of(request)
    what, why = request.POST.get("do", ""), request.POST.get("why", "")
    try:
        if what == "ask":
            queue = Queue.objects.filter(pk=_number(request, "queue"), is_active=True).first()
            if queue is None:
                raise Refused(_("Choose another team's queue."))
            escalations.escalate(actor=user, interaction_id=interaction.pk, queue=queue, detail=why)
            said = _("Escalated. You hear when that team answers.")
        elif what == "back":
            escalations.send_back(actor=user, interaction_id=interaction.pk, why=why)
            said = _("Sent back.")
        else:
            escalations.acknowledge(actor=user, interaction_id=interaction.pk)
            said = _("Acknowledged.")
    except Refused as error:
        return say(request, redirect("inbox:interaction", pk), str(error), is_error=True)
    return say(request, redirect("inbox:list"), said) if what != "acknowledge" else _here(request, pk, said)


def _here(request: HttpRequest, pk: int, said: str) -> HttpResponse:
    return say(request, redirect("inbox:interaction", pk), said)


def _number(request: HttpRequest, name: str) -> int:
    text = request.POST.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 18 else 0
