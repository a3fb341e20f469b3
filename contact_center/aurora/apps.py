from django.apps import AppConfig


class AuroraConfig(AppConfig):
    """The commands `seed` and `traffic`; it has no tables."""

    name = "contact_center.aurora"
    label = "aurora"
    verbose_name = "Demo clinic"
