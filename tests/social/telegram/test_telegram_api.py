import uuid

import pytest

from accounts.models import IdempotencyKey
from accounts.scope import workspace_scope
from social.models import Bot, Connection, InviteLink
from tests.social.telegram.conftest import BOT, BOT_ID, OWN

pytestmark = pytest.mark.django_db
BOTS, CODES, CHATS = "/api/telegram/bots", "/api/telegram/codes", "/api/telegram/chats"
CONNECT, STATUS, DISCONNECT = "/api/telegram/connect", "/api/telegram/status", "/api/telegram/disconnect"
LINKS = "/api/telegram/invite-links"


@pytest.fixture
def alice_api(api, alice, workspace, telegram):
    return api(alice)


@pytest.fixture
def charlie_api(api, charlie, other_workspace, telegram):
    return api(charlie)


@pytest.fixture
def post(alice_api):
    def send(url: str, client=alice_api, headers=None, **body):
        return client.post(url, body, format="json", headers=headers)

    return send


# --- bots ---------------------------------------------------------------------------------------------------


def test_the_instances_bot_is_listed(alice_api):
    expected = {"bot_id": BOT_ID, "username": BOT, "name": "", "is_instance": True}
    assert alice_api.get(BOTS).json() == {"bots": [expected]}


def test_a_bot_is_added_and_its_token_is_not_shown(post, telegram, alice_api):
    token = telegram.bot()
    answer = post(BOTS, token=token)
    assert (answer.status_code, answer.json()["username"]) == (201, OWN)
    assert token not in answer.content.decode() + alice_api.get(BOTS).content.decode()


def test_a_wrong_token_is_a_problem_of_its_field(post):
    answer = post(BOTS, token="999999:AAEnobodyhasthistoken")
    assert answer.status_code == 400
    assert answer["content-type"] == "application/problem+json"
    assert "does not know" in answer.json()["errors"]["token"][0]


def test_a_bot_is_removed(post, own_bot, alice_api, workspace):
    assert alice_api.delete(f"{BOTS}/{own_bot.bot_id}").status_code == 204
    with workspace_scope(workspace.pk):
        assert not Bot.objects.exists()


def test_a_bot_of_another_workspace_cannot_be_removed(own_bot, charlie_api):
    assert charlie_api.delete(f"{BOTS}/{own_bot.bot_id}").status_code == 404


def test_the_instances_bot_cannot_be_removed(alice_api):
    assert alice_api.delete(f"{BOTS}/{BOT_ID}").status_code == 404


# --- chats --------------------------------------------------------------------------------------------------


def test_a_code_comes_with_the_ways_into_telegram(post, settings):
    answer = post(CODES).json()
    assert answer["command"] == f"/connect {answer['code']}"
    assert answer["add_to_channel"].startswith(
        f"{settings.TELEGRAM_WEB_BASE_URL}/{BOT}?startchannel&admin=post_messages"
    )
    assert f"startgroup={answer['code']}" in answer["add_to_group"]


def test_from_code_to_connection(post, telegram, alice_api):
    chat = telegram.chat(title="Shared News")
    telegram.let_in(chat)
    telegram.write(post(CODES).json()["command"], chat=chat)
    telegram.hear()
    assert [row["title"] for row in alice_api.get(CHATS).json()["chats"]] == ["Shared News"]
    answer = post(CONNECT, chat=str(chat))
    assert (answer.status_code, answer.json()["network"], answer.json()["kind"]) == (201, "telegram", "channel")
    assert [row["id"] for row in alice_api.get(STATUS).json()["connections"]] == [answer.json()["id"]]


def test_chats_of_an_own_bot_are_listed_with_their_topics(own_bot, channel, alice_api, bot_chat):
    chat = bot_chat(channel)
    chat.topics = {"7": "Offers"}
    chat.save()
    row = alice_api.get(CHATS, {"bot": own_bot.bot_id}).json()["chats"][0]
    assert (row["chat_id"], row["can_post"], row["topics"]) == (channel, True, [{"id": 7, "name": "Offers"}])


def test_without_an_instance_bot_one_has_to_be_named(post, settings):
    settings.TELEGRAM_BOT_TOKEN = ""
    assert "add one of your own" in post(CODES).json()["errors"]["bot"][0]


def test_a_chat_that_is_not_ours_is_a_problem_of_its_field(post, telegram):
    chat = telegram.chat(title="Shared News")
    telegram.let_in(chat)
    telegram.hear()
    answer = post(CONNECT, chat=str(chat))
    assert answer.status_code == 400
    assert "Nothing shows" in answer.json()["errors"]["chat"][0]


def test_a_bot_of_another_workspace_connects_nothing(post, own_bot, channel, charlie_api):
    assert post(CONNECT, client=charlie_api, bot=own_bot.bot_id, chat=str(channel)).status_code == 404


