from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "contact_center.audit"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from contact_center.audit import receivers

        receivers.connect()
