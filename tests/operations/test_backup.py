"""Backup, restore and drill, on real databases."""

import base64
import contextlib
import json
import os
import signal
import tarfile
import tempfile
from datetime import timedelta
from io import StringIO
from pathlib import Path

import psycopg
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from accounts.audit_anchor import anchor_chains, anchor_files
from accounts.models import AuditEntry, Switch, User
from accounts.scope import all_workspaces_scope, workspace_scope
from campaigns.models import Attempt, Delivery
from compliance.privacy.erase import erase_user
from lib.clock import now
from marketing import health
from marketing.backups import drill, files, make, restore
from marketing.backups.errors import BackupError
from marketing.backups.make import make_backup
from marketing.backups.restore import restore_backup
from marketing.backups.targets import FolderTarget
from social.models import Connection, Credential
from tests.campaigns.cast import add_connection, add_post, database_address, set_state
from tests.campaigns.engine.workers import start
from tests.operations.databases import empty_database, inside
from tests.waiting import wait_for

pytestmark = pytest.mark.django_db(transaction=True)
KEY = base64.urlsafe_b64encode(bytes(range(32))).decode()
TOKEN = "a token that nobody may read"
State = Delivery.State


@pytest.fixture(autouse=True)
def own_settings(settings, child_env, monkeypatch):
    settings.BACKUP_DATABASE_URL = child_env["DATABASE_URL"]
    settings.BACKUP_KEY = KEY
    monkeypatch.setenv("BACKUP_KEY", KEY)


@pytest.fixture
def target(tmp_path: Path) -> FolderTarget:
    return FolderTarget(tmp_path / "backups")


@pytest.fixture
def installation(workspace, bob, alice_actor, bob_actor, settings) -> dict[str, Delivery]:
    """One post in each state that matters, a secret, files, and an anchor."""
    rows = {}
    with workspace_scope(workspace.pk):
        for number, state in enumerate((State.SCHEDULED, State.RETRY_WAIT, State.PUBLISHING, State.PUBLISHED)):
            account = add_connection(workspace, f"account{number}")
            post = add_post(bob_actor, account, text=f"Post {number}")
            set_state(post, state, due_at=now() - timedelta(minutes=1), fence=1)
            rows[state] = Delivery.objects.get(post=post)
        later = add_post(bob_actor, account, text="Much later")
        set_state(later, State.SCHEDULED, due_at=now() + timedelta(days=1))
        rows["later"] = Delivery.objects.get(post=later)
        Attempt.objects.create(workspace=workspace, delivery=rows[State.PUBLISHING], number=1)
        Credential.objects.create(workspace=workspace, connection=account, access_token=TOKEN)
    media, source = Path(settings.MEDIA_ROOT) / "a/b.png", Path(settings.SOURCES_ROOT) / "folder/note.txt"
    for path in (media, source):
        path.parent.mkdir(parents=True)
        path.write_text(f"content of {path.name}")
    anchor_chains()
    return rows


def states(rows: dict[str, Delivery]) -> dict[str, str]:
    with all_workspaces_scope("test"):
        return {name: Delivery.objects.get(pk=row.pk).state for name, row in rows.items()}


def lose_files(settings) -> None:
    for folder in (settings.MEDIA_ROOT, settings.SOURCES_ROOT):
        for path in [path for path in Path(folder).rglob("*") if path.is_file()]:
            path.unlink()


def test_everything_comes_back_and_nothing_goes_out_by_itself(installation, target, settings, workspace, bob):
    made = make_backup(target)
    lose_files(settings)
    anchor_chains()
    with empty_database() as name, inside(name):
        restored = restore_backup(target)
        assert (restored.name, restored.audit_faults, restored.unreadable) == (made.name, [], 0)
        assert restored.rows == sum(made.tables.values()) > 100
        with workspace_scope(workspace.pk):
            assert Credential.objects.get().access_token == TOKEN
        assert states(installation) == {
            State.SCHEDULED: State.MISSED,
            State.RETRY_WAIT: State.MISSED,
            State.PUBLISHING: State.MISSED,
            State.PUBLISHED: State.PUBLISHED,
            "later": State.SCHEDULED,
        }
        assert made.name in Switch.objects.get(name=Switch.PUBLISHING, is_on=True).reason
        with all_workspaces_scope("test"):
            assert Attempt.objects.get().code == "restored"
            assert AuditEntry.objects.filter(workspace=None, action=restore.ACTION).count() == 1
        # As bound as ever.
        assert Connection.objects.count() == 0
    assert (Path(settings.MEDIA_ROOT) / "a/b.png").read_text() == "content of b.png"
    assert (Path(settings.SOURCES_ROOT) / "folder/note.txt").read_text() == "content of note.txt"


