import base64
from typing import Any

import pytest

from tests.sandbox.cast import Client, Sandbox, append, movie, photo, picture, upload


def initialize(client: Client, **order: Any) -> Any:
    body = {"media_type": "image/png", "media_category": "tweet_image", "total_bytes": 10, **order}
    return client.call("POST", "/2/media/upload/initialize", json=body)


def finalize(client: Client, media_id: str) -> Any:
    return client.call("POST", f"/2/media/upload/{media_id}/finalize")


def status(client: Client, media_id: str) -> dict[str, Any]:
    data: dict[str, Any] = client.get("/2/media/upload", command="STATUS", media_id=media_id).json()["data"]
    return data


def attach(client: Client, *media_ids: str) -> int:
    return client.create("Look", media={"media_ids": list(media_ids)}).status_code


def test_initialize_announces_an_id_and_its_life(alice: Client) -> None:
    data = initialize(alice).json()["data"]
    assert data["media_key"] == f"3_{data['id']}"
    assert data["expires_after_secs"] == 1295999


def test_a_picture_is_ready_when_it_is_finalized(alice: Client) -> None:
    content = picture(size=(20, 10))
    data = upload(alice, content, "image/png", "tweet_image")
    assert data["size"] == len(content)
    assert data["expires_after_secs"] == 86400
    assert data["image"] == {"image_type": "image/png", "w": 20, "h": 10}
    assert "processing_info" not in data
    assert attach(alice, data["id"]) == 201


def test_segments_are_put_together_in_order(alice: Client) -> None:
    content = picture()
    media_id = initialize(alice, total_bytes=len(content)).json()["data"]["id"]
    assert append(alice, media_id, content[40:], index=1).status_code == 200
    assert append(alice, media_id, content[:40], index=0).json()["data"]["expires_at"] > 1_700_000_000
    assert finalize(alice, media_id).status_code == 200


def test_a_segment_may_be_sent_again(alice: Client) -> None:
    content = picture()
    media_id = initialize(alice, total_bytes=len(content)).json()["data"]["id"]
    for _ in range(2):
        assert append(alice, media_id, content).status_code == 200
    assert finalize(alice, media_id).status_code == 200


def test_a_segment_may_come_as_base64_in_json(alice: Client) -> None:
    content = picture()
    media_id = initialize(alice, total_bytes=len(content)).json()["data"]["id"]
    body = {"segment_index": 0, "media": base64.b64encode(content).decode()}
    assert alice.call("POST", f"/2/media/upload/{media_id}/append", json=body).status_code == 200
    assert finalize(alice, media_id).status_code == 200


def test_binary_bytes_arrive_unchanged(sandbox: Sandbox, alice: Client) -> None:
    content = picture() + b"\r\n--\r\n\0\xff\r\r\n\n"
    data = upload(alice, content, "image/png", "tweet_image")
    served = alice.call("GET", f"/i/media/{data['media_key']}")
    assert served.content == content
    assert served.headers["content-type"] == "image/png"


def test_a_missing_segment_is_noticed(alice: Client) -> None:
    content = picture()
    media_id = initialize(alice, total_bytes=len(content)).json()["data"]["id"]
    append(alice, media_id, content, index=1)
    assert finalize(alice, media_id).status_code == 400


def test_too_few_bytes_are_noticed(alice: Client) -> None:
    content = picture()
    media_id = initialize(alice, total_bytes=len(content) + 1).json()["data"]["id"]
    append(alice, media_id, content)
    assert "do not add up" in finalize(alice, media_id).json()["errors"][0]["message"]


def test_too_many_bytes_are_noticed(alice: Client) -> None:
    media_id = initialize(alice, total_bytes=5).json()["data"]["id"]
    assert append(alice, media_id, b"123456").status_code == 400


def test_nothing_can_be_appended_after_the_end(alice: Client) -> None:
    media_id = photo(alice)
    assert append(alice, media_id, b"1").status_code == 400


def test_finalize_may_be_repeated(alice: Client) -> None:
    media_id = photo(alice)
    assert finalize(alice, media_id).json()["data"]["id"] == media_id


@pytest.mark.parametrize(
    "order",
    [
        {"media_type": "image/gif"},
        {"media_type": "text/html"},
        {"media_category": "tweet_hologram"},
        {"total_bytes": 5 * 1024 * 1024 + 1},
        {"total_bytes": 0},
        {"total_bytes": "10"},
        {"media_type": "image/gif", "media_category": "tweet_gif", "total_bytes": 15 * 1024 * 1024 + 1},
        {"media_type": "video/mp4", "media_category": "tweet_video", "total_bytes": 512 * 1024 * 1024 + 1},
        {"colour": "red"},
    ],
)
def test_types_and_sizes_are_checked_before_anything_is_sent(alice: Client, order: dict[str, Any]) -> None:
    assert initialize(alice, **order).status_code == 400


