from dataclasses import replace

import pytest

from lib.media import MediaInfo
from social.networks.x.limits import check_media

MB = 1024**2
PHOTO = MediaInfo("image", "image/jpeg", 1600, 900, MB, "0" * 64, None, None, 1, False)
GIF = MediaInfo("gif", "image/gif", 480, 480, MB, "0" * 64, 2000, 10.0, 20, False)
VIDEO = MediaInfo("video", "video/mp4", 1280, 720, 9 * MB, "0" * 64, 30_000, 30.0, 900, True)


@pytest.mark.parametrize("items", [[], [PHOTO], [PHOTO] * 4, [GIF], [VIDEO]])
def test_ordinary_media_are_fine(items):
    assert check_media(items) == []


def test_five_photos_are_too_many():
    assert check_media([PHOTO] * 5) == ["X takes at most 4 photos in a post; here are 5."]


@pytest.mark.parametrize("items", [[GIF, PHOTO], [VIDEO, PHOTO], [GIF, VIDEO], [GIF, GIF], [VIDEO, VIDEO]])
def test_moving_media_stand_alone(items):
    assert check_media(items) == ["X takes either up to 4 photos, or one GIF, or one video in a post."]


@pytest.mark.parametrize(
    "item",
    [
        replace(PHOTO, size_bytes=5 * MB),
        replace(GIF, size_bytes=15 * MB),
        replace(GIF, width=1280, height=1080, frames=200),
        replace(GIF, frames=350),
        replace(GIF, width=1000, height=1000, frames=300),
        replace(VIDEO, size_bytes=512 * MB),
        replace(VIDEO, duration_ms=500),
        replace(VIDEO, duration_ms=140_000),
        replace(VIDEO, fps=60.0),
        replace(VIDEO, width=900, height=300),
        replace(VIDEO, width=300, height=900),
        replace(VIDEO, fps=None, duration_ms=None),
    ],
)
def test_media_exactly_at_a_limit_are_fine(item):
    assert check_media([item]) == []


@pytest.mark.parametrize(
    ("item", "words"),
    [
        (replace(PHOTO, size_bytes=5 * MB + 1), "at most 5 MB"),
        (replace(GIF, size_bytes=15 * MB + 1), "at most 15 MB"),
        (replace(GIF, width=1281), "1281 × 480"),
        (replace(GIF, height=1081), "480 × 1081"),
        (replace(GIF, frames=351), "351 frames"),
        (replace(GIF, width=1000, height=1001, frames=300), "300 million pixels"),
        (replace(VIDEO, size_bytes=512 * MB + 1), "at most 512 MB"),
        (replace(VIDEO, duration_ms=499), "0.5 to 140 s"),
        (replace(VIDEO, duration_ms=140_001), "0.5 to 140 s"),
        (replace(VIDEO, fps=60.1), "60.1 frames a second"),
        (replace(VIDEO, width=901, height=300), "1:3 to 3:1"),
        (replace(VIDEO, width=300, height=901), "1:3 to 3:1"),
    ],
)
def test_media_just_over_a_limit_are_told(item, words):
    (message,) = check_media([item])
    assert words in message


def test_every_fault_of_every_item_is_told_with_its_number():
    large = replace(PHOTO, size_bytes=6 * MB)
    messages = check_media([PHOTO, large, large])
    assert [message.split(":")[0] for message in messages] == ["Media 2", "Media 3"]


def test_animated_webp_counts_as_a_photo():
    assert check_media([replace(PHOTO, mime="image/webp", frames=12), PHOTO]) == []
