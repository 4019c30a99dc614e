from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest

from accounts.models import Workspace
from accounts.scope import workspace_scope
from campaigns.models import Post, Source
from campaigns.source_rescan import rescan_source, sources_to_rescan
from campaigns.sources import create_source, update_source
from campaigns.tasks import rescan_sources, scan_one_source
from lib.clock import now
from marketing.celery import app
from tests.campaigns.cast import database_address, folder_of, items_of
from tests.media_files import write_json, write_pair

pytestmark = pytest.mark.django_db


@pytest.fixture
def make(workspace, bob_actor, charlie_actor):
    def source(folder: str, by=bob_actor, scanned_minutes_ago: int | None = None) -> Source:
        with workspace_scope(by.workspace.pk):
            made = create_source(by=by, name=folder, folder=folder)
            if scanned_minutes_ago is not None:
                Source.objects.filter(pk=made.pk).update(scanned_at=now() - timedelta(minutes=scanned_minutes_ago))
        write_pair(folder_of(made) / "hero.jpg", title="Before")
        return made

    return source


@pytest.fixture
def celery_eager() -> Iterator[None]:
    app.conf.task_always_eager = True
    yield
    app.conf.task_always_eager = False


def posts_of(workspace: Workspace) -> list[str]:
    with workspace_scope(workspace.pk):
        return list(Post.objects.values_list("title", flat=True))


def scan(source: Source) -> None:
    scan_one_source(str(source.workspace_id), str(source.pk))


def last_scan(source: Source):
    with workspace_scope(source.workspace_id):
        return Source.objects.get(pk=source.pk).scanned_at


def test_every_workspace_comes_before_anybodys_second_source(make, charlie_actor):
    newest = make("a", scanned_minutes_ago=1)
    oldest = make("b", scanned_minutes_ago=30)
    never = make("c")
    theirs = make("d", by=charlie_actor, scanned_minutes_ago=5)
    assert [pk for _, pk in sources_to_rescan()] == [never.pk, theirs.pk, oldest.pk, newest.pk]


def test_ids_come_with_their_workspace(make, charlie_actor):
    theirs = make("d", by=charlie_actor)
    assert sources_to_rescan() == [(charlie_actor.workspace.pk, theirs.pk)]


def test_source_that_is_switched_off_is_left_alone(make, bob_actor, workspace):
    source = make("a")
    with workspace_scope(workspace.pk):
        update_source(source, by=bob_actor, is_active=False)
    scan(source)
    assert sources_to_rescan() == []
    assert posts_of(workspace) == []


def test_suspended_workspace_is_left_alone(make, workspace):
    make("a")
    Workspace.objects.filter(pk=workspace.pk).update(is_suspended=True)
    assert sources_to_rescan() == []


def test_round_scans_the_sources_of_all_workspaces(make, workspace, charlie_actor, celery_eager):
    make("a")
    make("d", by=charlie_actor)
    rescan_sources()
    assert posts_of(workspace) == posts_of(charlie_actor.workspace) == ["Before"]


def test_source_that_was_deleted_meanwhile_is_no_error(make, workspace):
    source = make("a")
    with workspace_scope(workspace.pk):
        Source.objects.filter(pk=source.pk).delete()
    scan(source)
    assert posts_of(workspace) == []


def test_source_of_another_workspace_is_not_found(make, charlie_actor, workspace):
    source = make("a")
    rescan_source(charlie_actor.workspace.pk, source.pk)
    assert posts_of(workspace) == []


def test_folder_in_which_nothing_changed_is_not_read_again(make):
    source = make("a")
    scan(source)
    first = last_scan(source)
    scan(source)
    assert last_scan(source) == first


def test_folder_in_which_a_file_changed_is_read_again(make, workspace):
    source = make("a")
    scan(source)
    write_json(folder_of(source) / "hero.json", title="After")
    scan(source)
    assert posts_of(workspace) == ["After"]


def test_folder_in_which_a_file_came_is_read_again(make, workspace):
    source = make("a")
    scan(source)
    write_pair(folder_of(source) / "more" / "b.jpg", title="B")
    scan(source)
    assert sorted(posts_of(workspace)) == ["B", "Before"]


@pytest.mark.django_db(transaction=True)
def test_source_that_somebody_scans_already_is_left_to_them(make, workspace):
    source = make("a")
    with psycopg.connect(**database_address()) as other:
        other.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"source {source.pk}"])
        scan(source)
        assert posts_of(workspace) == []
    scan(source)
    assert posts_of(workspace) == ["Before"]


def test_missing_folder_is_tried_every_time(make, workspace):
    source = make("a")
    folder = folder_of(source)
    folder.rename(folder.with_name("away"))
    scan(source)
    folder.with_name("away").rename(folder)
    scan(source)
    with workspace_scope(workspace.pk):
        assert items_of(source)["hero.jpg"].status == "used"
