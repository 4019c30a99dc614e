import multiprocessing
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connections as databases

from accounts.models import AuditEntry, Event
from accounts.scope import workspace_scope
from lib.clock import shifted
from social.models import BotChat, Connection, Credential
from social.services import disconnect
from social.telegram import bots, chats
from social.telegram.chats import connect_chat, parse_reference
from tests.social.telegram.conftest import BOT_ID, known

pytestmark = pytest.mark.django_db


@pytest.fixture
def refusal(alice_actor):
    def connect(bot, chat, by=alice_actor, **more) -> str:
        with pytest.raises(ValidationError) as caught:
            connect_chat(bot, str(chat), by=by, **more)
        return str(caught.value)

    return connect


@pytest.fixture
def shared(telegram):
    """A channel of Dana's in which the instance's bot is an admin."""
    chat = telegram.chat(title="Shared News")
    telegram.let_in(chat)
    telegram.hear()
    return chat


def credential(connection) -> Credential:
    with workspace_scope(connection.workspace_id):
        return Credential.objects.select_related("bot").get(connection=connection)


# --- a bot of one's own -------------------------------------------------------------------------------------


def test_a_chat_is_stored_as_telegram_describes_it(chat_connection, channel):
    assert (chat_connection.remote_id, chat_connection.kind) == (str(channel), "channel")
    assert (chat_connection.handle, chat_connection.name) == ("roastery_news", "Roastery News")
    assert chat_connection.followers == 42


def test_a_connected_chat_is_active_and_labelled_as_sandbox(chat_connection, alice):
    assert (chat_connection.status, chat_connection.health) == ("active", "ok")
    assert chat_connection.is_sandbox
    assert chat_connection.connected_by == alice


def test_the_credential_names_the_bot_and_holds_no_token(chat_connection, own_bot):
    found = credential(chat_connection)
    assert (found.kind, found.bot) == ("bot", own_bot.own)
    assert found.access_token == ""
    assert chat_connection.app_key == f"bot:{own_bot.bot_id}"


def test_connecting_is_audited_and_told_to_other_apps(chat_connection, workspace):
    with workspace_scope(workspace.pk):
        assert Event.objects.get(kind="connection.connected").payload["connection"] == str(chat_connection.pk)
        assert AuditEntry.objects.filter(action="connection.connect").count() == 1


def test_connecting_again_finds_the_old_row(chat_connection, own_bot, channel, alice_actor):
    assert connect_chat(own_bot, str(channel), by=alice_actor).pk == chat_connection.pk


def test_connecting_again_ends_a_disconnect(chat_connection, own_bot, channel, alice_actor, workspace):
    with workspace_scope(workspace.pk):
        disconnect(chat_connection, by=alice_actor)
        Credential.objects.all().delete()
    again = connect_chat(own_bot, str(channel), by=alice_actor)
    assert (again.pk, again.status) == (chat_connection.pk, "active")
    assert credential(again).bot == own_bot.own


def test_connecting_again_does_not_end_a_suspension(chat_connection, own_bot, channel, alice_actor, workspace):
    with workspace_scope(workspace.pk):
        Connection.objects.update(status="suspended")
    assert connect_chat(own_bot, str(channel), by=alice_actor).status == "suspended"


def test_one_bot_posts_to_several_chats(chat_connection, telegram, own_bot, alice_actor):
    second = telegram.chat("supergroup", title="Roastery Talk", bots=[own_bot.username])
    assert connect_chat(own_bot, str(second), by=alice_actor).pk != chat_connection.pk


@pytest.mark.parametrize(
    "text", ["@roastery_news", "roastery_news", "https://t.me/roastery_news", "t.me/s/roastery_news"]
)
def test_a_public_chat_goes_by_its_name(channel, own_bot, alice_actor, text):
    assert connect_chat(own_bot, text, by=alice_actor).remote_id == str(channel)


@pytest.mark.parametrize(("text", "found"), [("-1001234", -1001234), (" @Some_Name ", "@Some_Name"), ("77", 77)])
def test_a_reference_is_a_number_or_a_name(text, found):
    assert parse_reference(text) == found


@pytest.mark.parametrize("text", ["", "@", "a b", "@1abc", "-", "https://t.me/", "@x'; DROP TABLE"])
def test_what_names_no_chat_is_refused_beside_the_field(text):
    with pytest.raises(ValidationError) as caught:
        parse_reference(text)
    assert "Enter @name" in caught.value.message_dict["chat"][0]


