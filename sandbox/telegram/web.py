"""The pages a person opens where t.me and the app would be: chats, messages, and forms to act in them."""

import json
import sqlite3
from html import escape
from pathlib import Path
from urllib.parse import quote

from sandbox.clock import iso
from sandbox.layout import page
from sandbox.router import Call
from sandbox.telegram import acts, callbacks, earnings, files, messages, people, topics
from sandbox.telegram.access import Place
from sandbox.telegram.formatting import as_html
from sandbox.wire import Response, html_response

ROOT = "/tg/web"
STYLE = (Path(__file__).parent / "style.css").read_text()
SHOWN = 100


def show(title: str, body: str, status: int = 200) -> Response:
    response = html_response(status, page(title, f'<style>{STYLE}</style><div class="tg">{body}</div>'))
    # Videos play on the page.
    response.headers["content-security-policy"] += "; media-src 'self'; form-action 'self'"
    return response


def missing(title: str) -> Response:
    return show(title, f'<h1>{escape(title)}</h1><p><a href="{ROOT}/">All chats</a></p>', 404)


def chat_path(place: Place) -> str:
    if place.is_private:
        return f"{ROOT}/u/{place.owner}/{place.chat_id}"
    assert place.chat is not None
    name = place.chat["username"] or f"c/{people.public_id(place.chat_id)}"
    return f"{ROOT}/{name}"


def show_list(call: Call) -> Response:
    chats = "".join(
        _row(chat_path(Place(row["id"], 0, row["type"], row)), row["title"], _about(call, row))
        for row in people.chats(call.db)
    )
    bots = "".join(
        _row(f"{ROOT}/{row['username']}", row["name"], f"@{row['username']} · bot") for row in people.bots(call.db)
    )
    dialogs = "".join(
        _row(f"{ROOT}/u/{row['bot_id']}/{row['user_id']}", f"{row['user_name']} and {row['bot_name']}", "private chat")
        for row in _dialogs(call.db)
    )
    body = f'<h1>Sandbox Telegram</h1><ul class="chats">{chats}</ul><h2>Bots</h2><ul class="chats">{bots}</ul>'
    return show("Sandbox Telegram", body + (f'<h2>Private</h2><ul class="chats">{dialogs}</ul>' if dialogs else ""))


def _row(path: str, title: str, about: str) -> str:
    letter = escape(title[:1].upper() or "?")
    return (
        f'<li><a class="chat" href="{escape(path)}"><span class="avatar" aria-hidden="true">{letter}</span>'
        f"<span><strong>{escape(title)}</strong><br><span class=soft>{escape(about)}</span></span></a></li>"
    )


def _about(call: Call, chat: sqlite3.Row) -> str:
    kind = "forum" if chat["is_forum"] else chat["type"]
    moved = " · moved" if chat["migrated_to"] else ""
    return f"{kind} · {counted(earnings.member_count(call.world, chat, call.now))}{moved}"


def counted(members: int) -> str:
    return f"{members:,} member{'' if members == 1 else 's'}"


def _dialogs(db: sqlite3.Connection) -> list[sqlite3.Row]:
    return db.execute(
        "SELECT d.*, u.name AS user_name, b.name AS bot_name FROM tg_dialogs d JOIN tg_users u ON u.id = d.user_id"
        " JOIN tg_users b ON b.id = d.bot_id ORDER BY d.user_id"
    ).fetchall()


def find_chat(call: Call) -> sqlite3.Row | None:
    """By the username or by the number of a t.me/c/ link in the path."""
    if "number" not in call.args:
        return people.named_chat(call.db, call.args["username"]) if not call.args["username"].isdigit() else None
    number = call.args["number"]
    if not number.isdigit() or len(number) > 12:
        return None
    return people.chat(call.db, people.SUPERGROUP_BASE - int(number)) or people.chat(call.db, -int(number))


def show_chat(call: Call, marked: int | None = None) -> Response:
    chat = find_chat(call)
    if chat is None:
        return missing("This chat doesn’t exist")
    return show_place(call, Place(chat["id"], 0, chat["type"], chat), marked)


def show_message(call: Call) -> Response:
    chat, message_id = find_chat(call), call.args["message_id"]
    is_number = message_id.isdigit() and len(message_id) < 16
    if chat is None or not is_number or messages.find(call.db, chat["id"], 0, int(message_id)) is None:
        return missing("This message doesn’t exist")
    return show_chat(call, int(message_id))


def show_dialog(call: Call) -> Response:
    bot_id, user_id = call.args["bot_id"], call.args["user_id"]
    are_numbers = bot_id.isdigit() and user_id.isdigit() and len(bot_id + user_id) < 32
    if not are_numbers or people.has_dialog(call.db, int(bot_id), int(user_id)) is None:
        return missing("They have never talked")
    return show_place(call, Place(int(user_id), int(bot_id), "private"))


