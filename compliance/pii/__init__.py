"""Personal data and secrets in text: find, mask, put aside and put back. docs/guard.md lists what is claimed."""

from compliance.pii.engine import DECLARED, IMPERSONAL, Found, UnknownType, find
from compliance.pii.masking import UnreadableVault, mask, mask_value, restore, tokenise

__all__ = [
    "DECLARED",
    "IMPERSONAL",
    "Found",
    "UnknownType",
    "UnreadableVault",
    "find",
    "mask",
    "mask_value",
    "restore",
    "tokenise",
]
