"""The life of an upload: its states, its expiry, its owner and its largest sizes."""

import base64
from typing import Any

import pytest

from tests.sandbox.cast import Client, Sandbox, append, movie, photo, picture, upload
from tests.sandbox.test_media import attach, finalize, initialize, status
from tests.sandbox.test_media_files import png_of

MEGABYTE = 1024 * 1024
VIDEO_TYPES = ["video/mp4", "video/quicktime", "video/webm", "video/mp2t"]


@pytest.mark.parametrize(
    ("media_type", "category", "prefix", "largest"),
    [
        ("image/png", "tweet_image", "3", 5 * MEGABYTE),
        ("image/gif", "tweet_gif", "16", 15 * MEGABYTE),
        ("video/mp4", "tweet_video", "7", 512 * MEGABYTE),
        ("video/mp4", "amplify_video", "13", 512 * MEGABYTE),
        ("text/srt", "subtitles", "24", MEGABYTE),
    ],
)
def test_a_category_has_a_key_and_a_largest_size(
    alice: Client, media_type: str, category: str, prefix: str, largest: int
) -> None:
    order = {"media_type": media_type, "media_category": category}
    data = initialize(alice, **order, total_bytes=largest).json()["data"]
    assert data["media_key"] == f"{prefix}_{data['id']}"
    refused = initialize(alice, **order, total_bytes=largest + 1)
    assert list(refused.json()["errors"][0]["parameters"]) == ["total_bytes"]


@pytest.mark.parametrize(
    "media_type", ["image/jpeg", "image/pjpeg", "image/png", "image/webp", "image/bmp", "image/tiff"]
)
def test_each_type_of_photo_is_only_a_photo(alice: Client, media_type: str) -> None:
    assert initialize(alice, media_type=media_type).status_code == 200
    for category in ("tweet_gif", "tweet_video", "subtitles"):
        assert initialize(alice, media_type=media_type, media_category=category).status_code == 400


@pytest.mark.parametrize("media_type", VIDEO_TYPES)
@pytest.mark.parametrize("category", ["tweet_video", "amplify_video"])
def test_each_type_of_film_is_taken_in_both_categories(alice: Client, media_type: str, category: str) -> None:
    assert initialize(alice, media_type=media_type, media_category=category).status_code == 200


STEPS = [
    ("status", lambda client, media_id: client.get("/2/media/upload", media_id=media_id)),
    ("append", lambda client, media_id: append(client, media_id, b"1")),
    ("finalize", finalize),
    ("metadata", lambda client, media_id: client.call("POST", "/2/media/metadata", json={"id": media_id})),
    ("subtitles", lambda client, media_id: client.call("POST", "/2/media/subtitles", json={"id": media_id})),
]


@pytest.mark.parametrize("step", [pytest.param(act, id=name) for name, act in STEPS])
def test_no_step_can_be_taken_with_an_upload_of_someone_else(alice: Client, bob: Client, step: Any) -> None:
    media_id = initialize(alice).json()["data"]["id"]
    answer = step(bob, media_id)
    assert answer.json()["errors"][0]["message"] == "The media id is invalid or has expired."


@pytest.mark.parametrize("step", [pytest.param(act, id=name) for name, act in STEPS])
def test_no_step_can_be_taken_after_fifteen_days(sandbox: Sandbox, alice: Client, step: Any) -> None:
    media_id = initialize(alice).json()["data"]["id"]
    sandbox.advance(1_296_001)
    answer = step(sandbox.sign_in("alice"), media_id)
    assert answer.json()["errors"][0]["message"] == "The media id is invalid or has expired."


@pytest.mark.parametrize(("seconds", "code"), [(86_390, 201), (86_401, 400)])
def test_a_ready_picture_can_be_posted_for_a_day(sandbox: Sandbox, alice: Client, seconds: int, code: int) -> None:
    media_id = photo(alice)
    sandbox.advance(seconds)
    assert attach(sandbox.sign_in("alice"), media_id) == code


def test_what_is_left_of_the_day_is_told(sandbox: Sandbox, alice: Client) -> None:
    media_id = photo(alice)
    sandbox.advance(3600)
    assert 82_790 <= status(alice, media_id)["expires_after_secs"] <= 82_800


def test_a_picture_in_a_post_outlives_its_day(sandbox: Sandbox, alice: Client) -> None:
    media_id = photo(alice)
    post_id = alice.post_id("Look", media={"media_ids": [media_id]})
    sandbox.advance(10 * 86400)
    later = sandbox.sign_in("alice")
    data = later.get(f"/2/tweets/{post_id}", tweet_fields="attachments").json()["data"]
    assert data["attachments"] == {"media_keys": [f"3_{media_id}"]}


@pytest.mark.parametrize(
    ("seconds", "state", "code"),
    [
        (0, "pending", 400),
        (0.5, "pending", 400),
        (1.5, "in_progress", 400),
        (2.8, "in_progress", 400),
        (3.1, "succeeded", 201),
    ],
)
def test_a_film_can_be_posted_when_it_has_succeeded(
    sandbox: Sandbox, alice: Client, seconds: float, state: str, code: int
) -> None:
    # Real time goes by as well, so each moment keeps its distance from the edges at 1 and 3 seconds.
    film = upload(alice, movie(), "video/mp4", "tweet_video")["id"]
    sandbox.advance(seconds)
    assert status(alice, film)["processing_info"]["state"] == state
    assert attach(alice, film) == code


