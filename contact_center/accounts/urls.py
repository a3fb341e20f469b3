"""Addresses of signing in and out. Those of the library that nobody needs here (sign-up, e-mail list) are left out."""

from allauth.account import views
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as recovery
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from allauth.usersessions.views import list_usersessions
from django.contrib.auth.decorators import login_not_required
from django.urls import path, re_path
from django.views.decorators.http import require_http_methods
from django.views.generic import RedirectView

from contact_center.accounts import sign_in_views
from contact_center.accounts.views import preferences, presence

page = require_http_methods(["GET", "HEAD", "POST"])
closed = login_not_required(RedirectView.as_view(pattern_name="account_login"))

urlpatterns = [
    path("preferences/", preferences, name="preferences"),
    path("presence/", presence, name="presence"),
    path("login/", page(views.login), name="account_login"),
    path("logout/", page(views.logout), name="account_logout"),
    path("inactive/", page(views.account_inactive), name="account_inactive"),
    path("signup/", closed, name="account_signup"),
    path("reauthenticate/", page(views.reauthenticate), name="account_reauthenticate"),
    path("password/change/", page(views.password_change), name="account_change_password"),
    path("password/reset/", page(views.password_reset), name="account_reset_password"),
    path("password/reset/done/", page(views.password_reset_done), name="account_reset_password_done"),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        page(views.password_reset_from_key),
        name="account_reset_password_from_key",
    ),
    path(
        "password/reset/key/done/",
        page(views.password_reset_from_key_done),
        name="account_reset_password_from_key_done",
    ),
    path("sessions/", page(list_usersessions), name="usersessions_list"),
    path("sessions/<int:pk>/end/", sign_in_views.end_session, name="session-end"),
    path("lock/", sign_in_views.lock, name="lock"),
    path("stay/", sign_in_views.stay, name="stay"),
    path("protection/", sign_in_views.protection_page, name="protection"),
    path("protection/<int:pk>/reset/", sign_in_views.reset_second_factor, name="second-factor-reset"),
    path("second-factor/", page(mfa.index), name="mfa_index"),
    path("second-factor/code/", login_not_required(page(mfa.authenticate)), name="mfa_authenticate"),
    path("second-factor/again/", page(mfa.reauthenticate), name="mfa_reauthenticate"),
    path("second-factor/app/", page(totp.activate_totp), name="mfa_activate_totp"),
    path("second-factor/app/remove/", page(totp.deactivate_totp), name="mfa_deactivate_totp"),
    path("second-factor/codes/", page(recovery.view_recovery_codes), name="mfa_view_recovery_codes"),
    path("second-factor/codes/new/", page(recovery.generate_recovery_codes), name="mfa_generate_recovery_codes"),
    path("second-factor/keys/", page(webauthn.list_webauthn), name="mfa_list_webauthn"),
    path("second-factor/keys/add/", page(webauthn.add_webauthn), name="mfa_add_webauthn"),
    path("second-factor/keys/again/", page(webauthn.reauthenticate_webauthn), name="mfa_reauthenticate_webauthn"),
    path("second-factor/keys/<int:pk>/remove/", sign_in_views.remove_passkey, name="mfa_remove_webauthn"),
    path("second-factor/keys/sign-in/", login_not_required(page(webauthn.login_webauthn)), name="mfa_login_webauthn"),
]
