"""The floor of webhook accept: one signed view that inserts one row. Served as `benchmarks.bare:application`."""

import os

os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.bare"

import environ
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.http import HttpResponse
from django.urls import path
from twilio.request_validator import RequestValidator

SECRET_KEY = "bare"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "benchmarks.bare"
MIDDLEWARE: list[str] = []
INSTALLED_APPS: list[str] = []
DATABASES = {"default": environ.Env.db_url_config(os.environ["DATABASE_URL"]) | {"CONN_MAX_AGE": 60}}

validator = RequestValidator(os.environ["TWILIO_AUTH_TOKEN"])


def accept(request):
    """Verify and insert."""
    url = os.environ["PUBLIC_BASE_URL"] + request.get_full_path()
    params = request.POST.dict()
    if not validator.validate(url, params, request.headers.get("X-Twilio-Signature", "")):
        return HttpResponse(status=403)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO bench_bare (external_id, body) VALUES (%s, %s)", [params["MessageSid"], request.body]
        )
    return HttpResponse("<Response/>", content_type="text/xml")


urlpatterns = [path("webhooks/twilio/messaging", accept)]
application = get_wsgi_application()
