"""Text without its personal data: blacked out for good, or put aside under tokens and put back."""

import base64
import hashlib
import hmac
import os
import re
from collections.abc import Collection, Mapping
from dataclasses import replace

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from compliance.pii.engine import Found, find

BLACK = "█"
# How many signs at the end stay readable, as on receipts and in banking; all others keep none.
KEPT = {
    **dict.fromkeys(("CN_MOBILE", "CN_LANDLINE", "PHONE_NUMBER", "PH_MOBILE_NUMBER", "TR_PHONE_NUMBER"), 2),
    **dict.fromkeys(("CREDIT_CARD", "CN_BANK_CARD", "IBAN_CODE", "US_SSN"), 4),
}
# A secret's length helps whoever guesses it.
_SECRET_MASK = BLACK * 8

_NONCE_BYTES = 12
_TOKEN = re.compile(r"⟦[A-Z][A-Z0-9_]*:[a-z2-7]{16}⟧")
# Stands for what looks like a token in the text itself.
_LITERAL = "LITERAL"


class UnreadableVault(Exception):
    """Another key wrote it, or it was changed since."""


def mask(text: str, entities: Collection[str] | None = None) -> str:
    return _replaced(
        text, [(one.start, one.end, mask_value(one.type, text[one.start : one.end])) for one in _apart(text, entities)]
    )


def mask_value(type_: str, value: str) -> str:
    """Letters and digits become black, the customary few at the end stay, and so do separators."""
    if type_.startswith("SECRET_"):
        return _SECRET_MASK
    places = [place for place, sign in enumerate(value) if sign.isalnum()]
    hidden = frozenset(places[: max(0, len(places) - KEPT.get(type_, 0))])
    return "".join(BLACK if place in hidden else sign for place, sign in enumerate(value))


def tokenise(text: str, key: bytes, entities: Collection[str] | None = None) -> tuple[str, dict[str, str]]:
    """The text with ⟦TYPE:token⟧ for each value, and what opens them again: token to encrypted value, for JSON.

    One value has one token under one key (32 bytes, one per workspace): it can be told apart without being known.
    """
    vault: dict[str, str] = {}
    changes = []
    for start, end, type_ in _to_put_aside(text, entities):
        value = text[start:end]
        token = _token(type_, value, key)
        if token not in vault:
            vault[token] = _encrypt(value, token, key)
        changes.append((start, end, token))
    return _replaced(text, changes), vault


def restore(text: str, vault: Mapping[str, str], key: bytes) -> str:
    """Tokens that the vault does not know stay. Raises UnreadableVault."""
    return _TOKEN.sub(lambda match: _decrypt(vault[match[0]], match[0], key) if match[0] in vault else match[0], text)


def _to_put_aside(text: str, entities: Collection[str] | None) -> list[tuple[int, int, str]]:
    literal = [(match.start(), match.end(), _LITERAL) for match in _TOKEN.finditer(text)]
    found = [
        (one.start, one.end, one.type)
        for one in _apart(text, entities)
        if not any(one.start < end and start < one.end for start, end, _ in literal)
    ]
    return sorted(literal + found)


def _apart(text: str, entities: Collection[str] | None) -> list[Found]:
    """Types asked for by name may overlap; the later one keeps what the earlier leaves of it."""
    kept: list[Found] = []
    for one in sorted(find(text, entities), key=lambda one: (one.start, -one.end, -one.score)):
        start = max(one.start, kept[-1].end if kept else 0)
        if start < one.end:
            kept.append(replace(one, start=start))
    return kept


def _replaced(text: str, changes: Collection[tuple[int, int, str]]) -> str:
    pieces, last = [], 0
    for start, end, new in changes:
        pieces += [text[last:start], new]
        last = end
    return "".join([*pieces, text[last:]])


def _token(type_: str, value: str, key: bytes) -> str:
    digest = hmac.digest(_derived(key, b"token"), f"{type_}\0{value}".encode("utf-8", "surrogatepass"), "sha256")
    return f"⟦{type_}:{base64.b32encode(digest[:10]).decode().lower()}⟧"


def _derived(key: bytes, purpose: bytes) -> bytes:
    if len(key) != 32:
        raise ValueError("The key must have 32 bytes.")
    return hmac.digest(key, b"pii-" + purpose, hashlib.sha256)


def _encrypt(value: str, token: str, key: bytes) -> str:
    """AES-256-GCM, bound to its token."""
    nonce = os.urandom(_NONCE_BYTES)
    sealed = AESGCM(_derived(key, b"vault")).encrypt(nonce, value.encode("utf-8", "surrogatepass"), token.encode())
    return base64.b64encode(nonce + sealed).decode()


def _decrypt(stored: str, token: str, key: bytes) -> str:
    try:
        raw = base64.b64decode(stored, validate=True)
        opened = AESGCM(_derived(key, b"vault")).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], token.encode())
    except (InvalidTag, ValueError) as error:
        raise UnreadableVault("These values were put aside with another key, or were changed since.") from error
    return opened.decode("utf-8", "surrogatepass")
