"""Dana is a person on Telegram. The instance's bot is the sandbox's; `own_bot` is one that Roastery has added."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from accounts.access import Actor
from accounts.scope import workspace_scope
from social import tasks
from social.access import get_bot
from social.models import Bot, BotChat, Connection, TelegramLink
from social.telegram import bots, chats, codes
from social.telegram.bots import KnownBot
from tests.sandbox.cast import Sandbox

TOKEN = "100000:sandbox-demo-bot-token"
BOT_ID, BOT = 100_000, "demo_rostrum_bot"
OWN = "roastery_bot"


@dataclass
class Telegram:
    """What people do in the app, through the sandbox's doors."""

    sandbox: Sandbox
    hear: Callable[[], None]

    def user(self, username: str) -> int:
        return int(self.sandbox.post("/telegram/users", name=username.title(), username=username)["id"])

    def bot(self, username: str = OWN) -> str:
        return str(self.sandbox.post("/telegram/bots", username=username, name="Roastery Bot")["token"])

    def chat(self, kind: str = "channel", **order: Any) -> int:
        order.setdefault("title", "Roastery News")
        order.setdefault("members", {"dana": "creator"})
        return int(self.sandbox.post("/telegram/chats", type=kind, **order)["id"])

    def let_in(self, chat: int, bot: str = BOT, *, by: str = "dana", status: str = "administrator", **order: Any):
        self.sandbox.post("/telegram/members", chat=chat, user=bot, status=status, by=by, **order)

    def write(self, text: str, *, sender: str = "dana", **place: Any) -> None:
        self.sandbox.post("/telegram/write", **{"from": sender}, text=text, **place)

    def fault(self, kind: str, method: str, **params: Any) -> None:
        self.sandbox.post("/faults", platform="telegram", kind=kind, route="POST /bot{token}/" + method, params=params)

    def messages(self, chat: int | str) -> list[dict[str, Any]]:
        return self.sandbox.get("/telegram/messages", chat=chat)["messages"]

    def texts(self, chat: int | str) -> list[str]:
        return [message["text"] for message in self.messages(chat) if not message["deleted"]]


@pytest.fixture
def hear(sandbox: Sandbox, settings, celery_eager, django_capture_on_commit_callbacks) -> Callable[[], None]:
    """One tick: every bot is asked, and what it heard is handled."""

    def tick() -> None:
        bots.BotReceiver.objects.update(polled_at=None, lease_until=None)
        with django_capture_on_commit_callbacks(execute=True):
            tasks.receive_updates()

    return tick


@pytest.fixture
def telegram(sandbox: Sandbox, settings, hear) -> Telegram:
    settings.TELEGRAM_API_BASE_URL = f"{sandbox.url}/tg"
    settings.TELEGRAM_WEB_BASE_URL = f"{sandbox.url}/tg/web"
    settings.TELEGRAM_BOT_TOKEN = TOKEN
    settings.TELEGRAM_TIMEOUT_S = 2
    telegram = Telegram(sandbox, hear)
    telegram.user("dana")
    # Telegram tells of members only those bots that asked for it once.
    hear()
    return telegram


@pytest.fixture
def instance_bot(telegram: Telegram) -> KnownBot:
    bot = bots.instance_bot()
    assert bot is not None
    return bot


@pytest.fixture
def own_bot(telegram: Telegram, alice_actor: Actor) -> KnownBot:
    bot = bots.add_bot(telegram.bot(), by=alice_actor)
    telegram.hear()
    return known(bot, alice_actor)


def known(bot: Bot, actor: Actor) -> KnownBot:
    with workspace_scope(actor.workspace.pk):
        return get_bot(actor, bot.bot_id)


@pytest.fixture
def channel(telegram: Telegram, own_bot: KnownBot) -> int:
    """A channel of Dana's in which Roastery's own bot is an admin."""
    chat = telegram.chat(username="roastery_news", audience=40)
    telegram.let_in(chat, own_bot.username)
    telegram.hear()
    return chat


@pytest.fixture
def chat_connection(own_bot: KnownBot, channel: int, alice_actor: Actor) -> Connection:
    return chats.connect_chat(own_bot, str(channel), by=alice_actor)


@pytest.fixture
def linked(telegram: Telegram, alice) -> TelegramLink:
    """Alice is Dana on Telegram."""
    dana = telegram.sandbox.get("/telegram/users")["users"]
    number = next(user["id"] for user in dana if user["username"] == "dana")
    return TelegramLink.objects.create(user=alice, telegram_user_id=number, bot_id=BOT_ID, username="dana")


@pytest.fixture
def new_code() -> Callable[..., str]:
    def make(by: Actor, *, purpose: str = "connect", bot_id: int = BOT_ID) -> str:
        with workspace_scope(by.workspace.pk):
            return codes.create_code(purpose, bot_id, by=by).text

    return make


@pytest.fixture
def listed() -> Callable[..., list[str]]:
    """The titles of the chats that somebody may connect."""

    def titles(bot: KnownBot, by: Actor) -> list[str]:
        with workspace_scope(by.workspace.pk):
            return [chat.title for chat in chats.connectable_chats(bot, by=by)]

    return titles


@pytest.fixture
def bot_chat() -> Callable[[int], BotChat]:
    return lambda chat_id: BotChat.objects.get(chat_id=chat_id)
