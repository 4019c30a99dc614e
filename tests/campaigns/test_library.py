import hashlib
from pathlib import Path

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile

from campaigns.library import add_upload, store_path
from campaigns.models import MediaAsset
from lib.media import UnusableMedia, probe
from tests.media_files import write_image, write_video


def upload(path: Path, name: str = "") -> SimpleUploadedFile:
    return SimpleUploadedFile(name or path.name, path.read_bytes())


def test_an_upload_is_kept_byte_for_byte(in_workspace, alice_actor, tmp_path):
    picture = write_image(tmp_path / "cup.png")
    asset = add_upload(upload(picture), by=alice_actor)
    with default_storage.open(asset.file) as stored:
        assert stored.read() == picture.read_bytes()
    assert asset.sha256 == hashlib.sha256(picture.read_bytes()).hexdigest()


def test_the_same_bytes_under_another_name_are_the_same_asset(in_workspace, alice_actor, tmp_path):
    picture = write_image(tmp_path / "cup.png")
    first = add_upload(upload(picture), by=alice_actor)
    assert add_upload(upload(picture, "other.png"), by=alice_actor) == first
    assert MediaAsset.objects.count() == 1


def test_a_video_gets_a_picture_for_lists(in_workspace, alice_actor, tmp_path):
    asset = add_upload(upload(write_video(tmp_path / "pour.mp4")), by=alice_actor)
    assert asset.kind == "video"
    with default_storage.open(asset.thumbnail) as thumbnail:
        assert thumbnail.read(2) == b"\xff\xd8"


def test_a_broken_upload_says_which_file_and_why(in_workspace, alice_actor):
    with pytest.raises(ValidationError, match=r"half\.png: "):
        add_upload(SimpleUploadedFile("half.png", b"\x89PNG\r\n\x1a\n"), by=alice_actor)


def test_an_upload_over_the_limit_is_refused_before_it_is_opened(in_workspace, alice_actor, tmp_path, settings):
    settings.MEDIA_UPLOAD_MAX_BYTES = 10
    with pytest.raises(ValidationError, match="larger than"):
        add_upload(upload(write_image(tmp_path / "cup.png")), by=alice_actor)


def test_a_viewer_cannot_add_files(in_workspace, vic_actor, tmp_path):
    with pytest.raises(PermissionDenied):
        add_upload(upload(write_image(tmp_path / "cup.png")), by=vic_actor)


def test_a_file_swapped_after_probing_is_not_kept(in_workspace, workspace, tmp_path):
    picture = write_image(tmp_path / "cup.png")
    info = probe(picture)
    write_image(picture, (40, 40))
    with pytest.raises(UnusableMedia) as refused:
        store_path(picture, "cup.png", info, workspace=workspace)
    assert refused.value.code == "still_changing"
    assert MediaAsset.objects.count() == 0


def test_nothing_of_a_swapped_file_stays_in_the_storage(in_workspace, workspace, tmp_path, settings):
    picture = write_image(tmp_path / "cup.png")
    info = probe(picture)
    write_image(picture, (40, 40))
    with pytest.raises(UnusableMedia):
        store_path(picture, "cup.png", info, workspace=workspace)
    assert [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()] == []


def test_a_link_in_place_of_the_probed_file_is_not_followed(in_workspace, workspace, tmp_path):
    picture = write_image(tmp_path / "cup.png")
    info = probe(picture)
    secret = tmp_path / "secret.txt"
    secret.write_text("not for you")
    picture.unlink()
    picture.symlink_to(secret)
    with pytest.raises(UnusableMedia):
        store_path(picture, "cup.png", info, workspace=workspace)


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_bytes(b"something else")])
def test_adding_a_file_again_mends_what_the_storage_lost(in_workspace, alice_actor, tmp_path, settings, damage):
    picture = write_image(tmp_path / "cup.png")
    asset = add_upload(upload(picture), by=alice_actor)
    damage(Path(settings.MEDIA_ROOT) / asset.file)
    mended = add_upload(upload(picture), by=alice_actor)
    assert mended == asset
    with default_storage.open(mended.file) as stored:
        assert stored.read() == picture.read_bytes()
