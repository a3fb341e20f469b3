"""The words of offers and of visits that cannot take place, in the language that is set: when, where and with whom,
nothing about health."""

from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from contact_center.common.moments import moment_words
from scheduling import offer_links, reminder_words
from scheduling.enums import LinkPurpose
from scheduling.links import address_of
from scheduling.models import Appointment, SlotOffer


def offered(offer: SlotOffer) -> str:
    """What a patient on the waitlist reads when a time became free."""
    given = _of(offer) | {"link": offer_links.address_of(offer.pk)}
    if offer.entry.appointment_id:
        return _(
            "%(name)s, an earlier time is free: %(moment)s with %(who)s, %(place)s. Reply 1 to take it instead of your"
            " visit, 2 to leave it. The first to answer gets it, until %(until)s. %(link)s"
        ) % given  # fmt: skip
    return _(
        "%(name)s, a time is free: %(moment)s with %(who)s, %(place)s. Reply 1 to take it, 2 to leave it."
        " The first to answer gets it, until %(until)s. %(link)s"
    ) % given  # fmt: skip


def cannot_take_place(visit: Appointment) -> str:
    """What a patient reads whose practitioner is absent."""
    given = {
        "name": reminder_words.name_of(visit),
        "moment": reminder_words.moment_of(visit),
        "who": visit.practitioner.name,
        "link": address_of(visit.pk, LinkPurpose.MOVE),
    }
    return _(
        "%(name)s, we are sorry: %(who)s cannot see you on %(moment)s. Please choose another time here: %(link)s"
        " Or write to us, and we will find one with you."
    ) % given  # fmt: skip


def other_time_subject() -> str:
    """The subject of a mail: nothing about the visit."""
    return _("Please choose another time")


def accepted(offer: SlotOffer) -> str:
    """What the winner reads."""
    return _("It is yours: %(moment)s with %(who)s, %(place)s.") % _of(offer)


def declined() -> str:
    """What reads who does not want the time."""
    return _("Thank you. You stay on the waitlist, and we tell you when another time is free.")


def gone() -> str:
    """What late claimers read."""
    return _("This time is not free any more. You stay on the waitlist, and your visit stays as it is.")


def subject() -> str:
    """The subject of a mail: nothing about the visit."""
    return _("A time is free")


def _of(offer: SlotOffer) -> dict[str, str]:
    freed = offer.freed
    shown = Appointment(
        starts_at=freed.starts_at, location=freed.location, mode=freed.mode, patient=offer.entry.patient
    )
    return {
        "name": reminder_words.name_of(shown),
        "moment": reminder_words.moment_of(shown),
        "place": reminder_words.place_of(shown),
        "who": freed.practitioner.name,
        "until": moment_words(offer.expires_at, "time", ZoneInfo(freed.location.time_zone)),
    }
