"""The front page: who is there, what was posted, what really happened."""

from html import escape

from sandbox import ledger
from sandbox.clock import iso
from sandbox.layout import page, table
from sandbox.router import Call, Platform, Route
from sandbox.telegram import earnings, people
from sandbox.wire import Response, html_response, json_response
from sandbox.x import accounts, posts

SHOWN = 30


def platform() -> Platform:
    return Platform(
        "index",
        "",
        [Route("GET", "/", show_index, is_api=False)],
        not_found=lambda status: json_response(status, {"detail": "Not Found"}),
    )


def show_index(call: Call) -> Response:
    body = (
        f"<h1>Sandbox</h1><p class=soft>It is {iso(call.now)} here.</p>"
        f"<h2>Accounts on X</h2>{_accounts(call)}<h2>Recent posts</h2>{_posts(call)}"
        f'<h2>Telegram</h2>{_telegram(call)}<p><a href="/tg/web/">All chats</a></p>'
        '<h2>Language models</h2><p><a href="/llm">Recent calls</a></p>'
        f"<h2>Ledger</h2>{_ledger(call)}"
    )
    return html_response(200, page("Sandbox", body))


def _accounts(call: Call) -> str:
    rows = [
        [_profile(row["handle"]), escape(row["name"]), f"{row['followers']:,}", "yes" if row["is_premium"] else ""]
        for row in accounts.everybody(call.db)
    ]
    return table(["Account", "Name", "Followers", "Premium"], rows)


def _posts(call: Call) -> str:
    handles = {row["id"]: row["handle"] for row in accounts.everybody(call.db)}
    rows = [
        [_profile(handles[post["account_id"]]), _link(handles[post["account_id"]], post["id"], post["text"])]
        for post in posts.recent(call.db, None, SHOWN)
    ]
    return table(["Account", "Post"], rows) if rows else "<p>None yet.</p>"


def _telegram(call: Call) -> str:
    rows = [["bot", _telegram_link(row["username"]), ""] for row in people.bots(call.db)]
    for row in people.chats(call.db):
        address = row["username"] or f"c/{people.public_id(row['id'])}"
        rows.append(
            [
                escape(row["type"]),
                _telegram_link(address, row["title"]),
                str(earnings.member_count(call.world, row, call.now)),
            ]
        )
    return table(["Kind", "Name", "Members"], rows)


def _telegram_link(address: str, title: str = "") -> str:
    return f'<a href="/tg/web/{escape(address)}">{escape(title or "@" + address)}</a>'


def _ledger(call: Call) -> str:
    names = ["seq", "time", "platform", "account", "method", "path", "effect", "effect_id", "outcome", "fault"]
    entries = ledger.latest(call.db, SHOWN)
    rows = [[_cell(name, entry[name]) for name in names] for entry in entries]
    return table(names, rows) if rows else "<p>Empty.</p>"


def _cell(name: str, value: object) -> str:
    shown = "" if value is None else escape(str(value))
    return f"<time>{shown}</time>" if name == "time" else shown


def _profile(handle: str) -> str:
    return f'<a href="/x/{escape(handle)}">@{escape(handle)}</a>'


def _link(handle: str, post_id: int, text: str) -> str:
    return f'<a href="/x/{escape(handle)}/status/{post_id}">{escape(text[:120] or "(media)")}</a>'
