"""Links in messages about visits: signed, good for one purpose and some days. They carry no word about a patient."""

import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from struct import error as NotPacked
from struct import pack, unpack

from django.conf import settings
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac

from scheduling.enums import LinkPurpose

DAYS = 7
_SALT, _SIGNED_BYTES = "scheduling.links", 12


class Forged(ValueError):
    """Not a link of ours."""


@dataclass(frozen=True, slots=True)
class Link:
    """What a link says; `until` counts seconds of the epoch."""

    appointment_id: int
    purpose: LinkPurpose
    until: int

    @property
    def is_over(self) -> bool:
        """True when its days have passed."""
        return time.time() > self.until


def token_for(appointment_id: int, purpose: LinkPurpose, *, days: int = DAYS, until: int | None = None) -> str:
    """The signed words of a link, good for so many days from now, or until a second of the epoch."""
    until = int(time.time()) + days * 86_400 if until is None else until
    said = pack(">QIc", appointment_id, until, purpose.value.encode())
    return urlsafe_b64encode(said.lstrip(b"\0") + _signature(said)).decode().rstrip("=")


def read(token: str) -> Link:
    """What these words say, over or not. Raises Forged."""
    try:
        given = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
        said, signature = given[:-_SIGNED_BYTES].rjust(13, b"\0"), given[-_SIGNED_BYTES:]
        appointment_id, until, purpose = unpack(">QIc", said)
        if not constant_time_compare(_signature(said), signature):
            raise Forged
        return Link(appointment_id, LinkPurpose(purpose.decode()), until)
    except (ValueError, NotPacked) as error:
        raise Forged from error


def address_of(appointment_id: int, purpose: LinkPurpose, *, until: int | None = None) -> str:
    """The whole address of a new link, for a message, or with `until` for the page of a link that ends then."""
    token = token_for(appointment_id, purpose, until=until)
    return settings.PUBLIC_BASE_URL + reverse("scheduling:link", args=[token])


def prepare() -> None:
    """Make sure that addresses can be made at once. The first one of a process reads every address of the house, which
    takes seconds: call this before rows are locked."""
    reverse("scheduling:link", args=["-"])


def _signature(said: bytes) -> bytes:
    return salted_hmac(_SALT, said, algorithm="sha256").digest()[:_SIGNED_BYTES]
