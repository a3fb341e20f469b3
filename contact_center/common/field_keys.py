"""The keys of encrypted columns, as the environment gives them. Apart, because the settings read them first."""

import base64

from django.core.exceptions import ImproperlyConfigured

KEY_BYTES = 32


def read_keys(text: str) -> dict[str, bytes]:
    """Keys by id, in order, from `id:base64,id:base64`. Raises ImproperlyConfigured for anything else."""
    keys: dict[str, bytes] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, _colon, encoded = part.partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except ValueError:
            key = b""
        if not name.isalnum() or len(key) != KEY_BYTES or name in keys:
            raise ImproperlyConfigured(
                "FIELD_KEYS must be id:key,id:key with different ids and keys of 32 base64 bytes."
            )
        keys[name] = key
    return keys
