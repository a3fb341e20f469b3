"""Which adapters exist. A new channel is one line here.

Modules are imported on first use, because provider libraries are heavy and most processes use few.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module

from inbox.adapters.base import Adapter

ADAPTERS: dict[str, str] = {
    "email": "inbox.adapters.email:EmailAdapter",
    "twilio_messaging": "inbox.adapters.twilio_messaging:TwilioMessagingAdapter",
    "twilio_voice": "inbox.adapters.twilio_voice:TwilioVoiceAdapter",
}


class UnknownAdapter(LookupError):
    """No adapter has this key."""


@cache
def adapter_class(key: str) -> type[Adapter]:
    """The adapter class of this key. Raises UnknownAdapter."""
    try:
        module_name, class_name = ADAPTERS[key].split(":")
    except KeyError:
        raise UnknownAdapter(f"No adapter named {key!r}; there are: {', '.join(sorted(ADAPTERS))}") from None
    found: type[Adapter] = getattr(import_module(module_name), class_name)
    return found


def build_adapter(key: str, config: object) -> Adapter:
    """An adapter of this key on its own config object. Raises UnknownAdapter."""
    return adapter_class(key)(config)  # type: ignore[call-arg]
