from typing import Any, cast

from redis import RedisError
from rest_framework.exceptions import APIException
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
        try:
            allowed = super().allow_request(request, view)
        except RedisError:
            return self.allow_uncounted()
        remaining = max(0, (self.num_requests or 0) - len(self.history)) if allowed else 0
        reset = self.duration - (self.now - self.history[-1]) if self.history else self.duration
        cast(Any, request._request).rate_limit = (self.num_requests, remaining, max(0, round(reset)))
        return allowed

    def allow_uncounted(self) -> bool:
        """While Redis is away. The limits of the workspace, which the database counts, still hold."""
        return True


class Uncounted(APIException):
    status_code = 503
    default_code = "unavailable"
    default_detail = "Log-ins cannot be counted at the moment. Try again soon."


class AuthThrottle(CallerThrottle):
    """Log-in and registration: by address, whoever the caller says to be."""

    scope = "auth"

    def get_cache_key(self, request: Request, view: object) -> str:
        return self.cache_format % {"scope": self.scope, "ident": self.get_ident(request)}

    def allow_uncounted(self) -> bool:
        """Nobody guesses passwords meanwhile."""
        raise Uncounted
