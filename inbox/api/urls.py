"""Addresses under /api/v1/."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from inbox.api import cases, hours, interactions, operations, work
from patients import api as patients

app_name = "api"
router = SimpleRouter()
router.register("patients", patients.PatientViewSet, basename="patient")
router.register("contact-points", patients.ContactPointViewSet, basename="contact-point")
router.register("consents", patients.ConsentViewSet, basename="consent")
router.register("interactions", interactions.InteractionViewSet, basename="interaction")
router.register("messages", interactions.MessageViewSet, basename="message")
router.register("tasks", work.TaskViewSet, basename="task")
router.register("cases", cases.CaseViewSet, basename="case")
router.register("channels", operations.ChannelViewSet, basename="channel")
router.register("calendars", hours.CalendarViewSet, basename="calendar")
router.register("sla-policies", hours.PolicyViewSet, basename="sla-policy")
router.register("sla-clocks", hours.ClockViewSet, basename="sla-clock")
router.register("queues", operations.QueueViewSet, basename="queue")
router.register("reasons", operations.ReasonViewSet, basename="reason")
router.register("dispositions", operations.DispositionViewSet, basename="disposition")
router.register("tags", operations.TagViewSet, basename="tag")
router.register("ledger-events", operations.LedgerEventViewSet, basename="ledger-event")
router.register("outbox", operations.OutboxViewSet, basename="outbox")
urlpatterns = [*router.urls, path("fhir/", include("patients.fhir_api"))]
