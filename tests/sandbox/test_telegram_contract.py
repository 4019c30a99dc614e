"""Calls and answers against the published Bot API: every parameter, every field."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox.telegram import METHODS, keyboards, texts, updates
from sandbox.telegram.contents import _NEEDS
from tests.sandbox.cast import Sandbox, movie
from tests.sandbox.telegram_cast import DANA, Telegram, TelegramBot, picture

SPEC = Path(__file__).parents[3] / "shared" / "specs" / "telegram-bot-api-10.1.json"
pytestmark = pytest.mark.skipif(not SPEC.exists(), reason="the published Bot API is not beside the project")

PLAIN: dict[str, Any] = {"Integer": int, "String": str, "Boolean": bool, "Float": float, "True": bool}


@pytest.fixture(scope="module")
def spec() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(SPEC.read_text())
    return loaded


class Misfit(AssertionError):
    """The answer is not what the specification says."""


def check(spec: dict[str, Any], value: Any, kind: str, path: str) -> None:
    """Every required field is there, no field is invented, every type is right."""
    if kind.startswith("Array of "):
        if not isinstance(value, list):
            raise Misfit(f"{path} is no array")
        for index, item in enumerate(value):
            check(spec, item, kind.removeprefix("Array of "), f"{path}[{index}]")
    elif kind in PLAIN:
        if not isinstance(value, PLAIN[kind]) or (kind == "Integer" and isinstance(value, bool)):
            raise Misfit(f"{path}: {value!r} is no {kind}")
    else:
        _check_object(spec, value, spec["types"][kind], path)


def _check_object(spec: dict[str, Any], value: Any, kind: dict[str, Any], path: str) -> None:
    if "subtypes" in kind:
        return _check_any(spec, value, kind["subtypes"], path)
    fields = {field["name"]: field for field in kind.get("fields", [])}
    invented = set(value) - set(fields)
    missing = {name for name, field in fields.items() if field["required"]} - set(value)
    if invented or missing:
        raise Misfit(f"{path}: invented {invented}, missing {missing} of {kind['name']}")
    for name, inner in value.items():
        _check_any(spec, inner, fields[name]["types"], f"{path}.{name}")
    return None


def _check_any(spec: dict[str, Any], value: Any, kinds: list[str], path: str) -> None:
    reasons = []
    for kind in kinds:
        try:
            return check(spec, value, kind, path)
        except Misfit as error:
            reasons.append(str(error))
    raise Misfit("; ".join(reasons))


Fits = Callable[..., Any]


@pytest.fixture
def fits(spec: dict[str, Any], bot: TelegramBot) -> Fits:
    """Calls a method and checks what comes back."""

    def call(method: str, **parameters: Any) -> Any:
        result = bot.do(method, **parameters)
        _check_any(spec, result, spec["methods"][method]["returns"], method)
        return result

    return call


@pytest.mark.parametrize("method", sorted(METHODS))
def test_a_method_exists(spec: dict[str, Any], method: str) -> None:
    assert method in spec["methods"]


@pytest.mark.parametrize("method", sorted(METHODS))
def test_a_missing_required_parameter_is_refused(
    spec: dict[str, Any], bot: TelegramBot, channel: int, method: str
) -> None:
    required = [field["name"] for field in spec["methods"][method].get("fields", []) if field["required"]]
    # An empty address is how a webhook is taken away, also where none is given.
    for name in sorted({*required} - {"url"}):
        others = {"chat_id": str(channel), "message_id": "1", "text": "x", "name": "x", "user_id": str(DANA)}
        answer = bot.call(method, **{key: value for key, value in others.items() if key != name and key in required})
        assert answer.status_code == 400, f"{method} without {name}"


@pytest.mark.parametrize(
    ("method", "own"),
    [
        ("sendMessage", {"text": "x"}),
        ("sendPhoto", {"caption": "x"}),
        ("sendVideo", {"caption": "x"}),
        ("sendDocument", {"caption": "x"}),
        ("sendAnimation", {"caption": "x"}),
        ("createChatInviteLink", {}),
        ("setWebhook", {"url": "https://example.com/"}),
        ("getUpdates", {}),
    ],
)
def test_every_published_parameter_is_taken(
    spec: dict[str, Any], bot: TelegramBot, channel: int, method: str, own: dict[str, str]
) -> None:
    kind = method.removeprefix("send").lower()
    contents = {"photo": picture(), "video": movie(), "animation": movie(), "document": b"x"}
    files = {kind: (f"{kind}.bin", contents[kind])} if kind in contents else None
    samples = {
        "Boolean": "false",
        "Integer": "0",
        "String": "",
        "LinkPreviewOptions": "{}",
        "InlineKeyboardMarkup": "{}",
        "Array of MessageEntity": "[]",
        "Array of String": "[]",
    }
    fields = spec["methods"][method]["fields"]
    given = {field["name"]: samples[field["types"][0]] for field in fields if field["types"][0] in samples}
    given |= {"chat_id": str(channel), **own}
    given.pop(kind, None)
    assert bot.call(method, files=files, **given).status_code == 200


def test_messages_fit(fits: Fits, channel: int, telegram: Telegram, dana: int) -> None:
    keys = {"inline_keyboard": [[{"text": "Go", "url": "https://e.com"}, {"text": "Yes", "callback_data": "y"}]]}
    first = fits(
        "sendMessage",
        chat_id=channel,
        text='<b>Hello</b> <a href="tg://user?id=5000001">you</a> https://example.com <pre>x</pre>',
        parse_mode="HTML",
        reply_markup=keys,
        protect_content=True,
        link_preview_options={"is_disabled": True},
    )
    fits("sendMessage", chat_id=dana, text="Hello")
    answer = {"message_id": first["message_id"]}
    fits("sendPhoto", chat_id=channel, files={"photo": ("p.jpg", picture((400, 300)))}, caption="#x", has_spoiler=True)
    fits("sendVideo", chat_id=channel, files={"video": ("v.mp4", movie())}, reply_parameters=answer)
    fits("editMessageText", chat_id=channel, message_id=first["message_id"], text="Second")
    fits("editMessageReplyMarkup", chat_id=channel, message_id=first["message_id"], reply_markup=keys)


def test_files_and_albums_fit(fits: Fits, telegram: Telegram, bot: TelegramBot) -> None:
    chat = telegram.chat("supergroup", bots=[bot.username])
    sent = fits("sendDocument", chat_id=chat, files={"document": ("a.pdf", b"x")}, caption="x")
    fits("editMessageCaption", chat_id=chat, message_id=sent["message_id"], caption="y", show_caption_above_media=True)
    fits("getFile", file_id=sent["document"]["file_id"])
    fits("sendAnimation", chat_id=chat, files={"animation": ("a.mp4", movie())})
    media = [{"type": kind, "media": "attach://one", "caption": "x"} for kind in ("audio", "audio")]
    fits("sendMediaGroup", chat_id=chat, media=media, files={"one": ("a.mp3", b"x")})


def test_chats_and_members_fit(fits: Fits, bot: TelegramBot, telegram: Telegram, channel: int, dana: int) -> None:
    message = bot.send(channel, "x")["message_id"]
    assert fits("pinChatMessage", chat_id=channel, message_id=message) is True
    for chat in (
        channel,
        dana,
        telegram.chat("forum", bots=[bot.username]),
        telegram.chat("group", bots=[bot.username]),
    ):
        fits("getChat", chat_id=chat)
        fits("getChatMemberCount", chat_id=chat)
        fits("sendChatAction", chat_id=chat, action="typing")
    for status in ("creator", "administrator", "member", "restricted", "left", "kicked"):
        telegram.order("/members", chat=channel, user=DANA, status=status)
        fits("getChatMember", chat_id=channel, user_id=DANA)
    fits("getChatAdministrators", chat_id=channel)
    fits("unpinChatMessage", chat_id=channel)
    fits("deleteMessage", chat_id=channel, message_id=message)
    fits("deleteMessages", chat_id=channel, message_ids=[message])
    fits("getMe")


def test_links_and_topics_fit(fits: Fits, bot: TelegramBot, telegram: Telegram, channel: int) -> None:
    link = fits("createChatInviteLink", chat_id=channel, name="x", member_limit=5, expire_date=4_000_000_000)
    fits("editChatInviteLink", chat_id=channel, invite_link=link["invite_link"], name="y")
    fits("revokeChatInviteLink", chat_id=channel, invite_link=link["invite_link"])
    forum = telegram.chat("forum", bots=[bot.username])
    thread = fits("createForumTopic", chat_id=forum, name="x")["message_thread_id"]
    fits("editForumTopic", chat_id=forum, message_thread_id=thread, name="y")
    fits("sendMessage", chat_id=forum, message_thread_id=thread, text="x")
    fits("closeForumTopic", chat_id=forum, message_thread_id=thread)


def test_updates_and_webhooks_fit(fits: Fits, bot: TelegramBot, telegram: Telegram, channel: int) -> None:
    keys = {"inline_keyboard": [[{"text": "Yes", "callback_data": "y"}]]}
    message = bot.send(channel, "x", reply_markup=keys)["message_id"]
    link = bot.do("createChatInviteLink", chat_id=channel)["invite_link"]
    group = telegram.chat("group", bots=[bot.username])
    fits("getUpdates", allowed_updates=list(updates.KINDS))
    telegram.order("/write", **{"from": DANA, "bot": bot.username, "text": "/start x"})
    pressed = telegram.order("/press", **{"from": DANA, "chat": channel, "message_id": message, "data": "y"})
    telegram.order("/join", user=DANA, link=link)
    telegram.order("/reactions", chat=channel, message_id=message, reactions={"👍": 2})
    telegram.order("/block", user=DANA, bot=bot.username)
    telegram.order("/migrate", chat=group)
    telegram.order("/members", chat=channel, user=bot.username, status="kicked")
    found = {name for update in fits("getUpdates") for name in update} - {"update_id"}
    assert found == {"message", "callback_query", "my_chat_member", "chat_member", "message_reaction_count"}
    fits("answerCallbackQuery", callback_query_id=pressed["id"])
    fits("setWebhook", url="https://example.com/hook", ip_address="192.0.2.1", allowed_updates=["message"])
    fits("getWebhookInfo")
    fits("deleteWebhook")


def test_the_kinds_of_updates_are_published(spec: dict[str, Any]) -> None:
    published = {field["name"] for field in spec["types"]["Update"]["fields"]}
    assert set(updates.KINDS) <= published


def test_the_actions_of_buttons_are_all_the_published_ones(spec: dict[str, Any]) -> None:
    published = {field["name"] for field in spec["types"]["InlineKeyboardButton"]["fields"]}
    assert published - {"text", "icon_custom_emoji_id", "style"} == set(keyboards._ACTIONS)


def test_the_types_of_entities_are_published(spec: dict[str, Any]) -> None:
    [words] = [field["description"] for field in spec["types"]["MessageEntity"]["fields"] if field["name"] == "type"]
    known = {*texts.STYLES, *texts.QUOTES, *texts.CODES, *texts.AUTOMATIC, *_NEEDS}
    assert set(re.findall('"([a-z_]+)"', words)) == known


def test_an_error_has_the_published_form(bot: TelegramBot, sandbox: Sandbox) -> None:
    answer = requests.post(f"{bot.url}/sendMessage", timeout=30).json()
    assert set(answer) == {"ok", "error_code", "description"}
