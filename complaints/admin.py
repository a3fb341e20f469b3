"""How admins say until when complaints are acknowledged."""

from django.contrib import admin

from complaints.models import ComplaintTerm
from contact_center.accounts.admin_site import ConfiguredModelAdmin


@admin.register(ComplaintTerm)
class ComplaintTermAdmin(ConfiguredModelAdmin):
    list_display = ["kind", "acknowledge_days", "calendar"]
    list_select_related = ["calendar"]
