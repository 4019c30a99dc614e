"""How much one server, and one workspace, may ask of us; and who is first when time runs out."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

from accounts import rate
from accounts.rate import Limit
from integrations.mcp.errors import CallFailed, Failure
from integrations.models import McpServer

MINUTE = timedelta(minutes=1)
# All servers of a workspace together.
WORKSPACE_PER_MINUTE = 1200
# Lists and the like, per server: they cost little, and clients ask for them without being told to.
QUESTIONS_PER_MINUTE = 600
# Of one server in one process, which has only so many threads.
CALLS_AT_ONCE = 4
RESULT_BYTES = 256 * 1024
BODY_BYTES = 1024 * 1024
TIMEOUT_S = 30.0
TOO_LONG = Failure("timeout", f"This took longer than {TIMEOUT_S:.0f} s. It was stopped, and nothing was changed.")
TOO_LARGE = Failure("too_large", f"The answer has more than {RESULT_BYTES // 1024} KB. Ask for less at once.")


def take_call(server: McpServer) -> None:
    """Outside of any transaction: nobody waits for the rows while the call is at work. Raises RateLimited."""
    pace = server.calls_per_minute
    rate.require(
        Limit(("mcp", server.pk), pace, MINUTE, burst=pace),
        Limit(("mcp-workspace", server.workspace_id), WORKSPACE_PER_MINUTE, MINUTE, burst=WORKSPACE_PER_MINUTE),
        text="This server is called too often.",
    )


def take_question(server: McpServer) -> None:
    """What is no call. Raises RateLimited."""
    limit = Limit(("mcp-questions", server.pk), QUESTIONS_PER_MINUTE, MINUTE, burst=QUESTIONS_PER_MINUTE)
    rate.require(limit, text="This server is asked too much at once.")


class Places:
    """The calls at work in this process; a server that is idle leaves nothing here. For the event loop only."""

    def __init__(self) -> None:
        self.taken: Counter[UUID] = Counter()

    @contextmanager
    def one(self, server: McpServer) -> Iterator[None]:
        """Raises CallFailed."""
        if self.taken[server.pk] >= CALLS_AT_ONCE:
            text = f"{CALLS_AT_ONCE} calls of this server are at work. Wait for one of them to end."
            raise CallFailed(Failure("busy", text, retry_after_s=1.0))
        self.taken[server.pk] += 1
        try:
            yield
        finally:
            self.taken[server.pk] -= 1
            if not self.taken[server.pk]:
                del self.taken[server.pk]


class Deadline:
    """Who is first: the work with its commit, or the client that is told that it took too long."""

    def __init__(self, seconds: float = TIMEOUT_S) -> None:
        self.at = time.monotonic() + seconds
        self._lock = threading.Lock()
        self._decided = ""

    @property
    def left_s(self) -> float:
        return max(0.0, self.at - time.monotonic())

    def require_commit(self) -> None:
        """Asked by the work, last in its transaction. Raises CallFailed: roll back."""
        if self._decide("commit") != "commit":
            raise CallFailed(TOO_LONG)

    def gives_up(self) -> bool:
        """Asked when the time is over. False: the answer is about to come."""
        return self._decide("give up") == "give up"

    def _decide(self, wish: str) -> str:
        with self._lock:
            self._decided = self._decided or wish
            return self._decided
