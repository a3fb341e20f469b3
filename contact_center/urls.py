"""Every address of the web process."""

from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView

from complaints import api as complaints_api
from contact_center.common import views as common_views
from inbox.api import urls as desk_api
from scheduling.api import urls as agenda_api

admin.autodiscover()

urlpatterns = [
    path("", common_views.home, name="home"),
    path("healthz", common_views.healthz, name="healthz"),
    path("readyz", common_views.readyz, name="readyz"),
    path("accounts/", include("contact_center.accounts.urls")),
    path("admin/", admin.site.urls),
    path(
        "api/v1/",
        include(([*desk_api.urlpatterns, *agenda_api.urlpatterns, *complaints_api.urlpatterns], "api")),
    ),
    path("api/schema/", login_not_required(SpectacularAPIView.as_view()), name="api-schema"),
    path("", include("analytics.urls")),
    path("", include("complaints.urls")),
    path("", include("scheduling.urls")),
    path("", include("contact_center.jobs.urls")),
    path("", include("patients.urls")),
    path("", include("inbox.urls")),
    path("", include("inbox.portal_urls")),
]
