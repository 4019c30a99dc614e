import re

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from accounts.scope import workspace_scope
from social.models import Bot, BotReceiver, Connection, InviteLink, TelegramLink
from social.telegram.chats import connect_chat
from tests.social.telegram.conftest import BOT, BOT_ID, OWN

pytestmark = pytest.mark.django_db
NEW, ADD, LIST = "/connections/telegram/new", "/connections/telegram/bots", "/connections"
LINK = "/profile/telegram"
HTMX = {"HX-Request": "true"}


def body(response) -> str:
    return response.content.decode()


def toasts(response) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def choose(client, bot_id: int = BOT_ID):
    return client.post(f"{ADD}/{bot_id}/choose", follow=True)


def code_on(page: str) -> str:
    return re.search(r"/connect ([A-Z2-9-]{14})", page)[1]


@pytest.fixture
def page(telegram, alice_client):
    def get(**query) -> str:
        return body(alice_client.get(NEW, query))

    return get


@pytest.fixture
def shared(telegram):
    chat = telegram.chat(title="Shared News")
    telegram.let_in(chat)
    telegram.hear()
    return chat


# --- the bot ------------------------------------------------------------------------------------------------


def test_the_page_offers_the_instances_bot_and_ones_own(page):
    assert f"@{BOT}" in page()
    assert 'name="token"' in page()


def test_without_an_instance_bot_the_form_for_ones_own_is_open(page, settings):
    settings.TELEGRAM_BOT_TOKEN = ""
    assert f"@{BOT}" not in page()
    assert re.search(r"<details[^>]*open", page())


def test_a_bot_that_is_new_to_us_is_asked_for_its_name(page):
    BotReceiver.objects.all().delete()
    assert f"@{BOT}" in page()


def test_an_instance_bot_that_does_not_answer_is_said_so(page, settings):
    BotReceiver.objects.all().delete()
    settings.TELEGRAM_API_BASE_URL = "http://127.0.0.1:9"
    assert "The bot of this instance does not answer" in page()


def test_a_bot_of_ones_own_is_added(telegram, alice_client):
    answer = alice_client.post(ADD, {"token": telegram.bot()}, follow=True)
    assert toasts(answer) == [f"@{OWN} is added."]
    assert "2. Choose the channel or group" in body(answer)


def test_a_wrong_token_is_said_beside_the_field_and_not_shown_again(telegram, alice_client):
    answer = alice_client.post(ADD, {"token": "999999:AAEnobodyhasthistoken"})
    assert answer.status_code == 422
    assert "does not know this token" in body(answer)
    assert "AAEnobody" not in body(answer)


def test_a_bot_is_removed(own_bot, alice_client, workspace):
    answer = alice_client.post(f"{ADD}/{own_bot.bot_id}/remove", follow=True)
    assert toasts(answer) == [f"@{OWN} is removed, and its token is deleted."]
    with workspace_scope(workspace.pk):
        assert not Bot.objects.exists()


def test_a_bot_that_still_posts_stays(own_bot, chat_connection, alice_client):
    assert "still posts" in toasts(alice_client.post(f"{ADD}/{own_bot.bot_id}/remove", follow=True))[0]


def test_the_instances_bot_has_no_button_to_remove_it(page):
    assert f"{ADD}/{BOT_ID}/remove" not in page()


@pytest.mark.parametrize("path", ["choose", "remove", "connect", "chats/-100/topic"])
def test_a_bot_of_another_workspace_is_not_found(own_bot, charlie_client, path):
    missing = charlie_client.post(f"{ADD}/5/{path}", {"chat": "@some_chat"})
    foreign = charlie_client.post(f"{ADD}/{own_bot.bot_id}/{path}", {"chat": "@some_chat"})
    assert (missing.status_code, foreign.status_code) == (404, 404)
    assert charlie_client.get(NEW, {"bot": own_bot.bot_id}).status_code == 404


@pytest.mark.parametrize("who", ["bob_client", "vic_client", "gwen_client"])
def test_who_may_not_manage_connections_is_kept_out(telegram, request, who):
    client = request.getfixturevalue(who)
    assert client.get(NEW).status_code == 403
    assert client.post(ADD, {"token": "1234:abcdefghijkl"}).status_code == 403


# --- the chat -----------------------------------------------------------------------------------------------


