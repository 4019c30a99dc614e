"""Wrong tokens, by address: each costs a look at the database, and nobody guesses for ever.

Good tokens are never counted, and those that opened here lately go on past a colleague's wrong ones.
"""

from contextvars import ContextVar
from datetime import datetime, timedelta

from starlette.datastructures import Headers
from starlette.types import Scope

from accounts import rate
from accounts.rate import Limit
from integrations.mcp.threads import look
from lib.addresses import client_address, network_of
from lib.clock import now

PER_MINUTE = 60
MOST_REMEMBERED = 10_000
# Of the request at hand; the SDK hands on its token alone.
ADDRESS: ContextVar[str] = ContextVar("mcp_address", default="")


class TooManyFailures(Exception):
    """The address has to wait."""

    def __init__(self, retry_after_s: float) -> None:
        super().__init__(f"Too many wrong tokens from this address. Try again in {rate.in_words(retry_after_s)}.")
        self.retry_after_s = retry_after_s


class Failures:
    """What one process remembers, so that who is shut out costs nothing. For the event loop only."""

    def __init__(self) -> None:
        self.shut_until: dict[str, datetime] = {}
        # Hashes of tokens, the latest last.
        self.opened: dict[int, None] = {}

    def check(self, token: str) -> None:
        """Raises TooManyFailures."""
        until = self.shut_until.get(ADDRESS.get())
        if until is None or hash(token) in self.opened:
            return
        if (wait := (until - now()).total_seconds()) > 0:
            raise TooManyFailures(wait)

    def note_good(self, token: str) -> None:
        self.opened.pop(hash(token), None)
        self.opened[hash(token)] = None
        if len(self.opened) > MOST_REMEMBERED:
            del self.opened[next(iter(self.opened))]

    async def note_bad(self, token: str) -> None:
        self.opened.pop(hash(token), None)
        address = ADDRESS.get()
        taken = await look(rate.take, failure_limit(address))
        if not taken.ok:
            self.shut_out(address, taken.retry_after_s)

    def shut_out(self, address: str, seconds: float) -> None:
        if len(self.shut_until) >= MOST_REMEMBERED:
            self.shut_until = {one: until for one, until in self.shut_until.items() if until > now()}
        self.shut_until[address] = now() + timedelta(seconds=seconds)


def failure_limit(address: str) -> Limit:
    return Limit(("mcp-failures", address), PER_MINUTE, timedelta(minutes=1), burst=PER_MINUTE)


def address_of(scope: Scope) -> str:
    """Of IPv6 the network: a household has 2**64 addresses."""
    forwarded = ",".join(Headers(scope=scope).getlist("x-forwarded-for"))
    address = client_address(forwarded, (scope.get("client") or ("",))[0])
    return network_of(address, v4_bits=32, v6_bits=64)
