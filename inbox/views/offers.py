"""The card of what is offered to a person, their answer to it, and answers to escalations."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from contact_center.accounts.enums import Action
from contact_center.accounts.models import User
from contact_center.accounts.policies import can
from contact_center.accounts.requests import person_of
from contact_center.common.answers import is_partial, say, status_of
from contact_center.common.errors import Refused
from contact_center.common.numbers import number_of
from inbox.enums import DeclineReason
from inbox.models import Offer
from inbox.selectors.distribution import handing, offer_to
from inbox.services import assignment, escalations
from inbox.views.dialogs import posted, serve
from inbox.views.interactions import act, find, show
from inbox.views.lists import require_desk
from inbox.views.notices import own_topic
from inbox.views.traces import leave_trace
from inbox.working_forms import EscalationForm, SendBackForm


def offers_context(request: HttpRequest) -> dict[str, Any] | None:
    """The offer that waits for the person's answer, and the topic that says when it changes; None for whoever takes
    no work."""
    user = request.user
    if not isinstance(user, User) or not can(user, Action.WORK_INBOX):
        return None
    topic, own = own_topic(user)
    offer = offer_to(user) if own.offer_id is not None else None
    if offer is not None:
        leave_trace(request, offer.interaction)
    return {"offer": offer, "offers_live": f"{topic}:{own.sequence}", "decline_reasons": list(DeclineReason)}


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
    offer_id = number_of(request.POST.get("offer", ""))
    if offer_id is None:
        raise Http404
    try:
        if request.POST.get("answer") == "accept":
            return _accepted(request, assignment.accept(actor=user, offer_id=offer_id).pk)
        assignment.decline(actor=user, offer_id=offer_id, reason=request.POST.get("reason", ""))
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


@require_http_methods(["GET", "HEAD", "POST"])
def escalation(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask another team to see to it; with `do=back` send it back; a POST with `do=acknowledge` says that one sees to
    it."""
    interaction, user = find(request, pk), person_of(request)
    do = request.POST.get("do") or request.GET.get("do", "")

    def ask(data: dict[str, Any]) -> None:
        escalations.escalate(actor=user, interaction_id=pk, queue=data["queue"], detail=data["why"])

    def send_back(data: dict[str, Any]) -> None:
        escalations.send_back(actor=user, interaction_id=pk, why=data["why"])

    if do == "acknowledge" and request.method == "POST":
        return act(request, pk, escalations.acknowledge, _("Acknowledged."))
    if do == "back":
        return serve(request, "send_back", interaction, SendBackForm(posted(request)), send_back, _("Sent back."))
    form = EscalationForm(posted(request), interaction=interaction)
    said = _("Escalated. You hear when that team answers.")
    minutes = max(1, handing().of(interaction.queue_id).acknowledge_seconds // 60)
    return serve(request, "escalate", interaction, form, ask, said, answer_minutes=minutes)
