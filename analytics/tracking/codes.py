"""Codes of short links: short enough to type, without letters that look like others."""

import re
import secrets

from django.core.exceptions import ValidationError

# No 0 and o, no 1, i and l.
ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
LENGTH = 7
CODE = re.compile(r"[a-z0-9][a-z0-9_-]{2,23}")
# What a domain of our own may one day answer at, and what reads like a page of ours.
_WORDS = (
    "about accounts admin api app assets docs favicon healthz help home index l login logout metrics privacy robots "
    "rostrum settings signup sitemap static status support t terms w www"
)
RESERVED = frozenset(_WORDS.split())


def new_code() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def clean_code(text: str) -> str:
    """A code somebody chose, in small letters. Raises ValidationError."""
    code = text.strip().lower()
    if not CODE.fullmatch(code):
        raise ValidationError({"code": "3 to 24 letters, digits, - and _; the first one a letter or a digit."})
    if code in RESERVED:
        raise ValidationError({"code": "This word is kept for pages of this site. Choose another."})
    return code
