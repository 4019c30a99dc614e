import os
import unicodedata
from pathlib import Path

import pytest

from campaigns.folder import FolderError, FolderItem, ScanResult, iter_folder, scan_folder
from lib.media import ProbeLimits
from tests.media_files import SAMPLES, write_animation, write_image, write_json, write_pair, write_video


def codes(result: ScanResult) -> dict[str, str]:
    return {problem.path: problem.code for problem in result.problems}


def names(result: ScanResult) -> list[str]:
    return [item.relative_path for item in result.items]


def message(result: ScanResult, path: str) -> str:
    return next(problem.message for problem in result.problems if problem.path == path)


def test_pictures_gifs_and_videos_are_found_in_every_folder(tmp_path):
    write_pair(tmp_path / "a.jpg")
    write_animation(tmp_path / "b" / "b.gif")
    write_json(tmp_path / "b" / "b.json", title="B")
    write_video(tmp_path / "c" / "d" / "d.mp4")
    write_json(tmp_path / "c" / "d" / "d.json", title="D")
    result = scan_folder(tmp_path)
    assert [(item.relative_path, item.media.kind) for item in result.items] == [
        ("a.jpg", "image"),
        ("b/b.gif", "gif"),
        ("c/d/d.mp4", "video"),
    ]
    assert result.problems == []


def test_item_carries_path_metadata_and_digest(tmp_path):
    media = write_pair(tmp_path / "x" / "brew guide (final).png", title="Three brews", tags=["coffee"])
    (item,) = scan_folder(tmp_path).items
    assert item.path == media
    assert (item.metadata.title, item.metadata.tags) == ("Three brews", ["coffee"])
    assert len(item.digest) == 64


def test_digest_is_the_same_for_the_same_content(tmp_path):
    write_pair(tmp_path / "a.jpg", title="A", link="https://example.com")
    before = scan_folder(tmp_path).items[0].digest
    write_json(tmp_path / "a.json", link="https://example.com", title="A", colour="ignored")
    assert scan_folder(tmp_path).items[0].digest == before


def test_digest_changes_with_the_text(tmp_path):
    write_pair(tmp_path / "a.jpg", title="A")
    before = scan_folder(tmp_path).items[0].digest
    write_json(tmp_path / "a.json", title="A.")
    assert scan_folder(tmp_path).items[0].digest != before


def test_digest_changes_with_the_picture(tmp_path):
    write_pair(tmp_path / "a.jpg", title="A")
    before = scan_folder(tmp_path).items[0].digest
    write_image(tmp_path / "a.jpg")
    assert scan_folder(tmp_path).items[0].digest != before


def test_order_does_not_depend_on_creation(tmp_path):
    for name in ["b.jpg", "z/a.jpg", "a.jpg", "é.jpg", "A.jpg", "a b.jpg"]:
        write_pair(tmp_path / name)
    assert names(scan_folder(tmp_path)) == sorted(names(scan_folder(tmp_path)))
    assert len(scan_folder(tmp_path).items) == 6


@pytest.mark.parametrize(("media_form", "json_form"), [("NFC", "NFD"), ("NFD", "NFC"), ("NFD", "NFD")])
def test_names_pair_whatever_their_unicode_form(tmp_path, media_form, json_form):
    write_image(tmp_path / unicodedata.normalize(media_form, "café é.jpg"))
    write_json(tmp_path / unicodedata.normalize(json_form, "café é.json"), title="Café")
    result = scan_folder(tmp_path)
    assert names(result) == [unicodedata.normalize("NFC", "café é.jpg")]
    assert result.items[0].path.exists()


def test_names_pair_with_exact_case_only(tmp_path):
    write_image(tmp_path / "Hero.jpg")
    write_json(tmp_path / "hero.json", title="Hero")
    assert codes(scan_folder(tmp_path)) == {"Hero.jpg": "no_metadata", "hero.json": "orphan"}


def test_case_of_endings_does_not_matter(tmp_path):
    write_image(tmp_path / "a.JPG")
    write_json(tmp_path / "a.JSON", title="A")
    assert names(scan_folder(tmp_path)) == ["a.JPG"]


def test_only_the_last_ending_is_cut_off(tmp_path):
    write_image(tmp_path / "v1.2.jpg")
    write_json(tmp_path / "v1.2.json", title="A")
    write_json(tmp_path / "v1.json", title="B")
    result = scan_folder(tmp_path)
    assert result.items[0].metadata.title == "A"
    assert codes(result) == {"v1.json": "orphan"}