def test_a_connect_with_the_same_key_asks_telegram_once(post, own_bot, channel, telegram):
    body = {"headers": {"Idempotency-Key": "one"}, "bot": own_bot.bot_id, "chat": str(channel)}
    first = post(CONNECT, **body)
    calls = len(telegram.sandbox.ledger())
    second = post(CONNECT, **body)
    assert (second.status_code, second.json()) == (201, first.json())
    assert len(telegram.sandbox.ledger()) == calls


def test_a_connect_that_failed_may_be_tried_again_with_its_key(post, own_bot, channel):
    key = {"Idempotency-Key": "one"}
    assert post(CONNECT, headers=key, bot=own_bot.bot_id, chat="@nobody_has_this").status_code == 400
    assert post(CONNECT, headers=key, bot=own_bot.bot_id, chat=str(channel)).status_code == 201


def test_a_request_that_still_runs_is_not_done_a_second_time(post, own_bot, channel, workspace):
    body = {"headers": {"Idempotency-Key": "one"}, "bot": own_bot.bot_id, "chat": str(channel)}
    post(CONNECT, **body)
    with workspace_scope(workspace.pk):
        IdempotencyKey.objects.update(status=0, body=None)
    assert post(CONNECT, **body).status_code == 409


def test_an_api_key_needs_the_scope_for_connections(post, api, api_key, own_bot, channel):
    body = {"bot": own_bot.bot_id, "chat": str(channel)}
    assert post(CONNECT, client=api(api_key("read", "write", "publish")), **body).status_code == 403
    assert post(CONNECT, client=api(api_key("connections")), **body).status_code == 201


@pytest.mark.parametrize("url", [BOTS, CODES, CONNECT, LINKS])
def test_an_editor_changes_nothing(post, api, bob, own_bot, chat_connection, url):
    body = {"token": "1234:abcdefghijkl", "chat": "@some_chat", "name": "A", "connection": str(chat_connection.pk)}
    assert post(url, client=api(bob), **body).status_code == 403


def test_a_viewer_may_read_the_status_and_a_guest_may_not(chat_connection, api, vic, gwen):
    assert len(api(vic).get(STATUS).json()["connections"]) == 1
    assert api(gwen).get(STATUS).status_code == 403


def test_a_chat_is_disconnected(post, chat_connection, alice_api, reloaded):
    assert post(DISCONNECT, connection=str(chat_connection.pk)).status_code == 204
    assert alice_api.get(STATUS).json() == {"connections": []}
    assert reloaded(chat_connection).status == "disconnected"


def test_an_account_on_x_is_no_telegram_chat(post, workspace):
    with workspace_scope(workspace.pk):
        other = Connection.objects.create(workspace=workspace, network="x", remote_id="1", handle="r", name="R")
    assert post(DISCONNECT, connection=str(other.pk)).status_code == 404
    assert post(LINKS, connection=str(other.pk), name="A").status_code == 404


def test_a_chat_of_another_workspace_is_not_found(post, chat_connection, charlie_api):
    assert post(DISCONNECT, client=charlie_api, connection=str(chat_connection.pk)).status_code == 404
    assert post(LINKS, client=charlie_api, connection=str(chat_connection.pk), name="A").status_code == 404


# --- invite links -------------------------------------------------------------------------------------------


@pytest.fixture
def link(post, chat_connection) -> dict:
    answer = post(LINKS, connection=str(chat_connection.pk), name="Spring", member_limit=5)
    assert answer.status_code == 201
    return answer.json()


def test_a_link_is_made_and_listed(link, alice_api):
    assert (link["name"], link["joins"], link["member_limit"]) == ("Spring", 0, 5)
    assert [row["url"] for row in alice_api.get(LINKS).json()["results"]] == [link["url"]]


def test_links_are_narrowed_to_one_chat(link, alice_api):
    assert alice_api.get(LINKS, {"connection": str(uuid.uuid4())}).json()["results"] == []
    assert len(alice_api.get(LINKS, {"connection": link["connection"]}).json()["results"]) == 1
    assert alice_api.get(LINKS, {"connection": "x"}).status_code == 400


def test_a_link_is_revoked(link, post, workspace):
    answer = post(f"{LINKS}/{link['id']}/revoke")
    assert answer.status_code == 200
    assert answer.json()["revoked_at"]
    with workspace_scope(workspace.pk):
        assert InviteLink.objects.get().revoked_at


def test_links_of_another_workspace_do_not_exist(link, charlie_api):
    assert charlie_api.get(LINKS).json()["results"] == []
    assert charlie_api.post(f"{LINKS}/{link['id']}/revoke").status_code == 404


def test_a_link_made_twice_with_one_key_is_one_link(post, chat_connection, workspace):
    for _ in range(2):
        post(LINKS, headers={"Idempotency-Key": "one"}, connection=str(chat_connection.pk), name="Spring")
    with workspace_scope(workspace.pk):
        assert InviteLink.objects.count() == 1
