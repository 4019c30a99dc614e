"""The pages a person opens where t.me and the app would be."""

from typing import Any

import pytest

from tests.sandbox.cast import Sandbox, movie
from tests.sandbox.telegram_cast import DANA, Telegram, TelegramBot, picture
from tests.sandbox.test_escaping import ATTACKS, Reader


def test_the_list_shows_chats_bots_and_private_chats(telegram: Telegram, bot: TelegramBot, dana: int) -> None:
    answer = telegram.page()
    assert answer.status_code == 200
    for link in ("/tg/web/demo_channel", "/tg/web/press_bot", f"/tg/web/u/{bot.id}/{dana}", "/tg/web/c/"):
        assert f'href="{link}' in answer.text


def test_the_front_page_of_the_sandbox_leads_there(sandbox: Sandbox, telegram: Telegram) -> None:
    front = Telegram(sandbox).page("../../").text
    assert 'href="/tg/web/demo_channel"' in front
    assert 'href="/tg/web/demo_rostrum_bot"' in front


def test_a_chat_shows_its_messages_in_order(telegram: Telegram, bot: TelegramBot, channel: int) -> None:
    bot.send(channel, "The older one")
    bot.send(channel, "The newer one")
    text = telegram.page("NEWS").text
    assert text.index("The older one") < text.index("The newer one")
    assert "@news · channel · 1 member<" in text


def test_a_chat_without_messages_says_so(telegram: Telegram) -> None:
    assert "No messages yet." in telegram.page("demo_channel").text


def test_formatting_is_shown(telegram: Telegram, bot: TelegramBot, channel: int) -> None:
    text = (
        '<b>bold <i>both</i></b> <u>u</u> <s>s</s> <code>c</code> <pre>p</pre> <a href="https://e.com/x">link</a> '
        "<tg-spoiler>secret</tg-spoiler> <blockquote>said</blockquote>"
    )
    bot.send(channel, text, parse_mode="HTML")
    page = telegram.page("news").text
    for piece in (
        "<strong>bold <em>both</em></strong>",
        "<u>u</u>",
        "<s>s</s>",
        "<code>c</code>",
        '<code class="block">p</code>',
        '<a rel="nofollow noreferrer" href="https://e.com/x">link</a>',
        '<span class="spoiler" tabindex="0">secret</span>',
        '<q class="quote">said</q>',
    ):
        assert piece in page


def test_found_links_can_be_followed(telegram: Telegram, bot: TelegramBot, channel: int) -> None:
    bot.send(channel, "🙂 example.com and jo@example.com #x")
    page = telegram.page("news").text
    assert 'href="http://example.com">example.com</a>' in page
    assert 'href="mailto:jo@example.com">jo@example.com</a>' in page
    assert '<span class="hot">#x</span>' in page


def test_media_is_shown(telegram: Telegram, bot: TelegramBot, channel: int) -> None:
    bot.photo(channel, picture())
    bot.do("sendVideo", chat_id=channel, files={"video": ("f.mp4", movie())})
    bot.do("sendDocument", chat_id=channel, files={"document": ("a.svg", b"<svg onload=x>")})
    page = telegram.page("news").text
    assert '<img src="/tg/web/-/file/1"' in page
    assert '<video src="/tg/web/-/file/2" controls' in page
    assert 'href="/tg/web/-/file/3">a.svg</a>' in page
    assert telegram.page("-/file/1").content == picture()
    assert telegram.page("-/file/3").headers["content-disposition"] == "attachment"
    assert telegram.page("-/file/4").status_code == 404


