import hashlib
import io
import os
import socket
import threading
from pathlib import Path

import pytest
from PIL import Image

from lib.media import MediaInfo, ProbeLimits, UnusableMedia, make_thumbnail, probe
from lib.media_types import open_regular
from tests.media_files import (
    SAMPLES,
    main_colour,
    noise,
    write_animation,
    write_huge_png_header,
    write_image,
    write_sideways_photo,
)


def refusal(path: Path, **limits: float) -> UnusableMedia:
    with pytest.raises(UnusableMedia) as caught:
        probe(path, limits=ProbeLimits(**limits))
    return caught.value


def open_thumbnail(path: Path) -> Image.Image:
    return Image.open(io.BytesIO(make_thumbnail(path, probe(path))))


@pytest.mark.parametrize(
    ("name", "mime"),
    [
        ("a.jpg", "image/jpeg"),
        ("a.jpeg", "image/jpeg"),
        ("a.JPG", "image/jpeg"),
        ("a.png", "image/png"),
        ("a.webp", "image/webp"),
        ("a.gif", "image/gif"),
    ],
)
def test_still_picture_is_an_image(tmp_path, name, mime):
    info = probe(write_image(tmp_path / name))
    assert (info.kind, info.mime, info.width, info.height) == ("image", mime, 96, 64)
    assert (info.frames, info.duration_ms, info.fps, info.has_audio) == (1, None, None, False)


def test_info_carries_size_and_digest_of_the_very_bytes(tmp_path):
    path = write_image(tmp_path / "a.png", size=(900, 700))
    info = probe(path)
    assert info.size_bytes == path.stat().st_size > 1024 * 1024
    assert info.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_info_cannot_be_changed(tmp_path):
    info = probe(write_image(tmp_path / "a.png"))
    with pytest.raises(AttributeError):
        info.width = 1


def test_animated_gif_is_a_gif_with_frames_and_duration(tmp_path):
    info = probe(write_animation(tmp_path / "a.gif", frames=5, frame_ms=80))
    assert (info.kind, info.frames, info.duration_ms, info.fps) == ("gif", 5, 400, 12.5)


@pytest.mark.parametrize("name", ["a.png", "a.webp"])
def test_animated_png_and_webp_are_images(tmp_path, name):
    info = probe(write_animation(tmp_path / name, frames=4, frame_ms=50))
    assert (info.kind, info.frames, info.duration_ms) == ("image", 4, 200)


def test_gif_frames_without_delay_play_at_ten_a_second(tmp_path):
    assert probe(write_animation(tmp_path / "a.gif", frames=3, frame_ms=0)).duration_ms == 300


def test_size_is_as_displayed_when_exif_turns_the_photo(tmp_path):
    info = probe(write_sideways_photo(tmp_path / "a.jpg"))
    assert (info.width, info.height) == (100, 200)


def test_progressive_and_cmyk_jpeg_are_read(tmp_path):
    noise().convert("CMYK").save(tmp_path / "a.jpg", progressive=True)
    assert probe(tmp_path / "a.jpg").kind == "image"


def test_name_without_ending_is_judged_by_content(tmp_path):
    write_image(tmp_path / "a.png").rename(tmp_path / "upload")
    assert probe(tmp_path / "upload").mime == "image/png"


def test_empty_file_is_refused(tmp_path):
    (tmp_path / "a.jpg").touch()
    assert refusal(tmp_path / "a.jpg").code == "empty_file"


def test_file_over_the_limit_is_refused_before_it_is_read(tmp_path):
    with (tmp_path / "a.mp4").open("wb") as file:
        file.truncate(40 * 1024**3)
    assert refusal(tmp_path / "a.mp4").code == "too_large"


def test_picture_has_a_lower_size_limit_than_a_video(tmp_path):
    path = write_image(tmp_path / "a.png")
    assert refusal(path, max_image_bytes=path.stat().st_size - 1).code == "too_large"
    assert probe(path, limits=ProbeLimits(max_image_bytes=path.stat().st_size)).kind == "image"


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.gif"])
@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.99])
def test_truncated_picture_is_refused(tmp_path, name, share):
    path = write_image(tmp_path / name)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    assert refusal(path).code == "truncated"


@pytest.mark.parametrize("name", ["a.png", "a.gif", "a.webp"])
def test_one_missing_byte_is_noticed(tmp_path, name):
    path = write_animation(tmp_path / name)
    path.write_bytes(path.read_bytes()[:-1])
    assert refusal(path).code == "truncated"


def test_gif_cut_between_two_frames_is_refused(tmp_path):
    path = write_animation(tmp_path / "a.gif")
    data = path.read_bytes()
    # A graphic control extension begins every frame.
    path.write_bytes(data[: data.rindex(b"\x21\xf9\x04")])
    assert refusal(path).code == "truncated"


