"""Addresses of the agenda under /api/v1/."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from scheduling.api import appointments, waitlist

router = SimpleRouter()
router.register("appointments", appointments.AppointmentViewSet, basename="appointment")
router.register("waitlist", waitlist.WaitlistViewSet, basename="waitlist")
urlpatterns = [
    path("slots/search/", appointments.SlotViewSet.as_view({"post": "search"}), name="slot-search"),
    *router.urls,
]
