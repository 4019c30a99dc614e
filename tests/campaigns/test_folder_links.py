import os
import unicodedata

import pytest

from campaigns.folder import FolderError, ScanResult, resolve_inside, scan_folder
from tests.media_files import write_image, write_json, write_pair


def codes(result: ScanResult) -> dict[str, str]:
    return {problem.path: problem.code for problem in result.problems}


def names(result: ScanResult) -> list[str]:
    return [item.relative_path for item in result.items]


def test_link_to_a_file_outside_is_refused(tmp_path):
    write_image(tmp_path / "secret.jpg")
    write_pair(tmp_path / "root" / "b.jpg")
    (tmp_path / "root" / "a.jpg").symlink_to(tmp_path / "secret.jpg")
    result = scan_folder(tmp_path / "root")
    assert names(result) == ["b.jpg"]
    assert codes(result) == {"a.jpg": "symlink_outside"}


def test_link_to_json_outside_is_refused(tmp_path):
    write_image(tmp_path / "root" / "a.jpg")
    (tmp_path / "root" / "a.json").symlink_to(write_json(tmp_path / "secret.json", title="secret"))
    assert codes(scan_folder(tmp_path / "root"))["a.json"] == "symlink_outside"


def test_link_to_a_folder_outside_is_refused(tmp_path):
    write_pair(tmp_path / "secret" / "a.jpg")
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "out").symlink_to("../secret")
    assert codes(scan_folder(tmp_path / "root")) == {"out": "symlink_outside"}


def test_folder_whose_name_begins_like_the_root_is_outside(tmp_path):
    write_image(tmp_path / "root-private" / "a.jpg")
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "a.jpg").symlink_to(tmp_path / "root-private" / "a.jpg")
    assert codes(scan_folder(tmp_path / "root")) == {"a.jpg": "symlink_outside"}


def test_link_to_a_file_inside_is_followed(tmp_path):
    write_pair(tmp_path / "a.jpg")
    (tmp_path / "b.jpg").symlink_to("a.jpg")
    write_json(tmp_path / "b.json", title="Same picture, other words")
    result = scan_folder(tmp_path)
    assert names(result) == ["a.jpg", "b.jpg"]
    assert result.items[1].path == tmp_path / "a.jpg"
    assert result.problems == []


def test_link_to_a_pipe_inside_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "a.jpg").symlink_to("pipe")
    assert codes(scan_folder(tmp_path))["a.jpg"] == "not_a_file"


def test_links_in_a_circle_end(tmp_path):
    (tmp_path / "a.jpg").symlink_to("b.jpg")
    (tmp_path / "b.jpg").symlink_to("a.jpg")
    assert codes(scan_folder(tmp_path)) == {"a.jpg": "symlink_loop", "b.jpg": "symlink_loop"}


def test_link_to_the_folder_above_ends(tmp_path):
    write_pair(tmp_path / "in" / "a.jpg")
    (tmp_path / "in" / "again").symlink_to("..")
    result = scan_folder(tmp_path)
    assert names(result) == ["in/a.jpg"]
    assert codes(result) == {"in/again": "symlink_loop"}


def test_link_to_a_sibling_folder_is_reported_and_its_files_are_found_once(tmp_path):
    write_pair(tmp_path / "real" / "a.jpg")
    (tmp_path / "alias").symlink_to("real")
    result = scan_folder(tmp_path)
    assert names(result) == ["real/a.jpg"]
    assert codes(result) == {"alias": "symlink_folder"}


def test_link_to_nothing_is_reported(tmp_path):
    (tmp_path / "a.jpg").symlink_to("gone.jpg")
    assert codes(scan_folder(tmp_path)) == {"a.jpg": "vanished"}


@pytest.mark.parametrize("relative", ["spring", "spring/", "./spring", "spring/.", "spring//"])
def test_named_folder_is_found_inside(tmp_path, relative):
    (tmp_path / "spring").mkdir()
    assert resolve_inside(tmp_path, relative) == tmp_path / "spring"


@pytest.mark.parametrize("relative", ["", "."])
def test_no_name_means_the_media_folder_itself(tmp_path, relative):
    assert resolve_inside(tmp_path, relative) == tmp_path


def test_named_folder_need_not_exist(tmp_path):
    assert resolve_inside(tmp_path, "later/on") == tmp_path / "later" / "on"


def test_named_folder_is_found_whatever_its_unicode_form(tmp_path):
    (tmp_path / unicodedata.normalize("NFD", "été")).mkdir()
    assert resolve_inside(tmp_path, "été").is_dir()


@pytest.mark.parametrize(
    "relative",
    [
        "/etc",
        "..",
        "../other",
        "a/../../b",
        "a/..",
        "a\0b",
        "a\nb",
        "a\udc80",
        "C:\\media",
        "C:media",
        "..\\other",
        "x" * 256,
        "é" * 128,
        "a/" * 600,
    ],
)
def test_name_that_could_lead_elsewhere_is_refused(tmp_path, relative):
    (tmp_path / "a").mkdir()
    with pytest.raises(FolderError) as caught:
        resolve_inside(tmp_path, relative)
    assert caught.value.code == "bad_path"


def test_longest_possible_name_is_accepted(tmp_path):
    assert resolve_inside(tmp_path, "x" * 255) == tmp_path / ("x" * 255)


@pytest.mark.parametrize("relative", ["out", "out/deeper", "out/../in"])
def test_named_folder_behind_a_link_outside_is_refused(tmp_path, relative):
    (tmp_path / "outside" / "deeper").mkdir(parents=True)
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "out").symlink_to(tmp_path / "outside")
    with pytest.raises(FolderError):
        resolve_inside(tmp_path / "root", relative)


def test_named_folder_behind_a_link_inside_is_accepted(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "alias").symlink_to("real")
    assert resolve_inside(tmp_path, "alias") == tmp_path / "real"


def test_named_folder_that_is_a_circle_of_links_is_refused(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(FolderError) as caught:
        resolve_inside(tmp_path, "a")
    assert caught.value.code == "bad_path"
