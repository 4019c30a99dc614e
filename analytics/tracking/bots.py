"""Who follows a link without being a person. Bots are counted apart and never thrown away."""

import ipaddress
import re
from datetime import datetime, timedelta
from functools import lru_cache

from django.conf import settings
from django.http import HttpRequest

from analytics.tracking.visitors import address_of

AGENT, HEAD, PREFETCH, EARLY, RANGE = "agent", "head", "prefetch", "early", "range"
# Readers of previews come within moments of a post; people take longer to read it.
EARLY_FOR = timedelta(seconds=3)
NAMES = re.compile(
    # Not the phones of Cubot, and not the browsers inside the apps of networks.
    r"(?<!cu)bot\b|bot[/_-]|crawl|spider|slurp|scan|preview|fetch|monitor|check|archiver|facebookexternalhit|"
    r"facebookcatalog|^whatsapp|skypeuripreview|slack-img|embedly|vkshare|quora link|outbrain|w3c_|"
    r"lighthouse|headless|phantomjs|selenium|puppeteer|playwright|python|curl/|wget|httpie|libwww|okhttp|axios|"
    r"go-http|java/|apache-http|node-fetch|undici|guzzle|ruby|perl|scrapy|postman|insomnia|rostrum|yahoo! |"
    r"google-|googleother|apis-google|mediapartners|bingpreview|chatgpt|gptbot|claude|bytespider|"
    r"uptime|pingdom|statuscake|newrelic|datadog|zgrab|masscan|nmap|expanse|semrush|ahrefs|mj12|dataprovider",
    re.IGNORECASE,
)
PREFETCH_HEADERS = ("Purpose", "Sec-Purpose", "X-Purpose", "X-Moz")
PREFETCH_WORDS = ("prefetch", "preview", "prerender")


def why_bot(request: HttpRequest, *, published_at: datetime | None = None, at: datetime | None = None) -> str:
    """The first reason to take the visitor for a program; empty for a person."""
    if request.method == "HEAD":
        return HEAD
    if is_prefetch(request):
        return PREFETCH
    agent = request.headers.get("User-Agent", "")
    # Every browser says which language its person reads; programs that borrow a browser's name forget to.
    if not agent or NAMES.search(agent) or "Accept-Language" not in request.headers:
        return AGENT
    if _is_in_range(address_of(request)):
        return RANGE
    if published_at and at and published_at <= at < published_at + EARLY_FOR:
        return EARLY
    return ""


def is_prefetch(request: HttpRequest) -> bool:
    said = " ".join(request.headers.get(name, "") for name in PREFETCH_HEADERS).lower()
    return any(word in said for word in PREFETCH_WORDS)


def _is_in_range(address: str) -> bool:
    networks = _networks(tuple(settings.BOT_CIDRS))
    if not networks or not address:
        return False
    found = ipaddress.ip_address(address)
    return any(found in network for network in networks)


@lru_cache(maxsize=4)
def _networks(texts: tuple[str, ...]) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    return [ipaddress.ip_network(text, strict=False) for text in texts]
