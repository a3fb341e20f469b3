"""Addresses of the desk."""

from django.http import HttpResponse
from django.urls import path

app_name = "inbox"
urlpatterns = [path("inbox/", lambda request: HttpResponse("soon"), name="list")]
