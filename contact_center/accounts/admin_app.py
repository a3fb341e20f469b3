"""Django's admin with our site in it; apart from `apps.py`, because it must load before the user model."""

from django.contrib.admin.apps import AdminConfig


class ContinuoAdminConfig(AdminConfig):
    """Named in INSTALLED_APPS instead of `django.contrib.admin`."""

    default_site = "contact_center.accounts.admin_site.ContinuoAdminSite"
    default = False
