"""The page behind the link of an offer: for a phone, without a login. GET changes nothing."""

from django.contrib.auth.decorators import login_not_required
from django.core.signing import BadSignature
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.views.decorators.http import require_http_methods

from contact_center.common.answers import status_of
from contact_center.common.errors import Refused
from contact_center.common.ratelimit import caller_address, is_over
from scheduling import offer_links
from scheduling.enums import OfferStatus
from scheduling.models import SlotOffer
from scheduling.selectors.waitlist import get_offer
from scheduling.services import offers
from scheduling.services.handing_over import language_of

OPENED, TRIED = 120, 20
"""Pages and changes from one network in ten minutes; more wait."""


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def offer(request: HttpRequest, token: str) -> HttpResponse:
    """One offer: take it or leave it. Who comes too late is told so."""
    is_change = request.method == "POST"
    name, limit = ("visit-change", TRIED) if is_change else ("visit-link", OPENED)
    if is_over(name, caller_address(request), limit=limit, seconds=600):
        return _page(request, "link_limited", None, 429)
    try:
        found = get_offer(offer_links.read(token))
    except (BadSignature, SlotOffer.DoesNotExist):
        return _page(request, "link_unknown", None, 404)
    with translation.override(language_of(found.entry.patient)):
        return _answer(request, found) if is_change else _show(request, found)


def _answer(request: HttpRequest, found: SlotOffer) -> HttpResponse:
    try:
        if request.POST.get("answer") == "no":
            offers.decline(actor=None, offer_id=found.pk)
        else:
            offers.accept(actor=None, offer_id=found.pk)
    except offers.OfferGone:
        return _page(request, "offer", get_offer(found.pk), 409, is_gone=True)
    except Refused as error:
        return _page(request, "offer", found, status_of(error), problem=str(error))
    return _show(request, get_offer(found.pk))


def _show(request: HttpRequest, found: SlotOffer) -> HttpResponse:
    is_open = found.status == OfferStatus.OFFERED and found.expires_at > timezone.now() and not found.freed.closed_at
    is_gone = not is_open and found.status not in (OfferStatus.ACCEPTED, OfferStatus.DECLINED)
    return _page(request, "offer", found, 410 if is_gone else 200, is_gone=is_gone)


def _page(request: HttpRequest, name: str, found: SlotOffer | None, status: int, **context: object) -> HttpResponse:
    response = render(request, f"scheduling/{name}.html", {"offer": found, **context}, status=status)
    response["X-Robots-Tag"] = "noindex, nofollow"
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "same-origin"
    return response
