"""A storm: many deliveries, a faulty network, workers killed all the time. Then count what is really there.

Runs inside a throwaway stack (`manage.py storm` starts it); never against a database it did not start.
"""

import os
import random
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import redis
import requests
from django.conf import settings

from accounts.access import Actor, actor_for
from accounts.models import Membership, Role, User, Workspace
from accounts.scope import all_workspaces_scope, workspace_scope
from accounts.services import create_workspace
from campaigns.deliveries import KIND, submit_post
from campaigns.models import Delivery
from campaigns.services import PartDraft, PostDraft, create_post
from compliance.models import Review
from compliance.services import approve_review
from lib.clock import now
from marketing.processes import kill_group, spawn
from social.models import Connection, Credential, Network

State = Delivery.State
WORKSPACES = 5
POSTS_PER_ACCOUNT = 20
THREADS = 0.15
FAULTS = {
    "POST /2/tweets": {
        "accept_then_hang": 0.05,
        "accept_then_drop": 0.05,
        "drop_before_accept": 0.04,
        "late_accept": 0.03,
        "read_lag": 0.05,
        "rate_limit": 0.02,
        "html_5xx": 0.05,
        "json_list_error": 0.02,
        "token_expired": 0.03,
        "duplicate": 0.02,
        "slow_body": 0.02,
    },
    "POST /2/oauth2/token": {"refresh_rotated_but_lost": 0.2, "html_5xx": 0.1},
    "GET /2/users/{id}/tweets": {"html_5xx": 0.05, "token_expired": 0.02, "accept_then_drop": 0.03},
}
FAULT_PARAMS = {
    "accept_then_hang": {"seconds": 6},
    "late_accept": {"seconds": 2},
    "read_lag": {"seconds": 1},
    "rate_limit": {"seconds": 5},
    "json_list_error": {"status": 503},
    "slow_body": {"seconds": 4},
}
DONE = {State.PUBLISHED, State.FAILED, State.CANCELED, State.MISSED}


