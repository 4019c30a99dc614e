import os
from pathlib import Path

import pytest
from django.core.files.storage import FileSystemStorage

from campaigns.models import Post, Source
from campaigns.sources import create_source, scan_source
from tests.campaigns.cast import folder_of, items_of, post_of, texts_of
from tests.campaigns.test_sources_scan import codes, counts
from tests.media_files import write_huge_png_header, write_image, write_json, write_pair

pytestmark = pytest.mark.django_db


@pytest.fixture
def source(in_workspace, bob_actor) -> Source:
    return create_source(by=bob_actor, name="Spring", folder="spring")


@pytest.fixture
def folder(source):
    """With one good file, which nothing beside it may stop."""
    folder = folder_of(source)
    write_pair(folder / "good.jpg", title="Good")
    return folder


def refused(source: Source) -> dict[str, str]:
    """The codes by file, the same in the report and in the rows, while the good file became a post."""
    report = scan_source(source)
    rows = {path: item for path, item in items_of(source).items() if item.status == "problem"}
    assert texts_of(post_of(source, "good.jpg")) == ["Good"]
    assert {path: item.code for path, item in rows.items()} == codes(report)
    assert all(item.message and item.post is None for item in rows.values())
    return codes(report)


def test_svg_with_a_script_is_refused(source, folder):
    (folder / "evil.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>')
    write_json(folder / "evil.json", title="Evil")
    assert refused(source).keys() == {"evil.svg", "evil.json"}


def test_svg_that_calls_itself_a_picture_is_refused(source, folder):
    (folder / "evil.png").write_text('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>')
    write_json(folder / "evil.json", title="Evil")
    assert refused(source).keys() == {"evil.png", "evil.json"}


def test_picture_that_unpacks_to_a_giant_is_refused(source, folder):
    write_huge_png_header(folder / "giant.png", 60_000, 60_000)
    write_json(folder / "giant.json", title="Giant")
    assert refused(source).keys() == {"giant.png", "giant.json"}


def test_huge_file_is_refused_unread(source, folder):
    write_pair(folder / "huge.mp4.jpg")
    os.truncate(folder / "huge.mp4.jpg", 40 * 1024**3)
    assert "huge.mp4.jpg" in refused(source)


def test_link_out_of_the_folder_is_refused(source, folder, tmp_path):
    write_pair(tmp_path / "private" / "secret.jpg")
    (folder / "secret.jpg").symlink_to(tmp_path / "private" / "secret.jpg")
    (folder / "secret.json").symlink_to(tmp_path / "private" / "secret.json")
    assert refused(source) == {"secret.jpg": "symlink_outside", "secret.json": "symlink_outside"}


def test_linked_folder_is_refused(source, folder, tmp_path):
    write_pair(tmp_path / "private" / "secret.jpg")
    (folder / "more").symlink_to(tmp_path / "private")
    assert refused(source).keys() == {"more"}


def test_picture_without_text_is_refused(source, folder):
    write_image(folder / "alone.png")
    assert refused(source) == {"alone.png": "no_metadata"}


def test_two_things_wrong_with_one_file_are_one_row_with_both_reasons(source, folder):
    (folder / "half.png").write_bytes(write_image(folder / "whole.png").read_bytes()[:80])
    (folder / "whole.png").unlink()
    report = scan_source(source)
    assert [problem.path for problem in report.problems] == ["half.png", "half.png"]
    message = items_of(source)["half.png"].message
    assert all(problem.message in message for problem in report.problems)


def test_thread_with_too_many_parts_is_refused_with_the_reason(source, folder):
    write_pair(folder / "long.jpg", title="Long", thread=["more"] * 30)
    assert refused(source) == {"long.jpg": "refused"}
    assert items_of(source)["long.jpg"].message == "A thread has at most 25 parts."


def test_description_longer_than_a_post_can_hold_is_refused(source, folder):
    write_pair(folder / "long.jpg", title="Long", alt_text="x" * 1001)
    assert refused(source) == {"long.jpg": "refused"}


def test_refused_file_leaves_no_half_post(source, folder):
    write_pair(folder / "long.jpg", title="Long", alt_text="x" * 1001)
    scan_source(source)
    assert Post.objects.count() == 1


def test_refused_file_is_used_once_it_is_corrected(source, folder):
    write_pair(folder / "long.jpg", title="Long", alt_text="x" * 1001)
    scan_source(source)
    write_json(folder / "long.json", title="Short")
    assert scan_source(source).created == 1
    assert (items_of(source)["long.jpg"].status, items_of(source)["long.jpg"].code) == ("used", "")


def test_path_longer_than_a_row_can_hold_is_reported(source, folder):
    write_pair(folder / ("a" * 240) / ("b" * 240) / ("c" * 40 + ".jpg"))
    report = scan_source(source)
    (problem,) = report.problems
    assert (problem.code, len(problem.path)) == ("path_too_long", 526)
    assert sorted(map(len, items_of(source))) == [8, 500]


def test_problem_that_was_corrected_leaves_no_row(source, folder):
    write_json(folder / "alone.json", title="Alone")
    assert refused(source) == {"alone.json": "orphan"}
    write_image(folder / "alone.jpg")
    assert scan_source(source).problems == []
    assert {path: item.status for path, item in items_of(source).items()} == {"alone.jpg": "used", "good.jpg": "used"}


def test_problem_file_that_was_taken_out_leaves_no_row(source, folder):
    write_image(folder / "alone.png")
    refused(source)
    (folder / "alone.png").unlink()
    assert counts(scan_source(source)) == (0, 0, 1, 0, 0)
    assert list(items_of(source)) == ["good.jpg"]


def test_used_file_whose_json_broke_keeps_its_post(source, folder):
    scan_source(source)
    (folder / "good.json").write_text("{")
    report = scan_source(source)
    assert (codes(report), report.vanished) == ({"good.json": "not_json", "good.jpg": "partner"}, 0)
    item = items_of(source)["good.jpg"]
    assert (item.status, item.message) == ("problem", "Not used, because good.json beside it cannot be.")
    assert texts_of(item.post) == ["Good"]


def test_used_file_whose_json_was_mended_is_as_before(source, folder):
    scan_source(source)
    (folder / "good.json").write_text("{")
    scan_source(source)
    write_json(folder / "good.json", title="Good")
    assert counts(scan_source(source)) == (0, 0, 1, 0, 0)
    assert (list(items_of(source)), items_of(source)["good.jpg"].code) == (["good.jpg"], "")


def test_used_file_that_broke_keeps_its_post(source, folder):
    scan_source(source)
    (folder / "good.jpg").write_bytes((folder / "good.jpg").read_bytes()[:400])
    assert codes(scan_source(source)).keys() == {"good.jpg", "good.json"}
    item = items_of(source)["good.jpg"]
    assert (item.status, texts_of(item.post)) == ("problem", ["Good"])


def test_used_file_that_was_mended_is_used_again(source, folder):
    scan_source(source)
    whole = (folder / "good.jpg").read_bytes()
    (folder / "good.jpg").write_bytes(whole[:400])
    scan_source(source)
    (folder / "good.jpg").write_bytes(whole)
    assert counts(scan_source(source)) == (0, 0, 1, 0, 0)
    assert items_of(source)["good.jpg"].status == "used"


# --- files that change while they are read --------------------------------------------------------------------


class BusyStorage(FileSystemStorage):
    """While it keeps a file, somebody works in the folder."""

    gone: list[Path] = []
    spoilt: list[Path] = []

    def _save(self, name, content):
        for path in self.gone:
            path.unlink(missing_ok=True)
        for path in self.spoilt:
            path.write_bytes(b"no picture")
        return super()._save(name, content)


@pytest.fixture
def busy(settings, monkeypatch) -> type[BusyStorage]:
    settings.STORAGES = {**settings.STORAGES, "default": {"BACKEND": f"{__name__}.BusyStorage"}}
    monkeypatch.setattr(BusyStorage, "gone", [])
    monkeypatch.setattr(BusyStorage, "spoilt", [])
    return BusyStorage


def test_file_that_went_away_during_the_scan_is_reported(source, folder, busy):
    busy.gone.append(write_pair(folder / "late.jpg"))
    assert refused(source) == {"late.jpg": "vanished"}


def test_file_that_was_spoilt_during_the_scan_is_reported(source, folder, busy):
    busy.spoilt.append(write_pair(folder / "late.jpg"))
    assert list(refused(source)) == ["late.jpg"]


def test_storage_that_fails_is_not_blamed_on_the_files(source, folder, settings):
    settings.MEDIA_ROOT = folder / "good.json"
    with pytest.raises(OSError, match=r"good\.json"):
        scan_source(source)
    assert (Post.objects.count(), items_of(source)) == (0, {})
