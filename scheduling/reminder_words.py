"""The words of messages about visits, in the language that is set: when, where and with whom, nothing about health."""

from collections.abc import Callable, Sequence
from zoneinfo import ZoneInfo

from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from contact_center.common.moments import moment_words
from scheduling.enums import Answer, Confirmation, LinkPurpose, NeedKind, ReminderKind, VisitMode
from scheduling.links import address_of
from scheduling.models import Appointment
from scheduling.wished import Wished

K = ReminderKind
MOST_NAMED = 10
"""Visits that a message names one by one: a text ends at 1,600 characters."""


def day_of(visit: Appointment) -> str:
    """The day of a visit as it is said, with the day of the week."""
    return moment_words(visit.starts_at, "full_day", ZoneInfo(visit.location.time_zone))


def time_of(visit: Appointment) -> str:
    """The hour of a visit at its site."""
    return moment_words(visit.starts_at, "time", ZoneInfo(visit.location.time_zone))


def place_of(visit: Appointment) -> str:
    """Where a visit takes place, or by what way."""
    if visit.mode == VisitMode.ON_SITE:
        return visit.location.name
    return _("by video") if visit.mode == VisitMode.VIDEO else _("by phone")


def moment_of(visit: Appointment) -> str:
    """Day and hour of a visit."""
    return _("%(day)s at %(time)s") % {"day": day_of(visit), "time": time_of(visit)}


def listed(visits: Sequence[Appointment], words: Callable[[Appointment], str], between: str) -> str:
    """What `words` says of each visit, once; of more than `MOST_NAMED` how many there are, the first and the last."""
    said = list(dict.fromkeys(map(words, visits)))
    if len(said) <= MOST_NAMED:
        return between.join(said)
    given = {"count": len(said), "first": said[0], "last": said[-1]}
    return _("%(count)s visits, the first: %(first)s, the last: %(last)s") % given


def name_of(visit: Appointment) -> str:
    """What the patient is called."""
    return visit.patient.preferred_name or visit.patient.given_name


def message_about(kind: str, visits: Sequence[Appointment]) -> str:
    """The text of a reminder about the visits of one patient on one day, or of a series just booked, in order of
    time."""
    first = visits[0]
    given = {
        "name": name_of(first),
        "moment": moment_of(first),
        "visits": _visits(visits),
        "link": address_of(first.pk, LinkPurpose.PREPARE if kind == K.PREPARATION else LinkPurpose.ANSWER),
    }
    if kind == K.PREPARATION:
        return _(
            "%(name)s, please read how to prepare for your visit on %(moment)s: %(link)s"
            " Reply OK when you have read it."
        ) % given  # fmt: skip
    if kind == K.MISSED:
        return _(
            "%(name)s, we missed you on %(moment)s. If something got in the way, tell us here and we will find another"
            " time with you."
        ) % given  # fmt: skip
    if kind == K.THANKS:
        return _("%(name)s, thank you for coming. If a question about your visit comes up, write to us here.") % given
    if kind == K.SURVEY:
        return _(
            "%(name)s, how was your visit on %(moment)s? Reply with a number from 1 (bad) to 5 (very good), or tell us"
            " in your own words."
        ) % given  # fmt: skip
    return f"{_opening(kind, visits) % given} {_closing(visits) % given}"


def subject_about(kind: str) -> str:
    """The subject of a mail: nothing about the visit."""
    return _("How was your visit?") if kind == K.SURVEY else _("Your visit")


def _opening(kind: str, visits: Sequence[Appointment]) -> str:
    if kind == K.BOOKED and visits[0].previous_id:
        return _("%(name)s, your visit was moved. It is now: %(visits)s.")
    if kind == K.BOOKED:
        return ngettext(
            "%(name)s, your visit is booked: %(visits)s.", "%(name)s, your visits are booked: %(visits)s.", len(visits)
        )
    return ngettext(
        "%(name)s, you have a visit: %(visits)s.", "%(name)s, you have several visits: %(visits)s.", len(visits)
    )


def _closing(visits: Sequence[Appointment]) -> str:
    if all(visit.confirmation == Confirmation.CONFIRMED for visit in visits):
        return _("You have said that you will come. If that changes: %(link)s")
    return _("Reply 1 if you will come, 2 for another time, 3 if you cannot come. %(link)s")


def _visits(visits: Sequence[Appointment]) -> str:
    if len({one.visit_date for one in visits}) > 1:
        moments = listed(visits, moment_of, "; ")
        given = {"moments": moments, "who": visits[0].practitioner.name, "place": place_of(visits[0])}
        return _("%(moments)s, with %(who)s, %(place)s") % given
    day = day_of(visits[0])
    parts = [
        _("%(time)s with %(who)s, %(place)s")
        % {"time": time_of(one), "who": one.practitioner.name, "place": place_of(one)}
        for one in visits
    ]
    return f"{day}, {'; '.join(parts)}"


def answered(answer: str, visits: Sequence[Appointment], wish: Wished | None = None) -> str:
    """What the patient reads after an answer that was understood; a `wish` leads to the times of those days."""
    first = visits[0]
    given = {"moment": moment_of(first), "link": address_of(first.pk, LinkPurpose.ANSWER)}
    if answer == Answer.CONFIRM:
        return _("Thank you. We expect you on %(moment)s.") % given
    if answer == Answer.MOVE:
        if wish is not None:
            given["link"] = f"{address_of(first.pk, LinkPurpose.MOVE)}?{wish.query()}"
        return _("Choose another time here: %(link)s Your visit on %(moment)s is kept until you do.") % given
    if answer == Answer.DECLINE:
        return _(
            "Thank you for telling us. Choose another time or cancel your visit on %(moment)s here: %(link)s"
            " Or write to us, and a person will help you."
        ) % given  # fmt: skip
    if answer == Answer.CANCEL:
        return _("Your visit on %(moment)s is cancelled. To book another one, write to us here.") % given
    return _("Thank you.")


def still_needed(visit: Appointment, kinds: Sequence[str]) -> str:
    """What the patient reads who will come to a visit for which something must be arranged first."""
    labels = [str(NeedKind(kind).label).lower() for kind in kinds]
    given = {"moment": moment_of(visit), "needs": get_text_list(labels, _("and"))}
    return _(
        "Thank you. Before we can confirm your visit on %(moment)s, we still arrange: %(needs)s."
        " We will write to you."
    ) % given  # fmt: skip


def which_visit(visits: Sequence[Appointment]) -> str:
    """Ask which visit was meant, by number."""
    choices = ", ".join(
        _("%(number)s for %(visit)s") % {"number": number, "visit": moment_of(visit)}
        for number, visit in enumerate(visits, start=1)
    )
    return _("You have several visits. Which one do you mean? Reply %(choices)s.") % {"choices": choices}


def cancel_or_stop(visits: Sequence[Appointment]) -> str:
    """Ask what a bare "cancel" was meant to end."""
    return _(
        "Do you want to cancel your visit on %(moment)s? Then reply 3."
        " If you want no more messages from us, reply STOP."
    ) % {"moment": moment_of(visits[0])}  # fmt: skip


def which_to_cancel(visits: Sequence[Appointment]) -> str:
    """As `cancel_or_stop`, of several visits."""
    choices = ", ".join(
        _("%(number)s for %(visit)s") % {"number": number, "visit": moment_of(visit)}
        for number, visit in enumerate(visits, start=1)
    )
    return _(
        "Which visit do you want to cancel? Reply %(choices)s. If you want no more messages from us, reply STOP."
    ) % {"choices": choices}  # fmt: skip
