from django.apps import AppConfig


class CommonConfig(AppConfig):
    name = "contact_center.common"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from contact_center import celery  # noqa: F401 - tasks bind to the app that exists when they are first called
