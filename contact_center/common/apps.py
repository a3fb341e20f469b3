from django.apps import AppConfig


class CommonConfig(AppConfig):
    name = "contact_center.common"
    default_auto_field = "django.db.models.BigAutoField"
