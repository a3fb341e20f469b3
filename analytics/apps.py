from functools import partial

from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    """Figures: one definition each, and the live board."""

    name = "analytics"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.utils.translation import gettext_lazy as _

        from contact_center.accounts.enums import Action
        from contact_center.accounts.policies import can
        from contact_center.common import shell

        allowed = partial(can, action=Action.ASSIGN_OTHERS)
        shell.register(shell.NavigationEntry(_("Live board"), "monitor", "analytics:board", 16, allowed))
