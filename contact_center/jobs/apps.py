from django.apps import AppConfig


class JobsConfig(AppConfig):
    """Long work in the background, with progress, stop and a list of failures."""

    name = "contact_center.jobs"
    default_auto_field = "django.db.models.BigAutoField"
