from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from accounts.access import Actor
from accounts.models import User, Workspace
from accounts.scope import workspace_scope
from sandbox.testing import start_sandbox
from social import connect
from social.models import Connection, Credential
from social.networks.telegram.client import TelegramClient
from tests.sandbox.cast import Sandbox

SESSION = "session-of-alice"


@pytest.fixture(scope="session")
def sandbox_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    url, process = start_sandbox(tmp_path_factory.mktemp("sandbox"))
    yield Sandbox(url, process)
    process.terminate()
    process.wait(10)


@pytest.fixture
def sandbox(sandbox_process: Sandbox, settings) -> Sandbox:
    """One process for all tests, emptied before each; the product is pointed at it by settings alone."""
    sandbox_process.post("/reset")
    settings.X_API_BASE_URL = f"{sandbox_process.url}/x"
    settings.X_AUTHORIZE_URL = f"{sandbox_process.url}/x/i/oauth2/authorize"
    settings.X_WEB_BASE_URL = f"{sandbox_process.url}/x"
    settings.X_CLIENT_ID, settings.X_CLIENT_SECRET = "sandbox-client", "sandbox-secret"
    settings.X_TIMEOUT_S = 2
    return sandbox_process


@dataclass(frozen=True)
class Return:
    """What X put into the address that the browser comes back to."""

    state: str
    code: str
    error: str
    url: str


def visit_x(authorize_url: str, *, handle: str = "roastery", decision: str = "authorize") -> Return:
    """The person on X's page."""
    parts = urlsplit(authorize_url)
    form = {name: values[0] for name, values in parse_qs(parts.query).items()}
    address = f"{parts.scheme}://{parts.netloc}{parts.path}"
    answer = requests.post(
        address, data=form | {"handle": handle, "decision": decision}, allow_redirects=False, timeout=10
    )
    assert answer.status_code == 302, answer.text
    url = answer.headers["location"]
    given = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    return Return(given.get("state", ""), given.get("code", ""), given.get("error", ""), url)


@pytest.fixture
def begin(sandbox: Sandbox, workspace: Workspace) -> Callable[..., str]:
    """Starts a connect as the given actor; answers X's address."""

    def start(by: Actor, *, session_key: str = SESSION, app=None) -> str:
        with workspace_scope(by.workspace.pk):
            return connect.start_connect(by=by, session_key=session_key, app=app)

    return start


@pytest.fixture
def connected(begin, alice: User, alice_actor: Actor) -> Callable[..., Connection]:
    """Connects an account of the sandbox to Roastery, all the way through X's page."""

    def run(handle: str = "roastery") -> Connection:
        back = visit_x(begin(alice_actor), handle=handle)
        return connect.finish_connect(state=back.state, code=back.code, user=alice, session_key=SESSION)

    return run


@pytest.fixture
def connection(connected) -> Connection:
    return connected()


@pytest.fixture
def credential_of(workspace: Workspace) -> Callable[[Connection], Credential]:
    def load(connection: Connection) -> Credential:
        with workspace_scope(connection.workspace_id):
            return Credential.objects.select_related("app").get(connection=connection)

    return load


@pytest.fixture
def change_credential(workspace: Workspace) -> Callable[..., None]:
    def change(connection: Connection, **fields) -> None:
        with workspace_scope(connection.workspace_id):
            credential = Credential.objects.get(connection=connection)
            for name, value in fields.items():
                setattr(credential, name, value)
            credential.save()

    return change


@pytest.fixture
def reloaded() -> Callable[[Connection], Connection]:
    def load(connection: Connection) -> Connection:
        with workspace_scope(connection.workspace_id):
            return Connection.objects.select_related("workspace").get(pk=connection.pk)

    return load


@pytest.fixture
def token_calls(sandbox: Sandbox) -> Callable[[], list[dict]]:
    """What the sandbox's ledger holds about the token endpoint."""
    return lambda: [entry for entry in sandbox.ledger() if entry["path"] == "/2/oauth2/token"]


@pytest.fixture
def own_keys_allowed(settings) -> None:
    settings.X_OWN_KEYS = True


@pytest.fixture
def celery_eager() -> Iterator[None]:
    from marketing.celery import app

    app.conf.task_always_eager = True
    yield
    app.conf.task_always_eager = False


# --- Telegram ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cafe:
    """A bot and the chats it is in."""

    sandbox: Sandbox
    token: str
    channel_id: int

    def client(self, chat_id: int | None = None, topic_id: int | None = None, **options) -> TelegramClient:
        return TelegramClient(self.token, chat_id or self.channel_id, topic_id, **options)

    def chat(self, kind: str, status: str = "administrator", **order) -> int:
        order = {"title": f"Cafe {kind}", **order, "bots": {"cafe_bot": status}}
        return int(self.sandbox.post("/telegram/chats", type=kind, **order)["id"])

    def person(self, username: str = "dana") -> int:
        """Somebody who has pressed Start."""
        user_id = int(self.sandbox.post("/telegram/users", name=username.title(), username=username)["id"])
        self.sandbox.post("/telegram/write", **{"from": username}, bot="cafe_bot", text="/start")
        return user_id

    def let_in(self, chat_id: int, status: str, **order) -> None:
        self.sandbox.post("/telegram/members", chat=chat_id, user="cafe_bot", status=status, **order)

    def messages(self, chat_id: int | None = None) -> list[dict]:
        shown = self.sandbox.get("/telegram/messages", chat=chat_id or self.channel_id)["messages"]
        return [message for message in shown if not message["deleted"] and not message["service"]]

    def fault(self, kind: str, method: str, **order) -> None:
        route = f"POST /bot{{token}}/{method}"
        self.sandbox.fault(kind, platform="telegram", route=route, **order)


@pytest.fixture
def cafe(sandbox: Sandbox, settings) -> Cafe:
    settings.TELEGRAM_API_BASE_URL = f"{sandbox.url}/tg"
    settings.TELEGRAM_WEB_BASE_URL = f"{sandbox.url}/tg/web"
    settings.TELEGRAM_TIMEOUT_S = 5
    token = sandbox.post("/telegram/bots", username="cafe_bot")["token"]
    bots = {"cafe_bot": "administrator"}
    order = {"type": "channel", "title": "Cafe", "username": "cafe", "bots": bots}
    return Cafe(sandbox, token, int(sandbox.post("/telegram/chats", **order)["id"]))
