"""The product's addresses and one slow page, for tests that need requests to last."""

from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path

from contact_center.urls import urlpatterns as addresses


@login_not_required
def slow(request: HttpRequest) -> HttpResponse:
    """Holds a thread and a database connection for `?s=` seconds."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(%s)", [float(request.GET.get("s", "0.2"))])
    return HttpResponse("done")


urlpatterns = [path("slow/", slow), *addresses]
