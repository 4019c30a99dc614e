"""Who a visitor is, without knowing anybody: 32 hexadecimal digits."""

import hashlib
import hmac
import re
import secrets
from datetime import datetime
from functools import lru_cache
from urllib.parse import urlsplit
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest

from lib.addresses import client_address, network_of

COOKIE = "rostrum_visitor"
COOKIE_DAYS = 365
UNIT = re.compile(r"[0-9a-f]{32}")
TABLET = re.compile(r"ipad|tablet|kindle|silk/|playbook|^(?!.*mobile).*android", re.IGNORECASE)
PHONE = re.compile(r"iphone|ipod|mobile|android|windows phone|opera mini", re.IGNORECASE)


def wants_no_tracking(request: HttpRequest) -> bool:
    return request.headers.get("Sec-GPC") == "1" or request.headers.get("DNT") == "1"


def known_visitor(request: HttpRequest, workspace_id: UUID) -> str:
    """Who has the cookie, where there is one."""
    text = request.COOKIES.get(COOKIE, "")
    return visitor_in(text, workspace_id) if UNIT.fullmatch(text) else ""


def visitor_in(cookie: str, workspace_id: UUID) -> str:
    """All workspaces of this site get the same cookie, and no two of them may find that it is the same person."""
    return hmac.new(_key(settings.SECRET_KEY, workspace_id), cookie.encode(), hashlib.sha256).hexdigest()[:32]


def new_cookie() -> str:
    return secrets.token_hex(16)


def daily_visitor(request: HttpRequest, workspace_id: UUID, at: datetime, zone: str) -> str:
    """A keyed digest of the address's network, the browser and the workspace's date: tomorrow it is another."""
    day = at.astimezone(ZoneInfo(zone)).date().isoformat()
    said = "\n".join([address_prefix(address_of(request)), request.headers.get("User-Agent", ""), day])
    return hmac.new(_key(settings.SECRET_KEY, workspace_id), said.encode(), hashlib.sha256).hexdigest()[:32]


@lru_cache(maxsize=1024)
def _key(secret: str, workspace_id: UUID) -> bytes:
    return hmac.new(secret.encode(), b"visitors" + workspace_id.bytes, hashlib.sha256).digest()


def address_of(request: HttpRequest) -> str:
    return client_address(request.headers.get("X-Forwarded-For", ""), request.META.get("REMOTE_ADDR", ""))


def address_prefix(address: str) -> str:
    """Of IPv4 the first three bytes, of IPv6 the network that one household gets."""
    return network_of(address, v4_bits=24, v6_bits=56)


def device_of(request: HttpRequest, bot_reason: str = "") -> str:
    if bot_reason:
        return "bot"
    agent = request.headers.get("User-Agent", "")
    if TABLET.search(agent):
        return "tablet"
    return "phone" if PHONE.search(agent) else "desktop"


def language_of(request: HttpRequest) -> str:
    text = re.split(r"[,;]", request.headers.get("Accept-Language", ""), maxsplit=1)[0].strip()
    return text if re.fullmatch(r"[A-Za-z0-9-]{2,12}", text) else ""


def referrer_of(request: HttpRequest) -> str:
    """The host only."""
    try:
        host = urlsplit(request.headers.get("Referer", "")).hostname or ""
    except ValueError:
        return ""
    return host.removeprefix("www.")[:120].replace("\x00", "")
