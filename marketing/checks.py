"""What must hold before the product may run. HTTPS=1 means production."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.db import connections

from agents.llm import catalogue
from lib.crypto import KeyRing, parse_keys
from lib.http import CONNECT_TIMEOUT_S
from lib.public_http import allowed_networks

INSECURE_SECRET_KEY = "insecure-development-key-change-me"  # noqa: S105
INSECURE_FIELD_KEY = b"insecure-development-key-change!"
X_HOSTS = {"api.x.com", "api.twitter.com"}
SHOWN_ONLY = {
    "django.core.mail.backends.console.EmailBackend",
    "django.core.mail.backends.dummy.EmailBackend",
    "django.core.mail.backends.locmem.EmailBackend",
}


@register(Tags.database)
def check_database_role(databases: Sequence[str] | None = None, **_kwargs: Any) -> list[CheckMessage]:
    return [error for alias in databases or () for error in _role_errors(alias)]


def _role_errors(alias: str) -> list[CheckMessage]:
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user")
        name, is_super, bypasses = cursor.fetchone()
    if not is_super and not bypasses:
        return []
    why = "is a superuser" if is_super else "has BYPASSRLS"
    return [
        Error(
            f"The database role {name} {why}: row-level security does not bind it, and tenants see each other's rows.",
            hint="CREATE ROLE app LOGIN NOSUPERUSER NOBYPASSRLS, make it the owner, and name it in DATABASE_URL.",
            id="rostrum.E001",
        )
    ]


@register(Tags.security)
def check_secret_key(**_kwargs: Any) -> list[CheckMessage]:
    if not settings.HTTPS or settings.SECRET_KEY != INSECURE_SECRET_KEY:
        return []
    return [
        Error(
            "SECRET_KEY is the one of the source code: anybody can sign sessions and tokens with it.",
            hint='Set it to the output of: python -c "import secrets; print(secrets.token_urlsafe(50))"',
            id="rostrum.E002",
        )
    ]


@register(Tags.security)
def check_field_keys(**_kwargs: Any) -> list[CheckMessage]:
    hint = (
        "A key is 32 random bytes in base64: "
        'python -c "import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())"'
    )
    try:
        keys = parse_keys(settings.FIELD_KEYS)
        KeyRing(keys)
    except ImproperlyConfigured as error:
        return [Error(str(error), hint=hint, id="rostrum.E004")]
    if settings.HTTPS and INSECURE_FIELD_KEY in keys:
        return [Error("FIELD_KEYS holds the key of the source code.", hint=hint, id="rostrum.E003")]
    return []


@register(Tags.security)
def check_base_url(**_kwargs: Any) -> list[CheckMessage]:
    if not settings.HTTPS or settings.BASE_URL.startswith("https://"):
        return []
    return [
        Error(
            f"HTTPS is on, but BASE_URL is {settings.BASE_URL}: links in mails and the return from X would go there.",
            hint="Set BASE_URL to the https:// address that people type.",
            id="rostrum.E005",
        )
    ]


@register(Tags.security)
def check_debug(**_kwargs: Any) -> list[CheckMessage]:
    if not (settings.HTTPS and settings.DEBUG):
        return []
    return [
        Error(
            "DEBUG is on in production: error pages show source code and settings.",
            hint="Remove DEBUG from the environment.",
            id="rostrum.E006",
        )
    ]


@register(Tags.security)
def check_x_address(**_kwargs: Any) -> list[CheckMessage]:
    address = urlsplit(settings.X_API_BASE_URL)
    if not settings.HTTPS or (address.scheme == "https" and address.hostname in X_HOSTS):
        return []
    return [
        Error(
            f"X_API_BASE_URL is {settings.X_API_BASE_URL}: in production, posts and tokens would go to a sandbox.",
            hint="Remove X_API_BASE_URL, X_AUTHORIZE_URL and X_WEB_BASE_URL from the environment.",
            id="rostrum.E007",
        )
    ]


@register(Tags.security)
def check_mail(**_kwargs: Any) -> list[CheckMessage]:
    if not settings.HTTPS or settings.EMAIL_BACKEND not in SHOWN_ONLY:
        return []
    return [
        Warning(
            "EMAIL_BACKEND sends nothing: invitations and password resets reach nobody.",
            hint="Set EMAIL_BACKEND=django.core.mail.backends.smtp.EmailBackend and EMAIL_HOST.",
            id="rostrum.W001",
        )
    ]


@register()
def check_lease(**_kwargs: Any) -> list[CheckMessage]:
    """A worker gives a call up when it cannot end within the lease: with a short one nothing is ever sent."""
    timeouts = {"X_TIMEOUT_S": settings.X_TIMEOUT_S, "TELEGRAM_TIMEOUT_S": settings.TELEGRAM_TIMEOUT_S}
    name = max(timeouts, key=lambda name: timeouts[name])
    if timeouts[name] + CONNECT_TIMEOUT_S < settings.LEASE_S:
        return []
    hint = f"LEASE_S must be more than {name} + {CONNECT_TIMEOUT_S:g}; twice as much is a good choice."
    return [Error("LEASE_S is too short for one call.", hint=hint, id="rostrum.E008")]


@register(Tags.security)
def check_outbound_networks(**_kwargs: Any) -> list[CheckMessage]:
    try:
        networks = allowed_networks()
    except ValueError as error:
        hint = "Write networks such as 10.1.0.0/16, separated by commas."
        return [Error(f"OUTBOUND_ALLOW_CIDRS cannot be read: {error}.", hint=hint, id="rostrum.E009")]
    if not (settings.HTTPS and networks):
        return []
    return [
        Error(
            "OUTBOUND_ALLOW_CIDRS is set in production: whoever adds a feed could read your own networks.",
            hint="Remove OUTBOUND_ALLOW_CIDRS from the environment.",
            id="rostrum.E010",
        )
    ]


@register()
def check_models_file(**_kwargs: Any) -> list[CheckMessage]:
    if not (problem := catalogue.problem()):
        return []
    hint = "agents/models.yaml shows the form; without MODELS_FILE it is the file that counts."
    return [Error(f"MODELS_FILE cannot be used: {problem}", hint=hint, id="rostrum.E011")]
