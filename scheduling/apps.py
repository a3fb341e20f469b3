from functools import partial

from django.apps import AppConfig


class SchedulingConfig(AppConfig):
    """Agendas and visits."""

    name = "scheduling"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.utils.translation import gettext_lazy as _

        from contact_center.accounts.enums import Action
        from contact_center.accounts.policies import can
        from contact_center.common import shell
        from inbox import grounds, replies
        from scheduling import duties, record
        from scheduling.services import mass_moves, offers
        from scheduling.services.handing_over import GROUNDS
        from scheduling.services.offer_replies import OfferReplies
        from scheduling.services.reminders import still_holds
        from scheduling.services.replies import VisitReplies

        duties.declare()
        record.register_with_patients()
        grounds.register(GROUNDS, still_holds)
        grounds.register(offers.GROUNDS, offers.still_holds)
        grounds.register(mass_moves.GROUNDS, mass_moves.still_holds)
        replies.register("offers", OfferReplies())
        replies.register("visits", VisitReplies())
        allowed = partial(can, action=Action.BOOK_VISITS)
        shell.register(shell.NavigationEntry(_("Schedule"), "calendar", "scheduling:day", 13, allowed))
