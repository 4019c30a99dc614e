"""Addresses in networks, and the phone numbers of the world."""

import ipaddress
import re
from collections.abc import Callable

import phonenumbers

from compliance.pii.recogniser import CERTAIN, CHECKED, Recogniser

# What ends a host name: every country, and the generic ones in wide use.
_COUNTRIES = (
    "A[CDEFGILMOQRSTUWXZ]|B[ABDEFGHIJMNORSTWYZ]|C[ACDFGHIKLMNORUVWXYZ]|D[EJKMOZ]|E[CEGRSTU]|F[IJKMOR]|G[ABDEFGHILMNPQRSTUWY]"
    "|H[KMNRTU]|I[DELMNOQRST]|J[EMOP]|K[EGHIMNPRWYZ]|L[ABCIKRSTUVY]|M[ACDEGHKLMNOPQRSTUVWXYZ]|N[ACEFGILOPRUZ]|OM"
    "|P[AEFGHKLMNRSTWY]|QA|R[EOSUW]|S[ABCDEGHIJKLMNORSTUVXYZ]|T[CDFGHJKLMNORTVWZ]|U[AGKSYZ]|V[ACEGINU]|W[FS]|Y[ET]|Z[AMW]"
)
_GENERIC = (
    "COM|ORG|NET|EDU|GOV|MIL|INT|INFO|BIZ|NAME|PRO|MOBI|ASIA|APP|DEV|SITE|ONLINE|SHOP|STORE|TECH|XYZ|TOP|CLUB|CLOUD|BLOG"
    "|NEWS|LIVE|LINK|AGENCY|STUDIO|DIGITAL|MEDIA|VIP|WORLD|GROUP|SPACE|WEBSITE"
)
_LABEL = "[A-Z0-9](?:[A-Z0-9-]{0,61}[A-Z0-9])?"
_V4 = r"\d{1,3}(?:\.\d{1,3}){3}"
_ZERO_OR_ALL = (set("0"), set("F"))

_PHONE_LEFT = r"(?<![0-9A-Za-z+])(?<![0-9][-.])"
_PHONE_WORDS = (
    *("phone", "phone number", "number is", "tel", "call", "mobile", "cell", "whatsapp", "fax", "sms", "text me"),
    *("telefon", "téléphone", "teléfono", "telefono", "telefone", "celular"),
    *("电话", "手机", "电话号码", "致电", "電話", "전화"),
)
# Where a number without a country code may belong to.
_REGIONS = ("US", "GB", "DE", "FR", "IN", "JP", "BR", "IL", "ES", "IT", "AU", "TW", "KR")
# Numbers of eight digits in two groups.
_CITIES = ("SG", "HK", "MO")
_IN_TWO_FOURS = re.compile(r"\d{4}[ -]?\d{4}")


def _is_v4(value: str) -> bool:
    return all(int(part) <= 255 for part in value.partition("/")[0].split("."))


def _is_v6(value: str) -> bool:
    try:
        ipaddress.IPv6Address(value.partition("/")[0].partition("%")[0])
    except ValueError:
        return False
    return True


def _is_mac(value: str) -> bool:
    """Broadcast and the unset address belong to nobody."""
    return set(value) not in _ZERO_OR_ALL


def _is_international(value: str) -> bool:
    """Behind a plus a known country and length will do; numbers kept for films are no less a number."""
    if value.startswith("+"):
        return _fits(value, "", phonenumbers.is_possible_number)
    return _fits("+" + value.lstrip("0"), "", phonenumbers.is_valid_number)


def _fits(value: str, region: str, question: Callable[[phonenumbers.PhoneNumber], bool]) -> bool:
    try:
        return question(phonenumbers.parse(value, region or None))
    except phonenumbers.NumberParseException:
        return False


def _is_national(value: str) -> bool:
    if _IN_TWO_FOURS.fullmatch(value):
        return _is_valid_in(_CITIES, value)
    # Shorter ones are dates and counts more often than numbers.
    return sum(map(str.isdigit, value)) >= 9 and _is_valid_in(_REGIONS, value)


