"""GET /2/users/me, and users wherever they are included."""

import sqlite3
from typing import Any

from sandbox.clock import iso
from sandbox.router import Call
from sandbox.wire import Response, json_response
from sandbox.x import earnings, pricing
from sandbox.x.reading import Reading, parse_reading
from sandbox.x.render import named


def get_me(call: Call) -> Response:
    reading = parse_reading(call)
    pricing.charge_user_read(call, call.caller.user["id"])
    return json_response(200, {"data": user_json(call, reading, call.caller.user)})


def user_json(call: Call, reading: Reading, account: sqlite3.Row) -> dict[str, Any]:
    is_premium = bool(account["is_premium"])
    offered = {
        "created_at": iso(account["created_at"]),
        "description": "A simulated account of the local sandbox.",
        "protected": False,
        "verified": is_premium,
        "verified_type": "blue" if is_premium else "none",
        "subscription_type": "Premium" if is_premium else "None",
        "profile_image_url": f"http://{call.request.host}/x/i/avatar/{account['handle']}.svg",
        "public_metrics": _metrics(call, reading, account),
    }
    asked = {name: value for name, value in offered.items() if reading.asks("user.fields", name)}
    return {"id": str(account["id"]), "name": account["name"], "username": account["handle"], **asked}


def _metrics(call: Call, reading: Reading, account: sqlite3.Row) -> dict[str, int]:
    count, media = call.db.execute(
        "SELECT count(*), sum(media <> '[]') FROM x_posts"
        " WHERE account_id = ? AND deleted_at IS NULL AND replaced_by IS NULL",
        (account["id"],),
    ).fetchone()
    return {
        "followers_count": earnings.followers_of(call.world, account, call.now),
        "following_count": account["followers"] // 10,
        named(reading, "tweet_count"): count,
        "listed_count": account["followers"] // 200,
        "like_count": 0,
        "media_count": media or 0,
    }
