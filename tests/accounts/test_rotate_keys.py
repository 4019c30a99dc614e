import base64
import signal
import subprocess
import sys
import threading
from io import StringIO
from pathlib import Path

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from allauth.mfa.utils import decrypt
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection, connections

from accounts.rotation import FieldStore, stores
from accounts.scope import all_workspaces_scope, workspace_scope
from lib.crypto import SecretField, ring
from social.models import Network, NetworkApp
from tests.waiting import wait_for

pytestmark = pytest.mark.django_db
OLD, NEW = (base64.urlsafe_b64encode(bytes([number]) * 32).decode() for number in (1, 2))
ROOT = Path(__file__).parents[2]


@pytest.fixture
def old_key(settings) -> None:
    settings.FIELD_KEYS = OLD


@pytest.fixture
def new_key(settings):
    """From here on the ring writes with the new key and still reads the old one."""

    def switch() -> None:
        settings.FIELD_KEYS = f"{NEW},{OLD}"

    return switch


@pytest.fixture
def apps_with_secrets(old_key, workspace):
    def make(count: int) -> None:
        with workspace_scope(workspace.pk):
            NetworkApp.objects.bulk_create(
                NetworkApp(workspace=workspace, network=Network.X, name=f"App {n}", client_secret=f"secret {n}")
                for n in range(count)
            )

    return make


def rotate(**options: object) -> str:
    out = StringIO()
    call_command("rotate_keys", stdout=out, **options)
    return out.getvalue()


def stored() -> list[bytes]:
    with all_workspaces_scope("test"), connection.cursor() as cursor:
        cursor.execute("SELECT client_secret FROM social_networkapp ORDER BY name")
        return [bytes(value) for (value,) in cursor.fetchall()]


def secrets_read(workspace) -> set[str]:
    with workspace_scope(workspace.pk):
        return {app.client_secret for app in NetworkApp.objects.all()}


def count_moved() -> int:
    return sum(value.startswith(ring().write_id) for value in stored())


def test_secrets_are_moved_under_the_first_key(apps_with_secrets, new_key, workspace):
    apps_with_secrets(3)
    new_key()
    assert count_moved() == 0
    rotate()
    assert count_moved() == 3
    assert secrets_read(workspace) == {"secret 0", "secret 1", "secret 2"}


def test_old_key_is_not_needed_afterwards(apps_with_secrets, new_key, workspace, settings):
    apps_with_secrets(3)
    new_key()
    rotate()
    settings.FIELD_KEYS = NEW
    assert secrets_read(workspace) == {"secret 0", "secret 1", "secret 2"}


def test_small_batches_reach_every_row(apps_with_secrets, new_key):
    apps_with_secrets(7)
    new_key()
    assert "social.NetworkApp: 7 moved" in rotate(batch=2)


def test_second_run_has_nothing_to_do(apps_with_secrets, new_key):
    apps_with_secrets(2)
    new_key()
    rotate()
    before = stored()
    assert "social.NetworkApp: 0 moved" in rotate()
    assert stored() == before


def test_secrets_of_every_workspace_are_moved(apps_with_secrets, new_key, other_workspace):
    apps_with_secrets(1)
    with workspace_scope(other_workspace.pk):
        NetworkApp.objects.create(workspace=other_workspace, network=Network.X, name="Theirs", client_secret="t")
    new_key()
    rotate()
    assert count_moved() == 2


def test_every_model_with_a_secret_is_covered():
    covered = {store.name for store in stores() if isinstance(store, FieldStore)}
    wanted = {
        model._meta.label
        for model in apps.get_models()
        if any(isinstance(field, SecretField) for field in model._meta.fields)
    }
    assert {"social.Credential", "social.NetworkApp", "social.OAuthState"} <= wanted == covered


def test_every_secret_column_of_a_model_is_covered():
    columns = {store.name: set(store.columns) for store in stores() if isinstance(store, FieldStore)}
    assert columns["social.Credential"] == {"access_token", "refresh_token", "token_secret"}


def test_second_factors_are_moved(old_key, new_key, alice, settings):
    TOTP.activate(alice, "TOTPSECRET")
    codes = RecoveryCodes.activate(alice).get_unused_codes()
    new_key()
    assert "mfa.Authenticator: 2 moved" in rotate()
    settings.FIELD_KEYS = NEW
    totp = Authenticator.objects.get(user=alice, type="totp")
    assert decrypt(totp.data["secret"]) == "TOTPSECRET"
    assert RecoveryCodes.activate(alice).get_unused_codes() == codes


