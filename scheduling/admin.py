"""How admins say what patients book themselves, what is done by itself with times, and what others' codes mean."""

from django.contrib import admin

from contact_center.accounts.admin_site import ConfiguredModelAdmin
from scheduling.models import CapacityRules, ExternalCode, HealthcareService, Prerequisite


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