def test_reactions_edits_and_replies_are_shown(telegram: Telegram, bot: TelegramBot, channel: int) -> None:
    first = bot.send(channel, "First")["message_id"]
    bot.send(channel, "Second", reply_parameters={"message_id": first})
    bot.do("editMessageText", chat_id=channel, message_id=first, text="Firstly")
    telegram.order("/reactions", chat=channel, message_id=first, reactions={"👍": 12})
    page = telegram.page("news").text
    assert "👍 12" in page
    assert " · edited" in page
    assert '<p class="reply">Firstly</p>' in page


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_text_stays_a_text_on_every_page(
    telegram: Telegram, bot: TelegramBot, dana: int, channel: int, attack: str
) -> None:
    entities = [{"type": "bold", "offset": 1, "length": 4}, {"type": "spoiler", "offset": 3, "length": 5}]
    sent = bot.send(channel, attack, entities=entities)
    bot.send(dana, attack, reply_markup={"inline_keyboard": [[{"text": attack, "callback_data": "x"}]]})
    for path in ("news", f"news/{sent['message_id']}", f"u/{bot.id}/{dana}"):
        page = Reader(telegram.page(path).text)
        assert page.is_harmless
        assert attack in page.words


@pytest.mark.parametrize(("kind", "prefix"), [("channel", "-100000"), ("group", "-"), ("forum", "-100000")])
def test_a_chat_without_a_name_is_found_by_its_number(
    telegram: Telegram, bot: TelegramBot, kind: str, prefix: str
) -> None:
    chat = telegram.chat(kind, bots=[bot.username])
    message = bot.send(chat, "Found by its number")["message_id"]
    number = str(chat).removeprefix(prefix)
    assert "Found by its number" in telegram.page(f"c/{number}").text
    assert telegram.page(f"c/{number}/{message}").status_code == 200


def test_a_message_has_a_page_until_it_is_deleted(telegram: Telegram, bot: TelegramBot, channel: int) -> None:
    message = bot.send(channel, "Here")["message_id"]
    assert f'class="bubble marked" id="m{message}"' in telegram.page(f"news/{message}").text
    bot.do("deleteMessage", chat_id=channel, message_id=message)
    assert telegram.page(f"news/{message}").status_code == 404
    assert "Here" not in telegram.page("news").text


def test_an_address_may_name_the_topic_too(telegram: Telegram, bot: TelegramBot) -> None:
    forum = telegram.chat("forum", username="talk", bots=[bot.username], topics=["Launch"])
    bot.send(forum, "In a topic", message_thread_id=1)
    number = str(forum).removeprefix("-100").lstrip("0")
    for path in ("talk/1/2", f"c/{number}/1/2"):
        assert 'class="bubble marked" id="m2"' in telegram.page(path).text


@pytest.mark.parametrize(
    "path",
    ["nobody", "news/99", "news/x", "c/77", "c/x", "c/77/1", "u/1/2", "u/x/y", "dana_demo", "+nothing", "9" * 30],
)
def test_what_is_not_there_has_a_page_that_says_so(telegram: Telegram, channel: int, path: str) -> None:
    answer = telegram.page(path)
    assert answer.status_code == 404
    assert 'href="/tg/web/"' in answer.text


def test_an_old_message_is_shown_among_its_neighbours(
    telegram: Telegram, bot: TelegramBot, channel: int, sandbox: Sandbox
) -> None:
    telegram.order("/members", chat=channel, user=DANA, status="creator")
    for number in range(1, 121):
        telegram.order("/write", **{"from": DANA, "chat": channel, "text": f"Number {number}."})
    assert "Number 5." not in telegram.page("news").text
    assert "Number 5." in telegram.page("news/5").text


# Acting


def test_a_url_button_is_a_link_and_a_callback_button_a_form(
    telegram: Telegram, bot: TelegramBot, channel: int
) -> None:
    keys = [[{"text": "Open", "url": "https://e.com/x"}, {"text": "Yes", "callback_data": "y"}, {"text": "App"}]]
    keys[0][2]["switch_inline_query"] = "q"
    message = bot.send(channel, "x", reply_markup={"inline_keyboard": keys})["message_id"]
    page = telegram.page("news").text
    assert '<a class="key" rel="nofollow noreferrer" href="https://e.com/x">Open</a>' in page
    assert '<span class="key">App</span>' in page
    form = {"chat": channel, "bot": 0, "as": DANA, "message_id": message, "data": "y"}
    assert all(f'name="{name}" value="{value}"' in page for name, value in form.items())