def test_json_in_another_folder_is_no_partner(tmp_path):
    write_image(tmp_path / "a.jpg")
    write_json(tmp_path / "texts" / "a.json", title="A")
    assert codes(scan_folder(tmp_path)) == {"a.jpg": "no_metadata", "texts/a.json": "orphan"}


@pytest.mark.parametrize(
    "name", [".DS_Store", "Thumbs.db", ".hidden.jpg", "desktop.ini", ".git/a.jpg", "__MACOSX/a.jpg"]
)
def test_hidden_files_and_desktop_droppings_are_passed_over(tmp_path, name):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"x")
    assert scan_folder(tmp_path) == ScanResult()


@pytest.mark.parametrize("name", ["notes.txt", "table.csv", "a.tiff", "a.avi", "README"])
def test_other_files_are_unsupported(tmp_path, name):
    (tmp_path / name).write_bytes(b"x")
    assert codes(scan_folder(tmp_path)) == {name: "unsupported"}


def test_json_beside_an_unsupported_file_is_named_not_called_orphan(tmp_path):
    (tmp_path / "a.tiff").write_bytes(b"x")
    write_json(tmp_path / "a.json", title="A")
    result = scan_folder(tmp_path)
    assert codes(result) == {"a.tiff": "unsupported"}
    assert "a.json is not used" in message(result, "a.tiff")


def test_unsupported_file_beside_a_pair_leaves_the_pair_alone(tmp_path):
    write_pair(tmp_path / "a.jpg")
    (tmp_path / "a.psd").write_bytes(b"x")
    (tmp_path / "a.svg").write_bytes(b"<svg/>")
    result = scan_folder(tmp_path)
    assert names(result) == ["a.jpg"]
    assert codes(result) == {"a.psd": "unsupported", "a.svg": "svg_not_allowed"}
    assert "not used" not in message(result, "a.psd") + message(result, "a.svg")


def test_two_media_of_one_stem_are_ambiguous(tmp_path):
    write_pair(tmp_path / "a.jpg")
    write_image(tmp_path / "a.png")
    result = scan_folder(tmp_path)
    assert result.items == []
    assert codes(result) == {"a.jpg": "ambiguous_pair", "a.png": "ambiguous_pair"}


def test_two_media_that_differ_in_unicode_form_only_are_ambiguous(tmp_path):
    for form in ("NFC", "NFD"):
        write_pair(tmp_path / unicodedata.normalize(form, "é.jpg"))
    result = scan_folder(tmp_path)
    assert result.items == []
    assert [problem.code for problem in result.problems] == ["ambiguous_pair"] * 2


def test_folders_that_differ_in_unicode_form_only_do_not_give_one_name_twice(tmp_path):
    for form in ("NFC", "NFD"):
        write_pair(tmp_path / unicodedata.normalize(form, "é") / "a.jpg")
    result = scan_folder(tmp_path)
    assert names(result) == ["é/a.jpg"]
    assert {problem.code for problem in result.problems} == {"ambiguous_name"}


def test_two_json_files_of_one_stem_are_ambiguous(tmp_path):
    write_pair(tmp_path / "a.jpg")
    write_json(tmp_path / "a.JSON", title="Other")
    assert codes(scan_folder(tmp_path)) == {"a.json": "ambiguous_pair", "a.JSON": "ambiguous_pair"}


def test_broken_files_stop_nothing_else(tmp_path):
    write_pair(tmp_path / "a.jpg").write_bytes(b"")
    write_pair(tmp_path / "b.jpg").with_suffix(".json").write_text("{")
    write_pair(tmp_path / "c.jpg")
    result = scan_folder(tmp_path)
    assert names(result) == ["c.jpg"]
    assert codes(result) == {"a.jpg": "empty_file", "b.json": "not_json"}


def test_problem_names_the_partner_that_is_left_out(tmp_path):
    write_pair(tmp_path / "a.jpg").write_bytes(b"")
    write_pair(tmp_path / "b.jpg").with_suffix(".json").write_text("{")
    result = scan_folder(tmp_path)
    assert message(result, "a.jpg").endswith("Until then a.json is not used.")
    assert message(result, "b.json").endswith("Until then b.jpg is not used.")


