"""Opening a client for a chat: whose bot posts, and what happens when it may not any more."""

import pytest

from accounts.scope import workspace_scope
from social import credentials
from social.models import Bot, Connection, Credential, Network, UserSession
from social.networks.port import Failure, NetworkError, OutgoingPart


@pytest.fixture
def add_chat(cafe, workspace):
    """A chat of Roastery; without a bot of its own the instance's posts."""

    def add(*, own_token: str = "", remote_id: str = "", kind: str = "channel") -> Connection:
        with workspace_scope(workspace.pk):
            connection = Connection.objects.create(
                workspace=workspace,
                network=Network.TELEGRAM,
                remote_id=remote_id or str(cafe.channel_id),
                kind=kind,
                handle="cafe",
                name="Cafe",
            )
            bot = own_token and Bot.objects.create(workspace=workspace, bot_id=1, username="b", token=own_token)
            Credential.objects.create(
                workspace=workspace, connection=connection, kind=Credential.Kind.BOT, bot=bot or None
            )
        return connection

    return add


def failure_of(call, *args, **options) -> NetworkError:
    with pytest.raises(NetworkError) as caught:
        call(*args, **options)
    return caught.value


def test_the_workspaces_own_bot_posts(add_chat, cafe, settings):
    settings.TELEGRAM_BOT_TOKEN = "1:another-token-of-the-instance"
    credentials.open_client(add_chat(own_token=cafe.token)).publish(OutgoingPart("Hello"))
    assert [message["from"] for message in cafe.messages()] == ["cafe_bot"]


def test_without_one_the_instances_bot_posts(add_chat, cafe, settings):
    settings.TELEGRAM_BOT_TOKEN = cafe.token
    credentials.open_client(add_chat()).publish(OutgoingPart("Hello"))
    assert [message["text"] for message in cafe.messages()] == ["Hello"]


def test_without_any_bot_nothing_opens(add_chat, settings):
    settings.TELEGRAM_BOT_TOKEN = ""
    error = failure_of(credentials.open_client, add_chat())
    assert (error.failure, error.code) == (Failure.UNAUTHORIZED, "no_bot")


def test_a_topic_is_part_of_the_accounts_id(add_chat, cafe, settings):
    settings.TELEGRAM_BOT_TOKEN = cafe.token
    client = credentials.open_client(add_chat(remote_id="-1002000:17"))
    assert (client.chat_id, client.topic_id) == (-1002000, 17)


def test_a_suspended_chat_opens_no_client(add_chat, settings, cafe):
    settings.TELEGRAM_BOT_TOKEN = cafe.token
    connection = add_chat()
    with workspace_scope(connection.workspace_id):
        Connection.objects.update(status=Connection.Status.SUSPENDED)
    assert failure_of(credentials.open_client, connection).failure is Failure.PAUSED


def test_a_bots_token_cannot_be_renewed(add_chat, reloaded):
    connection = add_chat()
    seen = credentials.credential_version(connection)
    error = failure_of(credentials.refresh_credential, connection, seen_version=seen)
    assert (error.failure, error.code) == (Failure.UNAUTHORIZED, "no_refresh_token")
    # Whoever was refused knows why, and marks it with that.
    assert reloaded(connection).status == Connection.Status.ACTIVE


def test_each_network_has_its_host(settings):
    settings.TELEGRAM_API_BASE_URL, settings.X_API_BASE_URL = "https://api.telegram.org", "https://api.x.com"
    assert credentials.api_host(Network.TELEGRAM) == "api.telegram.org"
    assert credentials.api_host() == "api.x.com"


# --- reading through a person's session -------------------------------------------------------------------------


@pytest.fixture
def add_session(workspace):
    def add(**fields) -> UserSession:
        with workspace_scope(workspace.pk):
            return UserSession.objects.create(
                workspace=workspace, name="Dana", api_id=1, api_hash="h", session="s", **fields
            )

    return add


@pytest.fixture
def can_read(add_chat, settings, cafe):
    settings.TELEGRAM_BOT_TOKEN, settings.MTPROTO = cafe.token, True

    def ask(**chat) -> bool:
        return credentials.open_client(add_chat(**chat)).can_read_posts

    return ask


def test_a_session_of_the_workspace_makes_posts_readable(can_read, add_session):
    add_session()
    assert can_read() is True


def test_without_a_session_they_are_not(can_read):
    assert can_read() is False


@pytest.mark.parametrize("status", [UserSession.Status.PAUSED, UserSession.Status.BROKEN])
def test_a_session_that_rests_does_not_count(can_read, add_session, status):
    add_session(status=status)
    assert can_read() is False


def test_a_private_chat_is_nobody_elses_to_read(can_read, add_session):
    add_session()
    assert can_read(kind="private") is False


def test_a_session_of_another_workspace_does_not_count(can_read, other_workspace):
    with workspace_scope(other_workspace.pk):
        UserSession.objects.create(workspace=other_workspace, name="X", api_id=1, api_hash="h", session="s")
    assert can_read() is False


def test_where_the_operator_says_no_nothing_is_read(can_read, add_session, settings):
    add_session()
    settings.MTPROTO = False
    assert can_read() is False
