"""The calls of the Bot API that the product makes, typed. Each raises NetworkError; none retries or sleeps."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, TypeVar

from social.networks.links import telegram_message_url
from social.networks.port import Entity, Failure, NetworkError
from social.networks.telegram.wire import call

# One button: `text` and either `url` or `callback_data`.
Buttons = Sequence[Sequence[Mapping[str, str]]]
MAX_DELETED = 100
T = TypeVar("T")


@dataclass(frozen=True)
class BotUser:
    id: int
    username: str
    name: str


@dataclass(frozen=True)
class Message:
    """`url` is empty where Telegram has no address for messages: in private chats and basic groups."""

    id: int
    chat_kind: str
    url: str


@dataclass(frozen=True)
class Chat:
    id: int
    # channel, group, supergroup or private
    kind: str
    title: str
    username: str
    is_forum: bool


def chat_from(chat: Any) -> Chat:
    """A chat as answers and updates spell it."""
    title = chat.get("title") or name_of(chat)
    return Chat(
        int(_need(chat, "id")), _need(chat, "type"), title, chat.get("username") or "", bool(chat.get("is_forum"))
    )


def get_me(token: str) -> BotUser:
    user = _read(call(token, "getMe", is_write=False), dict)
    return BotUser(int(_need(user, "id")), user.get("username") or "", name_of(user))


def get_chat(token: str, chat_id: int | str) -> Chat:
    """By its id, or by @name."""
    return chat_from(_read(call(token, "getChat", chat_id=chat_id, is_write=False), dict))


def get_chat_member(token: str, chat_id: int, user_id: int) -> dict[str, Any]:
    """As Telegram spells it: `status` and the rights that go with it."""
    member = call(token, "getChatMember", chat_id=chat_id, user_id=user_id, is_write=False)
    _need(member, "status")
    return member


def get_chat_member_count(token: str, chat_id: int) -> int:
    return _read(call(token, "getChatMemberCount", chat_id=chat_id, is_write=False), int)


def get_updates(
    token: str, *, offset: int, limit: int = 100, allowed_updates: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """What came since, as Telegram sent it; asking again from a later offset confirms the earlier ones."""
    updates = call(
        token, "getUpdates", offset=offset, limit=limit, allowed_updates=list(allowed_updates), is_write=False
    )
    return [update for update in _read(updates, list) if isinstance(_read(update, dict).get("update_id"), int)]


def set_webhook(token: str, *, url: str, secret_token: str, allowed_updates: Sequence[str] = ()) -> None:
    kinds = list(allowed_updates)
    call(token, "setWebhook", url=url, secret_token=secret_token, allowed_updates=kinds, is_write=False)


def delete_webhook(token: str) -> None:
    call(token, "deleteWebhook", is_write=False)


def send_text(
    token: str,
    chat_id: int,
    text: str,
    *,
    entities: Sequence[Entity] = (),
    buttons: Buttons = (),
    topic_id: int | None = None,
    is_silent: bool = False,
    asks_answer: bool = False,
) -> Message:
    """`asks_answer` opens the person's answer field for this message; then there are no buttons."""
    sent = call(
        token,
        "sendMessage",
        chat_id=chat_id,
        text=text,
        entities=entities_json(entities),
        reply_markup={"force_reply": True} if asks_answer else keyboard_json(buttons),
        message_thread_id=topic_id,
        disable_notification=is_silent or None,
    )
    return message_from(sent)


def edit_text(
    token: str, chat_id: int, message_id: int, text: str, *, entities: Sequence[Entity] = (), buttons: Buttons = ()
) -> None:
    """A message that says so already counts as changed."""
    with_text = {"text": text, "entities": entities_json(entities)}
    _edit(token, "editMessageText", chat_id, message_id, reply_markup=keyboard_json(buttons), **with_text)


def edit_buttons(token: str, chat_id: int, message_id: int, buttons: Buttons = ()) -> None:
    """Without buttons: takes them away."""
    _edit(token, "editMessageReplyMarkup", chat_id, message_id, reply_markup=keyboard_json(buttons))


