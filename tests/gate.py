"""The door of the live server. Once closed, no request of a page that is gone reaches the database."""

from collections.abc import Callable, Iterable, Iterator
from threading import Condition
from typing import Any

WSGI = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Gate:
    """A WSGI application before another that counts who is inside."""

    def __init__(self, app: WSGI) -> None:
        self.app = app
        self.changed = Condition()
        self.is_open = True
        self.inside = 0

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        with self.changed:
            if not self.is_open:
                start_response("503 Service Unavailable", [("Content-Length", "0")])
                return []
            self.inside += 1
        try:
            return Passing(self.app(environ, start_response), self.leave)
        except BaseException:
            self.leave()
            raise

    def leave(self) -> None:
        with self.changed:
            self.inside -= 1
            self.changed.notify_all()

    def open(self) -> None:
        with self.changed:
            self.is_open = True

    def close(self, timeout_s: float = 30) -> None:
        """Wait until everybody is out. Raises AssertionError where somebody stays."""
        with self.changed:
            self.is_open = False
            assert self.changed.wait_for(lambda: not self.inside, timeout_s), f"{self.inside} requests never ended"


class Passing:
    """A response, whose end is told."""

    def __init__(self, response: Iterable[bytes], leave: Callable[[], None]) -> None:
        self.response, self.leave = response, leave

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.response)

    def close(self) -> None:
        try:
            if close := getattr(self.response, "close", None):
                close()
        finally:
            self.leave()
