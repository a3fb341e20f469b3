"""Which device carries the sound of a person's calls, and how it signs in."""

from django.conf import settings

from contact_center.accounts.enums import Action
from contact_center.accounts.models import User
from contact_center.accounts.policies import can
from inbox.adapters.twilio_device import DeviceConfig, device_token
from inbox.selectors.voice_lines import has_lines

TOKEN_SECONDS = 900
"""As long as an unattended session; a page that is used renews it a minute before."""


def device_config() -> DeviceConfig:
    """The API key and the app of the settings."""
    return DeviceConfig(
        account_sid=settings.TWILIO_ACCOUNT_SID,
        api_key_sid=settings.TWILIO_API_KEY_SID,
        api_key_secret=settings.TWILIO_API_KEY_SECRET,
        app_sid=settings.TWILIO_TWIML_APP_SID,
    )


def device_of(user: User) -> str:
    """`twilio`, `simulated`, or "" for people who take no calls, without a line, and where none is set up."""
    kind = settings.SOFTPHONE
    return kind if kind and can(user, Action.WORK_INBOX) and has_lines() else ""


def token_for(user: User) -> str | None:
    """A token for this person's browser, good for TOKEN_SECONDS; None where their device needs none."""
    if device_of(user) != "twilio":
        return None
    return device_token(device_config(), user.pk, TOKEN_SECONDS)
