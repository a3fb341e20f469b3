"""Finding, booking, moving and ending visits, for machines."""

from datetime import time, timedelta
from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import status, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from contact_center.audit.api import AuditedReadViewSet
from contact_center.common.api import IdFilter, MomentFilter, checked
from contact_center.common.api_verbs import plain_verb, verb
from contact_center.common.throttles import PerKeyThrottle
from scheduling.api.serializers import (
    REFUSALS,
    AppointmentSerializer,
    MoveSerializer,
    NewAppointmentSerializer,
    SlotSearchSerializer,
    SlotSerializer,
    TakenSerializer,
    WhySerializer,
)
from scheduling.enums import AppointmentStatus, Confirmation
from scheduling.models import Appointment, HealthcareService
from scheduling.selectors.appointments import appointments_visible_to, get_appointment_for
from scheduling.selectors.openings import Offer, Search, find_slots, fit_of, offers_of
from scheduling.services import attendance, booking
from scheduling.slots import Fit, Slot

SOON = timedelta(days=28)
BUSY = REFUSALS | {409: TakenSerializer}
ANSWER = {200: AppointmentSerializer, **REFUSALS}


def slots_as_rows(slots: list[Slot]) -> list[dict[str, Any]]:
    """Free times with who and where, in the site's own time. Two statements."""
    return [offer_as_row(offer) for offer in offers_of(slots)]


def offer_as_row(offer: Offer) -> dict[str, Any]:
    """One free time, as `SlotSerializer` shows it."""
    return {
        "starts_at": offer.starts_at,
        "ends_at": offer.slot.ends_at.astimezone(offer.starts_at.tzinfo),
        "practitioner": offer.practitioner.pk,
        "practitioner_name": offer.practitioner.name,
        "location": offer.location.pk,
        "location_name": offer.location.name,
        "room": offer.slot.room_id,
        "places_left": offer.slot.places,
    }


def search_of(given: dict[str, Any]) -> Search:
    """What checked words look for; never further ahead than the service is offered. Raises DoesNotExist."""
    service = HealthcareService.objects.get(pk=given["service"], is_active=True)
    today = timezone.localdate()
    first = max(given["from_date"] or today, today)
    horizon = today + timedelta(days=service.horizon_days)
    fit, part = fit_of(service), None
    if given["not_before"] or given["not_after"]:
        part = (given["not_before"] or time.min, given["not_after"] or time.max)
    weekdays = frozenset(int(day) for day in given.get("weekdays") or range(7))
    return Search(
        service,
        from_date=first,
        until_date=min(given["until_date"] or min(first, horizon) + SOON, horizon),
        practitioners=frozenset(given["practitioners"]),
        locations=frozenset(given["locations"]),
        language=given["language"],
        mode=given["mode"],
        fit=Fit(fit.minutes, fit.buffer_before, fit.buffer_after, fit.step, part, weekdays),
    )


class SlotViewSet(viewsets.GenericViewSet):
    scope = "visits"
    reading_actions = ("search",)
    throttle_classes = [PerKeyThrottle]
    requests_per_minute = 240
    serializer_class = SlotSerializer
    queryset = HealthcareService.objects.none()
    pagination_class = None

    @extend_schema(
        summary="Find free times, the earliest first", request=SlotSearchSerializer,
        responses={200: SlotSerializer(many=True), **REFUSALS},
    )  # fmt: skip
    def search(self, request: Request) -> Response:
        given = checked(SlotSearchSerializer, request)
        search = search_of(given)
        now = timezone.now()
        earliest = now + timedelta(minutes=search.service.notice_minutes)
        found = slots_as_rows(find_slots(search, now=now, earliest=earliest, limit=given["limit"]))
        return Response(SlotSerializer(found, many=True).data)


class AppointmentFilters(django_filters.FilterSet):
    patient = IdFilter(field_name="patient_id")
    practitioner = IdFilter(field_name="practitioner_id")
    location = IdFilter(field_name="location_id")
    service = IdFilter(field_name="service_id")
    series = IdFilter(field_name="series_id")
    status = django_filters.MultipleChoiceFilter(choices=AppointmentStatus.choices)
    confirmation = django_filters.ChoiceFilter(choices=Confirmation.choices)
    starts_from = MomentFilter(field_name="starts_at", lookup_expr="gte")
    starts_before = MomentFilter(field_name="starts_at", lookup_expr="lt")
    updated_since = MomentFilter(field_name="updated_at", lookup_expr="gte")

    class Meta:
        model = Appointment
        fields: list[str] = []


