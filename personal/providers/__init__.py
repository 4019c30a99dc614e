"""Who is asked about which kind of value."""

from personal.models import WatchKind
from personal.providers.data import DataProvider
from personal.providers.port import Provider, ProviderError, Reading, Trouble
from personal.providers.x import XProvider

__all__ = ["PROVIDERS", "ProviderError", "Reading", "Trouble", "kinds_of", "provider_of", "why_not"]

X = XProvider()
PROVIDERS: dict[str, Provider] = {WatchKind.ACCOUNT: X, WatchKind.KEYWORD: X, WatchKind.SYMBOL: DataProvider()}


def provider_of(kind: str) -> Provider:
    return PROVIDERS[kind]


def kinds_of(provider: Provider) -> list[str]:
    return [str(kind) for kind, one in PROVIDERS.items() if one is provider]


def why_not(kind: str) -> str:
    """Why nobody can watch this kind here; empty where they can."""
    return provider_of(kind).why_not()