def test_choosing_a_bot_shows_the_ways_into_telegram_and_a_code(telegram, alice_client, settings):
    page = body(choose(alice_client))
    assert f"{settings.TELEGRAM_WEB_BASE_URL}/{BOT}?startchannel&amp;admin=post_messages+edit_messages" in page
    assert f"startgroup={code_on(page)}" in page


def test_a_reload_shows_the_same_code(telegram, alice_client, page):
    assert code_on(body(choose(alice_client))) == code_on(page(bot=BOT_ID))


def test_a_code_is_not_shown_to_another_member(telegram, alice_client, join, client_of):
    choose(alice_client)
    assert "/connect " not in body(client_of(join("Adam", "admin")).get(NEW, {"bot": BOT_ID}))


def test_the_list_refreshes_by_itself_while_the_code_is_open(telegram, alice_client, page):
    assert 'hx-trigger="every 2s"' not in page(bot=BOT_ID)
    assert 'hx-trigger="every 2s"' in body(choose(alice_client))


def test_a_refresh_with_nothing_new_changes_nothing(telegram, alice_client):
    version = re.search(r"seen=([0-9a-f]+)", body(choose(alice_client)))[1]
    answer = alice_client.get(NEW, {"bot": BOT_ID, "seen": version}, headers=HTMX)
    assert (answer.status_code, answer.content) == (204, b"")


def test_a_chat_appears_as_soon_as_its_code_is_posted(telegram, shared, alice_client):
    first = body(choose(alice_client))
    assert "Waiting for" in first
    telegram.write(f"/connect {code_on(first)}", chat=shared)
    telegram.hear()
    version = re.search(r"seen=([0-9a-f]+)", first)[1]
    answer = alice_client.get(NEW, {"bot": BOT_ID, "seen": version}, headers=HTMX)
    assert "Shared News" in body(answer)


def test_an_open_page_makes_the_bot_be_asked_soon(own_bot, alice_client):
    BotReceiver.objects.update(polled_at="2026-01-01T00:00Z")
    alice_client.get(NEW, {"bot": own_bot.bot_id})
    assert BotReceiver.objects.get(bot_id=own_bot.bot_id).polled_at is None


def test_from_the_list_to_the_connection(own_bot, channel, alice_client, page, workspace):
    assert "Roastery News" in page(bot=own_bot.bot_id)
    answer = alice_client.post(f"{ADD}/{own_bot.bot_id}/connect", {"chat": channel}, follow=True)
    assert toasts(answer) == ["Roastery News is connected."]
    assert "3. Send a test message" in body(answer)
    with workspace_scope(workspace.pk):
        assert Connection.objects.get().remote_id == str(channel)


def test_after_connecting_the_page_stops_asking(own_bot, channel, alice_client):
    choose(alice_client, own_bot.bot_id)
    answer = alice_client.post(f"{ADD}/{own_bot.bot_id}/connect", {"chat": channel}, follow=True)
    assert "hx-trigger" not in body(answer).split('id="chats"')[1].split(">")[0]


def test_a_refusal_stands_beside_the_field_with_what_was_typed(own_bot, alice_client):
    answer = alice_client.post(f"{ADD}/{own_bot.bot_id}/connect", {"chat": "@nobody_has_this"})
    assert answer.status_code == 422
    assert "cannot see such a chat" in body(answer)
    assert 'value="@nobody_has_this"' in body(answer)


def test_a_chat_in_which_the_bot_may_not_post_has_no_button(telegram, own_bot, page):
    chat = telegram.chat(title="Silent")
    telegram.let_in(chat, OWN, rights={"can_post_messages": False})
    telegram.hear()
    shown = page(bot=own_bot.bot_id)
    assert "The bot may not post" in shown
    assert f'name="chat" value="{chat}"' not in shown


def test_the_list_needs_no_query_per_chat(own_bot, channel, telegram, alice_client):
    def count() -> int:
        with CaptureQueriesContext(
            database,
        ) as queries:
            alice_client.get(NEW, {"bot": own_bot.bot_id})
        return len(queries)

    count()
    few = count()
    for number in range(3):
        telegram.let_in(telegram.chat(title=f"Chat {number}"), OWN)
    telegram.hear()
    BotReceiver.objects.update(polled_at="2026-01-01T00:00Z")
    assert count() == few


