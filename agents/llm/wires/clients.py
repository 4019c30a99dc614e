"""The SDKs' clients: loaded when first needed (they are heavy), kept for each address and key of a process."""

import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from agents.llm.routes import Route

if TYPE_CHECKING:
    import anthropic
    import openai

KEPT = 64
_lock = threading.Lock()
_clients: OrderedDict[tuple[Any, ...], Any] = OrderedDict()


def anthropic_client(route: Route) -> "anthropic.Anthropic":
    return _kept("anthropic", route, _open_anthropic)


def openai_client(route: Route) -> "openai.OpenAI":
    return _kept("openai", route, _open_openai)


def _open_anthropic(route: Route) -> "anthropic.Anthropic":
    import anthropic

    from lib.http_sdk import open_client

    return anthropic.Anthropic(
        api_key=route.key,
        base_url=route.base_url,
        max_retries=0,
        http_client=open_client(only_public=route.only_public),
    )


def _open_openai(route: Route) -> "openai.OpenAI":
    import openai

    from lib.http_sdk import open_client

    client = openai.OpenAI(
        api_key=route.key,
        base_url=route.base_url,
        max_retries=0,
        http_client=open_client(only_public=route.only_public),
    )
    # Not from the environment: a workspace's key has nothing to do with our organization.
    client.organization = client.project = None
    return client


def _kept(kind: str, route: Route, build: Callable[[Route], Any]) -> Any:
    # A process that was forked must not talk through its parent's sockets.
    name = (os.getpid(), kind, route.base_url, route.key_digest, route.only_public)
    with _lock:
        client = _clients.pop(name, None) or build(route)
        _clients[name] = client
        while len(_clients) > KEPT:
            _clients.popitem(last=False)
    return client
