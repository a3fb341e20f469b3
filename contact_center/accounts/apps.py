from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "contact_center.accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.contrib.auth.signals import user_logged_out
        from django.utils.translation import gettext_lazy as _

        from contact_center.accounts import receivers
        from contact_center.accounts.enums import Action
        from contact_center.accounts.policies import can
        from contact_center.accounts.views import presence_context
        from contact_center.common import shell

        user_logged_out.connect(receivers.leave, dispatch_uid="accounts.leave")
        shell.register_piece(shell.Piece("components/_presence.html", 20, presence_context))

        shell.register(
            shell.NavigationEntry(_("Set-up"), "settings", "admin:index", 90, lambda user: can(user, Action.CONFIGURE))
        )
