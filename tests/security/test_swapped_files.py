"""Whoever may write into a media folder may swap things between two looks: it must never lead out of the folder."""

import os
from pathlib import Path

import pytest

from campaigns.folder import FolderError, scan_folder
from campaigns.library import store_path
from campaigns.models import MediaAsset
from campaigns.source_scan import _refuse_outside
from lib.media import UnusableMedia, make_thumbnail, probe
from tests.media_files import write_image, write_pair


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """Somebody else's folder, whose file has the same name."""
    write_pair(tmp_path / "theirs" / "a.jpg")
    return tmp_path / "theirs"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    write_pair(tmp_path / "ours" / "a.jpg")
    return tmp_path / "ours"


def swap(place: Path, target: Path) -> None:
    os.rename(place, place.with_name("put away"))
    place.symlink_to(target)


def test_file_that_became_a_link_is_not_probed(own, outside):
    swap(own / "a.jpg", outside / "a.jpg")
    with pytest.raises(UnusableMedia, match="refused to open"):
        probe(own / "a.jpg")


def test_folder_that_became_a_link_leads_nowhere(own, outside):
    swap(own, outside)
    with pytest.raises(UnusableMedia, match="refused to open"):
        probe(own / "a.jpg")


def test_no_thumbnail_is_made_through_a_folder_that_became_a_link(own, outside):
    info = probe(own / "a.jpg")
    swap(own, outside)
    with pytest.raises(UnusableMedia, match="refused to open"):
        make_thumbnail(own / "a.jpg", info)


def test_folder_that_may_be_passed_but_not_listed_is_passed(own):
    own.chmod(0o711)
    assert probe(own / "a.jpg").mime == "image/jpeg"


def test_failed_opening_leaves_no_descriptor_open(own, outside):
    swap(own, outside)
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(UnusableMedia):
        probe(own / "a.jpg")
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.django_db
@pytest.mark.parametrize("swapped", ["", "a.jpg"])
def test_file_swapped_for_a_link_after_the_probe_is_not_stored(own, outside, in_workspace, swapped):
    info = probe(own / "a.jpg")
    swap(own / swapped if swapped else own, outside / swapped if swapped else outside)
    with pytest.raises(UnusableMedia):
        store_path(own / "a.jpg", "a.jpg", info, workspace=in_workspace)
    assert not MediaAsset.objects.exists()


@pytest.mark.django_db
def test_file_swapped_for_another_after_the_probe_is_not_stored(own, in_workspace, settings):
    info = probe(own / "a.jpg")
    (own / "a.jpg").unlink()
    write_image(own / "a.jpg", size=(40, 40))
    with pytest.raises(UnusableMedia) as refusal:
        store_path(own / "a.jpg", "a.jpg", info, workspace=in_workspace)
    assert refusal.value.code == "still_changing"


def test_walk_that_ended_in_another_folder_is_thrown_away(own, outside):
    swap(own, outside)
    with pytest.raises(FolderError, match="changed into a link"):
        _refuse_outside(own, scan_folder(own))


def test_walk_that_stayed_is_kept(own):
    found = scan_folder(own)
    _refuse_outside(own, found)
    assert [item.relative_path for item in found.items] == ["a.jpg"]