def test_a_chat_that_does_not_exist_is_refused(own_bot, refusal):
    assert "cannot see such a chat" in refusal(own_bot, "@nobody_has_this")


def test_a_private_chat_without_the_bot_cannot_be_seen(telegram, own_bot, refusal):
    assert "add the bot first" in refusal(own_bot, telegram.chat(title="Closed"))


def test_a_public_chat_without_the_bot_is_refused_with_what_to_do(telegram, own_bot, refusal):
    telegram.chat(username="open_news")
    assert "Add it as an admin" in refusal(own_bot, "@open_news")


def test_a_bot_that_may_not_post_is_refused_with_what_to_do(telegram, own_bot, refusal):
    chat = telegram.chat()
    telegram.let_in(chat, own_bot.username, rights={"can_post_messages": False})
    assert "Post messages" in refusal(own_bot, chat)


def test_a_group_needs_no_admin(telegram, own_bot, alice_actor):
    chat = telegram.chat("group", bots={own_bot.username: "member"})
    assert connect_chat(own_bot, str(chat), by=alice_actor).kind == "group"


def test_a_bot_that_was_thrown_out_is_refused(telegram, own_bot, channel, refusal):
    telegram.let_in(channel, own_bot.username, status="kicked")
    assert refusal(own_bot, channel)


def test_a_telegram_that_is_away_connects_nothing(own_bot, channel, refusal, settings, workspace):
    settings.TELEGRAM_API_BASE_URL = "http://127.0.0.1:9"
    assert "cannot see" not in refusal(own_bot, channel)
    with workspace_scope(workspace.pk):
        assert not Connection.objects.exists()


def test_an_editor_cannot_connect(own_bot, channel, bob_actor):
    with pytest.raises(PermissionDenied, match="Only admins"):
        connect_chat(own_bot, str(channel), by=bob_actor)


def test_all_chats_of_an_own_bot_are_listed(own_bot, channel, listed, alice_actor):
    assert listed(own_bot, alice_actor) == ["Roastery News"]


def test_a_chat_that_the_bot_has_left_is_not_listed(telegram, own_bot, channel, listed, alice_actor):
    telegram.let_in(channel, own_bot.username, status="left")
    telegram.hear()
    assert listed(own_bot, alice_actor) == []


# --- the instance's bot -------------------------------------------------------------------------------------


def test_chats_of_strangers_are_not_listed(shared, instance_bot, listed, alice_actor):
    assert listed(instance_bot, alice_actor) == []


def test_a_chat_of_strangers_cannot_be_connected_by_its_number(shared, instance_bot, refusal):
    assert "Nothing shows that this chat is yours" in refusal(instance_bot, shared)


def test_a_linked_person_sees_the_chats_they_added_the_bot_to(shared, linked, instance_bot, listed, alice_actor):
    assert listed(instance_bot, alice_actor) == ["Shared News"]
    connection = connect_chat(instance_bot, str(shared), by=alice_actor)
    assert credential(connection).bot is None
    assert connection.app_key == f"bot:{BOT_ID}"


def test_who_added_the_bot_but_is_no_admin_cannot_connect(telegram, linked, instance_bot, refusal):
    chat = telegram.chat("supergroup", members={"dana": "member"})
    telegram.let_in(chat, status="member")
    telegram.hear()
    assert "not an admin of this chat" in refusal(instance_bot, chat)


def test_a_code_posted_in_the_chat_shows_that_it_is_ours(
    telegram, shared, instance_bot, new_code, listed, alice_actor, charlie_actor
):
    telegram.write(f"/connect {new_code(alice_actor)}", chat=shared)
    telegram.hear()
    assert listed(instance_bot, alice_actor) == ["Shared News"]
    assert listed(instance_bot, charlie_actor) == []
    assert connect_chat(instance_bot, str(shared), by=alice_actor).remote_id == str(shared)


def test_a_chat_that_let_the_bot_in_before_we_listened_is_found_by_its_code(
    telegram, shared, instance_bot, new_code, listed, alice_actor
):
    BotChat.objects.all().delete()
    telegram.write(f"/connect {new_code(alice_actor)}", chat=shared)
    telegram.hear()
    assert listed(instance_bot, alice_actor) == ["Shared News"]


