from django.apps import AppConfig


class JobsConfig(AppConfig):
    """Long work in the background, with progress, stop and a list of failures."""

    name = "contact_center.jobs"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.utils.translation import gettext_lazy as _

        from contact_center.common import shell

        shell.register_in_menu(
            shell.NavigationEntry(_("Background work"), "list-checks", "jobs:list", 20, lambda user: user.is_active)
        )
