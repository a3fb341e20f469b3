"""How admins say what is done by itself with freed times and missed visits."""

from django.contrib import admin

from contact_center.accounts.admin_site import ConfiguredModelAdmin
from scheduling.models import CapacityRules


@admin.register(CapacityRules)
class CapacityRulesAdmin(ConfiguredModelAdmin):
    list_display = ["service", "is_offering", "group_size", "interval_minutes", "cut_off_minutes", "grace_minutes"]
    list_select_related = ["service"]
