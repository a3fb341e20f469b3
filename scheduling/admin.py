"""How admins say where, by whom and when patients are seen, what they book themselves, what is done by itself with
times, and what others' codes mean. An absence is written down on its page, which tells the patients it concerns."""

from django.contrib import admin
from django.db import models
from unfold.admin import TabularInline

from contact_center.accounts.admin_site import ConfiguredInline, ConfiguredModelAdmin
from scheduling.models import (
    CapacityRules,
    ExternalCode,
    HealthcareService,
    Location,
    Practitioner,
    Prerequisite,
    Room,
    Schedule,
    WeeklyHours,
)


class RoomInline(ConfiguredInline, TabularInline):
    model = Room
    extra = 0
    can_delete = False  # visits point to them: they are switched off


@admin.register(Location)
class LocationAdmin(ConfiguredModelAdmin):
    list_display = ["name", "time_zone", "is_active"]
    inlines = [RoomInline]


@admin.register(Practitioner)
class PractitionerAdmin(ConfiguredModelAdmin):
    list_display = ["name", "daily_overbooking", "is_active"]
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}
    search_fields = ["name"]
    filter_horizontal = ["services"]


class WeeklyHoursInline(ConfiguredInline, TabularInline):
    model = WeeklyHours
    extra = 0


@admin.register(Schedule)
class ScheduleAdmin(ConfiguredModelAdmin):
    """When a practitioner sees patients at a site; visits that are booked already stay where they are."""

    list_display = ["practitioner", "location", "room", "valid_from_date", "valid_until_date"]
    list_select_related = ["practitioner", "location", "room"]
    list_filter = ["location"]
    search_fields = ["practitioner__name"]
    filter_horizontal = ["services"]
    inlines = [WeeklyHoursInline]


@admin.register(CapacityRules)
class CapacityRulesAdmin(ConfiguredModelAdmin):
    list_display = ["service", "is_offering", "group_size", "interval_minutes", "cut_off_minutes", "grace_minutes"]
    list_select_related = ["service"]


@admin.register(HealthcareService)
class HealthcareServiceAdmin(ConfiguredModelAdmin):
    """What is offered, and whether patients book it themselves."""

    list_display = ["name", "is_public", "minutes", "places", "notice_minutes", "horizon_days", "is_active"]
    list_filter = ["is_public", "is_active"]
    search_fields = ["name", "code"]


@admin.register(Prerequisite)
class PrerequisiteAdmin(ConfiguredModelAdmin):
    list_display = ["service", "first", "least_minutes", "most_minutes"]
    list_select_related = ["service", "first"]


@admin.register(ExternalCode)
class ExternalCodeAdmin(ConfiguredModelAdmin):
    list_display = ["source", "value", "practitioner", "service", "location", "room"]
    list_select_related = ["practitioner", "service", "location", "room"]
    list_filter = ["source"]
    search_fields = ["value"]
