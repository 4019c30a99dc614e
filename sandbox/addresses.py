"""Addresses in texts, and which of them are this machine."""

import ipaddress
import re
from urllib.parse import urlsplit

_ADDRESS = re.compile(r"https?://[^\s<>\"'（）【】，。]+", re.IGNORECASE)
_AFTER = ".,;:!?)]}…"


def web_addresses(text: str) -> list[str]:
    """Everything that a person would take for a link, ports and bare IP addresses too."""
    return [found.rstrip(_AFTER) for found in _ADDRESS.findall(text)]


def without_addresses(text: str) -> str:
    return _ADDRESS.sub("", text)


def is_loopback(host: str) -> bool:
    try:
        return host.lower() == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_here(url: str) -> bool:
    try:
        return is_loopback(urlsplit(url).hostname or "")
    except ValueError:
        return False
