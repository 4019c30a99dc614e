"""A storm: many deliveries, faulty networks; workers, the scheduler and the stores killed all the time. Then count
what is really there.

Runs inside a throwaway stack (`manage.py storm` starts it); never against a database it did not start.
"""

import random
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import redis
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from redis.exceptions import RedisError

from accounts.scope import all_workspaces_scope
from campaigns.models import Delivery, LivePart
from marketing.stack import kill_store
from marketing.storming.crowd import Crowd
from marketing.storming.faults import FAULTS, PARAMS
from marketing.storming.fleet import Fleet

State = Delivery.State
DONE = {State.PUBLISHED, State.FAILED, State.CANCELED, State.MISSED}
# After so many kills of workers each of these happens once, and again so many later.
AFTER_KILLS = {"flush": (2, 12), "scheduler": (3, 7), "valkey": (4, 10), "postgres": (6, 14)}


@dataclass
class Storm:
    deliveries: int
    crowd: Crowd
    kills: int = 0
    flushes: int = 0
    scheduler_kills: int = 0
    redis_kills: int = 0
    postgres_kills: int = 0

    def run(self, timeout_s: float) -> dict[str, Any]:
        rng = random.Random(self.crowd.seed)  # noqa: S311 (repeatable, not secret)
        self.crowd.prepare(self.deliveries, rng)
        self.order_faults()
        fleet = Fleet()
        started = time.monotonic()
        try:
            self.rage(fleet, rng, started + timeout_s)
        finally:
            fleet.stop()
        return self.count() | {"seconds": round(time.monotonic() - started, 1)}

    def order_faults(self) -> None:
        for platform in self.crowd.networks:
            for number, (route, probabilities) in enumerate(FAULTS[platform].items()):
                seed = self.crowd.seed * 10 + number
                order = {"platform": platform, "route": route, "seed": seed, "probabilities": probabilities}
                self.crowd.admin("POST", "faults", order | {"params": PARAMS})

    def rage(self, fleet: Fleet, rng: random.Random, deadline: float) -> None:
        next_kill = time.monotonic() + rng.uniform(3, 6)
        while time.monotonic() < deadline and self.left():
            time.sleep(0.5)
            fleet.revive()
            # The database may be away this moment: then it is the next round that looks.
            with suppress(DatabaseError):
                self.crowd.heal()
            if time.monotonic() < next_kill:
                continue
            self.kills += (killed := fleet.kill_one(rng))
            if killed:
                self.kill_more(fleet)
            next_kill = time.monotonic() + rng.uniform(3, 6)

    def kill_more(self, fleet: Fleet) -> None:
        due = {name for name, (first, every) in AFTER_KILLS.items() if (self.kills - first) % every == 0}
        if "flush" in due:
            # Everything Celery knew is gone: queues, schedules, unacknowledged messages.
            with suppress(RedisError):
                redis.Redis.from_url(settings.REDIS_URL).flushall()
                self.flushes += 1
        if "scheduler" in due:
            fleet.kill_scheduler()
            self.scheduler_kills += 1
        if "valkey" in due and self.kills >= AFTER_KILLS["valkey"][0]:
            self.redis_kills += kill_store("valkey")
        if "postgres" in due and self.kills >= AFTER_KILLS["postgres"][0]:
            self.postgres_kills += kill_store("postgres")
            connection.close()

    def left(self) -> int:
        """What the engine still has to do. What waits for a person does not count."""
        try:
            with all_workspaces_scope("count what is left"):
                return Delivery.objects.exclude(state__in=DONE).exclude(state=State.UNCONFIRMED, due_at=None).count()
        except DatabaseError:
            connection.close()
            return 1

    def count(self) -> dict[str, Any]:
        with all_workspaces_scope("count the result"):
            states = dict(Delivery.objects.values_list("pk", "state"))
            failures = Counter(Delivery.objects.filter(state=State.FAILED).values_list("problem_code", flat=True))
            receipts = set(LivePart.objects.values_list("delivery", "position"))
            waiting = Delivery.objects.filter(state=State.UNCONFIRMED, due_at=None).count()
        posted = Counter(self.crowd.posted())
        texts = self.crowd.texts
        missing = [pk for pk, said in texts.items() if states[pk] == State.PUBLISHED and not all(map(posted.get, said))]
        unfinished = [pk for pk, state in states.items() if state not in DONE | {State.UNCONFIRMED}]
        # Final, and yet something of it is live without a receipt: a lie.
        denied = [
            pk
            for pk, said in texts.items()
            if states[pk] in DONE and any(posted[text] and (pk, at) not in receipts for at, text in enumerate(said))
        ]
        wanted = {text for said in texts.values() for text in said}
        totals = Counter(states.values())
        return {
            "deliveries": len(states),
            "published": totals[State.PUBLISHED],
            "unconfirmed": totals[State.UNCONFIRMED],
            "waiting_for_a_person": waiting,
            "failed": totals[State.FAILED],
            "failures": dict(failures),
            "lost": len(missing) + len(unfinished),
            "doubled": sum(count - 1 for text, count in posted.items() if text in wanted and count > 1),
            "denied": len(denied),
            "foreign": sum(count for text, count in posted.items() if text not in wanted),
            "kills": self.kills,
            "scheduler_kills": self.scheduler_kills,
            "redis_kills": self.redis_kills,
            "postgres_kills": self.postgres_kills,
            "flushes": self.flushes,
            "reconnects": self.crowd.heals,
        }
