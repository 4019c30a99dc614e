"""Backups, media and the archive in a bucket, by the real client over real HTTP."""

import base64
from collections.abc import Iterator
from io import StringIO

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.core.management.base import CommandError

from accounts.models import User
from compliance.privacy.erase import erase_user
from marketing import settings as product
from marketing.backups import files
from marketing.backups.errors import BackupError
from marketing.backups.make import Options, make_backup
from marketing.backups.restore import restore_backup
from marketing.backups.targets import MANIFEST, Target, open_target
from personal.archive import archive_briefs, data_of
from tests.operations.databases import empty_database, inside
from tests.operations.s3 import ACCESS_KEY, SECRET_KEY, S3Server, s3_server
from tests.personal.test_archive import OLD, add_brief, again

KEY = base64.urlsafe_b64encode(bytes(range(32))).decode()
VAULT = "s3://vault/rostrum"


@pytest.fixture
def s3(settings) -> Iterator[S3Server]:
    with s3_server() as server:
        settings.S3_OPTIONS = {"endpoint_url": server.url, "access_key": ACCESS_KEY, "secret_key": SECRET_KEY}
        yield server


@pytest.fixture
def buckets(s3: S3Server, settings, monkeypatch) -> S3Server:
    """What `S3_BUCKET=media` and `ARCHIVE_BUCKET=cold` set."""
    monkeypatch.setattr(product, "S3_BUCKET", "media")
    monkeypatch.setattr(product, "S3_OPTIONS", settings.S3_OPTIONS)
    chosen = {"default": product._storage("media"), "archive": product._storage("cold")}
    settings.STORAGES = settings.STORAGES | chosen
    return s3


# --- backups ------------------------------------------------------------------------------------------------


def put(target: Target, name: str) -> None:
    folder = target.begin(name)
    for file in (MANIFEST, "database.dump", "z.tar"):
        (folder / file).write_text(f"{file} of {name}")
    target.finish(name)


def test_what_has_a_manifest_is_whole_and_it_is_written_last_and_taken_first(s3, tmp_path) -> None:
    target, names = open_target(VAULT), [f"rostrum-2026010{day}T000000Z" for day in range(1, 5)]
    for name in reversed(names):
        put(target, name)
    first = [call.rpartition("/")[2] for call in s3.calls[:3]]
    assert (sorted(first[:2]), first[2]) == (["database.dump", "z.tar"], MANIFEST)
    assert target.names() == names
    assert target.fetch(names[1], "z.tar", tmp_path).read_text() == f"z.tar of {names[1]}"
    s3.calls.clear()
    target.drop(names[0])
    taken = [call for call in s3.calls if call.startswith("DELETE")]
    assert taken[0] == f"DELETE vault/rostrum/{names[0]}/{MANIFEST}"
    assert len(taken) == 3
    del s3.objects[f"vault/rostrum/{names[1]}/{MANIFEST}"]
    assert target.names() == names[2:]


def test_a_large_file_comes_back_in_parts(s3, tmp_path) -> None:
    content = bytes(range(256)) * 40_000
    s3.objects["vault/rostrum/one/media.tar"] = content
    assert open_target(VAULT).fetch("one", "media.tar", tmp_path).read_bytes() == content
    assert s3.calls.count("GET vault/rostrum/one/media.tar") == 2


@pytest.mark.django_db(transaction=True)
def test_a_backup_in_a_bucket_is_restored(buckets, settings, child_env, workspace, alice) -> None:
    settings.BACKUP_DATABASE_URL, settings.BACKUP_KEY = child_env["DATABASE_URL"], KEY
    for name in ("a/one.png", "a/two.png", "b/c/three.png", "four.png", "five.png"):
        default_storage.save(name, ContentFile(b"a picture"))
    target = open_target(VAULT)
    made = make_backup(target, Options(sources=False))
    kept = {name: content for name, content in buckets.objects.items() if name.startswith("vault/")}
    assert kept.keys() == {f"vault/rostrum/{made.name}/{file}" for file in (*made.files, MANIFEST)}
    assert not [name for name, content in kept.items() if b"roastery" in content.lower()]
    with empty_database() as name, inside(name):
        restored = restore_backup(target)
        assert restored.is_whole
        assert User.objects.get().email == alice.email
    assert len([name for name in buckets.objects if name.startswith("media/")]) == 5


@pytest.mark.parametrize("command", ["restore", "restore_drill"])
def test_a_bucket_that_refuses_is_named(s3, settings, command) -> None:
    settings.S3_OPTIONS = settings.S3_OPTIONS | {"access_key": "stranger"}
    with pytest.raises(CommandError, match=r"s3://vault/rostrum/.*InvalidAccessKeyId"):
        call_command(command, VAULT, stdout=StringIO())


def test_every_act_on_a_bucket_that_is_away_says_which(s3, settings, tmp_path) -> None:
    target = open_target(VAULT)
    put(target, "rostrum-20260101T000000Z")
    s3.objects.clear()
    with pytest.raises(BackupError, match=r"s3://vault/rostrum/one/z.tar: .*Not Found"):
        target.fetch("one", "z.tar", tmp_path)
    settings.S3_OPTIONS = settings.S3_OPTIONS | {"access_key": "stranger"}
    stranger = open_target(VAULT)
    acts = [stranger.names, lambda: stranger.drop("one"), lambda: put(stranger, "one")]
    for act in acts:
        with pytest.raises(BackupError, match=r"s3://vault/rostrum/"):
            act()
    assert s3.objects == {}


# --- media and the archive ------------------------------------------------------------------------------------


def test_media_are_kept_listed_and_deleted(buckets) -> None:
    for name in ("a/one.png", "a/two.png", "b/c/three.png", "four.png", "five.png"):
        default_storage.save(name, ContentFile(name.encode()))
    assert buckets.objects["media/b/c/three.png"] == b"b/c/three.png"
    assert files.media_folder() is None
    assert {one["name"]: one["bytes"] for one in files.media_list()} == {
        "a/one.png": 9,
        "a/two.png": 9,
        "b/c/three.png": 13,
        "four.png": 8,
        "five.png": 8,
    }
    default_storage.save("four.png", ContentFile(b"again"))
    with default_storage.open("four.png") as file:
        assert file.read() == b"again"
    default_storage.delete("four.png")
    assert not default_storage.exists("four.png")


@pytest.mark.django_db
def test_old_briefs_lie_in_the_archive_until_their_person_is_erased(buckets, workspace, alice, bob) -> None:
    mine, theirs = add_brief(workspace, alice, OLD, "春季 3"), add_brief(workspace, bob, OLD, "Theirs")
    before = mine.data
    assert archive_briefs() == 2
    assert {name.split("/")[0] for name in buckets.objects} == {"cold"}
    assert data_of(again(mine)) == before
    key = again(theirs).archive_key
    erase_user(bob)
    assert {f"cold/{again(mine).archive_key}"} == buckets.objects.keys()
    assert key != again(mine).archive_key