def _edit(token: str, method: str, chat_id: int, message_id: int, **params: Any) -> None:
    try:
        call(token, method, chat_id=chat_id, message_id=message_id, **params)
    except NetworkError as error:
        if error.code != "not_modified":
            raise


def answer_callback(token: str, callback_id: str, text: str = "", *, is_alert: bool = False) -> None:
    """Ends the waiting sign on a button that somebody pressed."""
    call(token, "answerCallbackQuery", callback_query_id=callback_id, text=text[:200], show_alert=is_alert or None)


def delete_messages(token: str, chat_id: int, message_ids: Sequence[int]) -> None:
    """Those that are gone already count as deleted. Telegram names its reasons only for a single one."""
    if len(message_ids) == 1:
        _delete_message(token, chat_id, message_ids[0])
        return
    for start in range(0, len(message_ids), MAX_DELETED):
        chunk = list(message_ids[start : start + MAX_DELETED])
        call(token, "deleteMessages", chat_id=chat_id, message_ids=chunk)


def _delete_message(token: str, chat_id: int, message_id: int) -> None:
    try:
        call(token, "deleteMessage", chat_id=chat_id, message_id=message_id)
    except NetworkError as error:
        if error.code != "gone":
            raise


def pin_message(token: str, chat_id: int, message_id: int) -> None:
    call(token, "pinChatMessage", chat_id=chat_id, message_id=message_id, disable_notification=True)


def create_invite_link(
    token: str,
    chat_id: int,
    *,
    name: str = "",
    expires_at: datetime | None = None,
    member_limit: int | None = None,
    needs_approval: bool = False,
) -> str:
    """The link's address. Telegram allows a limit or an approval, not both."""
    link = call(
        token,
        "createChatInviteLink",
        chat_id=chat_id,
        name=name,
        expire_date=int(expires_at.timestamp()) if expires_at else None,
        member_limit=member_limit,
        creates_join_request=needs_approval or None,
    )
    return str(_need(link, "invite_link"))


def revoke_invite_link(token: str, chat_id: int, url: str) -> None:
    call(token, "revokeChatInviteLink", chat_id=chat_id, invite_link=url)


def create_topic(token: str, chat_id: int, name: str) -> int:
    return int(_need(call(token, "createForumTopic", chat_id=chat_id, name=name), "message_thread_id"))


# --- reading and writing Telegram's JSON ----------------------------------------------------------------------


def entities_json(entities: Sequence[Entity]) -> list[dict[str, Any]]:
    facts = (asdict(entity) for entity in entities)
    return [{"type": one.pop("kind"), **{name: fact for name, fact in one.items() if fact != ""}} for one in facts]


def keyboard_json(buttons: Buttons) -> dict[str, Any] | None:
    return {"inline_keyboard": [[dict(button) for button in row] for row in buttons]} if buttons else None


def message_from(sent: Any) -> Message:
    """Without its id we know that something was sent, but not what."""
    try:
        chat, message_id = sent["chat"], int(sent["message_id"])
        return Message(message_id, str(chat["type"]), message_url(chat, message_id))
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        message = "Telegram took the message but its answer names none."
        raise NetworkError(Failure.UNKNOWN, "no_id", message, raw=str(sent), http_status=200) from error


def message_url(chat: Mapping[str, Any], message_id: int) -> str:
    if chat["type"] not in {"channel", "supergroup"}:
        return ""
    return telegram_message_url(chat["id"], chat.get("username") or "", message_id)


def name_of(someone: Mapping[str, Any]) -> str:
    """Of a chat or a person."""
    return someone.get("title") or " ".join(filter(None, [someone.get("first_name"), someone.get("last_name")]))


def _read(answer: Any, kind: type[T]) -> T:
    if not isinstance(answer, kind):
        raise _unreadable(answer)
    return answer


def _need(answer: Any, name: str) -> Any:
    if not isinstance(answer, Mapping) or name not in answer:
        raise _unreadable(answer)
    return answer[name]


def _unreadable(answer: Any) -> NetworkError:
    return NetworkError(Failure.TEMPORARY, "unreadable_answer", "Telegram's answer could not be read.", raw=str(answer))
