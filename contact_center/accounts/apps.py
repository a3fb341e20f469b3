from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "contact_center.accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from allauth.account.signals import password_changed, password_reset
        from allauth.mfa import signals as factors
        from django.contrib.auth.signals import user_logged_out
        from django.utils.translation import gettext_lazy as _

        from contact_center.accounts import receivers, second_factor
        from contact_center.accounts.enums import Action
        from contact_center.accounts.policies import can
        from contact_center.accounts.views import presence_context
        from contact_center.common import rotation, shell

        user_logged_out.connect(receivers.leave, dispatch_uid="accounts.leave")
        for signal in (password_changed, password_reset):
            signal.connect(receivers.end_sessions_after_new_password, dispatch_uid="accounts.new_password")
        factors.authenticator_added.connect(receivers.note_added_factor, dispatch_uid="accounts.factor_added")
        factors.authenticator_removed.connect(receivers.note_removed_factor, dispatch_uid="accounts.factor_removed")
        factors.authenticator_reset.connect(receivers.note_new_codes, dispatch_uid="accounts.factor_reset")
        factors.authentication_failed.connect(receivers.note_refused_code, dispatch_uid="accounts.factor_refused")
        rotation.register(second_factor.ROTATION)
        shell.register_piece(shell.Piece("components/_presence.html", 20, presence_context))

        shell.register_in_menu(shell.NavigationEntry(_("Second factor"), "shield-check", "mfa_index", 30, bool))
        shell.register(
            shell.NavigationEntry(_("Set-up"), "layers", "admin:index", 90, lambda user: can(user, Action.CONFIGURE))
        )