def _is_valid_in(regions: tuple[str, ...], value: str) -> bool:
    return any(_fits(value, region, phonenumbers.is_valid_number) for region in regions)


NETWORK = (
    Recogniser(
        "EMAIL_ADDRESS",
        rf"[A-Z0-9](?:[A-Z0-9._%+'-]{{0,62}}[A-Z0-9_+-])?@(?:{_LABEL}\.)+(?:XN--[A-Z0-9-]{{2,59}}|[A-Z]{{2,24}})",
        score=CERTAIN,
        needs="@",
        left=r"(?<![0-9A-Za-z_%+-])(?<!//)",
        right=r"(?![0-9A-Za-z@])",
    ),
    Recogniser(
        "URL",
        rf"(?:HTTPS?|FTP)://(?:[!-.0-9:-~]+@)?(?:{_LABEL}\.)+(?:{_LABEL})(?::\d{{2,5}})?(?:[/?#](?:[!-~]*[A-Z0-9/=#&_~+%$-])?)?",
        score=CERTAIN,
        needs="/",
        left=r"(?<![0-9A-Za-z])",
        right="",
    ),
    Recogniser(
        "URL",
        rf"(?:{_LABEL}\.)+(?:{_GENERIC}|{_COUNTRIES})(?::\d{{2,5}})?(?:[/?#][!-~]*[A-Z0-9/=#&_~+%$-]|/)?",
        score=CHECKED,
        needs=".",
        left=r"(?<![0-9A-Za-z@._-])",
        right=r"(?![0-9A-Za-z@])(?!\.[0-9A-Za-z])",
    ),
    Recogniser(
        "IP_ADDRESS",
        _V4 + r"(?:/(?:3[0-2]|[12]?\d)(?!\d))?",
        score=0.6,
        check=_is_v4,
        needs=".",
        digits=4,
        exact=True,
        left=r"(?<![0-9A-Za-z.])",
        right=r"(?![0-9A-Za-z]|\.[0-9])",
        words=("ip",),
    ),
    Recogniser(
        "IP_ADDRESS",
        r"(?=[0-9A-Fa-f]|::)[0-9A-Fa-f:]*:[0-9A-Fa-f:]*:(?:[0-9A-Fa-f]{1,4}|" + _V4 + r")?(?:%[0-9A-Za-z]+)?"
        r"(?:/(?:12[0-8]|1[01]\d|[1-9]?\d)(?!\d))?",
        # Two colons alone are an address too, but seldom meant as one.
        score=0.05,
        check=_is_v6,
        proof=lambda value: len(value) > 2,
        proved=0.6,
        needs=":",
        exact=True,
        left=r"(?<![0-9A-Za-z.])(?<![0-9A-Fa-f:]:)",
        right=r"(?![0-9A-Za-z:]|\.[0-9])",
        words=("ip", "ipv6"),
    ),
    Recogniser(
        "MAC_ADDRESS",
        r"[0-9A-F]{2}([:-])[0-9A-F]{2}(?:\1[0-9A-F]{2}){4}|[0-9A-F]{4}(?:\.[0-9A-F]{4}){2}",
        score=0.6,
        check=_is_mac,
        left=r"(?<![0-9A-Za-z])(?<![0-9A-Fa-f][:.-])",
        right=r"(?![0-9A-Za-z])(?![:.-][0-9A-Fa-f])",
        words=("mac", "hardware", "physical"),
    ),
    Recogniser(
        "PHONE_NUMBER",
        r"(?:\+|00)[1-9][\d ().-]{6,18}\d",
        score=CERTAIN,
        check=_is_international,
        digits=8,
        exact=True,
        needs="+0",
        left=_PHONE_LEFT,
    ),
    Recogniser(
        "PHONE_NUMBER",
        r"\(\d{2,5}\)[\d .-]{5,14}\d|\d[\d ().-]{6,15}\d",
        check=_is_national,
        digits=8,
        exact=True,
        left=_PHONE_LEFT,
        words=_PHONE_WORDS,
    ),
)
