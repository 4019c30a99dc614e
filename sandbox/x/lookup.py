"""Reading posts: by id, an account's own, and those that mention it."""

import sqlite3
from typing import Any

from sandbox.router import Call
from sandbox.wire import Response, json_response
from sandbox.x import accounts, posts, pricing, problems
from sandbox.x.expansions import includes
from sandbox.x.reading import PAGING, Page, Reading, check_id, page_token, parse_page, parse_reading
from sandbox.x.render import View, post_json

MAX_IDS = 100
VISIBLE = (
    "visible_at <= :now AND deleted_at IS NULL AND replaced_by IS NULL AND id > :since AND id < :until"
    " AND created_at >= :start AND created_at < :end"
)


def get_posts(call: Call) -> Response:
    reading = parse_reading(call, frozenset({"ids"}))
    ids = call.request.query.get("ids", "").split(",")
    if ids == [""] or len(ids) > MAX_IDS:
        raise problems.invalid("ids", ",".join(ids), f"The number of values in `ids` must be 1 to {MAX_IDS}.")
    numbers = list(dict.fromkeys(check_id("ids", post_id) for post_id in ids))
    found = [post for number in numbers if (post := posts.find(call.db, number))]
    view = View(call, reading, [])
    known = {post["id"] for post in found}
    view.errors.extend(problems.missing("tweet", "ids", str(n)) for n in numbers if n not in known)
    return answer(view, found, [post_json(view, post) for post in billed(call, found)])


def get_post(call: Call) -> Response:
    reading = parse_reading(call)
    number = check_id("id", call.args["id"])
    post = posts.find(call.db, number)
    view = View(call, reading, [])
    if post is None:
        view.errors.append(problems.missing("tweet", "id", str(number)))
        return answer(view, [], None)
    return answer(view, [post], post_json(view, billed(call, [post])[0]))


def get_timeline(call: Call) -> Response:
    reading = parse_reading(call, PAGING | {"exclude"})
    page = parse_page(call, reading)
    condition = "account_id = :account" + (" AND replied_to IS NULL" if page.excludes_replies else "")
    return _list(call, reading, page, condition)


def get_mentions(call: Call) -> Response:
    reading = parse_reading(call, PAGING)
    page = parse_page(call, reading)
    condition = "id IN (SELECT post_id FROM x_mentions WHERE account_id = :account)"
    return _list(call, reading, page, condition)


def _list(call: Call, reading: Reading, page: Page, condition: str) -> Response:
    account_id = check_id("id", call.args["id"])
    view = View(call, reading, [])
    if accounts.by_id(call.db, account_id) is None:
        view.errors.append(problems.missing("user", "id", str(account_id)))
        return answer(view, [], None)
    rows = call.db.execute(
        f"SELECT * FROM x_posts WHERE {condition} AND {VISIBLE} ORDER BY id DESC LIMIT :limit",  # noqa: S608
        {
            "account": account_id,
            "now": call.now,
            "since": page.since_id,
            "until": page.until_id,
            "start": page.start,
            "end": page.end,
            "limit": page.limit + 1,
        },
    ).fetchall()
    shown = billed(call, rows[: page.limit])
    data = [post_json(view, post) for post in shown] or None
    return answer(view, shown, data, meta_of(shown, has_more=len(rows) > page.limit))


def meta_of(shown: list[sqlite3.Row], *, has_more: bool) -> dict[str, Any]:
    if not shown:
        return {"result_count": 0}
    meta = {
        "result_count": len(shown),
        "newest_id": str(shown[0]["id"]),
        "oldest_id": str(shown[-1]["id"]),
    }
    return {**meta, "next_token": page_token(shown[-1]["id"])} if has_more else meta


def billed(call: Call, found: list[sqlite3.Row]) -> list[sqlite3.Row]:
    pricing.charge_post_reads(call, found)
    return found


def answer(view: View, found: list[sqlite3.Row], data: Any, meta: dict[str, Any] | None = None) -> Response:
    """Parts with nothing in them are left out, as X does."""
    parts = {"data": data, "includes": includes(view, found), "errors": view.errors, "meta": meta}
    return json_response(200, {name: part for name, part in parts.items() if part})
