"""Visits that come again, for machines: looked at day by day, then booked together."""

from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from contact_center.common.api import EARLIEST_YEAR, LATEST_YEAR, IdField, checked
from contact_center.common.throttles import PerKeyThrottle
from inbox.enums import Weekday
from patients.services.records import open_patient_record
from scheduling.api.appointments import BUSY, offer_as_row, taken
from scheduling.api.serializers import REFUSALS, AppointmentSerializer, MomentField, SlotSerializer
from scheduling.enums import Every, VisitMode
from scheduling.models import HealthcareService, Location, Practitioner
from scheduling.recurrence import MOST_VISITS, Pattern
from scheduling.services import series
from scheduling.services.booking import SlotTaken, Wish


class PatternSerializer(serializers.Serializer):
    """A visit that comes again every so many days or weeks at the same time of the site, until `count` or `until`."""

    patient = IdField()
    service = IdField()
    practitioner = IdField()
    location = IdField()
    room = IdField(required=False, allow_null=True, default=None)
    mode = serializers.ChoiceField(VisitMode.choices, default=VisitMode.ON_SITE)
    first_date = serializers.DateField()
    at = serializers.TimeField(help_text="By the clock of the site, whatever it does in between.")
    every = serializers.IntegerField(min_value=1, max_value=52, default=1)
    unit = serializers.ChoiceField(Every.choices, default=Every.WEEK)
    weekdays = serializers.ListField(
        child=serializers.ChoiceField(Weekday.choices),
        default=list,
        max_length=7,
        help_text="Of weeks; none: that day.",
    )
    count = serializers.IntegerField(min_value=1, max_value=MOST_VISITS, required=False, allow_null=True, default=None)
    until = serializers.DateField(required=False, allow_null=True, default=None)

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        if not EARLIEST_YEAR <= given["first_date"].year < LATEST_YEAR:
            raise serializers.ValidationError({"first_date": ["This day lies too far away."]})
        zones = Location.objects.filter(pk=given["location"]).values_list("time_zone", flat=True)
        if any(given["first_date"] < timezone.localdate(timezone=ZoneInfo(zone)) for zone in zones):
            raise serializers.ValidationError({"first_date": ["This day is over at the site."]})
        if given["count"] is None and given["until"] is None:
            raise serializers.ValidationError({"count": ["Say how many visits, or until when."]})
        return given


class ForeseenSerializer(serializers.Serializer):
    """One day of it. Without a `slot`, `problems` say why and `others` are free times of that day."""

    number = serializers.IntegerField()
    day = serializers.DateField()
    slot = SlotSerializer(allow_null=True)
    problems = serializers.ListField(child=serializers.CharField())
    warnings = serializers.ListField(child=serializers.CharField())
    others = SlotSerializer(many=True)


class ChosenSerializer(serializers.Serializer):
    """One visit to be booked: its number in the pattern, and a time of that day."""

    number = serializers.IntegerField(min_value=1, max_value=MOST_VISITS)
    starts_at = MomentField()
    room = IdField(required=False, allow_null=True, default=None)


class NewSeriesSerializer(PatternSerializer):
    """Which visits of a pattern are booked, all or none. The same `idempotency_key` again books nothing new."""

    visits = serializers.ListField(child=ChosenSerializer(), allow_empty=False, max_length=MOST_VISITS)
    note = serializers.CharField(max_length=240, required=False, allow_blank=True, default="")
    may_overlap = serializers.BooleanField(required=False, default=False)
    idempotency_key = serializers.UUIDField()

    def validate_visits(self, visits: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if len({one["number"] for one in visits}) != len(visits):
            raise serializers.ValidationError("Each number may be there once.")
        return visits


class SeriesSerializer(serializers.Serializer):
    """Visits that were booked together."""

    id = IdField()
    visits = AppointmentSerializer(many=True)


class SeriesViewSet(viewsets.GenericViewSet):
    scope = "visits"
    reading_actions = ("preview",)
    throttle_classes = [PerKeyThrottle]
    requests_per_minute = 20
    serializer_class = SeriesSerializer
    queryset = HealthcareService.objects.none()
    pagination_class = None

    @extend_schema(
        summary="See each day of a series before it is booked", request=PatternSerializer,
        responses={200: ForeseenSerializer(many=True), **REFUSALS},
    )  # fmt: skip
    def preview(self, request: Request) -> Response:
        given, user = checked(PatternSerializer, request), request.user
        patient = open_patient_record(user, given["patient"], "booking")  # type: ignore[arg-type]
        seen = series.foresee(terms=_terms(given), pattern=_pattern(given), patient_id=patient.pk)
        return Response(ForeseenSerializer([_row(one) for one in seen], many=True).data)

    @extend_schema(
        summary="Book visits of a series, all or none", request=NewSeriesSerializer,
        responses={201: SeriesSerializer, **BUSY},
    )  # fmt: skip
    def create(self, request: Request) -> Response:
        given = checked(NewSeriesSerializer, request)
        try:
            made = series.book_series(
                actor=request.user,  # type: ignore[arg-type]
                patient_id=given["patient"],
                pattern=_pattern(given),
                wishes=_wishes(given, given["idempotency_key"]),
                key=given["idempotency_key"],
                may_overlap=given["may_overlap"],
            )
        except SlotTaken as error:
            return taken(error)
        visits = made.visits.order_by("series_number", "pk")
        return Response(SeriesSerializer({"id": made.pk, "visits": visits}).data, status=status.HTTP_201_CREATED)


def _terms(given: dict[str, Any]) -> series.Terms:
    """What all visits have in common. Raises DoesNotExist."""
    return series.Terms(
        HealthcareService.objects.get(pk=given["service"], is_active=True),
        Practitioner.objects.get(pk=given["practitioner"], is_active=True),
        Location.objects.get(pk=given["location"], is_active=True),
        given["room"],
        given["mode"],
    )


def _pattern(given: dict[str, Any]) -> Pattern:
    return Pattern(
        given["first_date"], given["at"], given["every"], given["unit"],
        frozenset(int(day) for day in given["weekdays"]), given["count"], given["until"],
    )  # fmt: skip


def _wishes(given: dict[str, Any], key: UUID) -> dict[int, Wish]:
    return {
        one["number"]: Wish(
            given["service"], one["starts_at"], given["practitioner"], given["location"], one["room"], given["mode"],
            given["note"], series.key_of(key, one["number"]),
        )
        for one in given["visits"]
    }  # fmt: skip


def _row(one: series.Foreseen) -> dict[str, Any]:
    """What `foresee` says of one day, in the shapes of the API."""
    return {
        "number": one.number,
        "day": one.day,
        "slot": offer_as_row(one.offer) if one.offer else None,
        "problems": one.problems,
        "warnings": one.warnings,
        "others": [offer_as_row(offer) for offer in one.others],
    }