# --- topics -------------------------------------------------------------------------------------------------


@pytest.fixture
def topic_url(telegram, own_bot):
    chat = telegram.chat("forum", title="Roastery Forum", bots=[OWN])
    telegram.hear()
    return f"{ADD}/{own_bot.bot_id}/chats/{chat}/topic"


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"name": "Offers"}, "Roastery Forum · Offers"),
        ({"link": "t.me/c/2000001/7"}, "Roastery Forum · Topic 7"),
        ({"topic": "9"}, "Roastery Forum · Topic 9"),
        ({}, "Roastery Forum"),
    ],
    ids=["new", "link", "known", "general"],
)
def test_a_topic_is_connected(topic_url, alice_client, given, name):
    assert toasts(alice_client.post(topic_url, given, follow=True)) == [f"{name} is connected."]


def test_a_wrong_topic_is_said_on_the_page(topic_url, alice_client):
    answer = alice_client.post(topic_url, {"link": "no link"})
    assert answer.status_code == 422
    assert "paste the link to one" in body(answer)


# --- the test message ---------------------------------------------------------------------------------------


def test_a_test_message_is_sent_shown_and_deleted(chat_connection, channel, telegram, alice_client):
    answer = alice_client.post(f"/connections/{chat_connection.pk}/test", follow=True)
    assert "The test message is live." in body(answer)
    assert len(telegram.texts(channel)) == 1
    token = re.search(r'name="test" value="([^"]+)"', body(answer))[1]
    answer = alice_client.post(f"/connections/{chat_connection.pk}/test/delete", {"test": token}, follow=True)
    assert toasts(answer) == ["The test message is deleted."]
    assert telegram.texts(channel) == []


def test_a_message_that_was_no_test_is_not_deleted(chat_connection, channel, telegram, alice_client):
    telegram.write("Our news", chat=channel)
    alice_client.post(f"/connections/{chat_connection.pk}/test/delete", {"test": "1"})
    assert telegram.texts(channel) == ["Our news"]


def test_a_test_message_that_is_refused_is_explained(chat_connection, channel, telegram, alice_client):
    telegram.let_in(channel, OWN, status="kicked")
    assert "was not sent" in toasts(alice_client.post(f"/connections/{chat_connection.pk}/test", follow=True))[0]


# --- the card and the chat's own page -----------------------------------------------------------------------


def test_a_card_shows_what_a_telegram_chat_is(chat_connection, alice_client):
    card = body(alice_client.get(LIST)).split("<article", 1)[1]
    for shown in ("Roastery News", "Members", "42", "Channel", f"@{OWN}, your own", "Sandbox"):
        assert shown in card
    assert "Permissions" not in card


def test_a_private_chat_goes_by_its_title(telegram, own_bot, alice_actor, alice_client):
    chat = telegram.chat(title="Closed Circle", bots=[OWN])
    connect_chat(own_bot, str(chat), by=alice_actor)
    card = body(alice_client.get(LIST)).split("<article", 1)[1]
    assert 'aria-label="Disconnect Closed Circle"' in card
    assert "Disconnect @" not in card


def test_a_card_of_x_stays_as_it_is(connection, alice_client):
    card = body(alice_client.get(LIST)).split("<article", 1)[1]
    assert "Followers" in card
    assert "Invite links" not in card


def test_a_viewer_sees_links_and_policy_but_no_buttons(chat_connection, vic_client):
    page = body(vic_client.get(f"/connections/{chat_connection.pk}/telegram"))
    assert "Ask a person" in page
    assert "<form" not in page.split("<main", 1)[1].split("</main>")[0]


def test_an_account_on_x_has_no_page_for_telegram(connection, alice_client):
    assert alice_client.get(f"/connections/{connection.pk}/telegram").status_code == 404


def test_the_policy_is_chosen(chat_connection, alice_client, reloaded):
    alice_client.post(f"/connections/{chat_connection.pk}/policy", {"unknown_policy": "never"})
    assert reloaded(chat_connection).unknown_policy == "never"


def test_a_policy_that_does_not_exist_is_refused(chat_connection, alice_client, reloaded):
    answer = alice_client.post(f"/connections/{chat_connection.pk}/policy", {"unknown_policy": "maybe"})
    assert answer.status_code == 422
    assert reloaded(chat_connection).unknown_policy == "ask"


