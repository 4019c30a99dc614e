import pytest

from accounts.models import Notification
from accounts.scope import workspace_scope
from social.models import BotChat, Connection, InboundUpdate, InviteLink
from social.telegram import membership
from social.telegram.chats import connect_chat
from social.telegram.invites import create_invite_link
from tests.social.telegram.conftest import OWN

pytestmark = pytest.mark.django_db


# --- the bot's own place ------------------------------------------------------------------------------------


def test_a_chat_that_lets_the_bot_in_is_known(channel, bot_chat, telegram, linked):
    chat = bot_chat(channel)
    assert (chat.title, chat.kind, chat.username) == ("Roastery News", "channel", "roastery_news")
    assert (chat.status, chat.can_post) == ("administrator", True)
    assert chat.changed_by == linked.telegram_user_id


def test_a_bot_without_the_right_is_known_not_to_post(telegram, own_bot, bot_chat):
    chat = telegram.chat()
    telegram.let_in(chat, OWN, rights={"can_post_messages": False})
    telegram.hear()
    assert not bot_chat(chat).can_post


def test_a_forum_is_known_as_one(telegram, own_bot, bot_chat):
    chat = telegram.chat("forum", bots=[OWN])
    telegram.hear()
    assert (bot_chat(chat).kind, bot_chat(chat).is_forum) == ("supergroup", True)


@pytest.mark.parametrize("status", ["left", "kicked", "member"])
def test_a_bot_that_lost_its_place_stops_its_connection(telegram, channel, chat_connection, reloaded, status):
    telegram.let_in(channel, OWN, status=status)
    telegram.hear()
    assert reloaded(chat_connection).status == "reconnect"
    assert "admin" in reloaded(chat_connection).status_text


def test_a_right_that_was_taken_stops_the_connection(telegram, channel, chat_connection, reloaded):
    telegram.let_in(channel, OWN, rights={"can_post_messages": False})
    telegram.hear()
    assert "Allow “Post messages”" in reloaded(chat_connection).status_text


def test_a_bot_that_is_back_works_again(telegram, channel, chat_connection, reloaded):
    telegram.let_in(channel, OWN, status="kicked")
    telegram.hear()
    telegram.let_in(channel, OWN)
    telegram.hear()
    assert (reloaded(chat_connection).status, reloaded(chat_connection).status_text) == ("active", "")


def test_people_are_told_when_it_stops_and_when_it_works_again(telegram, channel, chat_connection, workspace):
    telegram.let_in(channel, OWN, status="kicked")
    telegram.hear()
    telegram.let_in(channel, OWN)
    telegram.hear()
    with workspace_scope(workspace.pk):
        texts = [row.text for row in Notification.objects.filter(kind="connection").order_by("created_at")]
    assert texts == ["@roastery_news has to be connected again; its posts wait.", "@roastery_news works again."]


@pytest.mark.parametrize("status", ["paused", "suspended", "disconnected"])
def test_what_people_decided_is_not_undone_by_new_rights(
    telegram, channel, chat_connection, workspace, reloaded, status
):
    with workspace_scope(workspace.pk):
        Connection.objects.update(status=status)
    telegram.let_in(channel, OWN, rights={"can_pin_messages": False})
    telegram.hear()
    assert reloaded(chat_connection).status == status


def test_a_bot_that_left_one_chat_keeps_the_others(telegram, own_bot, chat_connection, alice_actor, reloaded):
    second = telegram.chat("supergroup", bots=[OWN])
    connect_chat(own_bot, str(second), by=alice_actor)
    telegram.let_in(second, OWN, status="left")
    telegram.hear()
    assert reloaded(chat_connection).status == "active"


def test_all_topics_of_a_chat_stop_together(telegram, own_bot, alice_actor, reloaded):
    forum = telegram.chat("forum", bots=[OWN])
    topics = [connect_chat(own_bot, str(forum), by=alice_actor, topic=topic) for topic in (None, 7, 8)]
    telegram.let_in(forum, OWN, status="left")
    telegram.hear()
    assert {reloaded(topic).status for topic in topics} == {"reconnect"}


def test_a_chat_whose_number_begins_alike_is_another_chat(
    telegram, own_bot, chat_connection, channel, workspace, reloaded
):
    with workspace_scope(workspace.pk):
        Connection.objects.filter(pk=chat_connection.pk).update(remote_id=f"{channel}0")
    telegram.let_in(channel, OWN, status="left")
    telegram.hear()
    assert reloaded(chat_connection).status == "active"


# --- groups that become supergroups -------------------------------------------------------------------------


