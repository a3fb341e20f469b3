"""Addresses of the patient's own page."""

from django.urls import path

from inbox.views import portal

app_name = "my"
urlpatterns = [
    path("my/", portal.home, name="home"),
    path("my/sign-in/", portal.sign_in, name="sign-in"),
    path("my/code/", portal.code, name="code"),
    path("my/sign-out/", portal.sign_out, name="sign-out"),
    path("my/for/", portal.choose, name="choose"),
    path("my/messages/<uuid:public_id>/", portal.message, name="message"),
    path("my/messages/<uuid:public_id>/files/<int:number>/", portal.message_file, name="message-file"),
    path("my/preferences/", portal.preferences, name="preferences"),
    path("my/consent/", portal.consent, name="consent"),
    path("my/saved/", portal.saved, name="saved"),
]
