"""Links to offers: signed, for one offer. What they are still good for, the offer itself says."""

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.urls import reverse

_signer = Signer(salt="scheduling.offer")


def token_for(offer_id: int) -> str:
    """The signed words of the link of one offer."""
    return _signer.sign(str(offer_id))


def read(token: str) -> int:
    """The offer that a link names. Raises BadSignature."""
    number = _signer.unsign(token)
    if not number.isdecimal():
        raise BadSignature
    return int(number)


def address_of(offer_id: int) -> str:
    """The whole address, for a message."""
    return settings.PUBLIC_BASE_URL + reverse("scheduling:offer", args=[token_for(offer_id)])
