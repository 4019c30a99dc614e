"""The public pages a receipt links to: a profile, a post, its pictures."""

import json
import sqlite3
from html import escape

from sandbox.clock import iso
from sandbox.layout import page
from sandbox.router import Call
from sandbox.wire import Response, html_response
from sandbox.x import accounts, earnings, links, media, media_files, posts
from sandbox.x.reading import is_id
from sandbox.x.render import media_of

PROFILE_POSTS = 50


def show_profile(call: Call) -> Response:
    account = accounts.find(call.db, call.args["handle"])
    if account is None:
        return _missing("This account doesn’t exist")
    shown = posts.recent(call.db, account["id"], PROFILE_POSTS)
    cards = "".join(_card(call, account, post) for post in shown if post["visible_at"] <= call.now)
    body = (
        f"<h1>{escape(account['name'])}</h1><p class=soft>@{escape(account['handle'])} · "
        f"{earnings.followers_of(call.world, account, call.now):,} followers</p>{cards or '<p>No posts yet.</p>'}"
    )
    return html_response(200, page(f"{account['name']} on Sandbox X", body))


def show_post(call: Call) -> Response:
    """`/i/status/…` is X's address of a post for those who know no handle."""
    post = posts.find(call.db, call.args["id"]) if is_id(call.args["id"]) else None
    if post is not None and call.args["handle"] == "i":
        account = accounts.by_id(call.db, post["account_id"])
    else:
        account = accounts.find(call.db, call.args["handle"])
    if account is None or post is None or post["account_id"] != account["id"]:
        return _missing("This post doesn’t exist")
    replies = call.db.execute(
        "SELECT * FROM x_posts WHERE replied_to = ? AND deleted_at IS NULL AND is_hidden = 0 ORDER BY id",
        (post["id"],),
    ).fetchall()
    answers = "".join(_card(call, _author(call, reply), reply) for reply in replies)
    body = f"<h1>Post</h1>{_card(call, account, post)}" + (f"<h2>Replies</h2>{answers}" if answers else "")
    return html_response(200, page(f"{account['name']} on Sandbox X", body))


def show_media(call: Call) -> Response:
    media_id = call.args["key"].partition("_")[2]
    path = media_files.file_path(call.world.media_dir, int(media_id) if is_id(media_id) else 0)
    if not path.exists():
        return _missing("No such file")
    row = call.db.execute("SELECT media_type FROM x_media WHERE id = ?", (int(media_id),)).fetchone()
    headers = {"content-type": row["media_type"], "x-content-type-options": "nosniff"}
    return Response(200, path.read_bytes(), headers)


def show_avatar(call: Call) -> Response:
    handle = call.args["file"].removesuffix(".svg")
    letter = escape(handle[:1].upper() or "?")
    hue = sum(map(ord, handle)) * 47 % 360
    picture = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 48">'
        f'<rect width="48" height="48" fill="hsl({hue} 55% 40%)"/><text x="24" y="33" font-size="26" '
        f'text-anchor="middle" fill="#fff" font-family="sans-serif">{letter}</text></svg>'
    )
    return Response(200, picture.encode(), {"content-type": "image/svg+xml"})


def _author(call: Call, post: sqlite3.Row) -> sqlite3.Row:
    account = accounts.by_id(call.db, post["account_id"])
    assert account is not None
    return account


def _card(call: Call, account: sqlite3.Row, post: sqlite3.Row) -> str:
    handle, counts = escape(account["handle"]), earnings.counts_of(call.world, post, call.now)
    options = json.loads(post["options"])
    labels = [
        text
        for name, text in (("paid_partnership", "Paid partnership"), ("made_with_ai", "Made with AI"))
        if options.get(name)
    ]
    return (
        f'<article class="card"><strong>{escape(account["name"])}</strong> <span class=soft>@{handle} · '
        f'<a href="/x/{handle}/status/{post["id"]}">{iso(post["created_at"])}</a></span>'
        f'<p class="text">{_linked(post["text"])}</p>{_shots(call, post)}{_poll(post)}'
        f"<p class=soft>{counts.impressions:,} views · {counts.likes:,} likes · {counts.reposts:,} reposts"
        f"{''.join(f' · {label}' for label in labels)}</p></article>"
    )


def _linked(text: str) -> str:
    html, position = "", 0
    for link in links.find_links(text):
        html += escape(text[position : link.start])
        html += f'<a rel="nofollow noreferrer" href="{escape(link.url)}">{escape(link.text)}</a>'
        position = link.end
    return html + escape(text[position:])


def _shots(call: Call, post: sqlite3.Row) -> str:
    shots = "".join(_shot(item) for item in media_of(call.db, post))
    return f'<div class="shots">{shots}</div>' if shots else ""


def _shot(item: sqlite3.Row) -> str:
    url = f"/x/i/media/{media.media_key(item)}"
    if item["media_type"].startswith("image/"):
        return f'<img src="{url}" alt="{escape(item["alt_text"] or "")}">'
    return f'<a href="{url}">{escape(item["media_type"])}, {item["size"]:,} bytes</a>'


def _poll(post: sqlite3.Row) -> str:
    if not post["poll"]:
        return ""
    return "<ul>" + "".join(f"<li>{escape(label)}</li>" for label in json.loads(post["poll"])["options"]) + "</ul>"


def _missing(title: str) -> Response:
    return html_response(404, page(title, f"<h1>{escape(title)}</h1><p>Try searching for another.</p>"))
