"""The Telegram Bot API, as far as a publishing product uses it, and the pages a person would open in the app."""

from collections.abc import Callable

from sandbox.router import Call, Door, Platform, Route
from sandbox.telegram import (
    access,
    albums,
    callbacks,
    console,
    deeplinks,
    earnings,
    editing,
    failures,
    files,
    invites,
    late,
    lookup,
    problems,
    sending,
    topics,
    updates,
    web,
    webhooks,
)
from sandbox.telegram.furniture import furnish
from sandbox.telegram.schema import SCHEMA
from sandbox.wire import Response
from sandbox.world import World

__all__ = ["METHODS", "SCHEMA", "furnish", "platform"]

METHODS: dict[str, Callable[[Call], Response]] = {
    "getMe": lookup.get_me,
    "sendMessage": sending.send_message,
    "sendPhoto": sending.send_media("photo"),
    "sendVideo": sending.send_media("video"),
    "sendAnimation": sending.send_media("animation"),
    "sendDocument": sending.send_media("document"),
    "sendMediaGroup": albums.send_media_group,
    "sendChatAction": sending.send_chat_action,
    "editMessageText": editing.edit_text,
    "editMessageCaption": editing.edit_caption,
    "editMessageReplyMarkup": editing.edit_keyboard,
    "deleteMessage": editing.delete_message,
    "deleteMessages": editing.delete_messages,
    "pinChatMessage": editing.pin_message,
    "unpinChatMessage": editing.unpin_message,
    "createChatInviteLink": invites.create_link,
    "editChatInviteLink": invites.edit_link,
    "revokeChatInviteLink": invites.revoke_link,
    "createForumTopic": topics.create_topic,
    "editForumTopic": topics.edit_topic,
    "closeForumTopic": topics.close_topic,
    "getChat": lookup.get_chat,
    "getChatMember": lookup.get_member,
    "getChatAdministrators": lookup.get_administrators,
    "getChatMemberCount": lookup.count_members,
    "getFile": files.get_file,
    "getUpdates": updates.get_updates,
    "setWebhook": updates.set_webhook,
    "deleteWebhook": updates.delete_webhook,
    "getWebhookInfo": updates.get_webhook_info,
    "answerCallbackQuery": callbacks.answer_query,
}

_DOORS = (
    Door("/bots", console.list_bots, "GET"),
    Door("/bots", console.create_bot),
    Door("/users", console.list_users, "GET"),
    Door("/users", console.create_user),
    Door("/chats", console.list_chats, "GET"),
    Door("/chats", console.create_chat),
    Door("/members", console.set_member),
    Door("/migrate", console.migrate_chat),
    Door("/messages", console.list_messages, "GET"),
    Door("/write", console.write),
    Door("/presses", console.list_presses, "GET"),
    Door("/press", console.press),
    Door("/join", console.join),
    Door("/block", console.block),
    Door("/reactions", console.react),
    Door("/views", console.count_views, "GET"),
)


def platform() -> Platform:
    return Platform(
        "telegram",
        "/tg",
        [*_api_routes(), *_page_routes()],
        not_found=problems.not_found,
        admit=access.admit,
        fail=failures.fail,
        catch_up=_catch_up,
        error=problems.unexpected,
        doors=_DOORS,
        start=webhooks.start,
    )


def _catch_up(world: World) -> None:
    late.land_due(world)
    earnings.send_batch(world)


def _api_routes() -> list[Route]:
    return [
        Route(method, "/bot{token}/" + name, handler) for name, handler in METHODS.items() for method in ("POST", "GET")
    ]


def _page_routes() -> list[Route]:
    pages: list[tuple[str, str, Callable[[Call], Response]]] = [
        ("GET", "/file/bot{token}/{folder}/{name}", files.download),
        ("GET", "/web", web.show_list),
        ("GET", "/web/", web.show_list),
        ("GET", "/web/-/file/{id}", web.show_file),
        ("POST", "/web/-/press", deeplinks.acting(web.press)),
        ("POST", "/web/-/write", deeplinks.acting(web.write)),
        ("POST", "/web/-/start", deeplinks.acting(deeplinks.start)),
        ("POST", "/web/-/add", deeplinks.acting(deeplinks.add)),
        ("POST", "/web/-/join", deeplinks.acting(deeplinks.join)),
        ("GET", "/web/u/{bot_id}/{user_id}", web.show_dialog),
        ("GET", "/web/c/{number}/{message_id}", web.show_message),
        ("GET", "/web/c/{number}", web.show_chat),
        ("GET", "/web/c/{number}/{thread}/{message_id}", web.show_message),
        ("GET", "/web/{username}/{message_id}", web.show_message),
        ("GET", "/web/{username}/{thread}/{message_id}", web.show_message),
        ("GET", "/web/{username}", deeplinks.show_name),
    ]
    return [Route(method, path, handler, is_api=False) for method, path, handler in pages]
