"""The cast: alice owns Roastery, bob edits, rita reviews, vic looks, gwen is a guest there; charlie is a stranger."""

import functools
import gc
import itertools
import os
import shutil
import signal
import threading
import zoneinfo
from collections.abc import Callable, Generator, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings as django_settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.core.cache.backends.redis import RedisCacheClient
from django.db import connection
from django.template import Context, Template
from django.test import Client, TransactionTestCase
from pytest_socket import socket_allow_hosts
from rest_framework.test import APIClient

from accounts.access import SCOPES, Actor, actor_for
from accounts.models import Membership, Role, User, Workspace
from accounts.scope import workspace_scope
from accounts.services import create_api_key, create_workspace
from accounts.tokens import issue_tokens
from compliance.rulesets import expect_shipped_rules
from marketing.pytest_template import migrated_template
from tests import leaks
from tests.gate import Gate
from tests.key_store import STORE
from tests.up_stack import prepared  # noqa: F401 fixture

PASSWORD = "correct horse battery"
FOLDERS = itertools.count()
LOOPBACK = ["127.0.0.1", "::1", "localhost"]


def pytest_configure() -> None:
    hear_signals()
    # A manifest would need collectstatic; a slow hash would be most of the run.
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    django_settings.STORAGES = {**django_settings.STORAGES, "staticfiles": plain}
    # Here and in every process that a test starts.
    django_settings.ALLOW_LIVE, os.environ["ALLOW_LIVE"] = False, "0"
    django_settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def hear_signals() -> None:
    """A run in the background ignores these, and so would the programs that its tests start and stop by them."""
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        if signal.getsignal(number) is signal.SIG_IGN and threading.current_thread() is threading.main_thread():
            # As good as ignored here, but a program begins with what is caught as if nothing was said.
            signal.signal(number, lambda _number, _frame: None)


def pytest_collection_finish() -> None:
    """What was collected stays to the end: it need not be searched for garbage over and over."""
    gc.collect()
    gc.freeze()
    leaks.START.environ = leaks.environ()


def pytest_runtest_setup() -> None:
    socket_allow_hosts(LOOPBACK, allow_unix_socket=True)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix) -> None:
    if template := migrated_template():
        connection.settings_dict["TEST"]["TEMPLATE"] = template


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker) -> Iterator[None]:
    with django_db_blocker.unblock():
        leaks.START.remember(django_db_blocker)
    yield
    # From here on there is nothing to look at.
    leaks.START.blocker = None


@pytest.fixture(scope="session", autouse=True)
def quick_clean_up() -> Iterator[None]:
    """After a test that commits."""
    flush = TransactionTestCase._fixture_teardown
    TransactionTestCase._fixture_teardown = lambda _case: leaks.empty_tables()
    yield
    TransactionTestCase._fixture_teardown = flush


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None, None, None]:
    yield
    if leaks.is_committing(item):
        # Its workers may have written after their start.
        STORE.touch()
    leaks.check(item, nextitem)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Between Playwright's greenlets Python 3.11 fails to parse code, which pytest does to show a failure."""
    options = item.config.option
    if item.get_closest_marker("browser") is None:
        return (yield)
    style, options.tbstyle = options.tbstyle, "native"
    try:
        return (yield)
    finally:
        options.tbstyle = style


@pytest.fixture
def live_server(live_server, transactional_db):
    """The page is closed by now, but its last request may still be at work, or on its way."""
    server = live_server.thread.httpd
    if not isinstance(server.get_app(), Gate):
        server.set_app(Gate(server.get_app()))
    server.get_app().open()
    yield live_server
    server.get_app().close()


@pytest.fixture(scope="session", autouse=True)
def quiet_includes(django_test_environment) -> None:
    """The test client notes every template; the hundreds of small ones inside a page are not worth their time."""
    note = Template._render

    def render(template: Template, context: Context) -> str:
        return note(template, context) if context.template is template else template.nodelist.render(context)

    Template._render = render


@pytest.fixture(scope="session", autouse=True)
def zones_read_once() -> Iterator[None]:
    """Each new workspace asks for the names of all zones, each of which is a file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(zoneinfo, "available_timezones", functools.cache(zoneinfo.available_timezones))
        yield


@pytest.fixture(scope="session", autouse=True)
def clients_kept_by_the_cache() -> Iterator[None]:
    """Django makes a new one for each call, which is half of its time."""
    make = RedisCacheClient.get_client

    def kept(cache: RedisCacheClient, key: str | None = None, *, write: bool = False) -> Any:
        clients = cache.__dict__.setdefault("kept_clients", {})
        if write not in clients:
            clients[write] = make(cache, key, write=write)
        return clients[write]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RedisCacheClient, "get_client", kept)
        yield


@pytest.fixture
def tmp_path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """In place of pytest's own, which looks through the folders of all tests before this one, for milliseconds."""
    folder = tmp_path_factory.getbasetemp() / f"test-{next(FOLDERS)}"
    folder.mkdir(mode=0o700)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(autouse=True)
