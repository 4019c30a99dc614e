"""Messages come in from X and Telegram: once each, at the right workspace, and no oftener than it pays."""

from datetime import timedelta

import pytest

from accounts.access import Actor
from accounts.models import Workspace
from accounts.scope import workspace_scope
from campaigns.inbox.collect import LATEST, SOON, collect_due, hear_telegram, set_reading
from campaigns.models import Conversation, Delivery, InboxCursor, InboxMessage, LivePart, Post
from lib import clock
from lib.clock import now
from social.models import Bot, Connection, InboundUpdate
from tests.social.conftest import begin, connected, sandbox, sandbox_process  # noqa: F401 fixtures

pytestmark = pytest.mark.django_db
DANA = {"id": 77, "is_bot": False, "first_name": "Dana", "username": "dana"}


@pytest.fixture
def account(connected, alice_actor: Actor, workspace: Workspace) -> Connection:  # noqa: F811
    """An account of the sandbox whose mentions are read."""
    connection = connected()
    with workspace_scope(workspace.pk):
        set_reading(connection, True, by=alice_actor)
    return connection


def mention(sandbox, text: str = "@roastery hello", handle: str = "dana") -> None:  # noqa: F811
    sandbox.post("/mentions", **{"from": handle, "to": "roastery", "text": text})


def texts(workspace: Workspace) -> list[str]:
    with workspace_scope(workspace.pk):
        return list(InboxMessage.objects.order_by("sent_at", "id").values_list("text", flat=True))


def later(seconds: float) -> object:
    return clock.shifted(timedelta(seconds=seconds))


# --- X ----------------------------------------------------------------------------------------------------


def test_mention_arrives_once_with_who_wrote_it(account, sandbox, workspace):  # noqa: F811
    mention(sandbox, "@roastery do you open on Sunday?")
    assert collect_due() == 1
    with later(SOON.total_seconds() + 1):
        assert collect_due() == 0
    with workspace_scope(workspace.pk):
        message = InboxMessage.objects.get()
        assert (message.text, message.is_summons) == ("@roastery do you open on Sunday?", True)
        assert message.conversation.author_handle == "dana"


def test_only_what_is_new_is_read_and_paid(account, sandbox, workspace):  # noqa: F811
    mention(sandbox, "@roastery one")
    collect_due()
    mention(sandbox, "@roastery two")
    with later(SOON.total_seconds() + 1):
        assert collect_due() == 1
    assert texts(workspace) == ["@roastery one", "@roastery two"]


def test_quiet_account_is_asked_less_and_less(account, workspace):
    pauses = []
    at = 0.0
    for _ in range(7):
        with later(at):
            collect_due()
            with workspace_scope(workspace.pk):
                pauses.append(InboxCursor.objects.get().next_at - now())
        at += pauses[-1].total_seconds() + 1
    assert pauses[0] <= SOON
    seconds = [round(pause.total_seconds()) for pause in pauses]
    assert seconds == sorted(seconds)
    assert LATEST - timedelta(seconds=60) < pauses[-1] <= LATEST


def test_account_whose_mentions_nobody_wants_is_not_asked(account, alice_actor, sandbox, workspace):  # noqa: F811
    with workspace_scope(workspace.pk):
        set_reading(account, False, by=alice_actor)
    mention(sandbox)
    assert collect_due() == 0
    assert texts(workspace) == []


@pytest.mark.parametrize("change", [{"is_stopped": True}, {"is_suspended": True}])
def test_workspace_that_stands_still_reads_nothing(account, sandbox, workspace, change):  # noqa: F811
    Workspace.objects.update(**change)
    mention(sandbox)
    assert collect_due() == 0


def test_x_that_fails_is_asked_later_and_nothing_is_lost(account, sandbox, workspace):  # noqa: F811
    mention(sandbox)
    sandbox.fault("status", route="GET /2/users/{id}/mentions", status=503)
    assert collect_due() == 0
    with workspace_scope(workspace.pk):
        assert InboxCursor.objects.get().problem
    with later(LATEST.total_seconds() + 1):
        assert collect_due() == 1


# --- Telegram ---------------------------------------------------------------------------------------------


@pytest.fixture
def group(in_workspace: Workspace) -> Connection:
    return Connection.objects.create(
        workspace=in_workspace, network="telegram", kind="group", remote_id="-100200", handle="", name="Group"
    )


@pytest.fixture
def own_bot(in_workspace: Workspace) -> Bot:
    return Bot.objects.create(workspace=in_workspace, bot_id=555, username="roast_bot", name="Roast", token="t")


def hear(text: str = "Is it open?", *, bot_id: int = 555, chat: dict | None = None, **message) -> None:
    content = {
        "message_id": 31,
        "date": 1_790_000_000,
        "chat": chat or {"id": 77, "type": "private"},
        "from": DANA,
        "text": text,
    } | message
    hear_telegram(InboundUpdate(bot_id=bot_id, update_id=1, kind="message", payload={"message": content}))


def test_private_message_to_ones_own_bot_arrives_once(group, own_bot):
    hear()
    hear()
    message = InboxMessage.objects.get()
    assert (message.text, message.conversation.kind, str(message.conversation)) == ("Is it open?", "direct", "Dana")


@pytest.mark.parametrize(
    "message",
    [
        {"text": "/start"},
        {"bot_id": 999},
        {"from": DANA | {"is_bot": True}},
        {"text": ""},
        {"chat": {"id": -100200, "type": "supergroup"}},
    ],
)
def test_commands_bots_and_what_is_for_nobody_are_left_out(group, own_bot, message):
    hear(message.pop("text", "Hello"), **message)
    assert not InboxMessage.objects.exists()


def test_answer_to_ones_own_post_in_a_group_is_a_comment(group, own_bot, in_workspace):
    post = Post.objects.create(workspace=in_workspace)
    delivery = Delivery.objects.create(workspace=in_workspace, post=post, connection=group)
    LivePart.objects.create(
        workspace=in_workspace, delivery=delivery, connection=group, position=0, remote_id="12", content_hash="x"
    )
    chat = {"id": -100200, "type": "supergroup"}
    hear("Nice", chat=chat, reply_to_message={"message_id": 12})
    hear("Somebody else's", chat=chat, message_id=32, reply_to_message={"message_id": 13})
    assert list(InboxMessage.objects.values_list("text", "conversation__kind")) == [("Nice", "comment")]


def test_bot_of_one_workspace_tells_another_nothing(group, own_bot, other_workspace):
    hear()
    with workspace_scope(other_workspace.pk):
        assert not Conversation.objects.exists()
