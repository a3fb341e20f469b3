"""Puts visits into the patient's record and the patient's own page: called once, when the app is ready."""

from django.utils.translation import gettext_lazy as _

from inbox import portal
from patients import journey, timeline
from patients.enums import ProxyScope
from patients.pieces import ACTS, NEXT, Piece, register
from scheduling.selectors import record


def register_with_patients() -> None:
    """The visits beside a conversation and on the page, as next steps, and in the timeline."""
    register(Piece("visits", _("Visits"), NEXT, 10, "scheduling/_piece_visits.html", record.visits))
    register(Piece("book", _("Book a visit"), ACTS, 20, "scheduling/_act_book.html", record.booking))
    journey.register("visits", record.next_steps)
    timeline.register(timeline.Source("visits", ("visit",), record.visits_in_line))
    own = portal.Section(
        "visits", _("Your visits"), "scheduling/_own_visits.html", 10, ProxyScope.APPOINTMENTS, record.own_visits
    )
    portal.register(own)
