"""What is checked of the desk's settings."""

from typing import Any

from django.core import checks


@checks.register
def mail_provider_settings(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    """Anymail's own checks. Its app is not installed: it would load `requests` into every process, 3 MB each."""
    from anymail.checks import check_deprecated_settings, check_insecure_settings

    return [*check_deprecated_settings(app_configs), *check_insecure_settings(app_configs)]
