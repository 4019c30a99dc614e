from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.access import Actor
from accounts.models import User
from campaigns.library import add_upload
from campaigns.models import MediaAsset
from campaigns.services import MediaDraft, PartDraft, PostDraft, create_post, share_campaign
from tests.campaigns.conftest import png
from tests.media_files import write_video

LIBRARY = "/media-library"


def url(asset: MediaAsset, what: str = "file") -> str:
    return f"/media/{asset.pk}/{what}"


def body(response) -> bytes:
    return b"".join(response.streaming_content)


def post_with(asset: MediaAsset, by: Actor, **fields: object):
    return create_post(PostDraft(parts=(PartDraft("x", (MediaDraft(asset.pk),)),), **fields), by=by)


@pytest.fixture
def video(in_workspace, bob_actor: Actor, tmp_path: Path) -> MediaAsset:
    path = tmp_path / "clip.mp4"
    write_video(path)
    return add_upload(SimpleUploadedFile("clip.mp4", path.read_bytes(), "video/mp4"), by=bob_actor)


# --- library ----------------------------------------------------------------------------------------------


def test_an_empty_library_says_what_to_do(bob_client: Client, in_workspace) -> None:
    assert "No files yet" in bob_client.get(LIBRARY).content.decode()


def test_files_are_uploaded(bob_client: Client, in_workspace) -> None:
    answer = bob_client.post(LIBRARY, {"files": [png("a.png"), png("b.png", "blue")]}, follow=True)
    assert "2 files added." in answer.content.decode()
    assert MediaAsset.objects.count() == 2


def test_a_bad_file_is_named_and_does_not_cost_the_others(bob_client: Client, in_workspace) -> None:
    bad = SimpleUploadedFile("bad.png", b"nothing", "image/png")
    page = bob_client.post(LIBRARY, {"files": [bad, png("good.png")]})
    assert page.status_code == 422
    assert "bad.png" in page.content.decode()
    assert [asset.name for asset in MediaAsset.objects.all()] == ["good.png"]


def test_an_upload_of_nothing_says_so(bob_client: Client, in_workspace) -> None:
    page = bob_client.post(LIBRARY)
    assert page.status_code == 422
    assert "Choose one or more files first." in page.content.decode()


def test_the_same_bytes_are_kept_once(bob_client: Client, in_workspace) -> None:
    bob_client.post(LIBRARY, {"files": [png("a.png"), png("again.png")]})
    assert MediaAsset.objects.count() == 1


def test_search_is_by_name(bob_client: Client, picture: MediaAsset) -> None:
    assert "cup.png" in bob_client.get(LIBRARY, {"q": "CUP"}).content.decode()
    assert "Nothing matches" in bob_client.get(LIBRARY, {"q": "tea"}).content.decode()


def test_a_file_tells_how_many_posts_use_it(bob_client: Client, bob_actor: Actor, picture: MediaAsset) -> None:
    assert "not used yet" in bob_client.get(LIBRARY).content.decode()
    post_with(picture, bob_actor)
    post_with(picture, bob_actor)
    assert "used in 2 posts" in bob_client.get(LIBRARY).content.decode()


def test_ten_and_twenty_files_cost_the_same_queries(bob_client: Client, bob_actor: Actor, in_workspace) -> None:
    measured = []
    for start in (0, 10):
        for number in range(start, start + 10):
            add_upload(png(f"{number}.png", f"#{number:02d}0000"), by=bob_actor)
        bob_client.get(LIBRARY)
        with CaptureQueriesContext(database) as queries:
            bob_client.get(LIBRARY)
        measured.append(len(queries))
    assert MediaAsset.objects.count() == 20
    assert measured[0] == measured[1]


@pytest.mark.parametrize("client", ["rita_client", "vic_client"])
def test_who_may_not_edit_looks_but_does_not_upload(client: str, request, picture: MediaAsset) -> None:
    visitor: Client = request.getfixturevalue(client)
    html = visitor.get(LIBRARY).content.decode()
    assert "cup.png" in html
    assert 'type="file"' not in html
    assert visitor.post(LIBRARY, {"files": png("new.png", "red")}).status_code == 403
    assert MediaAsset.objects.count() == 1