def show_place(call: Call, place: Place, marked: int | None = None) -> Response:
    title, about = _heading(call, place)
    rows = [row for row in messages.of_chat(call.db, place.chat_id, place.owner) if row["deleted_at"] is None]
    viewer = viewer_of(call, place)
    names = {row["thread_id"]: row["name"] for row in topics.of_chat(call.db, place.chat_id)}
    bubbles = "".join(
        bubble(call, place, row, viewer, is_marked=row["message_id"] == marked, topic=names.get(row["thread_id"]))
        for row in _around(rows, marked)
    )
    body = (
        f'<p><a href="{ROOT}/">All chats</a></p><h1>{escape(title)}</h1><p class=soft>{escape(about)}</p>'
        f"{_answer(call)}{_viewers(call, place, viewer)}{bubbles or '<p>No messages yet.</p>'}"
        f"{_writer(call, place, viewer)}"
    )
    return show(title, body)


def _around(rows: list[sqlite3.Row], marked: int | None) -> list[sqlite3.Row]:
    """The newest messages, or those before and after a marked one."""
    if marked is None:
        return rows[-SHOWN:]
    place = next((index for index, row in enumerate(rows) if row["message_id"] == marked), 0)
    return rows[max(0, place - SHOWN // 2) : place + SHOWN // 2]


def _heading(call: Call, place: Place) -> tuple[str, str]:
    if place.chat is not None:
        username = f"@{place.chat['username']} · " if place.chat["username"] else ""
        return str(place.chat["title"]), username + _about(call, place.chat)
    bot, person = people.user(call.db, place.owner), people.user(call.db, place.chat_id)
    assert bot is not None
    assert person is not None
    return str(bot["name"]), f"@{bot['username']} · bot, seen by {person['name']}"


def viewer_of(call: Call, place: Place) -> sqlite3.Row | None:
    """Who acts on this page: the user named by `as`, else the first there is."""
    if place.is_private:
        return people.user(call.db, place.chat_id)
    everybody = people.users(call.db, is_bot=False)
    wanted = call.request.query.get("as", "")
    return next((row for row in everybody if str(row["id"]) == wanted), everybody[0] if everybody else None)


def _viewers(call: Call, place: Place, viewer: sqlite3.Row | None) -> str:
    everybody = people.users(call.db, is_bot=False)
    if place.is_private or len(everybody) < 2 or viewer is None:
        return ""
    return (
        f'<form method="get" action="{escape(chat_path(place))}" class="inline"><label for="as">You are</label>'
        f'<select id="as" name="as">{options(everybody, viewer)}</select><button>Change</button></form>'
    )


def options(users: list[sqlite3.Row], chosen: sqlite3.Row | None = None) -> str:
    return "".join(
        f'<option value="{row["id"]}"{" selected" if chosen and row["id"] == chosen["id"] else ""}>'
        f"{escape(row['name'])}</option>"
        for row in users
    )


def _answer(call: Call) -> str:
    """What the bot said to the button that was pressed last."""
    press = callbacks.find(call.db, call.request.query.get("press", ""))
    if press is None:
        return ""
    if press["answered_at"] is None:
        again = f"?{call.request.raw_query}"
        words = f'The bot has not answered yet. <a href="{escape(again)}">Look again</a>'
    else:
        words = escape(press["answer"] or "The bot took notice.")
        if press["url"]:
            words += f' <a rel="nofollow noreferrer" href="{escape(press["url"])}">{escape(press["url"])}</a>'
    return f'<p class="card answer" role="status">{words}</p>'


def bubble(
    call: Call,
    place: Place,
    message: sqlite3.Row,
    viewer: sqlite3.Row | None,
    *,
    is_marked: bool = False,
    topic: str | None = None,
) -> str:
    if message["service"]:
        return f'<p class="service">{escape(_service(json.loads(message["service"])))}</p>'
    sender = people.user(call.db, message["sender_id"]) if place.type != "channel" and message["sender_id"] else None
    author = escape(sender["name"] if sender else place.chat["title"] if place.chat else "")
    is_own = viewer is not None and message["sender_id"] == viewer["id"]
    kinds = "bubble" + (" own" if is_own else "") + (" marked" if is_marked else "")
    link = f"{chat_path(place)}/{message['message_id']}" if not place.is_private else ""
    moment = f"<time>{iso(message['sent_at'])}</time>" + (" · edited" if message["edited_at"] else "")
    when = f'<a href="{escape(link)}">{moment}</a>' if link else moment
    label = f' <span class="tag">{escape(topic)}</span>' if topic else ""
    return (
        f'<article class="{kinds}" id="m{message["message_id"]}"><strong>{author}</strong>{label}'
        f"{_reply(call, place, message)}{_media(call, message)}"
        f'<div class="text">{as_html(message["text"], json.loads(message["entities"]))}</div>'
        f"{_reactions(message)}<p class=soft>{when}</p>{_buttons(place, message, viewer)}</article>"
    )


def _service(service: dict[str, object]) -> str:
    if "forum_topic_created" in service:
        created = service["forum_topic_created"]
        return f"Topic “{created['name'] if isinstance(created, dict) else ''}” was created"
    if "migrate_to_chat_id" in service:
        return "This group became a supergroup"
    return "Something happened"


def _reply(call: Call, place: Place, message: sqlite3.Row) -> str:
    answered = messages.find_in(call.db, place, message["reply_to"])
    return f'<p class="reply">{escape(answered["text"][:80] or "Media")}</p>' if answered else ""


def _media(call: Call, message: sqlite3.Row) -> str:
    row = files.by_id(call.db, message["media"]) if message["media_kind"] else None
    if row is None:
        return ""
    address = f"{ROOT}/-/file/{row['id']}"
    if message["media_kind"] == "photo" or row["mime_type"] == "image/gif":
        return f'<div class="shots"><img src="{address}" alt="Picture without a description"></div>'
    if row["mime_type"] == "video/mp4":
        return f'<div class="shots"><video src="{address}" controls preload="none"></video></div>'
    return (
        f'<p><a href="{address}">{escape(row["name"] or "File")}</a> <span class=soft>{row["size"]:,} bytes</span></p>'
    )


def _reactions(message: sqlite3.Row) -> str:
    shown = "".join(
        f'<span class="reaction">{escape(emoji)} {count}</span>'
        for emoji, count in json.loads(message["reactions"]).items()
    )
    return f'<p class="reactions">{shown}</p>' if shown else ""


def _buttons(place: Place, message: sqlite3.Row, viewer: sqlite3.Row | None) -> str:
    if not message["keyboard"]:
        return ""
    rows = json.loads(message["keyboard"])["inline_keyboard"]
    lines = ("".join(_button(place, message, button, viewer) for button in row) for row in rows)
    return "".join(f'<div class="keys">{line}</div>' for line in lines)


def _button(place: Place, message: sqlite3.Row, button: dict[str, str], viewer: sqlite3.Row | None) -> str:
    text = escape(button["text"])
    if "url" in button:
        return f'<a class="key" rel="nofollow noreferrer" href="{escape(button["url"])}">{text}</a>'
    if "callback_data" not in button or viewer is None:
        return f'<span class="key">{text}</span>'
    fields = {"message_id": message["message_id"], "data": button["callback_data"]}
    inputs = hidden(place, viewer, **fields)
    return f'<form method="post" action="{ROOT}/-/press">{inputs}<button class="key">{text}</button></form>'


def hidden(place: Place, viewer: sqlite3.Row, **fields: object) -> str:
    values = {"chat": place.chat_id, "bot": place.owner, "as": viewer["id"], **fields}
    return "".join(f'<input type="hidden" name="{n}" value="{escape(str(value))}">' for n, value in values.items())


def _writer(call: Call, place: Place, viewer: sqlite3.Row | None) -> str:
    if viewer is None:
        return ""
    status = "member" if place.is_private else people.status(call.db, place.chat_id, viewer["id"])
    if status not in acts.voices(place):
        return f"<p class=soft>{escape(viewer['name'])} reads here and does not write.</p>"
    choices = "".join(
        f'<option value="{row["thread_id"]}">{escape(row["name"])}</option>'
        for row in topics.of_chat(call.db, place.chat_id)
    )
    topic = f'<label for="thread">Topic</label><select id="thread" name="thread">{choices}</select>' if choices else ""
    return (
        f'<form method="post" action="{ROOT}/-/write" class="card">{hidden(place, viewer)}{topic}'
        f'<label for="text">Write as {escape(viewer["name"])}</label>'
        '<textarea id="text" name="text" rows="2" required></textarea>'
        '<div class="row"><button class="main">Send</button></div></form>'
    )


def show_file(call: Call) -> Response:
    number = call.args["id"]
    row = files.by_id(call.db, int(number)) if number.isdigit() and len(number) < 16 else None
    if row is None:
        return missing("No such file")
    headers = {"content-type": row["mime_type"], "x-content-type-options": "nosniff"}
    if not row["mime_type"].startswith(("image/", "video/")) or "svg" in row["mime_type"]:
        # What a bot uploaded is not opened as a page of ours.
        headers |= {"content-type": "application/octet-stream", "content-disposition": "attachment"}
    return Response(200, files.stored_path(call, row["id"]).read_bytes(), headers)


def back_to(place: Place, viewer_id: int, **query: str) -> str:
    pairs = {} if place.is_private else {"as": str(viewer_id)}
    words = "&".join(f"{name}={quote(value)}" for name, value in {**pairs, **query}.items())
    return chat_path(place) + (f"?{words}" if words else "")


def press(call: Call) -> Response:
    place, user_id, form = form_of(call)
    press_id = acts.press(call.world, user_id, place, int(form["message_id"]), form["data"])
    return see(back_to(place, user_id, press=press_id))


def write(call: Call) -> Response:
    place, user_id, form = form_of(call)
    thread = int(form["thread"]) if form.get("thread") else None
    acts.write(call.world, user_id, place, form.get("text", "").replace("\r\n", "\n"), thread_id=thread)
    return see(back_to(place, user_id))


def form_of(call: Call) -> tuple[Place, int, dict[str, str]]:
    form = call.request.form
    place = acts.place_for(call.db, int(form["chat"]), int(form.get("bot") or 0))
    return place, int(form["as"]), form


def see(url: str) -> Response:
    return Response(303, b"", {"location": url})