def test_used_recovery_codes_stay_used(old_key, new_key, alice):
    code = RecoveryCodes.activate(alice).get_unused_codes()[0]
    RecoveryCodes.activate(alice).validate_code(code)
    new_key()
    rotate()
    assert not RecoveryCodes.activate(alice).validate_code(code)


def test_secret_under_a_lost_key_is_reported_and_the_others_are_moved(apps_with_secrets, workspace, settings):
    apps_with_secrets(2)
    settings.FIELD_KEYS = NEW
    with workspace_scope(workspace.pk):
        NetworkApp.objects.create(workspace=workspace, network=Network.X, name="Newer", client_secret="newer")
    third = base64.urlsafe_b64encode(b"\3" * 32).decode()
    settings.FIELD_KEYS = f"{third},{NEW}"
    with pytest.raises(CommandError, match=r"social.NetworkApp: 2 rows hold a secret that no key"):
        rotate()
    assert count_moved() == 1


def test_values_are_printed_nowhere(apps_with_secrets, new_key, caplog, capsys):
    caplog.set_level("DEBUG")
    apps_with_secrets(2)
    new_key()
    output = rotate() + caplog.text + "".join(capsys.readouterr())
    assert "2 moved" in output
    assert not [word for word in ("secret 0", "secret 1", OLD, NEW) if word in output]


def test_batch_of_nothing_is_refused(db):
    with pytest.raises(CommandError, match="--batch"):
        rotate(batch=0)


@pytest.mark.django_db(transaction=True)
def test_row_in_use_is_left_until_it_is_free(apps_with_secrets, new_key, workspace):
    apps_with_secrets(3)
    new_key()
    locked, released = threading.Event(), threading.Event()

    def refresh() -> None:
        """As a token refresh does: lock, talk to the network, write."""
        with workspace_scope(workspace.pk):
            app = NetworkApp.objects.select_for_update().get(name="App 1")
            locked.set()
            released.wait(10)
            app.client_secret = "refreshed meanwhile"
            app.save(update_fields=["client_secret"])
        connections.close_all()

    thread = threading.Thread(target=refresh)
    thread.start()
    locked.wait(10)
    threading.Timer(1.0, released.set).start()
    rotate()
    thread.join()
    assert count_moved() == 3
    assert secrets_read(workspace) == {"secret 0", "refreshed meanwhile", "secret 2"}


@pytest.mark.django_db(transaction=True)
def test_row_that_stays_in_use_is_reported(apps_with_secrets, new_key, workspace):
    apps_with_secrets(2)
    new_key()
    done = threading.Event()
    locked = threading.Event()

    def hold() -> None:
        with workspace_scope(workspace.pk):
            NetworkApp.objects.select_for_update().get(name="App 1")
            locked.set()
            done.wait(10)
        connections.close_all()

    thread = threading.Thread(target=hold)
    thread.start()
    locked.wait(10)
    try:
        with pytest.raises(CommandError, match="1 rows were in use; run it again"):
            rotate(patience=0.1)
    finally:
        done.set()
        thread.join()


def start_rotation(env: dict[str, str]) -> subprocess.Popen[bytes]:
    """`manage.py rotate_keys` as an operator runs it."""
    command = [sys.executable, "manage.py", "rotate_keys", "--batch", "1"]
    env = {**env, "FIELD_KEYS": f"{NEW},{OLD}"}
    return subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def wait_until_started(process: subprocess.Popen[bytes]) -> None:
    wait_for(lambda: count_moved() >= 5 or process.poll() is not None, timeout_s=60, every_s=0.005)
    assert process.poll() is None


@pytest.mark.django_db(transaction=True)
def test_killed_rotation_loses_nothing_and_the_next_one_finishes(
    apps_with_secrets, new_key, workspace, settings, child_env
):
    apps_with_secrets(1500)
    new_key()
    process = start_rotation(child_env)
    try:
        wait_until_started(process)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert 5 <= count_moved() < 1500
    expected = {f"secret {n}" for n in range(1500)}
    assert secrets_read(workspace) == expected
    rotate()
    assert count_moved() == 1500
    settings.FIELD_KEYS = NEW
    assert secrets_read(workspace) == expected
