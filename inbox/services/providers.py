"""Adapters built from settings, and the circuit breaker that all workers share."""

from datetime import datetime
from functools import cache

from django.conf import settings
from django.db import connection
from django.utils import timezone

from inbox.adapters.base import Adapter
from inbox.adapters.registry import UnknownAdapter, adapter_class, build_adapter
from inbox.models import ProviderHealth

FAILURES_TO_OPEN = 5
OPEN_FOR_SECONDS = 30


def adapter_for(key: str) -> Adapter:
    """The adapter of this key on the present settings. Raises UnknownAdapter."""
    return _built(key, _config(key))


@cache
def _built(key: str, config: object) -> Adapter:
    return build_adapter(key, config)


def _config(key: str) -> object:
    if key in ("twilio_messaging", "twilio_voice"):
        from inbox.adapters.twilio_http import TwilioConfig

        return TwilioConfig(
            account_sid=settings.TWILIO_ACCOUNT_SID,
            auth_token=settings.TWILIO_AUTH_TOKEN,
            public_base_url=settings.PUBLIC_BASE_URL,
            api_base_url=settings.TWILIO_API_BASE_URL,
            timeout_seconds=settings.PROVIDER_TIMEOUT_SECONDS,
        )
    if key == "email":
        from inbox.adapters.email import EmailConfig

        return EmailConfig.from_settings(settings)
    return None


def keeps_list(key: str) -> bool:
    """True when the provider lists its messages, each attempt under an id of its own; False also when unknown."""
    try:
        return "list_messages" in adapter_class(key).capabilities
    except UnknownAdapter:
        return False


def reply_address(mailbox: str, interaction_id: int) -> str:
    """Where an answer to this interaction's mail should go: our mailbox with a signed token nobody can guess."""
    from inbox.adapters.email import EmailAdapter
    from inbox.mail.tokens import reply_address as signed

    adapter = adapter_for("email")
    assert isinstance(adapter, EmailAdapter)
    return signed(mailbox, interaction_id, adapter.config.reply_key)


def open_until(adapter: str) -> datetime | None:
    """While the breaker is open: the time to try again, else None."""
    until_at = ProviderHealth.objects.filter(adapter=adapter).values_list("open_until_at", flat=True).first()
    return until_at if until_at and until_at > timezone.now() else None


def is_limping(adapter: str) -> bool:
    """True after a failure until the next success."""
    return ProviderHealth.objects.filter(adapter=adapter, consecutive_failures__gt=0).exists()


def note_success(adapter: str) -> None:
    """The provider answered: close the breaker. Written at most once a second while all is well."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO inbox_providerhealth (adapter, consecutive_failures, last_success_at, last_error)"
            " VALUES (%s, 0, now(), '') ON CONFLICT (adapter) DO UPDATE SET consecutive_failures = 0,"
            " open_until_at = NULL, last_success_at = now() WHERE inbox_providerhealth.consecutive_failures > 0"
            " OR inbox_providerhealth.last_success_at IS NULL"
            " OR inbox_providerhealth.last_success_at < now() - interval '1 second'",
            [adapter],
        )


def note_failure(adapter: str, error: str) -> None:
    """The provider did not answer or answered with its own failure; the fifth in a row opens the breaker for 30 s.

    `error` is our word for it and the provider's code, never the provider's text: that may quote an address.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO inbox_providerhealth AS h (adapter, consecutive_failures, last_error) VALUES (%s, 1, %s)"
            " ON CONFLICT (adapter) DO UPDATE SET consecutive_failures = h.consecutive_failures + 1,"
            " last_error = excluded.last_error,"
            " open_until_at = CASE WHEN h.consecutive_failures + 1 >= %s"
            " THEN now() + make_interval(secs => %s) ELSE h.open_until_at END",
            [adapter, error[:240], FAILURES_TO_OPEN, OPEN_FOR_SECONDS],
        )
