import gzip
import json
from datetime import UTC, datetime, timedelta

import pytest
from django.core.files.storage import storages

from accounts.scope import workspace_scope
from compliance.privacy import export
from compliance.privacy.erase import erase_user
from compliance.privacy.traces import traces_of_user
from lib.clock import now
from personal import archive
from personal.archive import archive_briefs, data_of
from personal.models import Brief
from tests.compliance.privacy_cast import lines_of, unzip

pytestmark = pytest.mark.django_db
OLD = datetime(2026, 3, 10, 8, tzinfo=UTC)


def add_brief(workspace, user, at: datetime, text: str = "春季 3") -> Brief:
    data = {"sections": [{"key": "today", "title": "Today", "lines": [{"text": text, "path": ""}]}]}
    fields = {"wanted_at": at, "created_at": at, "title": f"Brief of {at:%d %B}", "data": data}
    with workspace_scope(workspace.pk):
        return Brief.objects.create(workspace=workspace, user=user, **fields)


def again(brief: Brief) -> Brief:
    with workspace_scope(brief.workspace_id):
        return Brief.objects.get(pk=brief.pk)


@pytest.fixture
def old(workspace, alice) -> list[Brief]:
    return [add_brief(workspace, alice, OLD + timedelta(days=days), f"Day {days}") for days in (0, 1, 30)]


def test_old_briefs_move_and_read_as_before(workspace, alice, old) -> None:
    fresh = add_brief(workspace, alice, now())
    before = [row.data for row in old]
    assert archive_briefs() == 3
    assert archive_briefs() == 0
    rows = [again(row) for row in old]
    assert [row.data for row in rows] == [None] * 3
    assert [data_of(row) for row in rows] == before
    assert len({row.archive_key for row in rows}) == 2
    assert again(fresh).archived_at is None
    with storages["archive"].open(rows[0].archive_key) as file:
        lines = [json.loads(line) for line in gzip.decompress(file.read()).splitlines()]
    assert {line["id"] for line in lines} == {str(old[0].pk), str(old[1].pk)}


def test_line_ends_of_any_kind_in_a_text_spoil_no_month(workspace, alice, old) -> None:
    text = "one\u2028two\u2029three\x85four\x0bfive\x1csix\r\nseven\n"
    odd = add_brief(workspace, alice, OLD + timedelta(hours=1), text)
    archive_briefs()
    assert data_of(again(odd))["sections"][0]["lines"][0]["text"] == text
    assert data_of(again(old[0]))["sections"][0]["lines"][0]["text"] == "Day 0"


def test_what_comes_late_to_a_month_gets_an_object_of_its_own(workspace, alice, old) -> None:
    archive_briefs()
    late = add_brief(workspace, alice, OLD + timedelta(hours=3), "Late")
    assert archive_briefs() == 1
    assert data_of(again(late))["sections"][0]["lines"][0]["text"] == "Late"
    assert data_of(again(old[0]))["sections"][0]["lines"][0]["text"] == "Day 0"


def test_a_lost_object_leaves_an_empty_brief(old) -> None:
    archive_briefs()
    row = again(old[0])
    storages["archive"].delete(row.archive_key)
    assert data_of(row) == {}


def test_a_run_that_comes_second_leaves_what_the_first_has_moved(old, monkeypatch) -> None:
    before, name_of = [row.data for row in old], archive._name

    def overtaken(*args) -> str:
        monkeypatch.setattr(archive, "_name", name_of)
        assert archive_briefs() == 3
        return name_of(*args)

    monkeypatch.setattr(archive, "_name", overtaken)
    assert archive_briefs() == 0
    assert [data_of(again(row)) for row in old] == before


def test_each_person_has_objects_of_their_own(workspace, alice, bob, old) -> None:
    theirs = add_brief(workspace, bob, OLD)
    archive_briefs()
    keys = {again(row).archive_key.split("/")[2] for row in (*old, theirs)}
    assert keys == {str(alice.pk), str(bob.pk)}


def test_erasing_a_person_deletes_their_objects_only(workspace, bob, old) -> None:
    theirs = add_brief(workspace, bob, OLD)
    archive_briefs()
    mine, gone = again(old[0]).archive_key, again(theirs).archive_key
    erase_user(bob)
    assert (storages["archive"].exists(mine), storages["archive"].exists(gone)) == (True, False)
    with workspace_scope(workspace.pk):
        assert not Brief.objects.filter(pk=theirs.pk).exists()


def test_a_copy_holds_what_is_archived(workspace, alice, old) -> None:
    archive_briefs()
    export.write_copy(export.copy_of_person(traces_of_user(alice)), "copy.zip", beat=lambda done, of: None)
    manifest, files = unzip("copy.zip")
    assert len(lines_of(files, "personal.Brief")) == 3
    archived = {name: gzip.decompress(body).decode() for name, body in files.items() if name.startswith("archive/")}
    assert len(archived) == 2
    assert sum(text.count("\n") for text in archived.values()) == 3
    assert {row["file"] for row in manifest["media"]} == archived.keys()
