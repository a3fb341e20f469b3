"""What patients answer to offers. Registered before the replies about visits: an offer that was sent later is meant."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone, translation

from contact_center.common.errors import Refused
from contact_center.common.prepared import Given, planned
from inbox.enums import MessageStatus
from inbox.models import Message
from inbox.replies import Pending, Reply
from inbox.services import automation
from scheduling import offer_words
from scheduling.enums import OfferStatus
from scheduling.models import Reminder, SlotOffer
from scheduling.services import offers
from scheduling.services.answering import answer
from scheduling.services.handing_over import language_of
from scheduling.understanding import Meaning, understand

ARRIVED = [MessageStatus.SENT, MessageStatus.DELIVERED, MessageStatus.READ]
LATE_FOR = timedelta(hours=24)
"""How long those who answer too late are told so."""
GONE = [OfferStatus.EXPIRED, OfferStatus.WITHDRAWN]


class OfferReplies:
    """Registered as `inbox.replies` handler."""

    def pending(self, patient_ids: Collection[int], address: str) -> list[Pending]:
        """Offers at this address that are not answered, and those that ended of late. One query."""
        return [Pending(row.entry.patient_id, f"offer:{row.pk}", _asked_at(row)) for row in _open(patient_ids, address)]

    def may_be_cancelled(self, patient_ids: Collection[int], address: str) -> bool:
        """See replies.Handler: an offer is left, nothing of it is cancelled."""
        return False

    def take(self, reply: Reply, pending: Sequence[Pending]) -> bool:
        """Accept or decline the newest; False when a person must read it, or a visit is meant."""
        message = Message.objects.select_related("channel").get(pk=reply.message_id)
        rows = _open([reply.patient_id], message.address)
        if not rows or _was_reminded_since(rows[0], message.address):
            return False
        offer, said = rows[0], understand(reply.text)
        is_yes = said.meaning == Meaning.YES or (said.meaning == Meaning.NUMBER and said.number == 1)
        is_no = said.meaning == Meaning.NO or (said.meaning == Meaning.NUMBER and said.number == 2)
        if not is_yes and not is_no:
            return False
        with translation.override(language_of(offer.entry.patient)):
            words = _accept(offer) if is_yes else _decline(offer)
            if words is None:
                return False
            answer(reply, message, words, about="offer")
        if not said.has_more:
            automation.settle(interaction_id=reply.interaction_id, message_ids=[message.pk])
        return True


def _open(patient_ids: Collection[int], address: str) -> list[SlotOffer]:
    return _open_offers().ask(list(patient_ids), address, timezone.now() - LATE_FOR)


@planned
def _open_offers() -> QuerySet[SlotOffer]:
    """To the patients 0 at the address 1, not answered; ended ones that were made after the moment 2."""
    rows = SlotOffer.objects.filter(
        entry__patient__any_of=Given(0), message__address=Given(1), message__status__in=ARRIVED, answered_at=None
    )
    late = Q(status__in=GONE, offered_at__gt=Given(2))
    rows = rows.filter(Q(status=OfferStatus.OFFERED) | late)
    return rows.select_related("message", "entry__patient").order_by("-offered_at", "-pk")


def _asked_at(row: SlotOffer) -> datetime:
    return (row.message.sent_at if row.message else None) or row.offered_at


def _was_reminded_since(offer: SlotOffer, address: str) -> bool:
    rows = Reminder.objects.filter(patient=offer.entry.patient_id, message__address=address, answer="")
    return rows.filter(message__status__in=ARRIVED, handed_at__gt=_asked_at(offer)).exists()


def _accept(offer: SlotOffer) -> str | None:
    """What to say; None when a person must help."""
    try:
        offers.accept(actor=None, offer_id=offer.pk)
    except offers.OfferGone:
        SlotOffer.objects.filter(pk=offer.pk).update(answered_at=timezone.now())
        return offer_words.gone()
    except Refused:
        return None
    fresh = SlotOffer.objects.select_related("freed__location", "freed__practitioner", "entry__patient").get(
        pk=offer.pk
    )
    return offer_words.accepted(fresh)


def _decline(offer: SlotOffer) -> str:
    try:
        offers.decline(actor=None, offer_id=offer.pk)
    except offers.OfferGone:
        SlotOffer.objects.filter(pk=offer.pk).update(answered_at=timezone.now())
    return offer_words.declined()
