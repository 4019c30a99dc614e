"""What calls cost, in micro-dollars, counted per app; refused requests are never billed."""

import sqlite3
from datetime import UTC, datetime

from sandbox.router import Call
from sandbox.wire import Response, json_response
from sandbox.x import problems

POST = 15_000
POST_WITH_URL = 200_000
SUMMONED_REPLY = 10_000
DELETE = 10_000
MEDIA_METADATA = 5_000
POST_READ = 5_000
USER_READ = 10_000
OWNED_READ = 1_000
MONTHLY_READ_CAP = 3_000_000
CAP_RESET_DAY = 1


def charge(call: Call, price_micro: int) -> None:
    """Takes the price from the app's credit, or refuses with 402 before anything has happened."""
    charge_app(call.db, call.caller.client_id, price_micro, call.account_id or "0")
    call.cost_micro += price_micro


def charge_app(db: sqlite3.Connection, client_id: str, price_micro: int, account_id: str) -> None:
    paid = db.execute(
        "UPDATE x_apps SET spent_micro = spent_micro + :price WHERE client_id = :client"
        " AND (credit_micro IS NULL OR spent_micro + :price <= credit_micro) RETURNING 1",
        {"price": price_micro, "client": client_id},
    ).fetchone()
    if paid is None:
        raise problems.credits_depleted(account_id)


def charge_post_reads(call: Call, posts: list[sqlite3.Row]) -> None:
    """Owned reads are cheap only for the account that owns the app; a post is billed once per UTC day."""
    if _reads_this_month(call) >= MONTHLY_READ_CAP:
        raise problems.usage_capped()
    new = [post for post in posts if not _was_read_today(call, "post", post["id"])]
    is_owner = call.caller.account is not None and call.caller.owns(call.caller.app["owner_id"])
    own_id = call.account_id
    price = sum(OWNED_READ if is_owner and _concerns(call, post, own_id) else POST_READ for post in new)
    charge(call, price)
    _remember_reads(call, "post", [post["id"] for post in new])


def charge_user_read(call: Call, user_id: int) -> None:
    if not _was_read_today(call, "user", user_id):
        charge(call, USER_READ)
        _remember_reads(call, "user", [user_id])


def _concerns(call: Call, post: sqlite3.Row, account_id: str | None) -> bool:
    if str(post["account_id"]) == account_id:
        return True
    mention = call.db.execute("SELECT 1 FROM x_mentions WHERE account_id = ? AND post_id = ?", (account_id, post["id"]))
    return mention.fetchone() is not None


def _today(call: Call) -> str:
    return datetime.fromtimestamp(call.now, UTC).strftime("%Y-%m-%d")


def _was_read_today(call: Call, kind: str, resource_id: int) -> bool:
    key = (call.caller.client_id, _today(call), kind, resource_id)
    row = call.db.execute("SELECT 1 FROM x_reads WHERE client_id = ? AND day = ? AND kind = ? AND resource_id = ?", key)
    return row.fetchone() is not None


def _remember_reads(call: Call, kind: str, resource_ids: list[int]) -> None:
    rows = [(call.caller.client_id, _today(call), kind, resource_id) for resource_id in resource_ids]
    call.db.executemany("INSERT OR IGNORE INTO x_reads VALUES (?,?,?,?)", rows)


def _reads_this_month(call: Call) -> int:
    return sum(day["usage"] for day in _daily_reads(call, _today(call)[:7] + "-01"))


def _daily_reads(call: Call, since_day: str) -> list[sqlite3.Row]:
    return call.db.execute(
        "SELECT day, count(*) AS usage FROM x_reads WHERE client_id = ? AND kind = 'post' AND day >= ?"
        " GROUP BY day ORDER BY day",
        (call.caller.client_id, since_day),
    ).fetchall()


def get_usage(call: Call) -> Response:
    daily = _daily_reads(call, _today(call)[:7] + "-01")
    project_id = str(int.from_bytes(call.caller.client_id.encode()[:6], "big"))
    usage = [{"date": f"{row['day']}T00:00:00.000Z", "usage": str(row["usage"])} for row in daily]
    data = {
        "project_id": project_id,
        "project_cap": str(MONTHLY_READ_CAP),
        "project_usage": str(_reads_this_month(call)),
        "cap_reset_day": CAP_RESET_DAY,
        "daily_project_usage": {"project_id": project_id, "usage": usage},
    }
    return json_response(200, {"data": data})