def test_the_category_follows_from_the_type_when_it_is_left_out(alice: Client) -> None:
    body = {"media_type": "image/gif", "total_bytes": 10}
    data = alice.call("POST", "/2/media/upload/initialize", json=body).json()["data"]
    assert data["media_key"].startswith("16_")


@pytest.mark.parametrize(("index", "is_there"), [("1000", True), ("x", True), ("0", False)])
def test_append_wants_an_index_and_bytes(alice: Client, index: str, is_there: bool) -> None:
    media_id = initialize(alice).json()["data"]["id"]
    files = {"media" if is_there else "file": ("blob", b"1")}
    answer = alice.call("POST", f"/2/media/upload/{media_id}/append", data={"segment_index": index}, files=files)
    assert answer.status_code == 400


def test_base64_that_is_none_is_refused(alice: Client) -> None:
    media_id = initialize(alice).json()["data"]["id"]
    body = {"segment_index": 0, "media": "$$$"}
    assert alice.call("POST", f"/2/media/upload/{media_id}/append", json=body).status_code == 400


@pytest.mark.parametrize("content", [b"not a picture at all", picture("JPEG")])
def test_bytes_must_be_what_they_are_said_to_be(alice: Client, content: bytes) -> None:
    media_id = initialize(alice, total_bytes=len(content)).json()["data"]["id"]
    append(alice, media_id, content)
    assert finalize(alice, media_id).status_code == 400


def test_a_video_is_processed_by_the_clock(sandbox: Sandbox, alice: Client) -> None:
    data = upload(alice, movie(), "video/mp4", "tweet_video")
    assert data["processing_info"] == {"state": "pending", "check_after_secs": 1}
    assert data["media_key"] == f"7_{data['id']}"
    assert attach(alice, data["id"]) == 400
    sandbox.advance(1.5)
    info = status(alice, data["id"])["processing_info"]
    assert info["state"] == "in_progress"
    assert 0 < info["progress_percent"] < 100
    sandbox.advance(2)
    assert status(alice, data["id"])["processing_info"]["state"] == "succeeded"
    assert attach(alice, data["id"]) == 201


@pytest.mark.parametrize("content", [movie(0.4), movie(141), b"\0\0\0\x18ftypmp42 and no header", b"nonsense"])
def test_a_wrong_video_fails_while_it_is_processed(sandbox: Sandbox, alice: Client, content: bytes) -> None:
    data = upload(alice, content, "video/mp4", "tweet_video")
    sandbox.advance(4)
    info = status(alice, data["id"])["processing_info"]
    assert info["state"] == "failed"
    assert info["error"]["name"] == "InvalidMedia"
    assert attach(alice, data["id"]) == 400


def test_a_webm_is_known_by_its_first_bytes(sandbox: Sandbox, alice: Client) -> None:
    data = upload(alice, b"\x1a\x45\xdf\xa3webm", "video/webm", "tweet_video")
    sandbox.advance(4)
    assert status(alice, data["id"])["processing_info"]["state"] == "succeeded"


@pytest.mark.parametrize(("size", "frames", "state"), [((10, 10), 3, "succeeded"), ((1281, 10), 2, "failed")])
def test_a_gif_is_measured(sandbox: Sandbox, alice: Client, size: tuple[int, int], frames: int, state: str) -> None:
    data = upload(alice, picture("GIF", size, frames=frames), "image/gif", "tweet_gif")
    sandbox.advance(2)
    assert status(alice, data["id"])["processing_info"]["state"] == state


def test_an_upload_in_progress_is_pending(alice: Client) -> None:
    media_id = initialize(alice).json()["data"]["id"]
    assert status(alice, media_id)["processing_info"]["state"] == "pending"
    assert attach(alice, media_id) == 400


def test_a_picture_can_be_sent_at_once(alice: Client) -> None:
    files = {"media": ("p.png", picture(), "image/png")}
    answer = alice.call("POST", "/2/media/upload", data={"media_category": "tweet_image"}, files=files)
    assert answer.json()["data"]["image"] == {"image_type": "image/png", "w": 8, "h": 6}
    assert attach(alice, answer.json()["data"]["id"]) == 201


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "BMP", "TIFF"])
def test_a_picture_can_be_sent_at_once_in_json(alice: Client, kind: str) -> None:
    body = {"media": base64.b64encode(picture(kind)).decode(), "media_category": "tweet_image"}
    assert alice.call("POST", "/2/media/upload", json=body).status_code == 200


