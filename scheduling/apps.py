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
        from scheduling import duties, record

        duties.declare()
        record.register_with_patients()
        allowed = partial(can, action=Action.BOOK_VISITS)
        shell.register(shell.NavigationEntry(_("Schedule"), "calendar", "scheduling:day", 13, allowed))
