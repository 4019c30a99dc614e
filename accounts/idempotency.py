"""Writes that may be sent again: one row per caller and key, claimed in the transaction of the write itself."""

import hashlib
from typing import Any

from django.core.exceptions import ValidationError

from accounts.models import IdempotencyKey, Workspace

KEY_CHARACTERS = 200


class KeyReused(Exception):
    """The key was used for something else."""


class KeyInFlight(Exception):
    """The first call with this key is still at work, or died on the way."""


def claim_key(
    workspace: Workspace, caller: str, key: str, request: bytes, *, field: str
) -> tuple[IdempotencyKey, bool]:
    """The row of the key, and whether it is new: then the caller does the work and calls `keep_answer`.

    Otherwise the row holds the first answer. Waits while the first is still in its transaction. `request` is what
    makes two calls the same, `field` the key's name for its caller. Raises KeyReused, KeyInFlight.
    """
    if len(key) > KEY_CHARACTERS:
        raise ValidationError({field: f"At most {KEY_CHARACTERS} characters."})
    row = IdempotencyKey(workspace=workspace, caller=caller, key=key, fingerprint=hashlib.sha256(request).hexdigest())
    IdempotencyKey.objects.bulk_create([row], ignore_conflicts=True)
    stored = IdempotencyKey.objects.get(workspace=workspace, caller=caller, key=key)
    if stored.pk == row.pk:
        return row, True
    if stored.fingerprint != row.fingerprint:
        raise KeyReused(f"This {field} was used for a different request.")
    if not stored.status:
        raise KeyInFlight(f"A request with this {field} is still running.")
    return stored, False


def keep_answer(row: IdempotencyKey, status: int, body: Any) -> None:
    """`body` is what JSON can say."""
    row.status, row.body = status, body
    row.save(update_fields=["status", "body"])
