"""Everything the platforms share: one store, one clock, one folder, one stop signal."""

import shutil
import threading
from dataclasses import dataclass, field
from pathlib import Path

from sandbox import clock, faults, ledger
from sandbox.clock import Clock
from sandbox.store import Store

SHARED_SCHEMA = clock.SCHEMA + ledger.SCHEMA + faults.SCHEMA


class News:
    """Wakes those who wait for something to happen."""

    def __init__(self) -> None:
        self.count = 0
        self._changed = threading.Condition()

    def tell(self) -> None:
        with self._changed:
            self.count += 1
            self._changed.notify_all()

    def wait(self, seen: int, seconds: float) -> None:
        """Returns at once when something was told since `count` was `seen`."""
        with self._changed:
            self._changed.wait_for(lambda: self.count != seen, seconds)


@dataclass
class World:
    store: Store
    clock: Clock
    data_dir: Path
    seed: int = 1
    stopping: threading.Event = field(default_factory=threading.Event)
    news: News = field(default_factory=News)

    @property
    def media_dir(self) -> Path:
        return self.data_dir / "media"

    def forget_everything(self) -> None:
        self.store.clear()
        self.clock.restart()
        shutil.rmtree(self.media_dir, ignore_errors=True)
        self.news.tell()


def open_world(data_dir: Path, platform_schemas: list[str], seed: int = 1) -> World:
    data_dir.mkdir(parents=True, exist_ok=True)
    store = Store(data_dir / "sandbox.sqlite3", SHARED_SCHEMA + "".join(platform_schemas))
    return World(store, Clock(store.db), data_dir, seed)
