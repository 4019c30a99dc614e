"""The database from the event loop: a few threads that keep their connections, as many as may be at work at once."""

import asyncio
import contextvars
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import close_old_connections, connections

P = ParamSpec("P")
T = TypeVar("T")
CALLING, LOOKING = 16, 4
CALLS = ThreadPoolExecutor(CALLING, thread_name_prefix="mcp-call")
# Of their own, so that long calls keep nobody waiting at the door.
LOOKS = ThreadPoolExecutor(LOOKING, thread_name_prefix="mcp-look")


def start(pool: ThreadPoolExecutor, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> "asyncio.Future[T]":
    """From the event loop. Whoever stops waiting leaves work that has begun to its end."""
    context = contextvars.copy_context()

    def tended() -> T:
        # As Django does around a request.
        close_old_connections()
        return context.run(work, *args, **kwargs)

    return asyncio.get_running_loop().run_in_executor(pool, tended)


async def look(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """One short question."""
    return await start(LOOKS, work, *args, **kwargs)


def close_connections() -> None:
    """Of all these threads, at the end. A connection can only be closed by its own thread."""
    for pool, size in ((CALLS, CALLING), (LOOKS, LOOKING)):
        # All wait for the last one, so that none does it twice.
        together = threading.Barrier(size)
        for done in [pool.submit(_close, together) for _ in range(size)]:
            done.result()


def _close(together: threading.Barrier) -> None:
    together.wait()
    connections.close_all()