@pytest.mark.parametrize(
    "body",
    [{"media_category": "tweet_image"}, {"media": "AAAA"}, {"media": "AAAA", "media_category": "tweet_image"}, []],
)
def test_sending_at_once_wants_known_bytes_and_a_category(alice: Client, body: Any) -> None:
    assert alice.call("POST", "/2/media/upload", json=body).status_code == 400


def test_sending_at_once_wants_a_media_part(alice: Client) -> None:
    answer = alice.call("POST", "/2/media/upload", files={"file": ("p.png", b"1")})
    assert answer.status_code == 400


def test_media_of_someone_else_cannot_be_used(alice: Client, bob: Client) -> None:
    media_id = photo(alice)
    assert attach(bob, media_id) == 400
    assert bob.get("/2/media/upload", media_id=media_id).status_code == 400
    assert attach(alice, media_id) == 201


def test_media_expire_after_a_day(sandbox: Sandbox, alice: Client) -> None:
    media_id = photo(alice)
    sandbox.advance(86401)
    assert attach(sandbox.sign_in("alice"), media_id) == 400


def test_unknown_media_cannot_be_used(alice: Client) -> None:
    answer = alice.create("Look", media={"media_ids": ["12"]})
    assert answer.json()["errors"][0]["message"] == "Your media IDs are invalid."


def test_four_photos_go_together_and_the_text_may_be_empty(alice: Client) -> None:
    ids = [photo(alice, colour) for colour in ("red", "green", "blue", "black")]
    assert alice.create(media={"media_ids": ids}).status_code == 201


def test_a_gif_stands_alone(sandbox: Sandbox, alice: Client) -> None:
    gif = upload(alice, picture("GIF", frames=2), "image/gif", "tweet_gif")["id"]
    sandbox.advance(2)
    assert attach(alice, gif, photo(alice)) == 400
    assert attach(alice, gif) == 201


def test_the_same_picture_cannot_be_attached_twice(alice: Client) -> None:
    media_id = photo(alice)
    assert attach(alice, media_id, media_id) == 400


def test_subtitles_are_no_attachment(alice: Client) -> None:
    text = upload(alice, b"WEBVTT\n", "text/vtt", "subtitles")["id"]
    assert attach(alice, text) == 400


def test_the_same_picture_uploaded_again_is_still_a_duplicate(alice: Client) -> None:
    assert attach(alice, photo(alice, "red")) == 201
    assert attach(alice, photo(alice, "red")) == 403
    assert attach(alice, photo(alice, "blue")) == 201


@pytest.mark.parametrize(("length", "status"), [(1000, 200), (1001, 400)])
def test_alt_text_has_a_thousand_characters(alice: Client, length: int, status: int) -> None:
    body = {"id": photo(alice), "metadata": {"alt_text": {"text": "a" * length}}}
    assert alice.call("POST", "/2/media/metadata", json=body).status_code == status


def test_alt_text_comes_back(alice: Client) -> None:
    metadata = {"alt_text": {"text": "A cup"}}
    answer = alice.call("POST", "/2/media/metadata", json={"id": photo(alice), "metadata": metadata})
    assert answer.json()["data"]["associated_metadata"] == metadata


def test_subtitles_belong_to_a_video(alice: Client) -> None:
    video = upload(alice, movie(), "video/mp4", "tweet_video")["id"]
    body = {"id": video, "media_category": "TweetVideo", "subtitles": {"id": "1", "language_code": "EN"}}
    assert alice.call("POST", "/2/media/subtitles", json=body).json()["data"]["id"] == video
    assert alice.call("POST", "/2/media/subtitles", json={**body, "id": photo(alice)}).status_code == 400


def test_uploading_needs_its_scope(sandbox: Sandbox) -> None:
    limited = sandbox.sign_in("alice", scopes="tweet.read tweet.write users.read")
    assert initialize(limited).status_code == 403


def test_status_knows_only_one_command(alice: Client) -> None:
    answer = alice.get("/2/media/upload", command="INIT", media_id=photo(alice))
    assert answer.status_code == 400


def test_views_of_a_video_are_included(sandbox: Sandbox, alice: Client) -> None:
    video = upload(alice, movie(), "video/mp4", "tweet_video")["id"]
    sandbox.advance(4)
    post_id = alice.post_id("Watch", media={"media_ids": [video]})
    sandbox.advance(7000)
    asked = {
        "expansions": "attachments.media_keys",
        "media_fields": "public_metrics,non_public_metrics,duration_ms,preview_image_url",
    }
    own = alice.get(f"/2/tweets/{post_id}", **asked).json()["includes"]["media"][0]
    assert own["duration_ms"] == 2000
    assert own["public_metrics"]["view_count"] > own["non_public_metrics"]["playback_100_count"] > 0
    other = sandbox.sign_in("bob").get(f"/2/tweets/{post_id}", **asked).json()["includes"]["media"][0]
    assert "non_public_metrics" not in other
