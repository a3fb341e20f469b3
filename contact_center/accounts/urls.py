"""Addresses of signing in and out. Those of the library that nobody needs here (sign-up, e-mail list) are left out."""

from allauth.account import views
from allauth.usersessions.views import list_usersessions
from django.contrib.auth.decorators import login_not_required
from django.urls import path, re_path
from django.views.decorators.http import require_http_methods
from django.views.generic import RedirectView

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
]
