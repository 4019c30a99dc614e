"""Telegram's JSON of users, chats, members and messages."""

import json
import sqlite3
from typing import Any

from sandbox.telegram import files, people


def user_json(user: sqlite3.Row) -> dict[str, Any]:
    shown = {"id": user["id"], "is_bot": bool(user["is_bot"]), "first_name": user["name"]}
    if user["username"]:
        shown["username"] = user["username"]
    if not user["is_bot"]:
        shown["language_code"] = "en"
    return shown


def user_of(db: sqlite3.Connection, user_id: int) -> dict[str, Any]:
    user = people.user(db, user_id)
    assert user is not None
    return user_json(user)


def chat_of(db: sqlite3.Connection, chat_id: int) -> dict[str, Any]:
    if chat_id > 0:
        return _private_chat(db, chat_id)
    chat = people.chat(db, chat_id)
    assert chat is not None
    return chat_json(chat)


def _private_chat(db: sqlite3.Connection, user_id: int) -> dict[str, Any]:
    user = people.user(db, user_id)
    assert user is not None
    shown = {"id": user["id"], "type": "private", "first_name": user["name"]}
    return {**shown, "username": user["username"]} if user["username"] else shown


def chat_json(chat: sqlite3.Row) -> dict[str, Any]:
    shown = {"id": chat["id"], "type": chat["type"], "title": chat["title"]}
    if chat["username"]:
        shown["username"] = chat["username"]
    if chat["is_forum"]:
        shown["is_forum"] = True
    return shown


def member_json(db: sqlite3.Connection, chat_id: int, user_id: int) -> dict[str, Any]:
    found = people.member(db, chat_id, user_id)
    status = str(found["status"]) if found else "left"
    shown: dict[str, Any] = {"user": user_of(db, user_id), "status": status}
    if status == "creator":
        return {**shown, "is_anonymous": False}
    if status == "administrator":
        every = {**dict.fromkeys(people.CHANNEL_RIGHTS, False), **people.rights(found)}
        return {**shown, "can_be_edited": False, "is_anonymous": False, **every}
    if status == "kicked":
        return {**shown, "until_date": 0}
    if status == "restricted":
        return {**shown, "is_member": True, "until_date": 0, **dict.fromkeys(_RESTRICTIONS, False)}
    return shown


_RESTRICTIONS = (
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
    "can_react_to_messages",
    "can_edit_tag",
    "can_change_info",
    "can_invite_users",
    "can_pin_messages",
    "can_manage_topics",
)


def message_json(db: sqlite3.Connection, message: sqlite3.Row, *, with_reply: bool = True) -> dict[str, Any]:
    chat = chat_of(db, message["chat_id"])
    shown: dict[str, Any] = {"message_id": message["message_id"], "date": int(message["sent_at"]), "chat": chat}
    if chat["type"] == "channel":
        shown["sender_chat"] = chat
    elif message["sender_id"]:
        shown["from"] = user_of(db, message["sender_id"])
    if message["thread_id"]:
        shown |= {"message_thread_id": message["thread_id"], "is_topic_message": True}
    if message["edited_at"]:
        shown["edit_date"] = int(message["edited_at"])
    if message["album"]:
        shown["media_group_id"] = message["album"]
    if message["service"]:
        shown |= json.loads(message["service"])
    shown |= _content(db, message) | json.loads(message["options"])
    if message["keyboard"]:
        shown["reply_markup"] = json.loads(message["keyboard"])
    if with_reply and message["reply_to"]:
        shown |= _reply(db, message)
    return shown


def _reply(db: sqlite3.Connection, message: sqlite3.Row) -> dict[str, Any]:
    answered = db.execute(
        "SELECT * FROM tg_messages WHERE chat_id = ? AND owner = ? AND message_id = ?",
        (message["chat_id"], message["owner"], message["reply_to"]),
    ).fetchone()
    return {"reply_to_message": message_json(db, answered, with_reply=False)} if answered else {}


def _content(db: sqlite3.Connection, message: sqlite3.Row) -> dict[str, Any]:
    entities = [_entity(db, entity) for entity in json.loads(message["entities"])]
    is_media = message["media_kind"] is not None
    shown: dict[str, Any] = files.media_json(db, message["media"], message["media_kind"]) if is_media else {}
    if message["text"]:
        shown["caption" if is_media else "text"] = message["text"]
    if entities:
        shown["caption_entities" if is_media else "entities"] = entities
    return shown


def _entity(db: sqlite3.Connection, entity: dict[str, Any]) -> dict[str, Any]:
    if entity["type"] != "text_mention":
        return entity
    return {**entity, "user": user_of(db, entity["user"]["id"])}