@pytest.fixture
def group(telegram, own_bot, alice_actor):
    chat = telegram.chat("group", title="Regulars", bots={OWN: "administrator"})
    telegram.hear()
    return connect_chat(own_bot, str(chat), by=alice_actor)


def test_a_connection_follows_its_group(telegram, group, reloaded):
    new = telegram.sandbox.post("/telegram/migrate", chat=int(group.remote_id))["new"]
    telegram.hear()
    assert (reloaded(group).remote_id, reloaded(group).kind) == (str(new), "supergroup")
    assert [chat.chat_id for chat in BotChat.objects.all()] == [new]


def test_a_group_that_moved_keeps_its_topics(telegram, group, own_bot, workspace, reloaded):
    with workspace_scope(workspace.pk):
        Connection.objects.filter(pk=group.pk).update(remote_id=f"{group.remote_id}:7")
    membership.move_chat(own_bot.bot_id, int(group.remote_id), -100_777)
    assert reloaded(group).remote_id == "-100777:7"


def test_a_group_that_moved_twice_over_is_followed_once(group, own_bot, reloaded):
    for _ in range(2):
        membership.move_chat(own_bot.bot_id, int(group.remote_id), -100_777)
    assert reloaded(group).remote_id == "-100777"


def test_a_supergroup_that_is_connected_by_itself_is_not_overrun(group, own_bot, workspace, reloaded):
    with workspace_scope(workspace.pk):
        Connection.objects.create(workspace=workspace, network="telegram", remote_id="-100777", name="Regulars")
    membership.move_chat(own_bot.bot_id, int(group.remote_id), -100_777)
    assert reloaded(group).remote_id == group.remote_id


def test_a_new_title_is_noted(telegram, own_bot, channel, bot_chat):
    message = {"chat": {"id": channel, "type": "supergroup"}, "new_chat_title": "Fresh News"}
    update = InboundUpdate(bot_id=own_bot.bot_id, update_id=1, kind="message", payload={"message": message})
    membership.hear_changes(update)
    assert bot_chat(channel).title == "Fresh News"


# --- topics -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "message",
    [
        {"forum_topic_created": {"name": "Offers", "icon_color": 1}},
        {"forum_topic_edited": {"name": "Offers"}},
        {"reply_to_message": {"forum_topic_created": {"name": "Offers", "icon_color": 1}}, "text": "/help"},
    ],
    ids=["created", "edited", "written in"],
)
def test_topics_are_learnt_from_what_the_bot_hears(own_bot, channel, bot_chat, message):
    told = {"chat": {"id": channel, "type": "supergroup"}, "message_thread_id": 7, **message}
    update = InboundUpdate(bot_id=own_bot.bot_id, update_id=1, kind="message", payload={"message": told})
    membership.hear_changes(update)
    assert bot_chat(channel).topics == {"7": "Offers"}


# --- invite links -------------------------------------------------------------------------------------------


@pytest.fixture
def invite(telegram, chat_connection, alice_actor):
    return create_invite_link(chat_connection, by=alice_actor, name="Spring")


def joins(link: InviteLink) -> int:
    with workspace_scope(link.workspace_id):
        return InviteLink.objects.get(pk=link.pk).joins


def test_who_joins_by_a_link_counts_for_it(telegram, invite):
    for name in ("ann", "ben"):
        telegram.user(name)
        telegram.sandbox.post("/telegram/join", user=name, link=invite.url)
    telegram.hear()
    assert joins(invite) == 2


def test_who_leaves_is_not_counted(telegram, invite, channel):
    telegram.user("ann")
    telegram.sandbox.post("/telegram/join", user="ann", link=invite.url)
    telegram.let_in(channel, "ann", status="left")
    telegram.hear()
    assert joins(invite) == 1


def test_a_join_that_telegram_tells_twice_counts_once(telegram, invite):
    telegram.user("ann")
    telegram.sandbox.post("/telegram/join", user="ann", link=invite.url)
    telegram.hear()
    telegram.fault("updates_repeated", "getUpdates", n=1)
    telegram.hear()
    assert joins(invite) == 1


def test_who_joins_without_a_link_counts_nowhere(telegram, invite, channel):
    telegram.user("ann")
    telegram.let_in(channel, "ann", status="member")
    telegram.hear()
    assert joins(invite) == 0


def test_a_link_counts_only_for_the_bot_that_made_it(telegram, invite):
    change = {
        "chat": {"id": 1, "type": "channel"},
        "old_chat_member": {"status": "left"},
        "new_chat_member": {"status": "member"},
        "invite_link": {"invite_link": invite.url},
    }
    membership.hear_joins(InboundUpdate(bot_id=1, update_id=1, kind="chat_member", payload={"chat_member": change}))
    assert joins(invite) == 0
