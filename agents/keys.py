"""A workspace's own keys at the providers of models. The secret goes in and never comes out."""

from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.http import Http404

from accounts import audit
from accounts.access import Actor, Perm
from agents.llm import catalogue
from agents.llm.catalogue import CatalogueError
from agents.llm.routes import COMPATIBLE
from agents.models import ProviderKey
from lib.public_http import FetchError, check_public

KEYS = 20
SECRET_CHARACTERS = 400
HINT = 4


def providers() -> list[tuple[str, str]]:
    """(name, label) of those for which a workspace may bring a key. Raises ValidationError."""
    try:
        found = catalogue.current().providers.values()
    except CatalogueError as error:
        raise ValidationError("The list of providers cannot be read at the moment.") from error
    return [(one.name, one.label) for one in found if not one.is_sandbox]


def keys_of(by: Actor) -> QuerySet[ProviderKey]:
    by.require(Perm.SETTINGS)
    return ProviderKey.objects.filter(workspace=by.workspace)


def get_key(by: Actor, key_id: UUID) -> ProviderKey:
    key = keys_of(by).filter(pk=key_id).first()
    if key is None:
        raise Http404("No such key.")
    return key


def add_key(provider: str, name: str, secret: str, *, by: Actor, base_url: str = "") -> ProviderKey:
    """Raises ValidationError with what to change, by field."""
    by.require(Perm.SETTINGS)
    key = ProviderKey(
        workspace=by.workspace,
        provider=provider,
        name=name.strip(),
        base_url=base_url.strip().rstrip("/"),
        secret=secret.strip(),
        created_by=by.user,
    )
    _check(key)
    key.hint = key.secret[-HINT:] if len(key.secret) >= 4 * HINT else ""
    with transaction.atomic():
        if ProviderKey.objects.filter(workspace=by.workspace).count() >= KEYS:
            raise ValidationError(f"A workspace has at most {KEYS} keys. Remove one that is not used.")
        _insert(key)
        audit.record("provider_key.create", key, by=by, provider=provider, name=key.name)
    return key


def _insert(key: ProviderKey) -> None:
    try:
        with transaction.atomic():
            key.save(force_insert=True)
    except IntegrityError as error:
        raise ValidationError({"name": "There is a key of this name already."}) from error


def _check(key: ProviderKey) -> None:
    problems = {}
    if key.provider not in dict(providers()):
        problems["provider"] = "Choose one of the providers."
    # It stands between colons where a model is named.
    if not key.name or len(key.name) > 80 or ":" in key.name:
        problems["name"] = "Give the key a name of up to 80 characters, without a colon."
    if not key.secret or len(key.secret) > SECRET_CHARACTERS or not _is_header_text(key.secret):
        problems["secret"] = "Paste the key as the provider shows it."  # noqa: S105
    if key.provider == COMPATIBLE:
        problems |= _check_address(key.base_url)
    elif key.base_url:
        problems["base_url"] = "Only a compatible server has an address of its own."
    if problems:
        raise ValidationError(problems)


def _is_header_text(text: str) -> bool:
    return text.isascii() and text.isprintable() and " " not in text


def _check_address(url: str) -> dict[str, str]:
    if not url.startswith(("https://", "http://")) or "?" in url or "#" in url:
        return {"base_url": "Give the address that ends where /chat/completions begins, as https://host/v1."}
    try:
        check_public(url)
    except FetchError as error:
        return {"base_url": error.message}
    return {}


def remove_key(key_id: UUID, *, by: Actor) -> None:
    by.require(Perm.SETTINGS)
    with transaction.atomic():
        key = get_key(by, key_id)
        audit.record("provider_key.remove", key, by=by, provider=key.provider, name=key.name)
        key.delete()


def set_active(key_id: UUID, is_active: bool, *, by: Actor) -> ProviderKey:
    """Switched on again, it is tried again."""
    by.require(Perm.SETTINGS)
    with transaction.atomic():
        key = get_key(by, key_id)
        if key.is_active == is_active:
            return key
        key.is_active, key.problem = is_active, ""
        key.save(update_fields=["is_active", "problem"])
        audit.record("provider_key.switch", key, by=by, name=key.name, is_active=is_active)
    return key
