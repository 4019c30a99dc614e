"""What t.me links to bots and invitations open: a question, and a button that says yes."""

import re
import sqlite3
from collections.abc import Callable
from html import escape

from sandbox.router import Call
from sandbox.telegram import acts, earnings, invites, people, web
from sandbox.telegram.access import Place
from sandbox.wire import Response

_PAYLOAD = re.compile(r"[A-Za-z0-9_-]{0,64}")
# The words of `admin=` in a link, and the rights they ask for.
RIGHTS = {
    "change_info": "can_change_info",
    "post_messages": "can_post_messages",
    "edit_messages": "can_edit_messages",
    "delete_messages": "can_delete_messages",
    "restrict_members": "can_restrict_members",
    "invite_users": "can_invite_users",
    "pin_messages": "can_pin_messages",
    "manage_topics": "can_manage_topics",
    "promote_members": "can_promote_members",
    "manage_video_chats": "can_manage_video_chats",
    "manage_chat": "can_manage_chat",
    "post_stories": "can_post_stories",
    "edit_stories": "can_edit_stories",
    "delete_stories": "can_delete_stories",
}


def show_name(call: Call) -> Response:
    """A chat, a bot or an invitation: one path for all, as at t.me."""
    name = call.args["username"]
    if name.startswith("+"):
        return _show_invitation(call, name)
    bot = people.named_user(call.db, name)
    if bot is None or name.isdigit():
        return web.show_chat(call)
    if not bot["is_bot"]:
        return web.missing("This person has no page")
    query = call.request.query
    if "startchannel" in query or "startgroup" in query:
        return _show_adding(call, bot)
    return _show_start(call, bot, query.get("start", ""))


def _show_start(call: Call, bot: sqlite3.Row, payload: str) -> Response:
    if not _PAYLOAD.fullmatch(payload):
        return web.missing("This start link is not valid")
    users = people.users(call.db, is_bot=False)
    talks = "".join(
        f'<li><a href="{web.ROOT}/u/{bot["id"]}/{row["id"]}">Chat of {escape(row["name"])}</a></li>'
        for row in users
        if people.has_dialog(call.db, bot["id"], row["id"])
    )
    return web.show(
        bot["name"],
        f'<p><a href="{web.ROOT}/">All chats</a></p><h1>{escape(bot["name"])}</h1>'
        f"<p class=soft>@{escape(bot['username'])} · bot</p>"
        f'<form method="post" action="{web.ROOT}/-/start" class="card">'
        f'<input type="hidden" name="bot" value="{bot["id"]}">'
        f'<input type="hidden" name="payload" value="{escape(payload)}">{_picker(users)}'
        f'<div class="row"><button class="main">Start</button></div></form><ul>{talks}</ul>',
    )


def _picker(users: list[sqlite3.Row]) -> str:
    if len(users) == 1:
        return f'<input type="hidden" name="as" value="{users[0]["id"]}"><p>You are {escape(users[0]["name"])}.</p>'
    return f'<label for="as">You are</label><select id="as" name="as">{web.options(users)}</select>'


def start(call: Call) -> Response:
    form = call.request.form
    bot_id, user_id, payload = int(form["bot"]), int(form["as"]), form.get("payload", "")
    place = Place(user_id, bot_id, "private")
    if not _PAYLOAD.fullmatch(payload):
        raise acts.Impossible("a payload has up to 64 letters, digits, _ and -")
    acts.write(call.world, user_id, place, f"/start {payload}".strip())
    return web.see(web.chat_path(place))


def _show_adding(call: Call, bot: sqlite3.Row) -> Response:
    query = call.request.query
    wants_channel = "startchannel" in query
    kinds = ("channel",) if wants_channel else ("group", "supergroup")
    chats = [row for row in people.chats(call.db) if row["type"] in kinds and not row["migrated_to"]]
    asked = [word for word in re.split(r"[+ ]", query.get("admin", "")) if word in RIGHTS]
    if not chats:
        return web.missing("There is no chat to add the bot to")
    choices = "".join(f'<option value="{row["id"]}">{escape(row["title"])}</option>' for row in chats)
    boxes = "".join(
        f'<label class="box"><input type="checkbox" name="right_{word}" value="1" checked> '
        f"{word.replace('_', ' ')}</label>"
        for word in asked
    )
    payload = escape(query.get("startgroup", ""))
    return web.show(
        f"Add {bot['name']}",
        f"<h1>Add {escape(bot['name'])}</h1>"
        f'<form method="post" action="{web.ROOT}/-/add" class="card">'
        f'<input type="hidden" name="bot" value="{bot["id"]}"><input type="hidden" name="payload" value="{payload}">'
        f'<label for="chat">{"Channel" if wants_channel else "Group"}</label>'
        f'<select id="chat" name="chat">{choices}</select>'
        f"{_picker(people.users(call.db, is_bot=False))}"
        f"{f'<fieldset><legend>As administrator, it may</legend>{boxes}</fieldset>' if boxes else ''}"
        '<div class="row"><button class="main">Add</button></div></form>',
    )


def add(call: Call) -> Response:
    """Channels know only administrators; a group takes a bot as a plain member too."""
    form = call.request.form
    place, bot_id, user_id = acts.place_for(call.db, int(form["chat"])), int(form["bot"]), int(form["as"])
    if place.chat is None:
        raise acts.Impossible("no such chat")
    if people.status(call.db, place.chat_id, user_id) not in ("creator", "administrator"):
        raise acts.Impossible("only an administrator lets bots in")
    granted = {right: f"right_{word}" in form for word, right in RIGHTS.items()}
    is_admin = place.type == "channel" or any(granted.values())
    status, rights = ("administrator", {**granted, "can_manage_chat": True}) if is_admin else ("member", None)
    acts.set_status(call.world, place.chat_id, bot_id, status, rights, user_id)
    bot = people.user(call.db, bot_id)
    if form.get("payload") and place.type != "channel" and bot is not None:
        acts.write(call.world, user_id, place, f"/start@{bot['username']} {form['payload']}")
    return web.see(web.back_to(place, user_id))


def _show_invitation(call: Call, code: str) -> Response:
    invite = invites.find_by_code(call.db, code)
    chat = people.chat(call.db, invite["chat_id"]) if invite else None
    if invite is None or chat is None or not invites.is_open(invite, call.now):
        return web.missing("This invite link has expired")
    users = people.users(call.db, is_bot=False)
    return web.show(
        chat["title"],
        f"<h1>{escape(chat['title'])}</h1><p class=soft>{escape(chat['type'])} · "
        f"{web.counted(earnings.member_count(call.world, chat, call.now))}</p>"
        f'<form method="post" action="{web.ROOT}/-/join" class="card">'
        f'<input type="hidden" name="link" value="{escape(invite["link"])}">{_picker(users)}'
        '<div class="row"><button class="main">Join</button></div></form>',
    )


def join(call: Call) -> Response:
    form = call.request.form
    chat_id = acts.join(call.world, int(form["as"]), form["link"])
    return web.see(web.back_to(acts.place_for(call.db, chat_id), int(form["as"])))


def acting(act: Callable[[Call], Response]) -> Callable[[Call], Response]:
    """A form's answer: what the app would not let happen is said on a page."""

    def handle(call: Call) -> Response:
        try:
            return act(call)
        except (KeyError, ValueError, OverflowError) as error:
            reason = str(error) if isinstance(error, acts.Impossible) else "the form is not complete"
            return web.show("Not possible", f"<h1>Not possible</h1><p>{escape(reason)}</p>", 400)

    return handle
