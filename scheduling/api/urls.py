"""Addresses of the agenda under /api/v1/."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from scheduling.api import appointments, hl7, series, waitlist

router = SimpleRouter()
router.register("appointments", appointments.AppointmentViewSet, basename="appointment")
router.register("waitlist", waitlist.WaitlistViewSet, basename="waitlist")
urlpatterns = [
    path("slots/search/", appointments.SlotViewSet.as_view({"post": "search"}), name="slot-search"),
    path("series/", series.SeriesViewSet.as_view({"post": "create"}), name="series"),
    path("series/preview/", series.SeriesViewSet.as_view({"post": "preview"}), name="series-preview"),
    path("hl7/", hl7.Hl7ViewSet.as_view({"post": "receive"}), name="hl7"),
    path("fhir/", include("scheduling.api.fhir")),
    *router.urls,
]
