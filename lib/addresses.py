"""Whose request this is, behind our own proxies."""

import ipaddress

from django.conf import settings


def client_address(forwarded: str, peer: str) -> str:
    """As far as our own proxies vouch for it (TRUSTED_PROXIES); empty where it cannot be read.

    `forwarded` is X-Forwarded-For, `peer` who opened the connection.
    """
    chain = [text.strip() for text in forwarded.split(",") if text.strip()]
    trusted = settings.TRUSTED_PROXIES
    address = chain[-min(trusted, len(chain))] if trusted and chain else peer
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return ""


def network_of(address: str, *, v4_bits: int, v6_bits: int) -> str:
    """With the rest of the address set to zero; empty for an empty one."""
    if not address:
        return ""
    parsed = ipaddress.ip_address(address)
    parsed = getattr(parsed, "ipv4_mapped", None) or parsed
    return str(ipaddress.ip_network(f"{parsed}/{v4_bits if parsed.version == 4 else v6_bits}", strict=False))