def test_gif_cut_after_what_looks_like_its_end_is_refused(tmp_path):
    path = write_animation(tmp_path / "a.gif")
    data = path.read_bytes()
    start = data.rindex(b"\x21\xf9\x04")
    # One piece more at the end of the image before: decoders have all of it by then.
    path.write_bytes(data[: start - 1] + b"\3a\0;" + data[start - 1 :])
    assert probe(path).frames == 5
    path.write_bytes(path.read_bytes()[: start + 4])
    assert refusal(path).code == "truncated"


def test_a_little_rubbish_after_the_end_is_forgiven(tmp_path):
    path = write_animation(tmp_path / "a.gif")
    path.write_bytes(path.read_bytes() + b"made with love")
    assert probe(path).frames == 5


def test_damaged_png_data_is_refused(tmp_path):
    path = write_image(tmp_path / "a.png")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    assert refusal(path).code == "unreadable"


def test_damage_behind_the_pixels_of_a_png_is_noticed(tmp_path):
    path = write_image(tmp_path / "a.png")
    data = path.read_bytes()
    at = data.rindex(b"IEND") - 4
    path.write_bytes(data[:at] + b"\0\0\0\5tEXta\0bcd" + b"bad!" + data[at:])
    assert refusal(path).code == "unreadable"


def test_header_without_content_is_refused(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"\xff\xd8\xff\xe0" + b"rubbish" * 500)
    assert refusal(tmp_path / "a.jpg").code in {"truncated", "unreadable"}


def test_png_that_claims_a_giant_size_is_refused(tmp_path):
    path = write_huge_png_header(tmp_path / "a.png", 60_000, 60_000)
    assert refusal(path).code == "decode_bomb"


def test_png_between_our_limit_and_pillows_is_refused(tmp_path):
    path = write_huge_png_header(tmp_path / "a.png", 9_000, 9_000)
    assert refusal(path).code == "decode_bomb"


def test_gif_with_too_many_frames_is_refused(tmp_path):
    path = write_animation(tmp_path / "a.gif", frames=5)
    assert refusal(path, max_frames=4).code == "decode_bomb"
    assert probe(path, limits=ProbeLimits(max_frames=5)).frames == 5


def test_gif_with_too_many_pixels_over_all_frames_is_refused(tmp_path):
    path = write_animation(tmp_path / "a.gif", frames=5)
    assert refusal(path, max_total_pixels=64 * 48 * 5 - 1).code == "decode_bomb"


def test_checking_ends_at_the_deadline(tmp_path):
    assert refusal(write_animation(tmp_path / "a.gif"), max_seconds=0).code == "too_slow"


