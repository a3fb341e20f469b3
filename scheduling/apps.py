from functools import partial
from typing import TYPE_CHECKING

from django.apps import AppConfig

if TYPE_CHECKING:
    from inbox.models import WebhookEvent


class SchedulingConfig(AppConfig):
    """Agendas and visits."""

    name = "scheduling"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.utils.translation import gettext_lazy as _

        from contact_center.accounts.enums import Action
        from contact_center.accounts.policies import can
        from contact_center.common import shell
        from inbox import enclosures, grounds, intakes, replies
        from inbox.enums import EventKind
        from scheduling import duties, record
        from scheduling.services import mass_moves, offers
        from scheduling.services.enclosed import calendar_files
        from scheduling.services.handing_over import GROUNDS
        from scheduling.services.offer_replies import OfferReplies
        from scheduling.services.reminders import still_holds
        from scheduling.services.replies import VisitReplies

        duties.declare()
        record.register_with_patients()
        grounds.register(GROUNDS, still_holds)
        enclosures.register(GROUNDS, calendar_files)
        grounds.register(offers.GROUNDS, offers.still_holds)
        grounds.register(mass_moves.GROUNDS, mass_moves.still_holds)
        intakes.register(EventKind.AGENDA, _take_agenda_event)
        replies.register("offers", OfferReplies())
        replies.register("visits", VisitReplies())
        allowed = partial(can, action=Action.BOOK_VISITS)
        shell.register(shell.NavigationEntry(_("Schedule"), "calendar", "scheduling:day", 13, allowed))


def _take_agenda_event(event: "WebhookEvent") -> bool:
    from scheduling.services.hl7 import take  # few houses have such a neighbour

    return take(event)
