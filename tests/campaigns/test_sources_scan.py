import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection as database

from accounts.access import Perm
from accounts.models import AuditEntry
from accounts.scope import workspace_scope
from campaigns.errors import NotAllowedNow
from campaigns.models import Campaign, Delivery, MediaAsset, Post, Source
from campaigns.source_scan import ScanReport
from campaigns.sources import create_source, scan_source
from lib.clock import now
from social.models import Connection
from tests.campaigns.cast import add_connection, database_address, folder_of, items_of, post_of, texts_of
from tests.media_files import write_animation, write_image, write_json, write_pair, write_video

pytestmark = pytest.mark.django_db
LATER = datetime(2090, 12, 24, 9, tzinfo=UTC)


@pytest.fixture
def campaign(in_workspace) -> Campaign:
    return Campaign.objects.create(workspace=in_workspace, name="Spring")


@pytest.fixture
def roastery(in_workspace) -> Connection:
    return add_connection(in_workspace)


@pytest.fixture
def source(bob_actor, campaign, roastery) -> Source:
    source = create_source(by=bob_actor, name="Spring", folder="spring", campaign=campaign, connections=[roastery.pk])
    folder_of(source)
    return source


@pytest.fixture
def folder(source):
    return folder_of(source)


def counts(report: ScanReport) -> tuple[int, int, int, int, int]:
    return (report.created, report.updated, report.unchanged, report.renamed, report.vanished)


def codes(report: ScanReport) -> dict[str, str]:
    return {problem.path: problem.code for problem in report.problems}


def delivery_of(source: Source, path: str) -> Delivery:
    return Delivery.objects.get(post=post_of(source, path))


def test_every_pair_becomes_a_draft_of_the_campaign_for_the_connection(source, folder, campaign, roastery, bob_actor):
    write_pair(folder / "hero.jpg", title="Hello")
    report = scan_source(source, by=bob_actor)
    assert counts(report) == (1, 0, 0, 0, 0)
    post = post_of(source, "hero.jpg")
    assert (post.title, post.campaign, post.created_by) == ("Hello", campaign, bob_actor.user)
    assert [(d.connection, d.state) for d in post.deliveries.all()] == [(roastery, "draft")]


def test_post_carries_text_media_and_alt_text(source, folder, bob_actor):
    fields = {"title": "Roast", "description": "Fresh.", "link": "https://example.com/a", "tags": ["coffee"]}
    write_pair(folder / "hero.jpg", alt_text="A bag", thread=["More."], **fields)
    scan_source(source, by=bob_actor)
    post = post_of(source, "hero.jpg")
    assert texts_of(post) == ["Roast\n\nFresh.\n\nhttps://example.com/a\n\n#coffee", "More."]
    uses = [(use.asset.name, use.alt_text) for part in post.parts.all() for use in part.media.all()]
    assert uses == [("hero.jpg", "A bag")]


@pytest.mark.parametrize("said", [True, False])
def test_post_says_whether_ai_made_it(source, folder, bob_actor, said):
    write_pair(folder / "hero.jpg", title="Roast", made_with_ai=said)
    scan_source(source, by=bob_actor)
    assert post_of(source, "hero.jpg").made_with_ai is said


def test_pictures_gifs_and_videos_are_kept_in_the_library(source, folder, bob_actor, settings):
    write_pair(folder / "a.jpg")
    write_animation(folder / "b.gif")
    write_json(folder / "b.json", title="B")
    write_video(folder / "c.mp4")
    write_json(folder / "c.json", title="C")
    scan_source(source, by=bob_actor)
    assert sorted(MediaAsset.objects.values_list("kind", flat=True)) == ["gif", "image", "video"]
    assert all((settings.MEDIA_ROOT / asset.file).is_file() for asset in MediaAsset.objects.all())


@pytest.mark.parametrize("name", ["护肤小课堂.jpg", "brew guide (final).png", "子文件夹/海报 1.jpg"])
def test_names_in_any_script_and_with_spaces_are_kept(source, folder, bob_actor, name):
    write_pair(folder / name, title="标题")
    scan_source(source, by=bob_actor)
    assert list(items_of(source)) == [name]
    assert post_of(source, name).title == "标题"