@pytest.mark.parametrize(
    "content",
    [
        b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        b'\xef\xbb\xbf<?xml version="1.0"?>\n<!-- hi --><SVG/>',
        '<svg xmlns="http://www.w3.org/2000/svg"/>'.encode("utf-16"),
    ],
)
@pytest.mark.parametrize("name", ["a.svg", "a.png", "upload"])
def test_svg_is_refused_under_any_name(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    assert refusal(tmp_path / name).code == "svg_not_allowed"


def test_compressed_svg_is_refused(tmp_path):
    (tmp_path / "a.svgz").write_bytes(b"\x1f\x8b\x08\0" + b"x" * 50)
    assert refusal(tmp_path / "a.svgz").code == "svg_not_allowed"


@pytest.mark.parametrize("content", [b"just text", b"<html></html>", b"%PDF-1.7", b"PK\x03\x04", b"\0" * 100])
def test_content_that_is_no_media_is_refused(tmp_path, content):
    (tmp_path / "a.jpg").write_bytes(content)
    assert refusal(tmp_path / "a.jpg").code == "unknown_type"


def test_heic_is_refused_with_what_to_do(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"\0\0\0\x18ftypheic" + b"\0" * 50)
    fault = refusal(tmp_path / "a.jpg")
    assert fault.code == "unknown_type"
    assert "JPEG or PNG" in fault.message


@pytest.mark.parametrize(
    ("real", "claimed"), [("a.png", "a.jpg"), ("a.jpg", "a.gif"), ("a.gif", "a.mp4"), ("a.jpg", "a.txt")]
)
def test_name_that_disagrees_with_content_is_refused(tmp_path, real, claimed):
    write_image(tmp_path / real).rename(tmp_path / claimed)
    assert refusal(tmp_path / claimed).code == "type_mismatch"


def test_missing_file_is_refused(tmp_path):
    assert refusal(tmp_path / "gone.jpg").code == "vanished"


def test_pipe_is_refused_without_waiting_for_a_writer(tmp_path):
    os.mkfifo(tmp_path / "a.jpg")
    assert refusal(tmp_path / "a.jpg").code == "not_a_file"


def test_directory_is_refused(tmp_path):
    (tmp_path / "a.jpg").mkdir()
    assert refusal(tmp_path / "a.jpg").code == "not_a_file"


def test_device_is_refused():
    assert refusal(Path("/dev/zero")).code == "not_a_file"


def test_socket_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("a.jpg")
        assert refusal(tmp_path / "a.jpg").code == "unreadable"


def test_link_is_not_followed(tmp_path):
    write_image(tmp_path / "real.jpg")
    (tmp_path / "a.jpg").symlink_to(tmp_path / "real.jpg")
    assert refusal(tmp_path / "a.jpg").code == "unreadable"


def test_nul_in_a_path_is_refused():
    assert refusal(Path("a\0.jpg")).code == "unreadable"


def test_refusals_leave_no_file_open(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "empty.jpg").touch()
    before = len(os.listdir("/proc/self/fd"))
    for name in ["pipe.jpg", "empty.jpg", "gone.jpg"] * 5:
        refusal(tmp_path / name)
    assert len(os.listdir("/proc/self/fd")) == before


def test_file_that_grows_while_it_is_read_is_refused(tmp_path):
    path = write_image(tmp_path / "a.png", size=(1500, 1200))
    stop = threading.Event()

    def keep_touching() -> None:
        moment = 1_000_000_000
        while not stop.is_set():
            moment += 1_000_000
            os.utime(path, ns=(moment, moment))

    writer = threading.Thread(target=keep_touching)
    writer.start()
    try:
        assert refusal(path).code == "still_changing"
    finally:
        stop.set()
        writer.join()


def test_open_regular_reads_plain_bytes(tmp_path):
    (tmp_path / "a.json").write_bytes(b"{}")
    with open_regular(tmp_path / "a.json") as file:
        assert file.read() == b"{}"


def test_message_is_a_sentence_that_says_what_to_do(tmp_path):
    (tmp_path / "a.jpg").touch()
    fault = refusal(tmp_path / "a.jpg")
    assert str(fault) == fault.message == "The file is empty. Copy or export it again."


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp"])
def test_thumbnail_is_a_jpeg_of_at_most_480_px(tmp_path, name):
    thumbnail = open_thumbnail(write_image(tmp_path / name, size=(1200, 600)))
    assert (thumbnail.format, thumbnail.size) == ("JPEG", (480, 240))


def test_thumbnail_does_not_enlarge(tmp_path):
    assert open_thumbnail(write_image(tmp_path / "a.png", size=(50, 40))).size == (50, 40)


def test_thumbnail_stands_upright(tmp_path):
    thumbnail = open_thumbnail(write_sideways_photo(tmp_path / "a.jpg"))
    assert thumbnail.size == (100, 200)
    assert (main_colour(thumbnail, (50, 20)), main_colour(thumbnail, (50, 180))) == ("blue", "red")


def test_thumbnail_drops_metadata(tmp_path):
    thumbnail = open_thumbnail(write_sideways_photo(tmp_path / "a.jpg"))
    assert dict(thumbnail.getexif()) == {}


def test_transparent_parts_become_white(tmp_path):
    Image.new("RGBA", (40, 40), (0, 0, 0, 0)).save(tmp_path / "a.png")
    assert min(open_thumbnail(tmp_path / "a.png").getpixel((20, 20))) > 250


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "I;16", "CMYK"])
def test_thumbnail_of_every_colour_mode(tmp_path, mode):
    path = tmp_path / ("a.jpg" if mode == "CMYK" else "a.png")
    Image.new(mode, (60, 40)).save(path)
    assert open_thumbnail(path).mode == "RGB"


def test_thumbnail_of_a_gif_is_its_first_frame(tmp_path):
    red, blue = (Image.new("RGB", (40, 40), color) for color in ("red", "blue"))
    red.save(tmp_path / "a.gif", save_all=True, append_images=[blue])
    assert main_colour(open_thumbnail(tmp_path / "a.gif"), (20, 20)) == "red"


def test_thumbnail_of_a_file_broken_since_is_refused(tmp_path):
    path = write_image(tmp_path / "a.jpg")
    info = probe(path)
    path.write_bytes(path.read_bytes()[:700])
    with pytest.raises(UnusableMedia) as caught:
        make_thumbnail(path, info)
    assert caught.value.code in {"truncated", "unreadable"}


def test_thumbnail_of_a_file_swapped_for_a_bomb_is_refused(tmp_path):
    path = write_image(tmp_path / "a.png")
    info = probe(path)
    write_huge_png_header(path, 60_000, 60_000)
    with pytest.raises(UnusableMedia) as caught:
        make_thumbnail(path, info)
    assert caught.value.code == "decode_bomb"


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the shared sample folder is absent")
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("spring-launch/hero.jpg", "image"),
        ("spring-launch/pour.gif", "gif"),
        ("spring-launch/roastery.mp4", "video"),
        ("clinic-zh/海报.jpg", "image"),
    ],
)
def test_samples_are_usable_and_have_a_thumbnail(name, kind):
    info = probe(SAMPLES / name)
    assert isinstance(info, MediaInfo)
    assert info.kind == kind
    assert max(open_thumbnail(SAMPLES / name).size) <= 480


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the shared sample folder is absent")
@pytest.mark.parametrize(
    ("name", "code"),
    [("truncated.jpg", "truncated"), ("empty.mp4", "empty_file"), ("evil.svg", "svg_not_allowed")],
)
def test_broken_samples_are_refused_with_their_reason(name, code):
    assert refusal(SAMPLES / "broken" / name).code == code