def own_folders(settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    # Nobody has to be told of these. They end with the one above.
    django_settings.APP_DATA = tmp_path
    django_settings.SOURCES_ROOT = tmp_path / "sources"
    django_settings.AUDIT_ANCHOR_DIR = tmp_path / "anchors"


@pytest.fixture(scope="session", autouse=True)
def watched_key_store() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        STORE.watch(patch)
        yield


@pytest.fixture(autouse=True)
def fresh_cache() -> None:
    """Rate limits and health marks of one test must not reach the next."""
    STORE.empty()


@pytest.fixture(autouse=True)
def no_look_at_the_rules_in_between() -> None:
    """A process asks every two seconds whether staff changed the rules: not while a test counts statements."""
    expect_shipped_rules()


@pytest.fixture
def child_env(db) -> dict[str, str]:
    """What a child process needs to reach the database of this test (which must commit: transaction=True)."""
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}")
    return {**os.environ, "DATABASE_URL": url.geturl()}


def make_user(name: str) -> User:
    return User.objects.create_user(f"{name.lower()}@example.org", PASSWORD, name=name)


@pytest.fixture
def alice(db) -> User:
    return make_user("Alice")


@pytest.fixture
def workspace(alice: User) -> Workspace:
    return create_workspace("Roastery", owner=alice, time_zone="Europe/Berlin")


@pytest.fixture
def join(workspace: Workspace) -> Callable[[str, str], User]:
    def add(name: str, role: str) -> User:
        user = make_user(name)
        Membership.objects.create(user=user, workspace=workspace, role=role)
        return user

    return add


@pytest.fixture
def bob(join) -> User:
    return join("Bob", Role.EDITOR)


@pytest.fixture
def rita(join) -> User:
    return join("Rita", Role.REVIEWER)


@pytest.fixture
def vic(join) -> User:
    return join("Vic", Role.VIEWER)


@pytest.fixture
def gwen(join) -> User:
    return join("Gwen", Role.GUEST)


@pytest.fixture
def charlie(db) -> User:
    return make_user("Charlie")


@pytest.fixture
def other_workspace(charlie: User) -> Workspace:
    return create_workspace("Bakery", owner=charlie)


@pytest.fixture
def staff(db) -> User:
    return User.objects.create_superuser("staff@example.org", PASSWORD, name="Staff")


@pytest.fixture
def actor_of(workspace: Workspace) -> Callable[[User], Actor]:
    def find(user: User) -> Actor:
        member = Membership.objects.select_related("user").get(user=user, workspace=workspace)
        # One object for the whole test, so that a changed switch is seen by every actor.
        member.workspace = workspace
        return actor_for(member)

    return find


@pytest.fixture
def alice_actor(actor_of, alice: User) -> Actor:
    return actor_of(alice)


@pytest.fixture
def bob_actor(actor_of, bob: User) -> Actor:
    return actor_of(bob)


@pytest.fixture
def rita_actor(actor_of, rita: User) -> Actor:
    return actor_of(rita)


@pytest.fixture
def vic_actor(actor_of, vic: User) -> Actor:
    return actor_of(vic)


@pytest.fixture
def gwen_actor(actor_of, gwen: User) -> Actor:
    return actor_of(gwen)


@pytest.fixture
def charlie_actor(charlie: User, other_workspace: Workspace) -> Actor:
    return actor_for(Membership.objects.select_related("user", "workspace").get(user=charlie))


@pytest.fixture
def in_workspace(workspace: Workspace) -> Iterator[Workspace]:
    """The whole test inside the scope of Roastery."""
    with workspace_scope(workspace.pk):
        yield workspace


@pytest.fixture
def client_of() -> Callable[[User], Client]:
    def log_in(user: User) -> Client:
        """As `force_login` leaves it, which writes the session four times and the user, too."""
        session = import_module(django_settings.SESSION_ENGINE).SessionStore()
        backend, proof = "django.contrib.auth.backends.ModelBackend", user.get_session_auth_hash()
        session.update({SESSION_KEY: str(user.pk), BACKEND_SESSION_KEY: backend, HASH_SESSION_KEY: proof})
        session.save()
        client = Client()
        client.cookies[django_settings.SESSION_COOKIE_NAME] = session.session_key
        return client

    return log_in


@pytest.fixture
def alice_client(client_of, alice: User, workspace: Workspace) -> Client:
    return client_of(alice)


@pytest.fixture
def bob_client(client_of, bob: User) -> Client:
    return client_of(bob)


@pytest.fixture
def rita_client(client_of, rita: User) -> Client:
    return client_of(rita)


@pytest.fixture
def vic_client(client_of, vic: User) -> Client:
    return client_of(vic)


@pytest.fixture
def gwen_client(client_of, gwen: User) -> Client:
    return client_of(gwen)


@pytest.fixture
def charlie_client(client_of, charlie: User, other_workspace: Workspace) -> Client:
    return client_of(charlie)


@pytest.fixture
def staff_client(client_of, staff: User) -> Client:
    return client_of(staff)


@pytest.fixture
def api() -> Callable[..., APIClient]:
    """`api()` is nobody, `api(user)` carries that user's JWT, `api("rk_…")` an API key; `workspace=` names one."""

    def connect(caller: User | str | None = None, *, workspace: Workspace | None = None) -> APIClient:
        client = APIClient(raise_request_exception=False)
        headers = {"HTTP_X_WORKSPACE": workspace.slug} if workspace else {}
        if caller is not None:
            token = caller if isinstance(caller, str) else issue_tokens(caller)["access"]
            headers["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        client.credentials(**headers)
        return client

    return connect


@pytest.fixture
def api_key(workspace: Workspace, alice_actor: Actor) -> Callable[..., str]:
    """The secret of a new key of Roastery, with all scopes or the named ones."""

    def make(*scopes: str) -> str:
        with workspace_scope(workspace.pk):
            return create_api_key("Test key", list(scopes or SCOPES), by=alice_actor)[1]

    return make
