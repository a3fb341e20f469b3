"""The page behind the link of an offer: for a phone, without a login. GET changes nothing."""

from django.contrib.auth.decorators import login_not_required
from django.core.signing import BadSignature
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation
from django.views.decorators.http import require_http_methods

from contact_center.common.answers import status_of
from contact_center.common.errors import Refused
from scheduling import offer_links
from scheduling.enums import OfferStatus
from scheduling.link_pages import is_too_much, link_page
from scheduling.models import SlotOffer
from scheduling.selectors.waitlist import get_offer
from scheduling.services import offers
from scheduling.services.handing_over import language_of


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def offer(request: HttpRequest, token: str) -> HttpResponse:
    """One offer: take it or leave it. Who comes too late is told so."""
    if is_too_much(request):
        return link_page(request, "link_limited", {}, 429)
    try:
        found = get_offer(offer_links.read(token))
    except (BadSignature, SlotOffer.DoesNotExist):
        return link_page(request, "link_unknown", {}, 404)
    with translation.override(language_of(found.entry.patient)):
        return _answer(request, found) if request.method == "POST" else _show(request, found)


def _answer(request: HttpRequest, found: SlotOffer) -> HttpResponse:
    try:
        if request.POST.get("answer") == "no":
            offers.decline(actor=None, offer_id=found.pk)
        else:
            offers.accept(actor=None, offer_id=found.pk)
    except offers.OfferGone:
        return _page(request, get_offer(found.pk), 409, is_gone=True)
    except Refused as error:
        return _page(request, found, status_of(error), problem=str(error))
    return _show(request, get_offer(found.pk))


def _show(request: HttpRequest, found: SlotOffer) -> HttpResponse:
    is_open = found.status == OfferStatus.OFFERED and found.expires_at > timezone.now() and not found.freed.closed_at
    is_gone = not is_open and found.status not in (OfferStatus.ACCEPTED, OfferStatus.DECLINED)
    return _page(request, found, 410 if is_gone else 200, is_gone=is_gone)


def _page(request: HttpRequest, found: SlotOffer, status: int, **context: object) -> HttpResponse:
    return link_page(request, "offer", {"offer": found, **context}, status)