def test_both_halves_of_a_pair_are_reported(tmp_path):
    media = write_pair(tmp_path / "a.jpg")
    media.write_bytes(b"")
    media.with_suffix(".json").write_text("{")
    assert codes(scan_folder(tmp_path)) == {"a.jpg": "empty_file", "a.json": "not_json"}


def test_broken_media_without_json_has_both_reasons(tmp_path):
    (tmp_path / "a.mp4").touch()
    assert [problem.code for problem in scan_folder(tmp_path).problems] == ["empty_file", "no_metadata"]


def test_wrong_fields_are_one_problem(tmp_path):
    write_pair(tmp_path / "a.jpg", title=["x"], tags="one, two", thread={"a": 1})
    (problem,) = scan_folder(tmp_path).problems
    assert (problem.path, problem.code) == ("a.json", "wrong_fields")
    assert all(field in problem.message for field in ("title", "tags", "thread"))


def test_repeated_keys_are_noted_and_the_item_is_kept(tmp_path):
    write_pair(tmp_path / "a.jpg")
    (tmp_path / "a.json").write_text('{"title": "one", "title": "two"}')
    result = scan_folder(tmp_path)
    assert result.items[0].metadata.title == "two"
    assert codes(result) == {"a.json": "duplicate_keys"}
    assert "'title'" in message(result, "a.json")


def test_json_over_one_megabyte_is_refused(tmp_path):
    write_pair(tmp_path / "a.jpg", title="x" * 1024 * 1024)
    assert codes(scan_folder(tmp_path)) == {"a.json": "json_too_large"}


def test_json_just_under_one_megabyte_is_read(tmp_path):
    write_pair(tmp_path / "a.jpg", title="x" * (1024 * 1024 - 50))
    assert scan_folder(tmp_path).problems == []


def test_empty_json_says_so(tmp_path):
    write_pair(tmp_path / "a.jpg").with_suffix(".json").write_text(" \n")
    result = scan_folder(tmp_path)
    assert codes(result) == {"a.json": "not_json"}
    assert "is empty" in message(result, "a.json")


def test_json_that_is_a_pipe_does_not_block(tmp_path):
    write_image(tmp_path / "a.jpg")
    os.mkfifo(tmp_path / "a.json")
    assert codes(scan_folder(tmp_path)) == {"a.jpg": "no_metadata", "a.json": "not_a_file"}


def test_media_that_is_a_pipe_does_not_block(tmp_path):
    os.mkfifo(tmp_path / "a.mp4")
    write_json(tmp_path / "a.json", title="A")
    assert codes(scan_folder(tmp_path))["a.mp4"] == "not_a_file"


def test_too_deep_folders_are_reported_and_the_rest_is_read(tmp_path):
    write_pair(tmp_path.joinpath(*"12345678") / "a.jpg")
    write_pair(tmp_path.joinpath(*"123456789") / "b.jpg")
    result = scan_folder(tmp_path)
    assert names(result) == ["1/2/3/4/5/6/7/8/a.jpg"]
    assert codes(result) == {"1/2/3/4/5/6/7/8/9": "too_deep"}


def test_scan_stops_after_so_many_files_and_says_so(tmp_path):
    for name in "abcd":
        write_pair(tmp_path / f"{name}.jpg")
    result = scan_folder(tmp_path, max_files=4)
    assert names(result) == ["a.jpg", "b.jpg"]
    assert codes(result) == {".": "too_many_files"}


def test_limit_never_cuts_a_pair_in_two(tmp_path):
    for name in "abcd":
        write_pair(tmp_path / f"{name}.jpg")
    result = scan_folder(tmp_path, max_files=5)
    assert names(result) == ["a.jpg", "b.jpg"]
    assert codes(result) == {".": "too_many_files"}


def test_limit_counts_over_all_folders(tmp_path):
    write_pair(tmp_path / "1" / "a.jpg")
    write_pair(tmp_path / "2" / "b.jpg")
    result = scan_folder(tmp_path, max_files=4)
    assert names(result) == ["1/a.jpg"]
    assert codes(result) == {"2": "too_many_files"}


def test_exactly_as_many_files_as_allowed_are_no_problem(tmp_path):
    write_pair(tmp_path / "a.jpg")
    assert scan_folder(tmp_path, max_files=2).problems == []


def test_media_beyond_the_bytes_of_a_scan_are_reported(tmp_path):
    size = write_pair(tmp_path / "a.jpg").stat().st_size
    write_pair(tmp_path / "b.jpg")
    result = scan_folder(tmp_path, max_bytes=size)
    assert names(result) == ["a.jpg"]
    assert codes(result) == {"b.jpg": "scan_too_large"}