def test_guests_have_no_library(gwen_client: Client, picture: MediaAsset) -> None:
    assert gwen_client.get(LIBRARY).status_code == 403


def test_a_stranger_sees_another_library(charlie_client: Client, picture: MediaAsset) -> None:
    assert "cup.png" not in charlie_client.get(LIBRARY).content.decode()


# --- files ------------------------------------------------------------------------------------------------


def test_a_file_comes_as_it_was_probed_and_no_browser_may_guess(vic_client: Client, picture: MediaAsset) -> None:
    MediaAsset.objects.filter(pk=picture.pk).update(name="page.html")
    answer = vic_client.get(url(picture))
    assert answer["Content-Type"] == "image/png"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Cache-Control"].startswith("private")
    assert body(answer) == png().read()


def test_a_thumbnail_is_a_small_jpeg(vic_client: Client, picture: MediaAsset) -> None:
    answer = vic_client.get(url(picture, "thumb"))
    assert answer["Content-Type"] == "image/jpeg"
    assert body(answer).startswith(b"\xff\xd8\xff")


@pytest.mark.parametrize(
    ("sent", "start", "stop"), [("bytes=0-9", 0, 10), ("bytes=5-", 5, None), ("bytes=-7", -7, None)]
)
def test_a_player_gets_the_range_it_asks_for(
    vic_client: Client, video, sent: str, start: int, stop: int | None
) -> None:
    whole = body(vic_client.get(url(video)))
    answer = vic_client.get(url(video), headers={"Range": sent})
    first = start % len(whole)
    expected = whole[start:stop]
    assert answer.status_code == 206
    assert answer["Content-Type"] == "video/mp4"
    assert answer["Content-Range"] == f"bytes {first}-{first + len(expected) - 1}/{len(whole)}"
    assert answer["Content-Length"] == str(len(expected))
    assert body(answer) == expected


def test_a_range_past_the_end_is_cut(vic_client: Client, video: MediaAsset) -> None:
    answer = vic_client.get(url(video), headers={"Range": "bytes=0-999999999"})
    assert answer["Content-Length"] == str(video.size_bytes)


@pytest.mark.parametrize("sent", ["bytes=999999999-", "bytes=9-5"])
def test_a_range_that_cannot_be_is_refused(vic_client: Client, video: MediaAsset, sent: str) -> None:
    answer = vic_client.get(url(video), headers={"Range": sent})
    assert answer.status_code == 416
    assert answer["Content-Range"] == f"bytes */{video.size_bytes}"


@pytest.mark.parametrize("sent", ["", "bytes=-", "lines=1-2", "bytes=0-1,4-5", "bytes=a-b"])
def test_any_other_range_gets_the_whole_file(vic_client: Client, video: MediaAsset, sent: str) -> None:
    answer = vic_client.get(url(video), headers={"Range": sent})
    assert answer.status_code == 200
    assert len(body(answer)) == video.size_bytes


def test_a_file_that_is_gone_from_the_disk_is_missing(vic_client: Client, picture: MediaAsset) -> None:
    default_storage.delete(picture.file)
    assert vic_client.get(url(picture)).status_code == 404


def test_a_guest_gets_the_files_of_shared_campaigns_only(
    gwen_client: Client, gwen: User, alice_actor, bob_actor, picture: MediaAsset, campaign
) -> None:
    post_with(picture, bob_actor, campaign=campaign)
    assert gwen_client.get(url(picture)).status_code == 404
    share_campaign(campaign, gwen, by=alice_actor)
    assert gwen_client.get(url(picture)).status_code == 200
    assert gwen_client.get(url(picture, "thumb")).status_code == 200


@pytest.mark.parametrize("what", ["file", "thumb"])
def test_nobody_else_gets_a_file(charlie_client: Client, client: Client, picture: MediaAsset, what: str) -> None:
    assert charlie_client.get(url(picture, what)).status_code == 404
    assert client.get(url(picture, what)).status_code == 302
