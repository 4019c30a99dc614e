"""How fast a bot may write: leaky buckets per bot, per chat and per group."""

import math
import sqlite3
from dataclasses import dataclass

from sandbox.router import Call
from sandbox.telegram import problems
from sandbox.telegram.access import Place


@dataclass(frozen=True)
class Bucket:
    name: str
    size: float
    per_second: float


def buckets_for(bot_id: int, place: Place) -> list[Bucket]:
    chat = f"{bot_id}:{place.chat_id}"
    # One message a second in a chat; Telegram lets short bursts pass.
    buckets = [Bucket(f"bot:{bot_id}", 30, 30), Bucket(f"chat:{chat}", 3, 1)]
    if place.type in ("group", "supergroup"):
        buckets.append(Bucket(f"group:{chat}", 20, 20 / 60))
    return buckets


def consume(call: Call, place: Place, count: int) -> None:
    """An album larger than the burst passes when there is room for a start, and is paid off afterwards."""
    levels = {bucket: _level(call.db, bucket, call.now) for bucket in buckets_for(call.caller.bot["id"], place)}
    waits = [(1 - level) / bucket.per_second for bucket, level in levels.items() if level < 1]
    if waits:
        raise problems.flood(max(1, math.ceil(max(waits))))
    for bucket, level in levels.items():
        call.db.execute("INSERT OR REPLACE INTO tg_buckets VALUES (?,?,?)", (bucket.name, level - count, call.now))


def _level(db: sqlite3.Connection, bucket: Bucket, now: float) -> float:
    row = db.execute("SELECT * FROM tg_buckets WHERE name = ?", (bucket.name,)).fetchone()
    if row is None:
        return bucket.size
    return min(bucket.size, float(row["level"] + (now - row["at"]) * bucket.per_second))