def test_progress_only_grows(sandbox: Sandbox, alice: Client) -> None:
    film = upload(alice, movie(), "video/mp4", "tweet_video")["id"]
    sandbox.advance(1.1)
    seen = []
    for _ in range(4):
        sandbox.advance(0.3)
        seen.append(status(alice, film)["processing_info"]["progress_percent"])
    assert seen == sorted(seen)
    assert 0 < seen[0] < seen[-1] < 100


def test_a_failed_film_stays_failed(sandbox: Sandbox, alice: Client) -> None:
    film = upload(alice, movie(200), "video/mp4", "tweet_video")["id"]
    sandbox.advance(4)
    infos = [status(alice, film)["processing_info"] for _ in range(3)]
    error = {"code": 1, "name": "InvalidMedia", "message": "Video must be 0.5 to 140 seconds long."}
    assert infos == [{"state": "failed", "progress_percent": 100, "error": error}] * 3


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0], [1, 2, 0], [0, 2, 2, 1]])
def test_segments_may_come_in_any_order(alice: Client, order: list[int]) -> None:
    content = picture(size=(32, 32))
    third = -(-len(content) // 3)
    media_id = initialize(alice, total_bytes=len(content)).json()["data"]["id"]
    for index in order:
        append(alice, media_id, content[index * third : (index + 1) * third], index)
    data = finalize(alice, media_id).json()["data"]
    assert alice.call("GET", f"/i/media/{data['media_key']}").content == content


@pytest.mark.parametrize(
    ("index", "code"), [("0", 200), ("999", 200), ("1000", 400), ("-1", 400), ("", 400), ("1.0", 400)]
)
def test_a_segment_has_a_number_up_to_999(alice: Client, index: str, code: int) -> None:
    media_id = initialize(alice).json()["data"]["id"]
    files = {"media": ("blob", b"1")}
    answer = alice.call("POST", f"/2/media/upload/{media_id}/append", data={"segment_index": index}, files=files)
    assert answer.status_code == code


def test_a_smaller_segment_in_the_place_of_a_larger_one_makes_room(alice: Client) -> None:
    media_id = initialize(alice, total_bytes=10).json()["data"]["id"]
    statuses = [
        append(alice, media_id, content, index).status_code
        for content, index in ((b"x" * 10, 0), (b"x" * 4, 0), (b"x" * 6, 1))
    ]
    assert statuses == [200, 200, 200]


def test_a_failed_finalize_can_be_made_good(alice: Client) -> None:
    content = picture()
    media_id = initialize(alice, total_bytes=len(content)).json()["data"]["id"]
    append(alice, media_id, content[:20], 0)
    assert finalize(alice, media_id).status_code == 400
    append(alice, media_id, content[20:], 1)
    assert finalize(alice, media_id).status_code == 200


def test_a_wall_of_pixels_is_refused_and_not_unpacked(sandbox: Sandbox, alice: Client) -> None:
    body = {"media": base64.b64encode(png_of(60_000, 60_000)).decode(), "media_category": "tweet_image"}
    answer = alice.call("POST", "/2/media/upload", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["message"]) == (400, "media type unrecognized.")


@pytest.mark.parametrize(
    "kinds", [("photo", "gif"), ("photo", "film"), ("gif", "film"), ("film", "film2"), ("gif", "gif2")]
)
def test_only_photos_go_together(sandbox: Sandbox, alice: Client, kinds: tuple[str, str]) -> None:
    made = {
        "photo": lambda: photo(alice),
        "gif": lambda: upload(alice, picture("GIF", frames=2), "image/gif", "tweet_gif")["id"],
        "gif2": lambda: upload(alice, picture("GIF", frames=3), "image/gif", "tweet_gif")["id"],
        "film": lambda: upload(alice, movie(1), "video/mp4", "tweet_video")["id"],
        "film2": lambda: upload(alice, movie(2), "video/mp4", "tweet_video")["id"],
    }
    pair = [made[kind]() for kind in kinds]
    sandbox.advance(4)
    answer = alice.create("Look", media={"media_ids": pair})
    assert answer.json()["errors"][0]["message"] == "Attach up to 4 photos, or 1 GIF, or 1 video."


def test_an_alt_text_can_be_changed_and_an_empty_order_keeps_it(alice: Client) -> None:
    media_id = photo(alice)
    for metadata in ({"alt_text": {"text": "A cup"}}, {"alt_text": {"text": "A mug"}}, {}):
        alice.call("POST", "/2/media/metadata", json={"id": media_id, "metadata": metadata})
    post_id = alice.post_id("Look", media={"media_ids": [media_id]})
    asked = {"expansions": "attachments.media_keys", "media_fields": "alt_text"}
    [media] = alice.get(f"/2/tweets/{post_id}", **asked).json()["includes"]["media"]
    assert media["alt_text"] == "A mug"
