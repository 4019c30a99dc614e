"""Money and dates: the same everywhere."""

import hashlib
import re

from compliance.pii import checksums
from compliance.pii.recogniser import CERTAIN, CHECKED, SHAPE, Recogniser

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_BECH32_STEPS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
# BIP 173 and BIP 350.
_BECH32_ENDS = {1, 0x2BC830A3}

# The issuers' ranges; 62 stands with the Chinese bank cards.
_CARD = re.compile(
    r"1\d{14}|4(?:\d{12}|\d{15}|\d{18})"
    r"|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}"
    r"|3[47]\d{13}"
    r"|3(?:0[0-5]|[68]\d|09)\d{11}|3095\d{10}|39\d{12}"
    r"|(?:6011|65\d\d|64[4-9]\d)\d{12}(?:\d{3})?"
    r"|35(?:2[89]|[3-8]\d)\d{12}"
    r"|(?:5018|5019|5020|5038|5893|6304|6759|676[1-3])\d{8,15}"
    r"|220[0-4]\d{12}"
)
_MONTH = "JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC"
_D, _M, _Y = r"(?:0?[1-9]|[12]\d|3[01])", r"(?:0?[1-9]|1[0-2])", r"(?:\d{4}|\d\d)"


def _is_card(value: str) -> bool:
    return bool(_CARD.fullmatch(value)) and checksums.luhn(value)


def _is_base58_address(value: str) -> bool:
    number = 0
    for sign in value:
        number = number * 58 + _BASE58.index(sign)
    if number.bit_length() > 200:
        return False
    raw = number.to_bytes(25, "big")
    return hashlib.sha256(hashlib.sha256(raw[:21]).digest()).digest()[:4] == raw[21:]


def _is_bech32_address(value: str) -> bool:
    value = value.lower()
    prefix, _, data = value.rpartition("1")
    words = [ord(sign) >> 5 for sign in prefix] + [0] + [ord(sign) & 31 for sign in prefix]
    total = 1
    for word in words + [_BECH32.index(sign) for sign in data]:
        top = total >> 25
        total = (total & 0x1FFFFFF) << 5 ^ word
        for place, step in enumerate(_BECH32_STEPS):
            total ^= step if top >> place & 1 else 0
    return total in _BECH32_ENDS


WORLD = (
    Recogniser(
        "CREDIT_CARD",
        r"\d{12,19}|\d{4}(?:([- ])\d{4})(?:\1\d{4}){2}(?:\1\d{3})?|3\d{3}([- ])\d{6}\2\d{4,5}",
        score=CERTAIN,
        check=_is_card,
        digits=12,
    ),
    Recogniser(
        "IBAN_CODE",
        r"[A-Z]{2}\d\d(?:[A-Z0-9]{11,30}|(?:[ -][A-Z0-9]{4}){2,7}(?:[ -][A-Z0-9]{1,3})?)",
        score=CERTAIN,
        check=checksums.iban,
        digits=6,
    ),
    Recogniser(
        "CRYPTO",
        rf"[13][{_BASE58}]{{25,34}}",
        score=CERTAIN,
        check=_is_base58_address,
        digits=1,
        exact=True,
    ),
    Recogniser(
        "CRYPTO",
        rf"bc1[{_BECH32}]{{11,71}}|BC1[{_BECH32.upper()}]{{11,71}}",
        score=CERTAIN,
        check=_is_bech32_address,
        digits=1,
        exact=True,
    ),
    Recogniser("CRYPTO", r"0X[0-9A-F]{40}", score=0.8, digits=1),
    Recogniser(
        "DATE_TIME",
        rf"\d{{4}}-{_M}-{_D}(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{{1,9}})?)?(?:Z|[+-]\d\d:?\d\d)?)?",
        score=CHECKED,
        digits=4,
    ),
    Recogniser(
        "DATE_TIME",
        rf"{_D}([/.-]){_M}\1{_Y}|{_M}([/.-]){_D}\2{_Y}|\d{{4}}([/.]){_M}\3{_D}",
        score=CHECKED,
        digits=3,
    ),
    Recogniser(
        "DATE_TIME",
        rf"{_D}[- ](?:{_MONTH})(?:[- ]{_Y})?|(?:{_MONTH})[- /](?:\d{{4}}|\d\d|{_D}(?:,? \d{{4}})?)"
        rf"|{_M}/(?:\d{{4}}|{_D})",
        score=SHAPE,
        digits=1,
    ),
    Recogniser(
        "DATE_TIME", rf"\d{{4}} ?年 ?{_M} ?月(?: ?{_D} ?[日号])?", score=CHECKED, digits=5, right=r"(?![0-9A-Za-z])"
    ),
)
