"""Short links are answered before sessions, hosts and logs are looked at."""

import re
from collections.abc import Callable
from functools import lru_cache
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port, validate_host

from analytics.tracking import domains, redirect

OURS = re.compile(r"/l/([A-Za-z0-9_-]{1,64})/?")
THEIRS = re.compile(r"/([A-Za-z0-9_-]{1,64})/?")
PROOF = re.compile(r"/\.well-known/rostrum/([A-Za-z0-9_-]{10,64})")


class ShortLinkMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        path, host = request.path_info, ""
        if path.startswith("/.well-known/rostrum/") and (match := PROOF.fullmatch(path)):
            return domains.prove(match[1])
        match = OURS.fullmatch(path) if path.startswith("/l/") else None
        if match is None and not is_ours(name := host_of(request)):
            match, host = THEIRS.fullmatch(path), name
        if match is None:
            return self.get_response(request)
        answer = redirect.follow(request, match[1].lower(), host)
        # Where every name may be ours, what is no link may be a page of ours.
        if host and "*" in settings.ALLOWED_HOSTS and answer.status_code in {404, 405}:
            return self.get_response(request)
        return answer


def host_of(request: HttpRequest) -> str:
    """As it was sent: Django refuses hosts that it does not know, and a workspace's domain is one."""
    return split_domain_port(request.META.get("HTTP_HOST") or request.META.get("SERVER_NAME", ""))[0]


def is_ours(host: str) -> bool:
    return not host or validate_host(host, _own_hosts(settings.BASE_URL, tuple(settings.ALLOWED_HOSTS), settings.DEBUG))


@lru_cache(maxsize=8)
def _own_hosts(base_url: str, allowed: tuple[str, ...], is_debug: bool) -> list[str]:
    """Where everything is allowed, only the name in BASE_URL is surely ours."""
    debug = [".localhost", "127.0.0.1", "[::1]"] if is_debug and not allowed else []
    return [urlsplit(base_url).hostname or "", *debug, *(host for host in allowed if host != "*")]