def test_huge_file_is_refused_and_does_not_use_up_the_scan(tmp_path):
    with write_pair(tmp_path / "a.jpg").open("wb") as file:
        file.truncate(20 * 1024**3)
    write_pair(tmp_path / "b.jpg")
    result = scan_folder(tmp_path)
    assert names(result) == ["b.jpg"]
    assert codes(result) == {"a.jpg": "too_large"}


def test_limits_reach_the_probe(tmp_path):
    write_pair(tmp_path / "a.jpg")
    assert codes(scan_folder(tmp_path, limits=ProbeLimits(max_pixels=10))) == {"a.jpg": "decode_bomb"}


def test_file_that_vanishes_during_the_scan_is_reported(tmp_path):
    for name in "ab":
        write_pair(tmp_path / f"{name}.jpg")
    outcomes = iter_folder(tmp_path)
    first = next(outcomes)
    (tmp_path / "b.jpg").unlink()
    (tmp_path / "b.json").unlink()
    rest = list(outcomes)
    assert isinstance(first, FolderItem)
    assert {(problem.path, problem.code) for problem in rest} == {("b.jpg", "vanished"), ("b.json", "vanished")}


def test_folder_that_vanishes_during_the_scan_is_reported(tmp_path):
    write_pair(tmp_path / "y" / "a.jpg")
    (tmp_path / "z").mkdir()
    outcomes = iter_folder(tmp_path)
    next(outcomes)
    (tmp_path / "z").rmdir()
    assert [(problem.path, problem.code) for problem in outcomes] == [("z", "vanished")]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_folder_nobody_may_read_is_reported(tmp_path):
    (tmp_path / "locked").mkdir(mode=0)
    assert codes(scan_folder(tmp_path)) == {"locked": "unreadable"}


def test_name_that_is_not_utf8_is_reported_in_storable_form(tmp_path):
    (tmp_path / os.fsdecode(b"caf\xe9.jpg")).write_bytes(b"x")
    (problem,) = scan_folder(tmp_path).problems
    assert (problem.path, problem.code) == ("caf\\xe9.jpg", "bad_name")


def test_name_with_a_line_break_is_reported(tmp_path):
    write_image(tmp_path / "a\nb.jpg")
    assert [problem.code for problem in scan_folder(tmp_path).problems] == ["bad_name"]


def test_empty_folder_gives_nothing(tmp_path):
    assert scan_folder(tmp_path) == ScanResult(items=[], problems=[])


@pytest.mark.parametrize("name", ["gone", "file.txt"])
def test_scan_of_what_is_no_folder_fails(tmp_path, name):
    (tmp_path / "file.txt").touch()
    with pytest.raises(FolderError) as caught:
        scan_folder(tmp_path / name)
    assert caught.value.code == "not_found"


@pytest.fixture(scope="module")
def samples() -> ScanResult:
    if not SAMPLES.is_dir():
        pytest.skip("the shared sample folder is absent")
    return scan_folder(SAMPLES)


def test_every_broken_sample_is_named_in_the_report(samples):
    told = " ".join(f"{problem.path} {problem.message}" for problem in samples.problems)
    assert [path.name for path in Path(SAMPLES / "broken").iterdir() if path.name not in told] == []


def test_no_broken_sample_becomes_an_item(samples):
    assert [name for name in names(samples) if name.startswith("broken/")] == []


def test_broken_samples_have_their_reasons(samples):
    broken = {path.removeprefix("broken/"): code for path, code in codes(samples).items() if "broken/" in path}
    assert broken == {
        "empty.mp4": "empty_file",
        "evil.svg": "svg_not_allowed",
        "no-metadata.png": "no_metadata",
        "not-json.json": "not_json",
        "notes.txt": "unsupported",
        "orphan.json": "orphan",
        "truncated.jpg": "truncated",
        "wrong-types.json": "wrong_fields",
    }


def test_good_samples_with_metadata_become_items(samples):
    assert names(samples) == [
        "clinic-zh/护肤小课堂.mp4",
        "clinic-zh/海报.jpg",
        "spring-launch/brew guide (final).png",
        "spring-launch/hero.jpg",
        "spring-launch/roastery.mp4",
    ]


def test_scanning_twice_gives_the_same_answer(samples):
    assert scan_folder(SAMPLES) == samples
