"""Telling the product of a conversion, by a pixel in the person's browser or from the shop's server."""

import http.client
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from sandbox.visitors.browser import Browser, OffLimits, encoded
from sandbox.visitors.manners import Telling

_PLACE = re.compile(r"\{(\w+)\}")
_ERRORS = (OSError, http.client.HTTPException, OffLimits, ValueError)


def variant_of(url: str) -> str | None:
    """The variant a landing page's address shows; None where the address is no landing page."""
    parts = urlsplit(url)
    found = re.fullmatch(r"/_sandbox/landing/([^/]+)", parts.path)
    query = dict(parse_qsl(parts.query))
    return (query.get("variant") or query.get("v") or found[1]) if found else None


def landing_of(url: str) -> str:
    return urlsplit(url).path.rpartition("/")[2]


def query_of(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))


def tell(telling: Telling, browser: Browser, facts: Mapping[str, Any], times: int) -> list[tuple[str, str | None]]:
    """(pixel or server, what went wrong) of every call that was made."""
    made = []
    for _ in range(times):
        if telling.pixel:
            url = fill_address(telling.pixel, facts)
            made.append(("pixel", _call(browser, url, "GET", {"Referer": encoded(str(facts["url"]))}, None)))
        if telling.server:
            made.append(("server", _call_server(telling.server, browser.hosts, facts)))
    return made


def _call_server(server: dict[str, Any], hosts: Mapping[str, str], facts: Mapping[str, Any]) -> str | None:
    shop = Browser("Shop/2.4", "127.0.0.1", keeps_cookies=False, hosts=hosts)
    headers = {name: str(fill(value, facts)) for name, value in server.get("headers", {}).items()}
    body = json.dumps(fill(server["json"], facts)).encode() if "json" in server else None
    if body is not None:
        headers = {"Content-Type": "application/json", **headers}
    return _call(shop, fill_address(server["url"], facts), server.get("method", "POST"), headers, body)


def _call(browser: Browser, url: str, method: str, headers: Mapping[str, str], body: bytes | None) -> str | None:
    try:
        answer = browser.open(url, method, headers, body)
    except _ERRORS as error:
        return type(error).__name__
    return None if answer.status < 400 else str(answer.status)


def fill(template: Any, facts: Mapping[str, Any]) -> Any:
    """A template of JSON, filled in; a string that is nothing but {value} becomes the number."""
    if isinstance(template, dict):
        return {name: fill(value, facts) for name, value in template.items()}
    if isinstance(template, list):
        return [fill(value, facts) for value in template]
    if not isinstance(template, str):
        return template
    if template == "{value}":
        return facts["value"]
    return _PLACE.sub(lambda place: str(facts.get(place[1], "")), template)


def fill_address(template: str, facts: Mapping[str, Any]) -> str:
    return _PLACE.sub(lambda place: quote(str(facts.get(place[1], "")), safe=""), template)