def test_a_code_proves_nothing_to_another_member(
    telegram, shared, instance_bot, new_code, listed, alice_actor, join, actor_of
):
    telegram.write(f"/connect {new_code(alice_actor)}", chat=shared)
    telegram.hear()
    assert listed(instance_bot, actor_of(join("Adam", "admin"))) == []


def test_what_a_code_has_proven_ends(telegram, shared, instance_bot, new_code, listed, alice_actor):
    telegram.write(f"/connect {new_code(alice_actor)}", chat=shared)
    telegram.hear()
    with shifted(timedelta(hours=2)):
        assert listed(instance_bot, alice_actor) == []


def test_a_connected_chat_stays_on_the_list_for_its_workspace(
    shared, linked, instance_bot, listed, alice_actor, join, actor_of
):
    connect_chat(instance_bot, str(shared), by=alice_actor)
    assert listed(instance_bot, actor_of(join("Adam", "admin"))) == ["Shared News"]


@pytest.fixture
def taken(telegram, shared, linked, instance_bot, alice_actor, new_code, charlie_actor):
    """Roastery has the chat, and charlie has a proof for it as well."""
    connection = connect_chat(instance_bot, str(shared), by=alice_actor)
    telegram.write(f"/connect {new_code(charlie_actor)}", chat=shared)
    telegram.hear()
    return connection


def test_a_chat_of_another_workspace_is_refused(taken, shared, instance_bot, refusal, charlie_actor):
    assert "connected in another workspace" in refusal(instance_bot, shared, by=charlie_actor)


def test_a_chat_that_another_workspace_gave_up_is_free(taken, shared, instance_bot, charlie_actor, alice_actor):
    with workspace_scope(taken.workspace_id):
        disconnect(taken, by=alice_actor)
    assert connect_chat(instance_bot, str(shared), by=charlie_actor).workspace_id == charlie_actor.workspace.pk


def test_an_own_bot_may_post_where_the_instances_bot_does(taken, telegram, shared, charlie_actor):
    bot = known(bots.add_bot(telegram.bot("bakery_bot"), by=charlie_actor), charlie_actor)
    telegram.let_in(shared, "bakery_bot")
    assert connect_chat(bot, str(shared), by=charlie_actor).status == "active"


def _connect_in_process(bot, chat, actor, results) -> None:
    databases.close_all()
    try:
        results.put(str(connect_chat(bot, str(chat), by=actor).workspace_id))
    except ValidationError as error:
        results.put(str(error))


@pytest.mark.django_db(transaction=True)
def test_of_two_workspaces_that_connect_a_chat_at_once_one_gets_it(
    telegram, shared, instance_bot, new_code, alice_actor, charlie_actor
):
    for actor in (alice_actor, charlie_actor):
        telegram.write(f"/connect {new_code(actor)}", chat=shared)
    telegram.hear()
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    databases.close_all()
    runs = [
        context.Process(target=_connect_in_process, args=(instance_bot, shared, actor, results))
        for actor in (alice_actor, charlie_actor)
    ]
    for run in runs:
        run.start()
    answers = [results.get(timeout=120) for _ in runs]
    for run in runs:
        run.join(10)
    assert len([answer for answer in answers if "another workspace" in answer]) == 1


# --- topics -------------------------------------------------------------------------------------------------


@pytest.fixture
def forum(telegram, own_bot):
    chat = telegram.chat("forum", title="Roastery Forum")
    telegram.let_in(chat, own_bot.username)
    telegram.hear()
    return chat


def test_a_topic_is_an_account_of_its_own(forum, own_bot, alice_actor):
    whole = connect_chat(own_bot, str(forum), by=alice_actor)
    topic = connect_chat(own_bot, str(forum), by=alice_actor, topic=7)
    assert topic.pk != whole.pk
    assert (topic.remote_id, topic.name) == (f"{forum}:7", "Roastery Forum · Topic 7")


def test_the_same_topic_again_finds_the_old_row(forum, own_bot, alice_actor):
    first, second = (connect_chat(own_bot, str(forum), by=alice_actor, topic=7) for _ in range(2))
    assert first.pk == second.pk


def test_a_channel_has_no_topics(channel, own_bot, refusal):
    assert "has no topics" in refusal(own_bot, channel, topic=7)


@pytest.mark.parametrize("remote_id", ["-1001:7", "-1001"])
def test_the_id_of_the_chat_is_read_from_the_account(remote_id):
    assert chats.chat_id_of(remote_id) == -1001
