"""When queues are served, what is promised, and how the clocks of interactions stand."""

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers

from contact_center.audit.api import AuditedReadViewSet
from contact_center.common.api import IdFilter, MomentFilter
from inbox.api.operations import ReadViewSet
from inbox.enums import ClockKind
from inbox.models import CalendarDay, CalendarRange, ServiceCalendar, SlaClock, SlaPolicy
from inbox.selectors.hours import calendar_of
from inbox.selectors.interactions import interactions_visible_to
from inbox.selectors.setup import calendars_visible_to, policies_visible_to


class RangeSerializer(serializers.ModelSerializer):
    """One that does not close after it opens runs past midnight."""

    class Meta:
        model = CalendarRange
        fields = ["weekday", "opens", "closes"]
        read_only_fields = fields


class DaySerializer(serializers.ModelSerializer):
    """A date with hours of its own; closed without ranges."""

    ranges = RangeSerializer(many=True, read_only=True)

    class Meta:
        model = CalendarDay
        fields = ["date", "name", "messages", "ranges"]
        read_only_fields = fields


class CalendarSerializer(serializers.ModelSerializer):
    """`weekly` holds Monday as 0. `opens_at` is now while it is open, null when no opening is in sight."""

    weekly = serializers.SerializerMethodField()
    days = DaySerializer(many=True, read_only=True)
    is_open = serializers.SerializerMethodField()
    opens_at = serializers.SerializerMethodField()

    class Meta:
        model = ServiceCalendar
        fields = [
            "id",
            "name",
            "time_zone",
            "country",
            "subdivision",
            "queues",
            "weekly",
            "days",
            "is_open",
            "opens_at",
        ]
        read_only_fields = fields

    @extend_schema_field(RangeSerializer(many=True))
    def get_weekly(self, row: ServiceCalendar) -> Any:
        return RangeSerializer([one for one in row.ranges.all() if one.weekday is not None], many=True).data

    def get_is_open(self, row: ServiceCalendar) -> bool:
        return calendar_of(row).is_open_at(timezone.now())

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_opens_at(self, row: ServiceCalendar) -> Any:
        opens_at = calendar_of(row).opens_next_at(timezone.now())
        return opens_at and serializers.DateTimeField().to_representation(opens_at)


class PolicySerializer(serializers.ModelSerializer):
    """Policies are asked in the order of `position`; the first that fits counts. An empty condition fits everything."""

    class Meta:
        model = SlaPolicy
        fields = [
            *("id", "name", "position", "is_active", "queues", "reasons", "priorities", "channel_kinds"),
            *("first_response_minutes", "next_response_minutes", "resolution_minutes", "counting", "calendar"),
            *("pauses_in", "warn_percent"),
        ]
        read_only_fields = fields


class ClockSerializer(serializers.ModelSerializer):
    """Times that passed are seconds: `calendar_seconds` all of them, `business_seconds` those that counted."""

    target_seconds = serializers.SerializerMethodField()
    paused_seconds = serializers.SerializerMethodField()
    calendar_seconds = serializers.SerializerMethodField()
    business_seconds = serializers.SerializerMethodField()

    class Meta:
        model = SlaClock
        fields = [
            *("id", "interaction", "episode", "kind", "policy", "calendar", "target_seconds", "started_at", "due_at"),
            *("warn_at", "paused_at", "paused_seconds", "warned_at", "breached_at", "met_at", "stopped_at"),
            *("stopped_why", "calendar_seconds", "business_seconds"),
        ]
        read_only_fields = fields

    def get_target_seconds(self, row: SlaClock) -> float:
        return row.target.total_seconds()

    def get_paused_seconds(self, row: SlaClock) -> float:
        return row.paused.total_seconds()

    def get_calendar_seconds(self, row: SlaClock) -> float | None:
        return None if row.calendar_time is None else row.calendar_time.total_seconds()

    def get_business_seconds(self, row: SlaClock) -> float | None:
        return None if row.business_time is None else row.business_time.total_seconds()


@extend_schema_view(list=extend_schema(summary="List calendars"), retrieve=extend_schema(summary="Read one calendar"))
class CalendarViewSet(ReadViewSet):
    scope = "channels"
    serializer_class = CalendarSerializer
    queryset = ServiceCalendar.objects.none()

    def get_queryset(self) -> QuerySet[ServiceCalendar]:
        return calendars_visible_to(self.request.user)  # type: ignore[arg-type]


@extend_schema_view(list=extend_schema(summary="List SLA policies"), retrieve=extend_schema(summary="Read one policy"))
class PolicyViewSet(ReadViewSet):
    scope = "channels"
    serializer_class = PolicySerializer
    queryset = SlaPolicy.objects.none()

    def get_queryset(self) -> QuerySet[SlaPolicy]:
        return policies_visible_to(self.request.user)  # type: ignore[arg-type]


class ClockFilters(django_filters.FilterSet):
    interaction = IdFilter(field_name="interaction_id")
    policy = IdFilter(field_name="policy_id")
    kind = django_filters.ChoiceFilter(choices=ClockKind.choices)
    is_breached = django_filters.BooleanFilter(field_name="breached_at", lookup_expr="isnull", exclude=True)
    is_met = django_filters.BooleanFilter(field_name="met_at", lookup_expr="isnull", exclude=True)
    due_until = MomentFilter(field_name="due_at", lookup_expr="lte")

    class Meta:
        model = SlaClock
        fields: list[str] = []


@extend_schema_view(list=extend_schema(summary="List SLA clocks"), retrieve=extend_schema(summary="Read one SLA clock"))
class ClockViewSet(AuditedReadViewSet):
    scope = "interactions"
    audited_type = "sla_clock"
    serializer_class = ClockSerializer
    filterset_class = ClockFilters
    queryset = SlaClock.objects.none()

    def get_queryset(self) -> QuerySet[SlaClock]:
        seen = interactions_visible_to(self.request.user).values("pk")  # type: ignore[arg-type]
        return SlaClock.objects.select_related("interaction").filter(interaction__in=seen)

    def patient_of(self, row: SlaClock) -> int | None:
        return row.interaction.patient_id
