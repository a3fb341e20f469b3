"""Keeping a time free while a form is filled in."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_address, ip_network
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from contact_center.common.errors import Refused
from inbox.services.locks import hold_for_transaction
from scheduling.models import Occupancy
from scheduling.services.booking import require_booker
from scheduling.services.claiming import Wish, occupy, plan_for, queue_up, session_of, settle
from scheduling.services.seats import give_back, lock_sessions, settle_time

HOLD_FOR = timedelta(minutes=5)
MOST_HOLDS, MOST_FROM_A_NETWORK = 5, 10


def hold_slot(*, actor: User | None, wish: Wish, network: str = "", token: UUID | None = None) -> Occupancy:
    """Keep a time free for five minutes while a form is filled in; its `token`, a new one by default, books it.

    Somebody has at most five holds at once, and patients from one `network` (their IP address) ten; only a digest of
    it is kept, as long as the hold. Raises SlotTaken, Refused for a time that is over or not open, PermissionDenied.
    """
    return hold_row(actor=actor, wishes=[replace(wish, hold_token=token or uuid4())], network=network)[0]


def hold_row(
    *, actor: User | None, wishes: Sequence[Wish], network: str = "", held_as: Collection[UUID] = ()
) -> list[Occupancy]:
    """As `hold_slot`, several times together, all or none, each under the `hold_token` of its wish; what was held under
    these before, or under the tokens `held_as` for a choice that was made otherwise, is given back."""
    require_booker(actor)
    plans, held_from = [plan_for(wish) for wish in wishes], _digest(network) if network else ""
    tokens = [*held_as, *(wish.hold_token for wish in wishes)]

    def work() -> list[Occupancy]:
        if held_from:
            hold_for_transaction("holds", held_from)
            if _live().filter(held_from=held_from).count() >= MOST_FROM_A_NETWORK:
                raise Refused(_("Too many times are being held from your connection. Wait some minutes, or call us."))
        queue_up(plans)
        give_back(Occupancy.objects.filter(hold_token__in=tokens))
        if actor is not None and _live().filter(held_by=actor).count() + len(plans) > MOST_HOLDS:
            raise Refused(_("You hold several times already. Book or release one of them first."))
        given = {"held_until_at": timezone.now() + HOLD_FOR, "held_by": actor, "held_from": held_from}
        return [occupy(plan, session_of(plan), hold_token=plan.wish.hold_token, **given) for plan in plans]

    return settle(work, plans)


def extend_hold(*, token: UUID) -> bool:
    """Keep a hold that has not run out for five minutes from now; False when it has."""
    rows = _live().filter(hold_token=token)
    try:
        with transaction.atomic():
            sessions = lock_sessions(rows)
            if not rows.update(held_until_at=timezone.now() + HOLD_FOR):
                return False
            for session in sessions:
                settle_time(session)
            return True
    except IntegrityError:  # it ran out at this moment, and somebody took the time
        return False


def release_holds(*, tokens: Collection[UUID]) -> None:
    """Give held times back; one that ran out or was booked is none the less gone."""
    with transaction.atomic():
        give_back(Occupancy.objects.filter(hold_token__in=tokens))


def purge_holds() -> int:
    """Forget the holds that ran out; returns how many. They hinder nobody before, this only keeps the table small."""
    return Occupancy.objects.filter(held_until_at__lte=timezone.now()).delete()[0]


def _live() -> QuerySet[Occupancy]:
    return Occupancy.objects.filter(held_until_at__gt=timezone.now())


def _digest(network: str) -> str:
    """Of an IPv6 address only the part that names the connection counts: one connection has billions of the rest."""
    try:
        address = ip_address(network)
        network = str(ip_network(f"{network}/64", strict=False)) if address.version == 6 else str(address)
    except ValueError:  # a test client or a socket file
        pass
    return salted_hmac("scheduling.holds", network, algorithm="sha256").hexdigest()
