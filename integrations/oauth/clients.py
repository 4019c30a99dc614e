"""Programs that ask for access: registered ones (RFC 7591), and those whose id is an address that tells of them."""

import json
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import rate
from accounts.rate import Limit
from integrations.models import OAuthClient
from integrations.oauth.redirects import MAX_URIS, PLAIN, check_redirect_uri
from lib.clock import now
from lib.public_http import FetchError, fetch, is_this_machine
from lib.text import one_line, storable

MAX_NAME = 120
MAX_ID = 500
# Of a registration that nobody ever said yes to.
KEPT_UNUSED = timedelta(days=7)
SWEPT_AT_ONCE = 50
DOCUMENT_BYTES = 16 * 1024
DOCUMENT_S = 5.0
DOCUMENT_KEPT_S = 3600
# Asked for again after a failure.
FAILURE_KEPT_S = 60


class BadRedirects(ValidationError):
    """RFC 7591 has an error of its own for these."""


class UnknownClient(Exception):
    """There is no such program, or its document cannot be used; the text says why."""


def register_client(data: Mapping[str, Any], *, address: str) -> OAuthClient:
    """Raises BadRedirects, another ValidationError, or RateLimited. `address` is the caller's."""
    uris, name, page = _facts(data)
    for field, allowed in (
        ("grant_types", {"authorization_code", "refresh_token"}),
        ("response_types", {"code"}),
    ):
        asked = data.get(field, [])
        if not isinstance(asked, list) or (asked and not allowed & {str(one) for one in asked}):
            raise ValidationError(f"{field}: only {', '.join(sorted(allowed))}.")
    with transaction.atomic():
        client = OAuthClient.objects.create(
            client_id=f"rc_{secrets.token_urlsafe(24)}", name=name, redirect_uris=uris, uri=page
        )
        _forget_unused()
        rate.require(*registration_limits(address), text="Too many registrations.")
    return client


def registration_limits(address: str) -> list[Limit]:
    hour = timedelta(hours=1)
    return [
        Limit(("oauth.register", address), 30, hour, burst=20),
        Limit(("oauth.register", "instance"), 2000, hour, burst=500),
    ]


def find_client(client_id: str) -> OAuthClient:
    """Raises UnknownClient. An address as id is read now and then: what stands there counts."""
    if not client_id or len(client_id) > MAX_ID or "\0" in client_id:
        raise UnknownClient("This program has no id that can be known.")
    known = OAuthClient.objects.filter(client_id=client_id).first()
    if not is_document(client_id):
        if known is None:
            raise UnknownClient("This program is not registered here. Let it register again.")
        return known
    fresh = f"oauth.document:{client_id}"
    if known is not None and cache.get(fresh):
        return known
    return _read_document(client_id, fresh)


def known_client(client_id: str) -> OAuthClient | None:
    """Without a look at any document: a program that holds a code or a token was read before."""
    usable = 0 < len(client_id) <= MAX_ID and "\0" not in client_id
    return OAuthClient.objects.filter(client_id=client_id).first() if usable else None


def is_document(client_id: str) -> bool:
    # Its host is shown to people: in letters of other scripts it could look like somebody else's.
    if not PLAIN.fullmatch(client_id):
        return False
    try:
        parts = urlsplit(client_id)
    except ValueError:
        return False
    is_secure = parts.scheme == "https" or (parts.scheme == "http" and is_this_machine(parts.hostname or ""))
    return is_secure and parts.path not in {"", "/"} and not parts.fragment and parts.username is None


def host_of_client(client: OAuthClient) -> str:
    """Whose program it says to be; only of a document it is known."""
    return urlsplit(client.client_id).hostname or "" if is_document(client.client_id) else ""


def _read_document(url: str, fresh: str) -> OAuthClient:
    broken = f"{fresh}:broken"
    if text := cache.get(broken):
        raise UnknownClient(text)
    try:
        data = _document(url)
        uris, name, page = _facts(data)
    except (FetchError, ValidationError) as error:
        text = error.message if isinstance(error, FetchError) else " ".join(error.messages)
        cache.set(broken, text, FAILURE_KEPT_S)
        raise UnknownClient(f"What the program says of itself cannot be used. {text}") from error
    client, _is_new = OAuthClient.objects.update_or_create(
        client_id=url, defaults={"name": name, "redirect_uris": uris, "uri": page}
    )
    cache.set(fresh, True, DOCUMENT_KEPT_S)
    return client


def _document(url: str) -> Mapping[str, Any]:
    found = fetch(url, max_bytes=DOCUMENT_BYTES, timeout_s=DOCUMENT_S, accept="application/json", redirects=0)
    try:
        data = json.loads(found.body)
    except (ValueError, RecursionError) as error:
        raise ValidationError("It is not JSON.") from error
    if not isinstance(data, dict) or data.get("client_id") != url:
        raise ValidationError("It does not name itself as its client_id.")
    if "client_secret" in data or data.get("token_endpoint_auth_method", "none") not in {"none", "private_key_jwt"}:
        raise ValidationError("It asks for a secret, which such a program cannot have.")
    return data


def _forget_unused() -> None:
    """Anybody may register: what nobody used makes room."""
    stale = OAuthClient.objects.filter(last_used_at=None, created_at__lt=now() - KEPT_UNUSED).order_by("created_at")
    OAuthClient.objects.filter(pk__in=list(stale.values_list("pk", flat=True)[:SWEPT_AT_ONCE])).delete()


def _facts(data: Mapping[str, Any]) -> tuple[list[str], str, str]:
    return _clean_uris(data.get("redirect_uris")), _clean_name(data), _clean_page(data.get("client_uri"))


def _clean_uris(uris: object) -> list[str]:
    if not isinstance(uris, list) or not 0 < len(uris) <= MAX_URIS:
        raise BadRedirects(f"redirect_uris: a list of 1 to {MAX_URIS} addresses.")
    try:
        return [check_redirect_uri(uri) for uri in uris]
    except ValidationError as error:
        raise BadRedirects(error.messages) from error


def _clean_name(data: Mapping[str, Any]) -> str:
    name = data.get("client_name", "")
    if not isinstance(name, str):
        raise ValidationError("client_name: a text.")
    # Marks that turn or hide letters would let a program wear another's name.
    plain = "".join(char for char in storable(name) if char.isprintable())
    return one_line(plain).strip()[:MAX_NAME] or "A program"


def _clean_page(uri: object) -> str:
    usable = isinstance(uri, str) and len(uri) <= MAX_ID and uri.startswith("https://") and uri.isprintable()
    return str(uri) if usable else ""
