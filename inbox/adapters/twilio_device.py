"""A browser as a device of Twilio: the token it signs in with, and the hosts its library speaks to."""

from __future__ import annotations

from dataclasses import dataclass

IDENTITY = "agent-"
CLIENT = f"client:{IDENTITY}"
# What the library's README names for the content policy; its script is served by us.
CONNECT_SOURCES = (
    "https://eventgw.twilio.com",
    "wss://voice-js.roaming.twilio.com",
    "https://media.twiliocdn.com",
    "https://sdk.twilio.com",
)
MEDIA_SOURCES = ("mediastream:", "https://media.twiliocdn.com", "https://sdk.twilio.com")


@dataclass(frozen=True, slots=True)
class DeviceConfig:
    """What a token is made of: an API key, which can be revoked by itself, and the app that answers devices' calls."""

    account_sid: str
    api_key_sid: str
    api_key_secret: str
    app_sid: str

    @property
    def is_complete(self) -> bool:
        """Whether tokens can be made."""
        return all((self.account_sid, self.api_key_sid, self.api_key_secret, self.app_sid))


def device_token(config: DeviceConfig, user_id: int, seconds: int) -> str:
    """A token with which this person's browser rings and calls our app, and nothing else, for so many seconds.

    It carries an opaque id and nothing of anybody.
    """
    from twilio.jwt.access_token import AccessToken  # brings a JWT library that nothing else of the web process needs
    from twilio.jwt.access_token.grants import VoiceGrant

    token = AccessToken(
        config.account_sid,
        config.api_key_sid,
        config.api_key_secret,
        identity=f"{IDENTITY}{user_id}",
        ttl=seconds,
    )
    token.add_grant(VoiceGrant(incoming_allow=True, outgoing_application_sid=config.app_sid))
    return str(token.to_jwt())


def user_of(address: str) -> int | None:
    """Whose device this is: 7 of `client:agent-7`; None for phones and strangers."""
    name, prefix, number = address.partition(CLIENT)
    is_ours = not name and bool(prefix) and number.isascii() and number.isdecimal() and len(number) < 18
    return int(number) if is_ours else None
