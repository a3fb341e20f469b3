from functools import partial

from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    """Figures: one definition each, and the live board."""

    name = "analytics"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.urls import reverse
        from django.utils.translation import gettext_lazy as _

        from contact_center.accounts.enums import Action
        from contact_center.accounts.policies import can
        from contact_center.common import shell
        from inbox.enums import NotificationKind
        from inbox.selectors.notifications import register_place

        allowed = partial(can, action=Action.ASSIGN_OTHERS)
        shell.register(shell.NavigationEntry(_("Live board"), "monitor", "analytics:board", 16, allowed))
        register_place(
            NotificationKind.BEYOND_LIMIT,
            lambda user: reverse("analytics:board") if allowed(user) else f"{reverse('inbox:list')}?view=unassigned",
        )