def test_pressing_shows_the_answer_of_the_bot(telegram: Telegram, bot: TelegramBot, channel: int) -> None:
    keys = {"inline_keyboard": [[{"text": "Yes", "callback_data": "y"}]]}
    message = bot.send(channel, "x", reply_markup=keys)["message_id"]
    answer = telegram.submit("press", chat=channel, bot=0, data="y", message_id=message, **{"as": DANA})
    assert answer.status_code == 303
    shown = answer.headers["location"].removeprefix("/tg/web/")
    assert "The bot has not answered yet" in telegram.page(shown).text
    query = bot.updates()[-1]["callback_query"]
    bot.do("answerCallbackQuery", callback_query_id=query["id"], text="Noted <b>!")
    assert "Noted &lt;b&gt;!" in telegram.page(shown).text


def test_a_person_writes_in_a_group(telegram: Telegram, bot: TelegramBot) -> None:
    group = telegram.chat("supergroup", username="talk", members=["dana_demo"], bots=[bot.username])
    assert "Write as Dana Demo" in telegram.page("talk").text
    answer = telegram.submit("write", chat=group, bot=0, text="Hello\r\nall", **{"as": DANA})
    assert answer.headers["location"] == f"/tg/web/talk?as={DANA}"
    assert bot.updates()[-1]["message"]["text"] == "Hello\nall"


def test_a_person_writes_to_a_topic(telegram: Telegram, bot: TelegramBot) -> None:
    forum = telegram.chat("forum", username="talk", members=["dana_demo"], bots=[bot.username], topics=["Launch"])
    assert '<option value="1">Launch</option>' in telegram.page("talk").text
    telegram.submit("write", chat=forum, bot=0, text="Hello", thread=1, **{"as": DANA})
    assert telegram.messages(chat=forum)[-1]["thread_id"] == 1


def test_who_runs_a_channel_writes_in_it(telegram: Telegram, bot: TelegramBot) -> None:
    channel = telegram.chat(username="ours", members={"dana_demo": "creator"}, bots=[bot.username])
    assert "Write as Dana Demo" in telegram.page("ours").text
    telegram.submit("write", chat=channel, bot=0, text="/connect ABCD", **{"as": DANA})
    assert bot.updates()[-1]["channel_post"]["text"] == "/connect ABCD"


def test_nobody_else_writes_in_a_channel(telegram: Telegram, channel: int) -> None:
    assert "Dana Demo reads here and does not write." in telegram.page("news").text
    answer = telegram.submit("write", chat=channel, bot=0, text="x", **{"as": DANA})
    assert answer.status_code == 400
    assert telegram.messages(chat=channel) == []


def test_a_viewer_is_chosen_among_several(telegram: Telegram, bot: TelegramBot) -> None:
    erin = telegram.user("erin")
    telegram.chat("supergroup", username="talk", members=["dana_demo", "erin"])
    assert "Write as Dana Demo" in telegram.page("talk").text
    assert "Write as Erin" in telegram.page("talk", **{"as": erin}).text


@pytest.mark.parametrize("form", [{}, {"chat": "x"}, {"chat": "5", "as": "9" * 30, "text": "x"}])
@pytest.mark.parametrize("act", ["press", "write", "start", "add", "join"])
def test_a_broken_form_is_refused_on_a_page(telegram: Telegram, act: str, form: dict[str, Any]) -> None:
    answer = telegram.submit(act, **form)
    assert answer.status_code == 400
    assert "Not possible" in answer.text


# Deep links