def test_who_was_erased_since_stays_erased(installation, target, bob, rita):
    make_backup(target)
    erase_user(rita)
    with empty_database() as name, inside(name):
        restored = restore_backup(target)
        assert restored.erased_again == "1 erased again."
        assert restored.is_whole
        assert not User.objects.filter(pk=rita.pk).exists()
        assert User.objects.filter(pk=bob.pk).exists()


def test_younger_anchors_are_kept_aside(installation, target, settings, alice_actor):
    made = make_backup(target)
    assert [file.number for file in anchor_files()] == [1]
    anchor_chains()
    assert [file.number for file in anchor_files()] == [1, 2]
    with empty_database() as name, inside(name):
        restore_backup(target)
        assert [file.number for file in anchor_files()] == [1]
        aside = Path(settings.AUDIT_ANCHOR_DIR) / f"before-{made.name}"
        assert [path.name[-12:-6] for path in aside.iterdir()] == ["000002"]
        # The next one follows, and still all is well.
        anchor_chains()
        assert restore._audit_faults() == []


def test_drill_restores_beside_and_leaves_nothing(installation, target, child_env, monkeypatch, tmp_path, settings):
    for name, value in child_env.items():
        monkeypatch.setenv(name, value)
    made = make_backup(target)
    before = databases()
    said = StringIO()
    call_command("restore_drill", str(target.folder), stdout=said)
    found = json.loads(said.getvalue())
    assert (found["ok"], found["name"], found["files"]) == (True, made.name, 2)
    assert found["rows"] == sum(made.tables.values())
    assert 0 < found["seconds"] < 600
    assert found["secrets"] >= 1
    assert databases() == before
    assert not list(tmp_path.glob("**/*.restoring"))


def test_drill_says_why_it_cannot_begin(target):
    with pytest.raises(CommandError, match="no whole backup"):
        call_command("restore_drill", str(target.folder))


