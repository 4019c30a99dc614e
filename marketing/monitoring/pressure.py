"""What is safe to do less of while there is too much to do: optional tasks wait, and pages ask less often."""

import time
from dataclasses import dataclass

import structlog
from celery import Task
from django.core.cache import cache
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)
KEY = "performance:pressure"
CALM, BUSY, OVERLOADED = 0, 1, 2
# Seconds between two looks of a page that waits for something.
POLL_S = {CALM: 2, BUSY: 6, OVERLOADED: 15}
# It ends by itself when nobody says it again.
HOLDS_S = 180
REMEMBERED_S = 2.0
# Whoever wants these later loses nothing but time; publishing, reviews and privacy are never among them.
OPTIONAL = {
    BUSY: frozenset(
        {
            "agents.score_runs",
            "agents.run_replays",
            "agents.export_traces",
            "agents.start_consolidations",
            "analytics.read_accounts",
        }
    )
}
OPTIONAL[OVERLOADED] = OPTIONAL[BUSY] | {
    "agents.read_documents",
    "analytics.make_reports",
    "analytics.measure_posts",
    "campaigns.rescan_sources",
}


@dataclass
class Seen:
    """What this process was told last, and when."""

    level: int = CALM
    at: float = -REMEMBERED_S


SEEN = Seen()


def level() -> int:
    """Remembered for a moment in each process. Without Redis: calm."""
    if time.monotonic() - SEEN.at >= REMEMBERED_S:
        try:
            SEEN.level = int(cache.get(KEY) or CALM)
        except RedisError:
            SEEN.level = CALM
        SEEN.at = time.monotonic()
    return SEEN.level


def press(new: int) -> None:
    cache.set(KEY, new, HOLDS_S)
    SEEN.level, SEEN.at = new, time.monotonic()


def poll_s() -> int:
    return POLL_S.get(level(), POLL_S[OVERLOADED])


def is_shed(task: str) -> bool:
    return task in OPTIONAL.get(level(), frozenset())


class SheddingTask(Task):
    """Every task of ours. An optional one does nothing under pressure: beat sends it again."""

    abstract = True

    def __call__(self, *args: object, **kwargs: object) -> object:
        if is_shed(self.name):
            log.info("task_shed", task=self.name)
            return None
        return super().__call__(*args, **kwargs)
