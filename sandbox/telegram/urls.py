"""Which addresses Telegram accepts in links and buttons, and the form it gives them."""

import re
from urllib.parse import urlsplit

MAX_URL = 2048
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://?", re.IGNORECASE)
_HOST = re.compile(r"(?:[^\s./:@]+\.)+[^\s./:@]+")


class BadUrl(ValueError):
    """The text is Telegram's reason."""


def checked(url: str) -> str:
    url = url.strip()
    if not url:
        raise BadUrl("URL host is empty")
    if len(url) > MAX_URL:
        raise BadUrl("URL is too long")
    scheme = _SCHEME.match(url)
    name = scheme.group().split(":")[0].lower() if scheme else "http"
    if name in ("tg", "ton", "tonsite"):
        return url
    if name not in ("http", "https"):
        raise BadUrl("Unsupported URL protocol")
    return _web_address(url if scheme else f"http://{url}")


def _web_address(url: str) -> str:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise BadUrl("Wrong port number specified in the URL") from None
    host = parts.hostname or ""
    if not host:
        raise BadUrl("URL host is empty")
    if not _HOST.fullmatch(host):
        raise BadUrl("Wrong HTTP URL")
    rest = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    rest += f"#{parts.fragment}" if parts.fragment else ""
    return f"{parts.scheme.lower()}://{host}{f':{port}' if port else ''}{rest}"


def mentioned_user(url: str) -> int | None:
    """The user of a tg://user?id= link."""
    found = re.fullmatch(r"tg:(?://)?user\?id=(\d{1,15})", url.strip(), re.IGNORECASE)
    return int(found[1]) if found else None