def test_second_scan_changes_nothing(source, folder, bob_actor):
    write_pair(folder / "hero.jpg")
    scan_source(source, by=bob_actor)
    before = Post.objects.values_list("pk", "revision", "updated_at").get()
    assert counts(scan_source(source, by=bob_actor)) == (0, 0, 1, 0, 0)
    assert Post.objects.values_list("pk", "revision", "updated_at").get() == before
    assert MediaAsset.objects.count() == 1


def test_scan_that_changed_something_is_one_row_in_the_audit_trail(source, folder, bob_actor):
    write_pair(folder / "hero.jpg")
    scan_source(source, by=bob_actor)
    scan_source(source, by=bob_actor)
    (entry,) = AuditEntry.objects.filter(action="source.scan")
    assert entry.detail.actor == "bob@example.org"
    assert (entry.detail.data["created"], entry.detail.data["vanished"]) == (1, 0)


def test_scan_that_nobody_asked_for_acts_in_the_name_of_the_source(source, folder):
    write_pair(folder / "hero.jpg", scheduled_time=LATER.isoformat(), title="Hello")
    scan_source(source)
    post = post_of(source, "hero.jpg")
    assert (post.created_by, post.authors) == (source.created_by, [str(source.created_by.pk)])
    assert delivery_of(source, "hero.jpg").scheduled_at == LATER
    assert AuditEntry.objects.get(action="source.scan").detail.actor == "source Spring"


def test_scan_remembers_when_it_was(source, bob_actor):
    scan_source(source, by=bob_actor)
    assert now() - Source.objects.get(pk=source.pk).scanned_at < timedelta(minutes=1)


def test_viewer_cannot_scan(source, folder, vic_actor):
    write_pair(folder / "hero.jpg")
    with pytest.raises(PermissionDenied):
        scan_source(source, by=vic_actor)
    assert not Post.objects.exists()


# --- time -------------------------------------------------------------------------------------------------


def test_named_time_becomes_the_plan_of_a_draft(source, folder, bob_actor):
    write_pair(folder / "hero.jpg", title="Hello", scheduled_time="2090-12-24T10:00:00+01:00")
    scan_source(source, by=bob_actor)
    row = delivery_of(source, "hero.jpg")
    assert (row.scheduled_at, row.due_at, row.state) == (LATER, None, "draft")


def test_past_time_is_noted_and_the_draft_stays(source, folder, bob_actor):
    write_pair(folder / "hero.jpg", title="Hello", scheduled_time="2020-12-24T10:00:00+01:00")
    report = scan_source(source, by=bob_actor)
    assert (report.created, codes(report)) == (1, {"hero.jpg": "not_planned"})
    item = items_of(source)["hero.jpg"]
    assert (item.status, item.code) == ("used", "not_planned")
    assert "2020-12-24 09:00 UTC" in item.message
    assert delivery_of(source, "hero.jpg").scheduled_at is None


def test_time_without_a_connection_is_noted(source, folder, bob_actor):
    source.targets.all().delete()
    write_pair(folder / "hero.jpg", title="Hello", scheduled_time=LATER.isoformat())
    assert codes(scan_source(source, by=bob_actor)) == {"hero.jpg": "not_planned"}
    assert post_of(source, "hero.jpg").deliveries.count() == 0


def test_who_may_not_plan_gets_drafts_without_a_time(source, folder, bob_actor):
    writer = replace(bob_actor, perms=frozenset({Perm.VIEW, Perm.CONTENT_EDIT}))
    write_pair(folder / "hero.jpg", title="Hello", scheduled_time=LATER.isoformat())
    assert codes(scan_source(source, by=writer)) == {"hero.jpg": "not_planned"}
    assert delivery_of(source, "hero.jpg").scheduled_at is None


# --- what a network would refuse ----------------------------------------------------------------------------


def test_text_too_long_for_the_connection_is_a_draft_with_the_reason(source, folder, bob_actor):
    write_pair(folder / "hero.jpg", title="Hello", description="x" * 300)
    report = scan_source(source, by=bob_actor)
    assert (report.created, codes(report)) == (1, {"hero.jpg": "not_sendable"})
    item = items_of(source)["hero.jpg"]
    assert item.status == "used"
    assert item.message.startswith("@roastery: The text is")