@dataclass
class Storm:
    deliveries: int
    seed: int
    sandbox: str
    kills: int = 0
    flushes: int = 0
    heals: int = 0
    teams: int = 0
    texts: dict[UUID, list[str]] = field(default_factory=dict)

    def run(self, timeout_s: float) -> dict[str, Any]:
        rng = random.Random(self.seed)  # noqa: S311 (repeatable, not secret)
        self.prepare(rng)
        self.order_faults()
        fleet = Fleet()
        started = time.monotonic()
        try:
            self.rage(fleet, rng, started + timeout_s)
        finally:
            fleet.stop()
        return self.count() | {"seconds": round(time.monotonic() - started, 1)}

    # --- before ---

    def prepare(self, rng: random.Random) -> None:
        accounts = max(1, self.deliveries // POSTS_PER_ACCOUNT)
        teams = [self.team(self.next_team()) for _ in range(min(WORKSPACES, accounts))]
        connections = [self.connect(teams[n % len(teams)][0], f"storm_{n}") for n in range(accounts)]
        for number in range(self.deliveries):
            connection = connections[number % accounts]
            author, reviewer = teams[(number % accounts) % len(teams)]
            parts = rng.randint(2, 4) if rng.random() < THREADS else 1
            texts = [f"Storm {self.seed} post {number} part {part}: {rng.random()}" for part in range(parts)]
            # Longer than the time to the first kill, however few they are.
            at = now() + timedelta(seconds=rng.uniform(0, min(30, max(8, self.deliveries / 10))))
            with workspace_scope(author.workspace.pk):
                self.plan(connection, author, reviewer, texts, at)

    def prepare_calm(self) -> None:
        """For measuring: one part each, all due at once, many accounts."""
        author, reviewer = self.team(self.next_team())
        connections = [self.connect(author, f"calm_{number}") for number in range(max(1, self.deliveries // 4))]
        with workspace_scope(author.workspace.pk):
            for number in range(self.deliveries):
                text = f"Calm post {number}"
                self.plan(connections[number % len(connections)], author, reviewer, [text], now())

    def next_team(self) -> int:
        self.teams += 1
        return self.teams

    def team(self, number: int) -> tuple[Actor, Actor]:
        author = User.objects.create_user(f"author{number}@storm.test")
        reviewer = User.objects.create_user(f"reviewer{number}@storm.test")
        workspace = create_workspace(f"Storm {number}", owner=author)
        Workspace.objects.filter(pk=workspace.pk).update(four_eyes=True, late_minutes=600)
        Membership.objects.create(user=reviewer, workspace=workspace, role=Role.REVIEWER)
        members = Membership.objects.select_related("workspace", "user").filter(workspace=workspace)
        return actor_for(members.get(user=author)), actor_for(members.get(user=reviewer))

    def connect(self, by: Actor, handle: str) -> Connection:
        account = self.admin("POST", "accounts", {"handle": handle})
        with workspace_scope(by.workspace.pk):
            connection = Connection.objects.create(
                workspace=by.workspace,
                network=Network.X,
                remote_id=account["id"],
                handle=handle,
                name=handle,
                scopes=["tweet.read", "tweet.write", "users.read", "media.write", "offline.access"],
            )
            Credential.objects.create(workspace=by.workspace, connection=connection, access_token="none")  # noqa: S106
            self._give_tokens(connection)
        return connection

    def _give_tokens(self, connection: Connection) -> None:
        """What connecting again would do."""
        pair = self.admin("POST", "tokens", {"handle": connection.handle})
        credential = Credential.objects.select_for_update().get(connection=connection)
        credential.access_token, credential.refresh_token = pair["access_token"], pair["refresh_token"]
        credential.expires_at = now() + timedelta(hours=2)
        credential.version += 1
        credential.save()
        Connection.objects.filter(pk=connection.pk).update(status=Connection.Status.ACTIVE, status_text="")

    def plan(self, connection: Connection, author: Actor, reviewer: Actor, texts: list[str], at: datetime) -> Delivery:
        parts = tuple(PartDraft(text) for text in texts)
        post = create_post(PostDraft(parts=parts, connections=(connection.pk,)), by=author)
        (delivery,) = submit_post(post, by=author)
        Delivery.objects.filter(pk=delivery.pk).update(scheduled_at=at)
        review = Review.objects.get(kind=KIND, object_id=delivery.pk)
        approve_review(review, by=reviewer, seen_hash=review.action_hash)
        self.texts[delivery.pk] = texts
        return delivery

    def order_faults(self) -> None:
        for number, (route, probabilities) in enumerate(FAULTS.items()):
            order = {"route": route, "seed": self.seed * 10 + number, "probabilities": probabilities}
            self.admin("POST", "faults", order | {"params": FAULT_PARAMS})

    # --- during ---

    def rage(self, fleet: "Fleet", rng: random.Random, deadline: float) -> None:
        next_kill = time.monotonic() + rng.uniform(3, 6)
        while time.monotonic() < deadline and self.left():
            time.sleep(0.5)
            self.heal()
            if time.monotonic() < next_kill:
                continue
            self.kills += fleet.kill_one(rng)
            if self.kills >= 2 and not self.flushes:
                # Everything Celery knew is gone: queues, schedules, unacknowledged messages.
                redis.Redis.from_url(settings.REDIS_URL).flushall()
                self.flushes += 1
            next_kill = time.monotonic() + rng.uniform(3, 6)

    def left(self) -> int:
        with all_workspaces_scope("count what is left"):
            return Delivery.objects.exclude(state__in=DONE).exclude(state=State.UNCONFIRMED, due_at=None).count()

    def heal(self) -> None:
        """A person connects again the accounts whose log-in was lost."""
        with all_workspaces_scope("connect again"):
            for connection in Connection.objects.filter(status=Connection.Status.RECONNECT):
                self._give_tokens(connection)
                self.heals += 1

    # --- after ---

    def count(self) -> dict[str, Any]:
        with all_workspaces_scope("count the result"):
            states = dict(Delivery.objects.values_list("pk", "state"))
            failures = Counter(Delivery.objects.filter(state=State.FAILED).values_list("problem_code", flat=True))
        posted = Counter(post["text"] for post in self.admin("GET", "posts")["posts"])
        wanted = {text for texts in self.texts.values() for text in texts}
        missing = [
            pk
            for pk, texts in self.texts.items()
            if states[pk] == State.PUBLISHED and any(not posted[t] for t in texts)
        ]
        unfinished = [pk for pk, state in states.items() if state not in DONE | {State.UNCONFIRMED}]
        totals = Counter(states.values())
        return {
            "deliveries": len(states),
            "published": totals[State.PUBLISHED],
            "unconfirmed": totals[State.UNCONFIRMED],
            "failed": totals[State.FAILED],
            "failures": dict(failures),
            "lost": len(missing) + len(unfinished),
            "doubled": sum(count - 1 for text, count in posted.items() if count > 1),
            "foreign": sum(count for text, count in posted.items() if text not in wanted),
            "kills": self.kills,
            "flushes": self.flushes,
            "reconnects": self.heals,
        }

    def admin(self, method: str, door: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        response = requests.request(method, f"{self.sandbox}/_sandbox/{door}", json=body, timeout=30)
        response.raise_for_status()
        return dict(response.json())


class Fleet:
    """Three workers and a scheduler, each a process group of its own."""

    def __init__(self) -> None:
        self.log = (settings.APP_DATA / "fleet.log").open("ab")
        self.started_at: dict[int, float] = {}
        self.workers = {number: self._worker(number) for number in range(3)}
        self.beat = self._celery("beat", "--schedule", str(settings.APP_DATA / "beat"))

    def kill_one(self, rng: random.Random) -> int:
        # One that still starts holds nothing yet; on a slow machine, killing those would leave none to work.
        at_work = [number for number in self.workers if self._is_at_work(number)]
        if not at_work:
            return 0
        number = rng.choice(at_work)
        kill_group(self.workers[number])
        self.workers[number].wait()
        self._pid_file(number).unlink()
        self.workers[number] = self._worker(number)
        return 1

    def stop(self) -> None:
        for process in [self.beat, *self.workers.values()]:
            kill_group(process)
            process.wait()

    def _worker(self, number: int) -> subprocess.Popen[bytes]:
        self.started_at[number] = time.time()
        name, pid_file = f"storm{number}@%h", str(self._pid_file(number))
        return self._celery(
            "worker", "--concurrency", "4", "--hostname", name, "--pidfile", pid_file, "--without-mingle"
        )

    def _is_at_work(self, number: int) -> bool:
        """For at least as long as it took to start: then half of its life is work, on any machine."""
        if not self._pid_file(number).exists():
            return False
        loaded_at = self._pid_file(number).stat().st_mtime
        return time.time() - loaded_at >= loaded_at - self.started_at[number]

    def _pid_file(self, number: int) -> Path:
        """Written by the worker once it has loaded everything."""
        return Path(settings.APP_DATA / f"storm{number}.pid")

    def _celery(self, *words: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "celery", "-q", "-A", "marketing", *words]
        return spawn(command, output=self.log, env=os.environ, cwd=settings.BASE_DIR)
