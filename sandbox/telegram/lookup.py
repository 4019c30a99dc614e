"""What a bot may ask about itself and about chats."""

import json
from typing import Any

from sandbox.router import Call
from sandbox.telegram import access, earnings, messages, parameters, people, problems
from sandbox.telegram.access import Place
from sandbox.telegram.render import chat_of, member_json, message_json, user_of
from sandbox.wire import Response

_PERMISSIONS = (
    "can_send_messages",
    "can_send_audios",
    "can_send_documents",
    "can_send_photos",
    "can_send_videos",
    "can_send_video_notes",
    "can_send_voice_notes",
    "can_send_polls",
    "can_send_other_messages",
    "can_add_web_page_previews",
    "can_change_info",
    "can_invite_users",
    "can_pin_messages",
    "can_manage_topics",
)
_GIFTS = ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels")


def get_me(call: Call) -> Response:
    extra = {"can_join_groups": True, "can_read_all_group_messages": False, "supports_inline_queries": False}
    return problems.success({**user_of(call.db, call.caller.bot["id"]), **extra})


def get_chat(call: Call) -> Response:
    place = access.find_place(call)
    _require_view(call, place)
    shown: dict[str, Any] = {
        **chat_of(call.db, place.chat_id),
        "accent_color_id": abs(place.chat_id) % 7,
        "max_reaction_count": 11,
        "accepted_gift_types": dict.fromkeys(_GIFTS, False),
    }
    if shown.get("username"):
        shown["active_usernames"] = [shown["username"]]
    if place.chat is not None:
        shown |= _shared_chat(call, place)
    return problems.success(shown)


def _shared_chat(call: Call, place: Place) -> dict[str, Any]:
    assert place.chat is not None
    shown: dict[str, Any] = {}
    if access.has_right(call, place, "can_invite_users"):
        shown["invite_link"] = place.chat["primary_link"]
    if place.type != "channel":
        shown["permissions"] = dict.fromkeys(_PERMISSIONS, True)
    for message_id in reversed(json.loads(place.chat["pinned"])):
        pinned = messages.find_in(call.db, place, message_id)
        if pinned is not None:
            return {**shown, "pinned_message": message_json(call.db, pinned)}
    return shown


def _require_view(call: Call, place: Place) -> None:
    """A public chat can be looked at from outside, unless the bot was thrown out."""
    is_public = place.chat is not None and place.chat["username"] is not None and not place.chat["migrated_to"]
    is_outside = is_public and people.status(call.db, place.chat_id, call.caller.bot["id"]) == "left"
    if not is_outside and not place.is_private:
        access.require_reach(call, place)
    if place.is_private and people.has_dialog(call.db, call.caller.bot["id"], place.chat_id) is None:
        raise problems.chat_not_found()


def get_member(call: Call) -> Response:
    place = access.find_place(call)
    _require_view(call, place)
    user_id = parameters.of(call).number("user_id")
    if user_id is None or people.user(call.db, user_id) is None:
        raise problems.bad_request("user not found" if user_id is None else "member not found")
    is_self = user_id == call.caller.bot["id"]
    if place.type == "channel" and not is_self and not _is_admin(call, place):
        raise problems.bad_request("member list is inaccessible")
    return problems.success(member_json(call.db, place.chat_id, user_id))


def _is_admin(call: Call, place: Place) -> bool:
    return people.status(call.db, place.chat_id, call.caller.bot["id"]) in ("administrator", "creator")


def get_administrators(call: Call) -> Response:
    place = access.find_place(call)
    if place.is_private:
        raise problems.bad_request("there are no administrators in the private chat")
    _require_view(call, place)
    if place.type == "channel" and not _is_admin(call, place):
        raise problems.bad_request("member list is inaccessible")
    wants_bots = parameters.of(call).flag("return_bots")
    bot_id = call.caller.bot["id"]
    return problems.success(
        [
            member_json(call.db, place.chat_id, row["user_id"])
            for row in people.members(call.db, place.chat_id)
            if row["status"] in ("creator", "administrator")
            # Other bots are left out unless they are asked for.
            and (not row["is_bot"] or wants_bots or row["user_id"] == bot_id)
        ]
    )


def count_members(call: Call) -> Response:
    place = access.find_place(call)
    _require_view(call, place)
    return problems.success(2 if place.chat is None else earnings.member_count(call.world, place.chat, call.now))
