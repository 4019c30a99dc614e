"""Secrets at rest: AES-256-CBC with HMAC-SHA256 (django-cryptography) under a ring of keys.

A stored value is a 4-byte key id and the token. The first key of FIELD_KEYS writes; every key reads.
"""

import base64
import hashlib
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django_cryptography.core.signing import BadSignature, FernetSigner
from django_cryptography.fields import EncryptedMixin
from django_cryptography.utils.crypto import FernetBytes

ID_BYTES = 4


class UnreadableSecret(Exception):
    """No key of the ring opens this value."""


class KeyRing:
    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys or any(len(key) != 32 for key in keys):
            raise ImproperlyConfigured("FIELD_KEYS needs one or more base64 keys of 32 bytes each.")
        self._ciphers = {_key_id(key): _cipher(key) for key in keys}
        self.write_id = _key_id(keys[0])

    def encrypt(self, text: str) -> bytes:
        return self.write_id + self._ciphers[self.write_id].encrypt(text.encode())

    def decrypt(self, stored: bytes) -> str:
        cipher = self._ciphers.get(stored[:ID_BYTES])
        if cipher is None:
            raise UnreadableSecret("This secret was written with a key that is no longer in FIELD_KEYS.")
        try:
            return cipher.decrypt(stored[ID_BYTES:]).decode()
        except (BadSignature, ValueError) as error:
            raise UnreadableSecret("This secret was changed after it was written.") from error


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(b"key-id" + key).digest()[:ID_BYTES]


def _cipher(key: bytes) -> FernetBytes:
    # Separate halves of one digest, so that the signing key is not the encryption key.
    both = hashlib.sha512(b"field-keys" + key).digest()
    return FernetBytes(both[:32], FernetSigner(both[32:]))


def parse_keys(text: str) -> list[bytes]:
    try:
        # The padding may be missing; too much of it does no harm.
        return [base64.urlsafe_b64decode(part.strip() + "=") for part in text.split(",") if part.strip()]
    except ValueError as error:
        raise ImproperlyConfigured("FIELD_KEYS is a list of base64 keys, separated by commas.") from error


@lru_cache(maxsize=4)
def _ring(text: str) -> KeyRing:
    return KeyRing(parse_keys(text))


def ring() -> KeyRing:
    return _ring(settings.FIELD_KEYS)


class SecretField(EncryptedMixin, models.TextField):
    """Text that is stored encrypted and cannot be filtered on."""

    base_class = models.TextField
    wasinstance = True

    def _dump(self, value: str) -> bytes:
        return ring().encrypt(value)

    def _load(self, value: bytes) -> str:
        return ring().decrypt(value)

    def deconstruct(self) -> tuple[str, str, Sequence[Any], dict[str, Any]]:
        name, _path, args, kwargs = models.TextField.deconstruct(self)
        return name, "lib.crypto.SecretField", args, kwargs

    def clone(self) -> "SecretField":
        _name, _path, args, kwargs = self.deconstruct()
        return SecretField(*args, **kwargs)