def wish_of(given: dict[str, Any], service_id: int, note: str = "") -> booking.Wish:
    """The wish that checked words say."""
    return booking.Wish(
        service_id=service_id,
        starts_at=given["starts_at"],
        practitioner_id=given["practitioner"],
        location_id=given["location"],
        room_id=given["room"],
        mode=given["mode"],
        note=given["note"] or note,
        key=given["idempotency_key"],
    )


@extend_schema_view(
    list=extend_schema(summary="List visits"),
    retrieve=extend_schema(summary="Read one visit", responses=ANSWER),
)
class AppointmentViewSet(AuditedReadViewSet):
    scope = "visits"
    audited_type = "appointment"
    throttle_classes = [PerKeyThrottle]
    requests_per_minute = 600
    serializer_class = AppointmentSerializer
    filterset_class = AppointmentFilters
    queryset = Appointment.objects.none()

    def get_queryset(self) -> QuerySet[Appointment]:
        return appointments_visible_to(self.request.user)  # type: ignore[arg-type]

    def _done(self, appointment: Appointment) -> Response:
        return Response(AppointmentSerializer(appointment).data)

    def _acting(self, request: Request, pk: str) -> dict[str, Any]:
        """Who acts on what; 404 for a visit that this key does not see."""
        user: Any = request.user
        return {"actor": user, "appointment_id": get_appointment_for(user, int(pk)).pk}

    @extend_schema(
        summary="Book a visit", request=NewAppointmentSerializer, responses={201: AppointmentSerializer, **BUSY}
    )
    def create(self, request: Request) -> Response:
        given = checked(NewAppointmentSerializer, request)
        try:
            (visit,) = booking.book(
                actor=request.user,  # type: ignore[arg-type]
                patient_id=given["patient"],
                wishes=[wish_of(given, given["service"])],
                may_overlap=given["may_overlap"],
                is_overbooking=given["is_overbooking"],
            )
        except booking.SlotTaken as error:
            return taken(error)
        return Response(AppointmentSerializer(visit).data, status=status.HTTP_201_CREATED)

    @verb("Book another time in its place", takes=MoveSerializer, answers={200: AppointmentSerializer, **BUSY})
    def move(self, request: Request, pk: str) -> Response:
        acting, given = self._acting(request, pk), checked(MoveSerializer, request)
        old = get_appointment_for(acting["actor"], acting["appointment_id"])
        why = {name: given[name] for name in ("asked_by", "reason", "may_overlap")}
        try:
            return self._done(booking.move(**acting, **why, wish=wish_of(given, old.service_id, old.note)))
        except booking.SlotTaken as error:
            return taken(error)

    @verb("Cancel it", takes=WhySerializer, answers=ANSWER)
    def cancel(self, request: Request, pk: str) -> Response:
        return self._done(booking.cancel(**self._acting(request, pk), **checked(WhySerializer, request)))

    confirm = plain_verb("confirm", attendance.confirm, "The patient will come", answers=ANSWER)
    decline = plain_verb("decline", attendance.decline, "The patient will not come as booked", answers=ANSWER)
    arrive = plain_verb("arrive", attendance.arrive, "The patient is here", answers=ANSWER)
    check_in = plain_verb("check_in", attendance.check_in, "The papers are in order", answers=ANSWER, path="check-in")
    fulfil = plain_verb("fulfil", attendance.fulfil, "The visit took place", answers=ANSWER)
    miss = plain_verb("miss", attendance.mark_missed, "The patient did not come", answers=ANSWER)
    take_back_miss = plain_verb(
        "take_back_miss", attendance.take_back_missed, "It was not missed after all", answers=ANSWER,
        path="take-back-miss",
    )  # fmt: skip
    discard = plain_verb("discard", attendance.discard, "It should never have been there", answers=ANSWER)


def taken(error: booking.SlotTaken) -> Response:
    """409 with the next free times."""
    found = SlotSerializer(slots_as_rows(error.alternatives), many=True).data
    return Response({"detail": str(error), "alternatives": found}, status=409)
