import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox import platforms
from sandbox.testing import start_sandbox
from sandbox.world import World, open_world
from sandbox.x.schema import SCHEMA
from tests.sandbox.cast import Client, Sandbox
from tests.sandbox.llm_cast import Models
from tests.sandbox.telegram_cast import DANA, Hook, Telegram, TelegramBot
from tests.sandbox.visitors_cast import Shop


@pytest.fixture(scope="session")
def sandbox_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    url, process = start_sandbox(tmp_path_factory.mktemp("sandbox"))
    yield Sandbox(url, process)
    process.terminate()
    process.wait(10)


@pytest.fixture
def sandbox(sandbox_process: Sandbox) -> Sandbox:
    """One process for all tests, emptied before each."""
    sandbox_process.post("/reset")
    return sandbox_process


@pytest.fixture
def alice(sandbox: Sandbox) -> Client:
    return sandbox.sign_in("alice")


@pytest.fixture
def bob(sandbox: Sandbox) -> Client:
    return sandbox.sign_in("bob")


@pytest.fixture
def own_sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    """A process of the test's own, for tests that kill it."""
    url, process = start_sandbox(tmp_path / "data")
    yield Sandbox(url, process)
    process.kill()
    process.wait(10)


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    """The empty tables of X, without a server."""
    opened = sqlite3.connect(":memory:")
    opened.row_factory = sqlite3.Row
    opened.executescript(SCHEMA)
    yield opened
    opened.close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A sandbox without a server, furnished."""
    opened = open_world(tmp_path / "world", platforms.SCHEMAS)
    platforms.furnish(opened)
    yield opened
    opened.store.close()


@pytest.fixture
def shop() -> Iterator[Shop]:
    opened = Shop()
    yield opened
    opened.close()


@pytest.fixture
def telegram(sandbox: Sandbox) -> Telegram:
    return Telegram(sandbox)


@pytest.fixture
def bot(telegram: Telegram) -> TelegramBot:
    return telegram.bot()


@pytest.fixture
def channel(telegram: Telegram, bot: TelegramBot) -> int:
    """A channel that the bot administers."""
    return telegram.chat(username="news", bots=[bot.username])


@pytest.fixture
def dana(telegram: Telegram, bot: TelegramBot) -> int:
    """A user who has started the bot; nothing of it is news any more."""
    telegram.order("/write", **{"from": "dana_demo", "bot": bot.username, "text": "/start"})
    bot.updates(offset=-1)
    bot.updates(offset=2**31)
    return DANA


@pytest.fixture
def models(sandbox: Sandbox) -> Models:
    return Models(sandbox)


@pytest.fixture
def hook() -> Iterator[Hook]:
    opened = Hook()
    yield opened
    opened.close()
