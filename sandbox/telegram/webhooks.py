"""Sending updates to webhooks, beside the requests: one at a time per bot, again until it is taken."""

import http.client
import json
import sqlite3
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass

from sandbox import faults
from sandbox.telegram import updates
from sandbox.world import World

TIMEOUT_SECONDS = 10
FIRST_PAUSE_SECONDS = 1
MAX_PAUSE_SECONDS = 60
LOOK_SECONDS = 0.5
_ERRORS = (urllib.error.URLError, OSError, http.client.HTTPException, ValueError)


@dataclass(frozen=True)
class Delivery:
    bot_id: int
    url: str
    secret: str
    update_id: int
    body: bytes
    times: int


def start(world: World) -> None:
    threading.Thread(target=_watch, args=(world,), name="telegram-webhooks", daemon=True).start()


def _watch(world: World) -> None:
    """A slow webhook holds up only its own bot: each delivery has a thread."""
    busy: set[int] = set()
    while not world.stopping.is_set():
        seen = world.news.count
        try:
            with world.store.transaction():
                found = _due(world, busy)
        except sqlite3.ProgrammingError:
            # The store was closed: the process is ending.
            return
        for delivery in found:
            busy.add(delivery.bot_id)
            threading.Thread(target=_work, args=(world, delivery, busy), daemon=True).start()
        world.news.wait(seen, LOOK_SECONDS)


def _due(world: World, busy: set[int]) -> list[Delivery]:
    """The oldest update of every bot whose webhook is free and not pausing."""
    rows = world.store.db.execute(
        "SELECT b.*, u.username FROM tg_bots b JOIN tg_users u ON u.id = b.id"
        " WHERE b.webhook_url != '' AND b.next_try_at <= ?",
        (world.clock.now(),),
    ).fetchall()
    return [found for row in rows if row["id"] not in busy and (found := _next(world.store.db, row))]


def _next(db: sqlite3.Connection, bot: sqlite3.Row) -> Delivery | None:
    waiting = updates.pending(db, bot["id"], 1)
    if not waiting:
        return None
    fault = faults.take_only(db, "telegram", "webhook_redelivery", bot["username"])
    times = max(1, int(fault.number("n", 2))) if fault else 1
    body = json.dumps(waiting[0]).encode()
    return Delivery(bot["id"], bot["webhook_url"], bot["secret_token"], waiting[0]["update_id"], body, times)


def _work(world: World, delivery: Delivery, busy: set[int]) -> None:
    try:
        problems = [_post(delivery) for _ in range(delivery.times)]
        with world.store.transaction() as db:
            _note(world, db, delivery, problems[-1])
    except sqlite3.ProgrammingError:
        return
    finally:
        busy.discard(delivery.bot_id)
        world.news.tell()


def _post(delivery: Delivery) -> str | None:
    """What went wrong, in Telegram's words."""
    headers = {"content-type": "application/json"}
    if delivery.secret:
        headers["X-Telegram-Bot-Api-Secret-Token"] = delivery.secret
    request = urllib.request.Request(delivery.url, delivery.body, headers, method="POST")  # noqa: S310
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect)
    try:
        with opener.open(request, timeout=TIMEOUT_SECONDS):
            return None
    except urllib.error.HTTPError as error:
        return f"Wrong response from the webhook: {error.code} {error.reason}"
    except TimeoutError:
        return "Read timeout expired"
    except _ERRORS as error:
        return "Connection refused" if "refused" in str(error) else "Connection failed"


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: object, **kwargs: object) -> None:
        return None


def _note(world: World, db: sqlite3.Connection, delivery: Delivery, problem: str | None) -> None:
    bot = db.execute("SELECT * FROM tg_bots WHERE id = ?", (delivery.bot_id,)).fetchone()
    if bot is None or bot["webhook_url"] != delivery.url:
        return
    now = world.clock.now()
    if problem is None:
        updates.finish(db, delivery.bot_id, delivery.update_id + 1)
        db.execute("UPDATE tg_bots SET failures = 0, next_try_at = 0 WHERE id = ?", (delivery.bot_id,))
        return
    pause = min(MAX_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** bot["failures"])
    db.execute(
        "UPDATE tg_bots SET failures = failures + 1, next_try_at = ?, last_error_at = ?, last_error = ? WHERE id = ?",
        (now + pause, now, problem, delivery.bot_id),
    )
