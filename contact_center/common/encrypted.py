"""Values that stand encrypted in the database: AES-256-GCM, bound to their column, under keys that can be changed.

A stored value is `v1:<key id>:<base64 of nonce and ciphertext>`. The first of `settings.FIELD_KEYS` writes, all of them
read, so a new key is put in front and `manage.py rotate_keys` brings old rows over before the old key goes.
"""

import base64
import hashlib
import hmac
import os
from typing import Any, ClassVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.db import models

PREFIX = "v1"
NONCE_BYTES = 12


class CannotDecrypt(Exception):
    """A stored value is not readable with the keys at hand. Its ciphertext is never handed out instead."""


def _keys() -> dict[str, bytes]:
    keys: dict[str, bytes] = settings.FIELD_KEYS
    if not keys:
        raise ImproperlyConfigured("FIELD_KEYS is not set.")
    return keys


def current_key_id() -> str:
    """Id of the key that writes."""
    return next(iter(_keys()))


def encrypt(text: str, place: str) -> str:
    """`text` under the present key, bound to `place` (table.column): moved elsewhere it is not readable."""
    name = current_key_id()
    nonce = os.urandom(NONCE_BYTES)
    sealed = AESGCM(_keys()[name]).encrypt(nonce, text.encode(), place.encode())
    return f"{PREFIX}:{name}:{base64.b64encode(nonce + sealed).decode()}"


def decrypt(stored: str, place: str) -> str:
    """The text behind a stored value. Raises CannotDecrypt for an unknown key, another place or a changed value."""
    version, name, encoded = [*stored.split(":", 2), "", ""][:3]
    key = _keys().get(name)
    if version != PREFIX or key is None:
        raise CannotDecrypt(f"{place} is not encrypted with a key of FIELD_KEYS.")
    try:
        raw = base64.b64decode(encoded, validate=True)
        return AESGCM(key).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], place.encode()).decode()
    except (InvalidTag, ValueError):
        raise CannotDecrypt(f"{place} holds a value that was changed, or comes from elsewhere.") from None


def is_current(stored: str) -> bool:
    """True when the value was written with the present key."""
    return stored.startswith(f"{PREFIX}:{current_key_id()}:")


def indexes_of(text: str, place: str) -> list[str]:
    """What an exact search compares: a keyed hash per key, the writing key's first. Says nothing about the text."""
    return [_index(key, text, place) for key in _keys().values()]


def index_of(text: str, place: str) -> str:
    """The hash to store beside an encrypted value; look it up with `column__in=indexes_of(...)`."""
    return indexes_of(text, place)[0]


def _index(key: bytes, text: str, place: str) -> str:
    own = hmac.new(key, b"blind index", hashlib.sha256).digest()
    return hmac.new(own, f"{place}\x00{text}".encode(), hashlib.sha256).hexdigest()


class EncryptedTextField(models.TextField):
    """Text that is clear in Python and encrypted in the database. Empty stays empty; nothing can be searched in it."""

    description = "Encrypted text"
    allowed_lookups: ClassVar[frozenset[str]] = frozenset({"isnull"})

    @property
    def place(self) -> str:
        """What the value is bound to."""
        return f"{self.model._meta.db_table}.{self.column}"

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        prepared = super().get_db_prep_save(value, connection)
        return encrypt(prepared, self.place) if isinstance(prepared, str) and prepared else prepared

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> str | None:
        return decrypt(value, self.place) if value else value

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name not in self.allowed_lookups:
            raise FieldError(f"{self.name} is encrypted: keep a blind index beside it and look that up.")
        return super().get_lookup(lookup_name)
