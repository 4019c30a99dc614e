"""Briefs on Telegram, through the sandbox: once, and with a note where it could not be."""

from collections.abc import Callable
from uuid import UUID

import pytest

from accounts.models import Notification, User, Workspace
from lib.clock import now
from personal import tasks
from personal.models import Brief
from personal.preferences import change_preferences
from personal.sending import UNSENT
from social.models import TelegramLink
from tests.sandbox.conftest import sandbox, sandbox_process  # noqa: F401 fixtures
from tests.social.conftest import celery_eager  # noqa: F401 fixtures
from tests.social.telegram.conftest import BOT, BOT_ID, Telegram, hear, telegram  # noqa: F401 fixtures

pytestmark = pytest.mark.django_db
DATA = {"sections": [{"key": "needs_you", "title": "Needs you", "lines": [{"text": "1 to review"}]}]}


@pytest.fixture
def chat(telegram: Telegram, alice: User) -> int:  # noqa: F811
    """Alice has talked to the instance's bot, as Dana there, and linked her account."""
    telegram.write("/start", bot=BOT)
    telegram.hear()
    people = telegram.sandbox.get("/telegram/users")["users"]
    number = next(person["id"] for person in people if person["username"] == "dana")
    TelegramLink.objects.create(user=alice, telegram_user_id=number, bot_id=BOT_ID, username="dana")
    return number


@pytest.fixture
def brief(chat, in_workspace: Workspace, alice_actor) -> Callable[..., Brief]:
    change_preferences(by=alice_actor, channels=["telegram"])

    def make(title: str = "Brief of 10 March 2026") -> Brief:
        own = {"workspace": in_workspace, "user": alice_actor.user}
        return Brief.objects.create(task_id=UUID(int=1), wanted_at=now(), title=title, data=DATA, **own)

    return make


def notes() -> list[tuple[str, str]]:
    return list(Notification.objects.filter(kind=UNSENT).values_list("text", "path"))


def test_linked_chat_gets_a_brief_once_however_often_the_worker_tries(brief, chat, telegram, in_workspace):  # noqa: F811
    before, row = len(telegram.texts(chat)), brief()
    for _ in range(3):
        tasks.send_brief(str(in_workspace.pk), str(row.pk))
    tasks.tend_briefs()
    [text] = telegram.texts(chat)[before:]
    assert text.startswith("Brief of 10 March 2026\n\nNeeds you\n- 1 to review\n\n")
    assert f"/w/roastery/you/briefs/{row.pk}" in text
    assert notes() == []


def test_blocked_bot_leaves_one_note_that_says_why(brief, chat, telegram, in_workspace):  # noqa: F811
    telegram.sandbox.post("/telegram/block", user="dana", bot=BOT)
    before, row = len(telegram.texts(chat)), brief()
    for one in (row, row, brief("Brief of 11 March 2026")):
        tasks.send_brief(str(in_workspace.pk), str(one.pk))
    [(text, path)] = notes()
    assert text.startswith("“Brief of 10 March 2026” was not sent on Telegram. You have blocked")
    assert "press Start" in text
    assert path == f"/you/briefs/{row.pk}"
    assert len(telegram.texts(chat)) == before
    # Read, it makes room for the next one; unblocked, there is nothing to say.
    Notification.objects.update(read_at=now())
    tasks.send_brief(str(in_workspace.pk), str(brief("Brief of 12 March 2026").pk))
    assert len(notes()) == 2
    telegram.sandbox.post("/telegram/block", user="dana", bot=BOT, blocked=False)
    tasks.send_brief(str(in_workspace.pk), str(brief("Brief of 13 March 2026").pk))
    assert (len(notes()), len(telegram.texts(chat))) == (2, before + 1)


@pytest.mark.parametrize(("kind", "said"), [("flood", "was not sent"), ("accept_then_drop", "may not have arrived")])
def test_other_failure_is_said_and_not_tried_again(brief, chat, telegram, in_workspace, kind, said):  # noqa: F811
    telegram.fault(kind, "sendMessage")
    row = brief()
    for _ in range(2):
        tasks.send_brief(str(in_workspace.pk), str(row.pk))
    assert [said in text for text, _path in notes()] == [True]
