from typing import Any, cast

from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle


class CallerThrottle(SimpleRateThrottle):
    """Counts per API key, then per person, then per address; the answer carries RateLimit-* headers."""

    scope = "caller"
    num_requests: int | None
    duration: int

    def get_cache_key(self, request: Request, view: object) -> str:
        who = getattr(request.auth, "pk", None) or getattr(request.user, "pk", None) or self.get_ident(request)
        return self.cache_format % {"scope": self.scope, "ident": who}

    def allow_request(self, request: Request, view: Any) -> bool:
        allowed = super().allow_request(request, view)
        remaining = max(0, (self.num_requests or 0) - len(self.history)) if allowed else 0
        reset = self.duration - (self.now - self.history[-1]) if self.history else self.duration
        cast(Any, request._request).rate_limit = (self.num_requests, remaining, max(0, round(reset)))
        return allowed


class AuthThrottle(CallerThrottle):
    """Log-in and registration: by address, whoever the caller says to be."""

    scope = "auth"

    def get_cache_key(self, request: Request, view: object) -> str:
        return self.cache_format % {"scope": self.scope, "ident": self.get_ident(request)}