def test_an_editor_does_not_choose_the_policy(chat_connection, bob_client, reloaded):
    answer = bob_client.post(f"/connections/{chat_connection.pk}/policy", {"unknown_policy": "again"})
    assert (answer.status_code, reloaded(chat_connection).unknown_policy) == (403, "ask")


@pytest.fixture
def make_link(chat_connection, alice_client):
    def post(**form):
        url = f"/connections/{chat_connection.pk}/invite-links"
        return alice_client.post(url, {"name": "Spring", **form}, follow=True)

    return post


def test_an_invite_link_is_made_and_listed(make_link, workspace):
    answer = make_link(member_limit=5)
    with workspace_scope(workspace.pk):
        link = InviteLink.objects.get()
    assert toasts(answer) == ["The link “Spring” is ready."]
    assert link.url in body(answer)
    assert "At most 5" in body(answer)


def test_the_end_of_a_link_is_typed_on_the_workspaces_clock(make_link, workspace):
    make_link(expires_at="2036-07-01T12:00")
    with workspace_scope(workspace.pk):
        assert InviteLink.objects.get().expires_at.isoformat() == "2036-07-01T10:00:00+00:00"


def test_terms_that_cannot_be_are_said_beside_the_field(make_link):
    answer = make_link(member_limit=5, needs_approval="on")
    assert answer.status_code == 422
    assert "cannot have a limit" in body(answer)


def test_an_invite_link_is_revoked(make_link, alice_client, workspace):
    make_link()
    with workspace_scope(workspace.pk):
        link = InviteLink.objects.get()
    answer = alice_client.post(f"/invite-links/{link.pk}/revoke", follow=True)
    assert toasts(answer) == ["The link “Spring” lets nobody in any more."]
    assert "Revoked" in body(answer)


def test_a_topic_is_made_from_the_chats_page(telegram, own_bot, alice_actor, alice_client):
    forum = telegram.chat("forum", title="Roastery Forum", bots=[OWN])
    connection = connect_chat(own_bot, str(forum), by=alice_actor)
    answer = alice_client.post(f"/connections/{connection.pk}/topics", {"name": "Offers"}, follow=True)
    assert toasts(answer) == ["Roastery Forum · Offers is connected."]


def test_a_topic_that_cannot_be_made_is_explained_beside_its_name(chat_connection, alice_client):
    answer = alice_client.post(f"/connections/{chat_connection.pk}/topics", {"name": "Offers"})
    assert answer.status_code == 422


# --- one's own account --------------------------------------------------------------------------------------


def test_linking_oneself_from_the_profile(telegram, alice_client, alice):
    assert LINK in body(alice_client.get("/profile"))
    page = body(alice_client.post(f"{LINK}/start", follow=True))
    payload = re.search(r"\?start=(link-[A-Z2-9-]+)", page)[1]
    assert "every 2s" in page
    telegram.write(f"/start {payload}", bot=BOT)
    telegram.hear()
    page = body(alice_client.get(LINK))
    assert "@dana" in page
    assert "every 2s" not in page
    assert TelegramLink.objects.get().user == alice


def test_the_profile_says_who_one_is_on_telegram(linked, alice_client):
    assert "Linked as @dana" in body(alice_client.get("/profile"))


def test_a_viewer_may_link_their_own_account(telegram, vic_client):
    assert "?start=link-" in body(vic_client.post(f"{LINK}/start", follow=True))


def test_unlinking_oneself(linked, alice_client):
    answer = alice_client.post(f"{LINK}/unlink", follow=True)
    assert toasts(answer) == ["Your Telegram account is not linked any more."]
    assert not TelegramLink.objects.exists()


def test_unlinking_oneself_unlinks_nobody_else(linked, bob_client):
    bob_client.post(f"{LINK}/unlink")
    assert TelegramLink.objects.count() == 1


def test_without_any_bot_there_is_nothing_to_link_with(telegram, settings, alice_client):
    settings.TELEGRAM_BOT_TOKEN = ""
    BotReceiver.objects.all().delete()
    assert "There is no Telegram bot here yet" in body(alice_client.get(LINK))
    assert "An admin adds one" in toasts(alice_client.post(f"{LINK}/start", follow=True))[0]
