"""python-telegram-bot against the sandbox: what it sends is understood, and errors become its own."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from telegram import (
    Bot,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputFile,
    InputMediaPhoto,
    InputMediaVideo,
    LinkPreviewOptions,
    MessageEntity,
    ReplyParameters,
)
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TimedOut,
)

from tests.sandbox.cast import Sandbox, movie
from tests.sandbox.telegram_cast import Telegram, TelegramBot, picture

Act = Callable[[Bot], Coroutine[Any, Any, Any]]


@pytest.fixture
def run(sandbox: Sandbox, bot: TelegramBot) -> Callable[[Act], Any]:
    """Runs one act of a client that has just been opened."""

    async def with_client(act: Act, token: str) -> Any:
        base = f"{sandbox.url}/tg"
        client = Bot(token, base_url=f"{base}/bot", base_file_url=f"{base}/file/bot")
        async with client:
            return await act(client)

    def start(act: Act, token: str = bot.token) -> Any:
        return asyncio.run(with_client(act, token))

    return start


def test_the_client_opens_with_get_me(run: Callable[[Act], Any], bot: TelegramBot) -> None:
    async def act(client: Bot) -> Any:
        return client.bot

    assert (run(act).id, run(act).username) == (bot.id, "press_bot")


def test_a_message_with_everything(run: Callable[[Act], Any], channel: int) -> None:
    async def act(client: Bot) -> Any:
        first = await client.send_message(channel, "First")
        return await client.send_message(
            chat_id="@news",
            text="Go 🙂 now",
            entities=[MessageEntity("bold", 3, 2), MessageEntity("text_link", 6, 3, url="https://example.com/x")],
            link_preview_options=LinkPreviewOptions(is_disabled=True),
            disable_notification=True,
            protect_content=True,
            reply_parameters=ReplyParameters(first.message_id),
            reply_markup=InlineKeyboardMarkup(
                [
                    [
                        InlineKeyboardButton("Open", url="https://example.com"),
                        InlineKeyboardButton("Yes", callback_data="y"),
                    ]
                ]
            ),
        )

    sent = run(act)
    assert [(one.type, one.offset, one.length) for one in sent.entities] == [("bold", 3, 2), ("text_link", 6, 3)]
    assert sent.reply_markup.inline_keyboard[0][1].callback_data == "y"
    assert (sent.reply_to_message.text, sent.has_protected_content) == ("First", True)
    assert sent.link_preview_options.is_disabled is True


def test_an_album_of_bytes_and_open_files(run: Callable[[Act], Any], channel: int, tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(movie())

    async def act(client: Bot) -> Any:
        with path.open("rb") as opened:
            media = [
                InputMediaPhoto(picture(), caption="<b>One</b>", parse_mode="HTML"),
                InputMediaVideo(opened, width=320, height=200),
            ]
            return await client.send_media_group(channel, media)

    photo, video = run(act)
    assert (photo.caption, photo.caption_entities[0].type) == ("One", "bold")
    assert (video.video.width, video.video.file_name) == (320, "film.mp4")
    assert photo.media_group_id == video.media_group_id


@pytest.mark.parametrize("is_read_first", [True, False])
def test_an_open_file_is_sent_read_or_streamed(
    run: Callable[[Act], Any], channel: int, tmp_path: Path, is_read_first: bool
) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(picture((300, 200)))

    async def act(client: Bot) -> Any:
        with path.open("rb") as opened:
            upload = InputFile(opened, filename="photo.jpg", read_file_handle=is_read_first)
            return await client.send_photo(channel, upload)

    assert run(act).photo[-1].width == 300


def test_a_download_gives_the_bytes_back(run: Callable[[Act], Any], channel: int) -> None:
    content = picture((64, 64))

    async def act(client: Bot) -> Any:
        sent = await client.send_document(channel, content, filename="a.jpg")
        return await (await client.get_file(sent.document.file_id)).download_as_bytearray()

    assert bytes(run(act)) == content


def test_the_life_of_a_message(run: Callable[[Act], Any], channel: int, telegram: Telegram) -> None:
    async def act(client: Bot) -> None:
        sent = await client.send_photo(channel, picture(), caption="First")
        await client.edit_message_caption(channel, sent.message_id, caption="Second")
        keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("Yes", callback_data="y")]])
        await client.edit_message_reply_markup(channel, sent.message_id, reply_markup=keyboard)
        await client.pin_chat_message(channel, sent.message_id, disable_notification=True)
        await client.unpin_chat_message(channel, sent.message_id)
        await client.delete_message(channel, sent.message_id)

    run(act)
    [message] = telegram.messages(chat=channel)
    assert (message["text"], message["deleted"], len(message["edits"])) == ("Second", True, 2)


def test_what_is_asked_about_a_chat(run: Callable[[Act], Any], channel: int, bot: TelegramBot) -> None:
    async def act(client: Bot) -> Any:
        chat = await client.get_chat("@news")
        member = await client.get_chat_member(channel, bot.id)
        count = await client.get_chat_member_count(channel)
        link = await client.create_chat_invite_link(channel, name="utm", member_limit=5)
        edited = await client.edit_chat_invite_link(channel, link, name="utm2")
        revoked = await client.revoke_chat_invite_link(channel, edited)
        return chat.title, member.can_post_messages, count, link.name, revoked.is_revoked

    assert run(act) == ("News", True, 1, "utm", True)


def test_topics(run: Callable[[Act], Any], telegram: Telegram, bot: TelegramBot) -> None:
    forum = telegram.chat("forum", bots=[bot.username])

    async def act(client: Bot) -> Any:
        topic = await client.create_forum_topic(forum, "Launch")
        await client.edit_forum_topic(forum, topic.message_thread_id, name="Landing")
        sent = await client.send_message(forum, "x", message_thread_id=topic.message_thread_id)
        await client.close_forum_topic(forum, topic.message_thread_id)
        return sent.is_topic_message

    assert run(act) is True


def test_updates_of_every_kind_are_read(
    run: Callable[[Act], Any], telegram: Telegram, bot: TelegramBot, channel: int
) -> None:
    keys = {"inline_keyboard": [[{"text": "Yes", "callback_data": "y"}]]}
    message = bot.send(channel, "x", reply_markup=keys)["message_id"]
    kinds = ["message", "callback_query", "my_chat_member", "chat_member", "message_reaction_count"]
    bot.updates(offset=2**31, allowed_updates=kinds)
    link = bot.do("createChatInviteLink", chat_id=channel, name="utm")["invite_link"]
    telegram.order("/write", **{"from": "dana_demo", "bot": bot.username, "text": "/start abc"})
    telegram.order("/press", **{"from": "dana_demo", "chat": channel, "message_id": message, "data": "y"})
    telegram.order("/join", user="dana_demo", link=link)
    telegram.order("/reactions", chat=channel, message_id=message, reactions={"👍": 2})
    telegram.order("/members", chat=channel, user=bot.username, status="kicked", by="dana_demo")

    async def act(client: Bot) -> Any:
        updates = await client.get_updates(timeout=1)
        await client.answer_callback_query(updates[1].callback_query.id, "Thanks")
        return updates

    said, pressed, joined, reacted, left = run(act)
    assert said.message.text == "/start abc"
    assert (pressed.callback_query.data, pressed.callback_query.message.message_id) == ("y", message)
    assert joined.chat_member.invite_link.name == "utm"
    assert reacted.message_reaction_count.reactions[0].total_count == 2
    assert left.my_chat_member.new_chat_member.status == "kicked"


def failing(run: Callable[[Act], Any], chat: int | str, text: str = "x", **options: Any) -> Exception:
    async def act(client: Bot) -> Any:
        return await client.send_message(chat, text, **options)

    with pytest.raises(Exception) as refusal:  # noqa: PT011 - the tests look at the kind
        run(act)
    return refusal.value


@pytest.mark.parametrize(
    ("fault", "params", "kind"),
    [
        ("flood", {"seconds": 9}, RetryAfter),
        ("migrate_to_chat_id", {"chat_id": -1007}, ChatMigrated),
        ("bot_kicked", {}, Forbidden),
        ("not_admin", {}, BadRequest),
        ("html_5xx", {}, NetworkError),
        ("status", {"status": 409}, Conflict),
        ("accept_then_drop", {}, NetworkError),
        ("drop_before_accept", {}, NetworkError),
        ("json_list_error", {}, AttributeError),
    ],
)
def test_faults_become_errors_of_the_client(
    run: Callable[[Act], Any], sandbox: Sandbox, channel: int, fault: str, params: dict[str, Any], kind: type[Exception]
) -> None:
    sandbox.fault(fault, platform="telegram", route="POST /bot{token}/sendMessage", **params)
    assert type(failing(run, channel)) is kind


def test_a_flood_says_how_long(run: Callable[[Act], Any], sandbox: Sandbox, channel: int) -> None:
    sandbox.fault("flood", platform="telegram", seconds=9)
    error = failing(run, channel)
    assert isinstance(error, RetryAfter)
    assert error._retry_after.total_seconds() == 9


def test_a_migration_says_where_to(run: Callable[[Act], Any], telegram: Telegram, bot: TelegramBot) -> None:
    group = telegram.chat("group", bots=[bot.username])
    moved = telegram.order("/migrate", chat=group)["new"]
    error = failing(run, group)
    assert isinstance(error, ChatMigrated)
    assert error.new_chat_id == moved


def test_a_hang_is_a_timeout(run: Callable[[Act], Any], sandbox: Sandbox, channel: int, telegram: Telegram) -> None:
    sandbox.fault("accept_then_hang", platform="telegram", route="POST /bot{token}/sendMessage", seconds=9)
    assert isinstance(failing(run, channel, read_timeout=0.3), TimedOut)
    assert telegram.texts(chat=channel) == ["x"]


def test_a_wrong_token_is_an_invalid_token(run: Callable[..., Any]) -> None:
    async def act(client: Bot) -> Any:
        return client.bot

    with pytest.raises(InvalidToken):
        run(act, "100000:wrong")


def test_markup_errors_arrive_in_words(run: Callable[[Act], Any], channel: int) -> None:
    error = failing(run, channel, "<x>", parse_mode="HTML")
    assert str(error) == 'Can\'t parse entities: unsupported start tag "x" at byte offset 0'


def test_a_stranger_is_forbidden(run: Callable[[Act], Any]) -> None:
    error = failing(run, 5_000_001)
    assert str(error) == "Forbidden: bot can't initiate conversation with a user"
