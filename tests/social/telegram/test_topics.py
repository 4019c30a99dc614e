import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.models import AuditEntry
from accounts.scope import workspace_scope
from social.models import Connection
from social.services import check_connection
from social.telegram import trial
from social.telegram.topics import create_topic, known_topics, parse_topic
from tests.social.telegram.conftest import OWN

pytestmark = pytest.mark.django_db


@pytest.fixture
def forum(telegram, own_bot) -> int:
    chat = telegram.chat("forum", title="Roastery Forum", bots=[OWN])
    telegram.hear()
    return chat


@pytest.fixture
def make(own_bot, alice_actor):
    def create(chat: int, name: str = "Offers", by=alice_actor) -> Connection:
        return create_topic(own_bot, str(chat), name, by=by)

    return create


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("7", 7),
        (" 7 ", 7),
        ("", None),
        ("1", None),
        ("https://t.me/c/2000001/7", 7),
        ("t.me/roastery/7/123", 7),
        ("http://127.0.0.1:8100/tg/web/c/2000001/9", 9),
    ],
)
def test_a_topic_goes_by_its_number_or_a_link_to_it(text, topic):
    assert parse_topic(text) == topic


@pytest.mark.parametrize("text", ["offers", "-7", "7.5", "https://t.me/roastery", "７", "12345678901"])
def test_what_names_no_topic_is_refused(text):
    with pytest.raises(ValidationError, match="paste the link"):
        parse_topic(text)


def test_a_new_topic_is_made_and_connected(make, forum, telegram):
    connection = make(forum, "  Offers ")
    made = telegram.sandbox.get("/telegram/chats")["chats"]
    topics = next(chat["topics"] for chat in made if chat["id"] == forum)
    assert [topic["name"] for topic in topics] == ["Offers"]
    assert connection.remote_id == f"{forum}:{topics[0]['id']}"
    assert connection.name == "Roastery Forum · Offers"


def test_a_new_topic_is_known_from_then_on(make, forum, bot_chat):
    make(forum)
    assert [name for _number, name in known_topics(bot_chat(forum))] == ["Offers"]


def test_making_a_topic_is_audited(make, forum, workspace):
    make(forum)
    with workspace_scope(workspace.pk):
        assert AuditEntry.objects.filter(action="topic.create").count() == 1


@pytest.mark.parametrize("name", ["", "   ", "x" * 129])
def test_a_topic_needs_a_name_that_telegram_takes(make, forum, name):
    with pytest.raises(ValidationError, match="1 to 128"):
        make(forum, name)


def test_a_channel_gets_no_topic(make, channel):
    with pytest.raises(ValidationError, match="has no topics"):
        make(channel)


def test_a_bot_without_the_right_makes_no_topic(make, forum, telegram, workspace):
    telegram.let_in(forum, OWN, rights={"can_manage_topics": False})
    with pytest.raises(ValidationError):
        make(forum)
    with workspace_scope(workspace.pk):
        assert not Connection.objects.exists()


def test_an_editor_makes_no_topic(make, forum, bob_actor):
    with pytest.raises(PermissionDenied):
        make(forum, by=bob_actor)


def test_a_check_keeps_a_topics_name(make, forum, reloaded):
    connection = make(forum)
    check_connection(connection)
    assert reloaded(connection).name == "Roastery Forum · Offers"


# --- the test message ---------------------------------------------------------------------------------------


def test_a_test_message_is_really_sent(chat_connection, channel, telegram, alice_actor):
    sent = trial.send_test(chat_connection, by=alice_actor)
    assert telegram.texts(channel) == [trial.TEXT]
    assert sent.url.endswith(f"/roastery_news/{sent.message_id}")


def test_a_test_message_goes_to_its_topic(make, forum, telegram, alice_actor):
    connection = make(forum)
    trial.send_test(connection, by=alice_actor)
    sent = next(message for message in telegram.messages(forum) if message["text"] == trial.TEXT)
    assert str(sent["thread_id"]) == connection.remote_id.partition(":")[2]


def test_a_test_message_is_deleted_again(chat_connection, channel, telegram, alice_actor):
    sent = trial.send_test(chat_connection, by=alice_actor)
    for _ in range(2):
        trial.delete_test(chat_connection, sent, by=alice_actor)
    assert telegram.texts(channel) == []


def test_a_test_message_is_audited(chat_connection, alice_actor, workspace):
    trial.send_test(chat_connection, by=alice_actor)
    with workspace_scope(workspace.pk):
        assert AuditEntry.objects.filter(action="connection.test").count() == 1


def test_a_refused_test_message_says_why(chat_connection, channel, telegram, alice_actor):
    telegram.let_in(channel, OWN, rights={"can_post_messages": False})
    with pytest.raises(ValidationError, match="was not sent"):
        trial.send_test(chat_connection, by=alice_actor)


@pytest.mark.parametrize("status", ["paused", "suspended", "reconnect"])
def test_nothing_is_sent_through_what_is_not_active(chat_connection, channel, telegram, alice_actor, status):
    chat_connection.status = status
    with pytest.raises(ValidationError, match="nothing goes out"):
        trial.send_test(chat_connection, by=alice_actor)
    assert telegram.texts(channel) == []


def test_an_editor_sends_no_test_message(chat_connection, bob_actor):
    with pytest.raises(PermissionDenied):
        trial.send_test(chat_connection, by=bob_actor)


def test_only_messages_that_we_have_signed_for_this_chat_are_deleted(chat_connection, alice_actor, alice):
    sent = trial.send_test(chat_connection, by=alice_actor)
    assert trial.read_test(sent.token, chat_connection.pk) == sent
    assert trial.read_test(sent.token, alice.pk) is None
    assert trial.read_test(sent.token + "x", chat_connection.pk) is None
    assert trial.read_test("", chat_connection.pk) is None
