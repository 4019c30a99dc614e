import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection as database

from accounts.models import AuditEntry
from accounts.scope import workspace_scope
from social.models import Bot, BotChat, BotReceiver, Connection, Credential
from social.services import disconnect
from social.telegram import bots
from tests.social.telegram.conftest import BOT, BOT_ID, OWN, TOKEN

pytestmark = pytest.mark.django_db


@pytest.fixture
def refusal(telegram, alice_actor):
    def add(token: str, by=alice_actor) -> str:
        with pytest.raises(ValidationError) as caught:
            bots.add_bot(token, by=by)
        return caught.value.message_dict["token"][0]

    return add


def test_an_added_bot_is_named_as_telegram_names_it(own_bot):
    assert (own_bot.username, own_bot.name, own_bot.is_instance) == (OWN, "Roastery Bot", False)


def test_white_space_around_a_pasted_token_is_dropped(telegram, alice_actor):
    assert bots.add_bot(f"  {telegram.bot()}\n", by=alice_actor).username == OWN


def test_a_token_is_stored_encrypted(own_bot, workspace):
    with workspace_scope(workspace.pk), database.cursor() as cursor:
        cursor.execute("SELECT token FROM social_bot")
        stored = bytes(cursor.fetchone()[0])
    assert own_bot.token.partition(":")[2].encode() not in stored


def test_a_bot_shows_no_token(own_bot):
    assert own_bot.token not in repr(own_bot)


def test_adding_a_bot_is_audited_without_its_token(own_bot, workspace):
    with workspace_scope(workspace.pk):
        entry = AuditEntry.objects.select_related("detail").get(action="bot.add")
    assert entry.detail.data == {"username": OWN}


def test_a_token_that_telegram_does_not_know_is_refused(refusal):
    assert "does not know this token" in refusal("999999:AAEnobodyhasthistoken")


@pytest.mark.parametrize(
    "token", ["", "hello", "123456789", "123456789:", "12:ab cd efgh ijkl", "１２３:AAEabcdefghijk"]
)
def test_what_is_no_token_is_not_sent_anywhere(refusal, telegram, token):
    before = len(telegram.sandbox.ledger())
    assert "not a bot token" in refusal(token)
    assert len(telegram.sandbox.ledger()) == before


def test_the_instances_bot_is_not_added_a_second_time(refusal):
    assert "bot of this instance" in refusal(TOKEN)


def test_a_telegram_that_is_away_does_not_make_the_token_wrong(refusal, telegram, settings):
    settings.TELEGRAM_API_BASE_URL = "http://127.0.0.1:9"
    assert "does not know" not in refusal("999999:AAEnobodyhasthistoken")


def test_a_bot_of_another_workspace_is_refused(own_bot, refusal, charlie_actor):
    assert "Another workspace" in refusal(own_bot.token, by=charlie_actor)


def test_adding_a_bot_again_replaces_its_token(own_bot, alice_actor, workspace):
    with workspace_scope(workspace.pk):
        Bot.objects.filter(bot_id=own_bot.bot_id).update(token=f"{own_bot.bot_id}:an-old-token-that-ended")
    bots.add_bot(own_bot.token, by=alice_actor)
    with workspace_scope(workspace.pk):
        assert [bot.token for bot in Bot.objects.all()] == [own_bot.token]


def test_a_new_token_brings_the_bots_connections_back(own_bot, chat_connection, alice_actor, reloaded):
    with workspace_scope(chat_connection.workspace_id):
        Connection.objects.update(status="reconnect", status_text="Add the bot again.")
    bots.add_bot(own_bot.token, by=alice_actor)
    assert reloaded(chat_connection).status == "active"
    assert reloaded(chat_connection).status_text == ""


def test_an_editor_cannot_add_a_bot(telegram, bob_actor):
    with pytest.raises(PermissionDenied, match="Only admins"):
        bots.add_bot(telegram.bot(), by=bob_actor)


def test_bots_of_one_workspace_do_not_exist_in_another(own_bot, other_workspace):
    with workspace_scope(other_workspace.pk):
        assert bots.find_bot(other_workspace, own_bot.bot_id) is None


def test_every_workspace_may_use_the_instances_bot(telegram, other_workspace):
    with workspace_scope(other_workspace.pk):
        assert [bot.username for bot in bots.usable_bots(other_workspace)] == [BOT]


def test_without_a_token_there_is_no_instance_bot(telegram, settings):
    settings.TELEGRAM_BOT_TOKEN = ""
    assert bots.instance_bot() is None


def test_telegram_is_asked_for_the_instances_bot_once(telegram):
    BotReceiver.objects.all().delete()
    bots.meet_instance_bot()
    calls = len(telegram.sandbox.ledger())
    bots.meet_instance_bot()
    assert BotReceiver.objects.get(bot_id=BOT_ID).username == BOT
    assert len(telegram.sandbox.ledger()) == calls


# --- removing -----------------------------------------------------------------------------------------------


@pytest.fixture
def remove(own_bot, workspace):
    def run(by) -> None:
        bots.remove_bot(own_bot.own, by=by)

    return run


def test_a_removed_bot_leaves_nothing_behind(remove, channel, alice_actor, workspace):
    remove(alice_actor)
    with workspace_scope(workspace.pk):
        assert not Bot.objects.exists()
    assert not BotReceiver.objects.exclude(bot_id=BOT_ID).exists()
    assert not BotChat.objects.exists()


def test_a_bot_that_still_posts_is_not_removed(remove, chat_connection, alice_actor):
    with pytest.raises(ValidationError, match="still posts to a chat"):
        remove(alice_actor)


def test_a_bot_whose_chats_are_disconnected_can_go(remove, chat_connection, alice_actor, workspace):
    with workspace_scope(workspace.pk):
        disconnect(chat_connection, by=alice_actor)
    remove(alice_actor)
    with workspace_scope(workspace.pk):
        assert not Credential.objects.exists()


def test_removing_a_bot_is_audited(remove, alice_actor, workspace):
    remove(alice_actor)
    with workspace_scope(workspace.pk):
        assert AuditEntry.objects.filter(action="bot.remove").count() == 1


def test_an_editor_cannot_remove_a_bot(remove, bob_actor):
    with pytest.raises(PermissionDenied):
        remove(bob_actor)


def test_telegram_stops_calling_for_a_removed_bot(remove, telegram, own_bot, alice_actor, settings):
    settings.TELEGRAM_WEBHOOKS = True
    telegram.hear()
    remove(alice_actor)
    rows = telegram.sandbox.get("/telegram/bots")["bots"]
    assert [row["webhook_url"] for row in rows if row["username"] == OWN] == [""]