def test_drill_takes_what_a_killed_one_left(db):
    with psycopg.connect(**database_address(), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {drill.PREFIX}left")
    with drill._database():
        assert f"{drill.PREFIX}left" not in databases()
    assert not [name for name in databases() if name.startswith(drill.PREFIX)]


def databases() -> set[str]:
    with psycopg.connect(**database_address(), autocommit=True) as admin:
        return {row[0] for row in admin.execute("SELECT datname FROM pg_database").fetchall()}


# --- kills --------------------------------------------------------------------------------------------------


def die(*_args: object, **_more: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def backup_until_killed(target: FolderTarget) -> None:
    make._keep_erasures = die
    make_backup(target)


def test_killed_backup_does_not_count_and_is_swept(target, workspace):
    process = start(backup_until_killed, target)
    process.join(120)
    assert process.exitcode == -signal.SIGKILL
    assert [path.name[:9] for path in target.folder.iterdir()] == [".rostrum-"]
    assert target.names() == []
    made = make_backup(target)
    assert [path.name for path in target.folder.iterdir()] == [made.name]


def restore_until_killed(target: FolderTarget, name: str, point: str) -> None:
    with inside(name):
        if point == "filling":
            pass_on = restore._pass_on
            restore._pass_on = lambda reader, writer, _last: pass_on(Half(reader), writer, "")
        else:
            restore.bring_files = die
        restore_backup(target)


def is_alone() -> bool:
    """What a killed restore had started notices a moment later."""
    with contextlib.suppress(BackupError):
        restore.check_alone()
        return True
    return False


class Half:
    """The first bytes of a script, and then the end of this process."""

    def __init__(self, reader) -> None:
        self.stdout, self.reader, self.reads = self, reader, 0

    def read(self, size: int) -> bytes:
        self.reads += 1
        return self.reader.stdout.read(200_000) if self.reads == 1 else die()


@pytest.mark.parametrize("point", ["filling", "afterwards"])
def test_killed_restore_can_be_started_again(installation, target, point, tmp_path, monkeypatch):
    make_backup(target)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    with empty_database() as name:
        process = start(restore_until_killed, target, name, point)
        process.join(120)
        assert process.exitcode == -signal.SIGKILL
        left = [path for path in (tmp_path / "temporary").rglob("*") if path.is_file()]
        assert left
        assert not [path for path in left if b"Much later" in path.read_bytes() or b"PGDMP" in path.read_bytes()]
        with inside(name):
            wait_for(is_alone)
            assert ("accounts_user" in connection.introspection.table_names()) == (point == "afterwards")
            assert restore_backup(target).is_whole


# --- refusals -----------------------------------------------------------------------------------------------


def test_second_backup_at_once_is_refused(target):
    with make.held_lock(make.LOCK), pytest.raises(BackupError, match="Another backup"):
        make_backup(target)


def test_database_in_use_is_left_alone(target, workspace):
    make_backup(target)
    with pytest.raises(BackupError, match="The database is not empty"):
        restore_backup(target)
    with psycopg.connect(**database_address()), pytest.raises(BackupError, match="1 other connections"):
        restore_backup(target)
    health.record(health.WORKER_KEY)
    with pytest.raises(BackupError, match="stop all workers"):
        restore_backup(target)


def change(target: FolderTarget, file: str, old: bytes = b"", new: bytes = b"") -> None:
    path = target.folder / target.names()[0] / file
    content = path.read_bytes()
    path.write_bytes(content.replace(old, new) if old else content[:-1] + bytes([content[-1] ^ 1]))


DAMAGES = {
    "database.dump of .* is damaged": lambda target, settings: change(target, "database.dump"),
    "The manifest was changed": lambda target, settings: change(target, "manifest.json", b'"kept"', b'"listed"'),
    "Nothing proves where": lambda target, settings: change(
        target, "manifest.json", b'_encrypted": true', b'_encrypted": false'
    ),
    "manifest was changed, or": lambda target, settings: change(
        target, "manifest.json", b'"proof": "', b'"proof": "\xc3\xa9'
    ),
    "The manifest is damaged": lambda target, settings: change(target, "manifest.json", b"{", b"<"),
    "has no sources.tar": lambda target, settings: (target.folder / target.names()[0] / "sources.tar").unlink(),
    "or another BACKUP_KEY": lambda target, settings: setattr(settings, "BACKUP_KEY", KEY.replace("A", "B")),
    "encrypted: set BACKUP_KEY": lambda target, settings: setattr(settings, "BACKUP_KEY", ""),
    "keys that are not in FIELD_KEYS": lambda target, settings: setattr(settings, "FIELD_KEYS", KEY),
    "a format of its own": lambda target, settings: change(target, "manifest.json", b'"format": 1', b'"format": 9'),
}


def test_what_cannot_be_used_is_refused_before_anything_changes(target, workspace, settings):
    made = make_backup(target)
    whole = {path: path.read_bytes() for path in (target.folder / made.name).iterdir()}
    former = settings.BACKUP_KEY, settings.FIELD_KEYS
    with empty_database() as name, inside(name):
        for words, damage in DAMAGES.items():
            damage(target, settings)
            with pytest.raises(BackupError, match=words):
                restore_backup(target)
            for path, content in whole.items():
                path.write_bytes(content)
            settings.BACKUP_KEY, settings.FIELD_KEYS = former
        assert connection.introspection.table_names() == []


def test_backup_of_newer_code_and_a_strange_name_are_refused(target, workspace, settings, monkeypatch):
    made = make_backup(target)
    monkeypatch.setattr(restore, "known_migrations", lambda: set(made.migrations) - {"accounts.0001_initial"})
    with empty_database() as name, inside(name):
        with pytest.raises(BackupError, match=r"newer version .* accounts.0001_initial"):
            restore_backup(target)
        with pytest.raises(BackupError, match="no name of a backup"):
            restore_backup(target, "../elsewhere")


def test_archive_gives_no_file_more_than_its_rights(tmp_path):
    with tarfile.open(tmp_path / "media.tar", "w") as archive:
        for name, mode in {"plain": 0o664, "root": 0o6755}.items():
            entry = tarfile.TarInfo(name)
            entry.mode = mode
            archive.addfile(entry)
    with (tmp_path / "media.tar").open("rb") as archive:
        assert files.unpack(archive, tmp_path / "out") == 2
    modes = {path.name: path.stat().st_mode & 0o7777 for path in (tmp_path / "out").iterdir()}
    assert modes == {"plain": 0o664, "root": 0o755}


# --- what is kept -------------------------------------------------------------------------------------------


def test_no_word_of_it_can_be_read_without_the_key(installation, target):
    made = make_backup(target)
    content = b"".join(path.read_bytes() for path in (target.folder / made.name).iterdir())
    assert not [word for word in (b"content of", b"roastery", b"example.org", b"Much later") if word in content]


def test_oldest_go_when_so_many_are_kept(target, settings, monkeypatch):
    at = now()
    for day in range(3):
        monkeypatch.setattr(make, "now", lambda day=day: at + timedelta(days=day))
        settings.BACKUP_KEY = ""
        call_command(
            "backup", str(target.folder), "--keep=2", "--without-media", "--without-sources", stdout=StringIO()
        )
    assert target.names() == [f"rostrum-{at + timedelta(days=day):%Y%m%dT%H%M%SZ}" for day in (1, 2)]
    assert all((target.folder / name / "media.jsonl").read_text() == "" for name in target.names())