def test_note_of_an_unchanged_file_stays(source, folder, bob_actor):
    write_pair(folder / "hero.jpg", title="Hello", description="x" * 300)
    scan_source(source, by=bob_actor)
    scan_source(source, by=bob_actor)
    assert items_of(source)["hero.jpg"].code == "not_sendable"


def test_disconnected_account_gets_no_new_posts(source, folder, bob_actor, roastery):
    Connection.objects.filter(pk=roastery.pk).update(status=Connection.Status.DISCONNECTED)
    write_pair(folder / "hero.jpg")
    assert scan_source(source, by=bob_actor).created == 1
    assert not Delivery.objects.exists()


# --- the folder as a whole ----------------------------------------------------------------------------------


def test_missing_folder_is_said_on_the_source(source, folder, bob_actor):
    folder.rmdir()
    report = scan_source(source, by=bob_actor)
    assert report.error == "“spring”: There is no such folder."
    assert Source.objects.get(pk=source.pk).scan_error == report.error


def test_missing_folder_does_not_look_like_deleted_files(source, folder, bob_actor):
    write_pair(folder / "hero.jpg")
    scan_source(source, by=bob_actor)
    folder.rename(folder.with_name("elsewhere"))
    scan_source(source, by=bob_actor)
    assert items_of(source)["hero.jpg"].status == "used"


def test_folder_that_came_back_clears_the_error(source, folder, bob_actor):
    folder.rmdir()
    scan_source(source, by=bob_actor)
    folder.mkdir()
    assert scan_source(source, by=bob_actor).error == ""
    assert Source.objects.get(pk=source.pk).scan_error == ""


def test_folder_swapped_for_a_link_out_is_refused_at_the_scan(source, folder, bob_actor, tmp_path):
    write_pair(tmp_path / "private" / "secret.jpg")
    folder.rmdir()
    folder.symlink_to(tmp_path / "private")
    assert "outside" in scan_source(source, by=bob_actor).error
    assert not Post.objects.exists()


# --- two at once --------------------------------------------------------------------------------------------


@pytest.fixture
def committed(workspace, bob_actor) -> Source:
    with workspace_scope(workspace.pk):
        source = create_source(by=bob_actor, name="Spring", folder="spring")
    write_pair(folder_of(source) / "hero.jpg")
    return source


@pytest.mark.django_db(transaction=True)
def test_second_scan_at_once_is_told_that_one_is_running(committed, bob_actor):
    with psycopg.connect(**database_address()) as other:
        other.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"source {committed.pk}"])
        with pytest.raises(NotAllowedNow, match="running"):
            scan_source(committed, by=bob_actor)


@pytest.mark.django_db(transaction=True)
def test_lock_is_free_again_after_a_scan_and_after_a_failed_one(committed, bob_actor, settings):
    scan_source(committed, by=bob_actor)
    settings.SOURCES_ROOT = settings.SOURCES_ROOT / "hero.jpg" / "\x00"
    with pytest.raises(ValueError, match="null"):
        scan_source(committed, by=bob_actor)
    with database.cursor() as cursor:
        # Of this database: other tests run beside.
        cursor.execute(
            "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database "
            "WHERE locktype = 'advisory' AND datname = current_database()"
        )
        assert cursor.fetchone() == (0,)


def scan_in_thread(source: Source, actor, start: threading.Barrier, answers: list[object]) -> None:
    start.wait()
    try:
        answers.append(scan_source(source, by=actor).created)
    except NotAllowedNow:
        answers.append("running")
    finally:
        database.close()


@pytest.mark.django_db(transaction=True)
def test_scans_at_once_make_one_post(committed, bob_actor, workspace):
    write_video(folder_of(committed) / "slow.mp4", frames=120)
    start, answers = threading.Barrier(4), []
    threads = [threading.Thread(target=scan_in_thread, args=(committed, bob_actor, start, answers)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with workspace_scope(workspace.pk):
        assert Post.objects.count() == 1
    assert answers.count(1) == 1
    assert "running" in answers


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_every_file_is_kept_as_it_comes(committed, bob_actor, workspace):
    write_image(folder_of(committed) / "alone.png")
    scan_source(committed, by=bob_actor)
    with workspace_scope(workspace.pk):
        assert {path: item.status for path, item in items_of(committed).items()} == {
            "hero.jpg": "used",
            "alone.png": "problem",
        }
