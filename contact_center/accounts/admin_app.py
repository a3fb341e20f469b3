"""Django's admin with our site in it; apart from `apps.py`, because it must load before the user model."""

from django.contrib.admin.apps import SimpleAdminConfig


class ContinuoAdminConfig(SimpleAdminConfig):
    """Named in INSTALLED_APPS instead of `django.contrib.admin`. Admin modules load with the pages, in `urls.py`."""

    default_site = "contact_center.accounts.admin_site.ContinuoAdminSite"
    default = False