def test_a_start_link_sends_its_payload(telegram: Telegram, bot: TelegramBot) -> None:
    page = telegram.page("press_bot", start="connect-42").text
    assert 'name="payload" value="connect-42"' in page
    assert "You are Dana Demo." in page
    answer = telegram.submit("start", bot=bot.id, payload="connect-42", **{"as": DANA})
    assert answer.headers["location"] == f"/tg/web/u/{bot.id}/{DANA}"
    assert bot.updates()[-1]["message"]["text"] == "/start connect-42"
    assert "/start" in telegram.page(f"u/{bot.id}/{DANA}").text


def test_a_start_link_asks_who_it_is_when_several_could_be(telegram: Telegram, bot: TelegramBot) -> None:
    erin = telegram.user("erin")
    assert f'<option value="{erin}">Erin</option>' in telegram.page("press_bot").text


@pytest.mark.parametrize("payload", ["not ok", "x" * 65, "<b>"])
def test_a_start_link_with_a_wrong_payload_is_none(telegram: Telegram, bot: TelegramBot, payload: str) -> None:
    assert telegram.page("press_bot", start=payload).status_code == 404
    assert telegram.submit("start", bot=bot.id, payload=payload, **{"as": DANA}).status_code == 400


def test_a_channel_link_adds_the_bot_with_the_rights_it_asks_for(telegram: Telegram, bot: TelegramBot) -> None:
    chat = telegram.chat(username="ours", members={"dana_demo": "creator"})
    page = telegram.page("press_bot", startchannel="", admin="post_messages+invite_users").text
    assert f'<option value="{chat}">News</option>' in page
    assert 'name="right_post_messages"' in page
    assert 'name="right_edit_messages"' not in page
    form = {"bot": bot.id, "chat": chat, "as": DANA, "right_post_messages": "1", "right_invite_users": "1"}
    assert telegram.submit("add", **form).status_code == 303
    change = bot.updates()[-1]["my_chat_member"]
    assert (change["from"]["id"], change["chat"]["id"]) == (DANA, chat)
    rights = change["new_chat_member"]
    assert (rights["can_post_messages"], rights["can_invite_users"], rights["can_edit_messages"]) == (True, True, False)
    assert bot.send(chat, "Hello")


def test_a_group_link_adds_the_bot_and_greets_it(telegram: Telegram, bot: TelegramBot) -> None:
    chat = telegram.chat("supergroup", username="talk", members={"dana_demo": "creator"})
    page = telegram.page("press_bot", startgroup="join-7").text
    assert f'<option value="{chat}">' in page
    assert "Demo Channel" not in page
    telegram.submit("add", bot=bot.id, chat=chat, payload="join-7", **{"as": DANA})
    changed, said = bot.updates()
    assert changed["my_chat_member"]["new_chat_member"]["status"] == "member"
    assert said["message"]["text"] == "/start@press_bot join-7"


def test_only_an_administrator_lets_a_bot_in(telegram: Telegram, bot: TelegramBot) -> None:
    chat = telegram.chat(members={"dana_demo": "member"})
    answer = telegram.submit("add", bot=bot.id, chat=chat, **{"as": DANA})
    assert answer.status_code == 400
    assert bot.updates() == []


def test_an_invite_link_opens_and_lets_in(telegram: Telegram, bot: TelegramBot, channel: int) -> None:
    link = bot.do("createChatInviteLink", chat_id=channel, member_limit=1)["invite_link"]
    path = link.rpartition("/")[2]
    assert "<h1>News</h1>" in telegram.page(path).text
    answer = telegram.submit("join", link=link, **{"as": DANA})
    assert answer.headers["location"] == f"/tg/web/news?as={DANA}"
    assert bot.do("getChatMember", chat_id=channel, user_id=DANA)["status"] == "member"
    assert telegram.page(path).status_code == 404


def test_pages_forbid_scripts_and_are_no_part_of_the_ledger(telegram: Telegram, sandbox: Sandbox) -> None:
    assert telegram.page().headers["content-security-policy"].startswith("default-src 'none'")
    assert sandbox.ledger() == []
