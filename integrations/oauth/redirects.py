"""Where a program may be sent back to: https, or a program on the person's own machine (RFC 8252)."""

import re
from urllib.parse import SplitResult, urlsplit

from django.core.exceptions import ValidationError

MAX_CHARACTERS = 500
MAX_URIS = 10
LOOPBACK = {"127.0.0.1", "::1", "localhost"}
# Addresses as RFC 3986 writes them: browsers and servers read everything else in ways of their own.
PLAIN = re.compile(r"[A-Za-z0-9\-._~:/?\[\]@!$&'()*+,;=%]+")
HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?")


def check_redirect_uri(uri: object) -> str:
    """Raises ValidationError with what is wrong."""
    if not isinstance(uri, str) or not 0 < len(uri) <= MAX_CHARACTERS or not PLAIN.fullmatch(uri):
        raise ValidationError(f"A redirect URI is a web address of at most {MAX_CHARACTERS} plain characters.")
    try:
        parts = urlsplit(uri)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise ValidationError(f"{uri} is not an address.") from error
    if parts.username is not None or parts.password is not None or "@" in parts.netloc or port == 0:
        raise ValidationError(f"{uri} may not carry a name, a password or port 0.")
    is_named = host == "::1" or HOST.fullmatch(host)
    if not is_named or parts.scheme not in {"https", "http"}:
        raise ValidationError(f"{uri}: only https, or http on this machine itself.")
    if parts.scheme == "http" and host not in LOOPBACK:
        raise ValidationError(f"{uri}: http is only for 127.0.0.1, [::1] and localhost.")
    return uri


def is_registered(uri: str, registered: list[str]) -> bool:
    """Letter by letter; only the port of a program on the same machine is free."""
    return uri in registered or any(_differs_in_port_only(uri, one) for one in registered)


def _differs_in_port_only(uri: str, registered: str) -> bool:
    try:
        check_redirect_uri(uri)
    except ValidationError:
        return False
    asked, known = urlsplit(uri), urlsplit(registered)
    is_local = known.scheme == "http" and known.hostname in LOOPBACK
    return is_local and _without_port(asked) == _without_port(known)


def _without_port(parts: SplitResult) -> tuple[str, str | None, str, str]:
    return parts.scheme, parts.hostname, parts.path, parts.query


def origin_of(uri: str) -> str:
    """As a policy of a page names it. It knows no addresses of IPv6: then every plain http address."""
    parts = urlsplit(uri)
    return "http:" if "[" in parts.netloc else f"{parts.scheme}://{parts.netloc}"


def host_of(uri: str) -> str:
    """For people: where they will be sent."""
    parts = urlsplit(uri)
    return "a program on this computer" if parts.hostname in LOOPBACK else str(parts.hostname)
