from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "contact_center.accounts"
    default_auto_field = "django.db.models.BigAutoField"
