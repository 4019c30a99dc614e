"""What is learned from the bytes of media, and what is refused without falling over."""

import io
import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sandbox.x import media_files
from sandbox.x.media_files import Facts, Unreadable, inspect
from tests.sandbox.cast import movie, picture

TYPES = ["image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp", "image/tiff", "video/mp4", "video/webm"]


def movie_of(milliseconds: int, *, timescale: int = 1000, version: int = 0) -> bytes:
    head = b"\0\0\0\x18ftypmp42" + b"\0" * 12 + b"\0\0\0\x6cmoov\0\0\0\x64mvhd"
    if version == 1:
        return head + b"\1\0\0\0" + b"\0" * 16 + struct.pack(">IQ", timescale, milliseconds * timescale // 1000)
    return head + b"\0" * 12 + struct.pack(">II", timescale, milliseconds * timescale // 1000)


def png_of(width: int, height: int) -> bytes:
    """A PNG that claims a size and has no pixels."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [header, b"IDAT", b"IEND"]
    body = b"".join(struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in chunks)
    return b"\x89PNG\r\n\x1a\n" + body


def gif_of(width: int, height: int, frames: int) -> bytes:
    """Frames of one pixel on a screen of any size: quick to make, honest about its measures."""
    buffer = io.BytesIO()
    shots = [Image.new("P", (1, 1), number % 2) for number in range(frames)]
    shots[0].save(buffer, "GIF", save_all=True, append_images=shots[1:], optimize=False, disposal=2)
    content = bytearray(buffer.getvalue())
    content[6:10] = struct.pack("<HH", width, height)
    return bytes(content)


@pytest.mark.parametrize(
    ("kind", "media_type"),
    [
        ("PNG", "image/png"),
        ("JPEG", "image/jpeg"),
        ("JPEG", "image/pjpeg"),
        ("GIF", "image/gif"),
        ("WEBP", "image/webp"),
        ("BMP", "image/bmp"),
        ("TIFF", "image/tiff"),
    ],
)
def test_a_picture_is_measured(kind: str, media_type: str) -> None:
    assert inspect(picture(kind, (20, 10)), media_type) == Facts(20, 10)


@pytest.mark.parametrize("media_type", ["image/jpeg", "image/gif", "image/webp", "image/bmp", "image/tiff"])
def test_a_picture_of_another_type_is_refused(media_type: str) -> None:
    with pytest.raises(Unreadable, match="unrecognized"):
        inspect(picture("PNG"), media_type)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP"])
def test_half_a_picture_is_refused(kind: str) -> None:
    content = picture(kind, (64, 64))
    with pytest.raises(Unreadable):
        inspect(content[: len(content) // 2], f"image/{kind.lower()}")


def test_a_picture_that_claims_the_size_of_a_wall_is_refused() -> None:
    with pytest.raises(Unreadable):
        inspect(png_of(60_000, 60_000), "image/png")


@pytest.mark.parametrize("frames", [1, 349, 350])
def test_a_gif_may_have_350_frames(frames: int) -> None:
    assert inspect(gif_of(8, 8, frames), "image/gif") == Facts(8, 8)


@pytest.mark.parametrize(
    ("width", "height", "frames"),
    [(8, 8, 351), (1281, 8, 2), (8, 1081, 2), (1280, 1080, 218)],
    ids=["frames", "width", "height", "pixels"],
)
def test_a_gif_one_step_beyond_a_limit_is_refused(width: int, height: int, frames: int) -> None:
    with pytest.raises(Unreadable, match="GIF exceeds"):
        inspect(gif_of(width, height, frames), "image/gif")


def test_a_gif_of_the_largest_size_is_fine() -> None:
    assert inspect(gif_of(1280, 1080, 3), "image/gif") == Facts(1280, 1080)


@pytest.mark.parametrize("milliseconds", [500, 501, 139_999, 140_000])
@pytest.mark.parametrize("version", [0, 1])
def test_a_film_within_its_limits_has_a_duration(milliseconds: int, version: int) -> None:
    assert inspect(movie_of(milliseconds, version=version), "video/mp4") == Facts(duration_ms=milliseconds)


@pytest.mark.parametrize("milliseconds", [0, 499, 140_001, 3_600_000])
@pytest.mark.parametrize("version", [0, 1])
def test_a_film_outside_its_limits_is_refused(milliseconds: int, version: int) -> None:
    with pytest.raises(Unreadable, match=r"0\.5 to 140 seconds"):
        inspect(movie_of(milliseconds, version=version), "video/mp4")


@pytest.mark.parametrize("timescale", [1, 24, 600, 90_000])
def test_a_duration_is_counted_in_the_timescale_of_the_film(timescale: int) -> None:
    assert inspect(movie_of(2000, timescale=timescale), "video/quicktime").duration_ms == 2000


def test_a_timescale_of_nothing_is_no_division_by_zero() -> None:
    with pytest.raises(Unreadable):
        inspect(movie_of(0, timescale=0), "video/mp4")


@pytest.mark.parametrize("size", range(32, 60))
def test_a_film_cut_off_in_its_header_is_refused(size: int) -> None:
    with pytest.raises(Unreadable):
        inspect(movie_of(2000)[:size], "video/mp4")


@pytest.mark.parametrize("content", [b"", b"ftyp", b"\0" * 100, b"RIFF....AVI mvhd" + b"\1" * 50])
def test_what_is_no_film_is_refused(content: bytes) -> None:
    with pytest.raises(Unreadable, match="InvalidMedia"):
        inspect(content, "video/mp4")


def test_a_webm_begins_like_a_webm() -> None:
    assert inspect(b"\x1a\x45\xdf\xa3rest", "video/webm") == Facts()
    with pytest.raises(Unreadable):
        inspect(movie(), "video/webm")


@pytest.mark.parametrize("media_type", ["text/srt", "text/vtt", "video/mp2t"])
def test_types_nobody_looks_into_are_taken_as_they_are(media_type: str) -> None:
    assert inspect(b"anything", media_type) == Facts()


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(TYPES), st.binary(max_size=200))
def test_random_bytes_are_refused_whatever_they_are_called(media_type: str, content: bytes) -> None:
    signature = {"image/png": b"\x89PNG\r\n\x1a\n", "image/gif": b"GIF89a", "image/bmp": b"BM"}.get(media_type, b"")
    with pytest.raises(Unreadable):
        inspect(signature + b"\0" + content, media_type)


PICTURES = {kind: picture(kind, (16, 16)) for kind in ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF")}


def outcome(content: bytes, media_type: str) -> str:
    try:
        return type(inspect(content, media_type)).__name__
    except Unreadable:
        return "Unreadable"


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(PICTURES)), st.integers(0, 2000), st.binary(min_size=1, max_size=8))
def test_damaged_pictures_are_measured_or_refused(kind: str, at: int, damage: bytes) -> None:
    content = bytearray(PICTURES[kind])
    at %= len(content)
    content[at : at + len(damage)] = damage
    assert outcome(bytes(content), f"image/{kind.lower()}") in ("Facts", "Unreadable")


def test_segments_are_joined_by_number_and_not_by_arrival(tmp_path: Path) -> None:
    for index in (10, 2, 0, 1, 3, 4, 5, 6, 7, 8, 9):
        media_files.write_segment(tmp_path, 7, index, b"%02d" % index)
    assert media_files.join_segments(tmp_path, 7) == b"".join(b"%02d" % index for index in range(11))


@pytest.mark.parametrize("indexes", [[1], [0, 2], [1, 2], [0, 1, 3]])
def test_a_gap_between_segments_is_noticed(tmp_path: Path, indexes: list[int]) -> None:
    for index in indexes:
        media_files.write_segment(tmp_path, 7, index, b"x")
    with pytest.raises(Unreadable, match="do not add up"):
        media_files.join_segments(tmp_path, 7)


def test_without_segments_there_is_nothing_to_join(tmp_path: Path) -> None:
    assert media_files.join_segments(tmp_path, 7) == b""


def test_a_segment_written_again_replaces_itself(tmp_path: Path) -> None:
    for content in (b"long content", b"short"):
        media_files.write_segment(tmp_path, 7, 0, content)
    assert media_files.segment_size(tmp_path, 7, 0) == 5
    assert media_files.join_segments(tmp_path, 7) == b"short"


def test_segments_of_two_uploads_do_not_mix(tmp_path: Path) -> None:
    media_files.write_segment(tmp_path, 7, 0, b"seven")
    media_files.write_segment(tmp_path, 77, 1, b"other")
    assert media_files.join_segments(tmp_path, 7) == b"seven"


def test_saving_leaves_the_file_and_no_segments(tmp_path: Path) -> None:
    media_files.write_segment(tmp_path, 7, 0, b"x")
    media_files.save(tmp_path, 7, b"whole")
    assert [path.name for path in tmp_path.iterdir()] == ["7.bin"]
    assert media_files.file_path(tmp_path, 7).read_bytes() == b"whole"
