import io
import struct
from pathlib import Path

import av
import pytest
from PIL import Image

from lib.media import ProbeLimits, UnusableMedia, make_thumbnail, probe
from tests.media_files import blue_left_of_red, main_colour, write_sound, write_video

CONTAINERS = [
    ("a.mp4", "video/mp4", {}),
    ("a.mp4", "video/mp4", {"movflags": "faststart"}),
    ("a.mp4", "video/mp4", {"movflags": "frag_keyframe+empty_moov"}),
    ("a.mov", "video/quicktime", {}),
    ("a.webm", "video/webm", {"codec": "libvpx-vp9"}),
]


def refusal(path: Path, **limits: float) -> UnusableMedia:
    with pytest.raises(UnusableMedia) as caught:
        probe(path, limits=ProbeLimits(**limits))
    return caught.value


@pytest.mark.parametrize(("name", "mime", "options"), CONTAINERS)
def test_video_is_measured(tmp_path, name, mime, options):
    info = probe(write_video(tmp_path / name, frames=24, fps=12, **options))
    assert (info.kind, info.mime, info.width, info.height) == ("video", mime, 160, 96)
    assert (info.frames, info.fps, info.has_audio) == (24, 12.0, False)
    assert info.duration_ms == pytest.approx(2000, abs=90)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
@pytest.mark.parametrize(("name", "mime", "options"), CONTAINERS)
def test_truncated_video_is_refused(tmp_path, name, mime, options, share):
    path = write_video(tmp_path / name, **options)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    assert refusal(path).code == "truncated"


def test_live_webm_without_a_length_is_measured_by_its_packets(tmp_path):
    path = write_video(tmp_path / "a.webm", codec="libvpx-vp9", live="1")
    assert probe(path).duration_ms == pytest.approx(2000, abs=90)


def test_sound_is_noticed(tmp_path):
    assert probe(write_video(tmp_path / "a.mp4", with_audio=True)).has_audio is True


def test_quicktime_brand_under_an_mp4_name_is_accepted(tmp_path):
    write_video(tmp_path / "a.mov").rename(tmp_path / "a.mp4")
    assert probe(tmp_path / "a.mp4").mime == "video/quicktime"


def test_old_quicktime_without_a_brand_is_accepted(tmp_path):
    data = write_video(tmp_path / "a.mov", movflags="faststart").read_bytes()
    length = int.from_bytes(data[:4], "big")
    offset = length.to_bytes(4, "big") + b"wide" + b"\0" * (length - 8)
    (tmp_path / "a.mov").write_bytes(offset + data[length:])
    assert probe(tmp_path / "a.mov").mime == "video/quicktime"


def test_video_under_a_picture_name_is_refused(tmp_path):
    write_video(tmp_path / "a.mp4").rename(tmp_path / "a.jpg")
    assert refusal(tmp_path / "a.jpg").code == "type_mismatch"


def test_sound_without_picture_is_refused(tmp_path):
    write_sound(tmp_path / "a.m4a").rename(tmp_path / "a.mp4")
    assert refusal(tmp_path / "a.mp4").code == "no_video_stream"


def test_matroska_that_is_no_webm_is_refused(tmp_path):
    path = write_video(tmp_path / "a.mkv")
    path.rename(tmp_path / "a.webm")
    assert refusal(tmp_path / "a.webm").code == "unknown_type"


def test_too_many_pixels_a_frame_are_refused(tmp_path):
    path = write_video(tmp_path / "a.mp4")
    assert refusal(path, max_video_pixels=160 * 96 - 1).code == "decode_bomb"
    assert probe(path, limits=ProbeLimits(max_video_pixels=160 * 96 * 4)).kind == "video"


def test_checking_a_video_ends_at_the_deadline(tmp_path):
    assert refusal(write_video(tmp_path / "a.mp4"), max_seconds=0).code == "too_slow"


def test_deadline_holds_before_any_picture_is_found(tmp_path):
    write_sound(tmp_path / "a.m4a").rename(tmp_path / "a.mp4")
    assert refusal(tmp_path / "a.mp4", max_seconds=0).code == "too_slow"


def test_index_alone_is_refused(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"\0\0\0\x10ftypisom\0\0\0\0" + b"\0\0\0\x08moov")
    assert refusal(tmp_path / "a.mp4").code in {"unreadable", "no_video_stream"}


def test_missing_index_is_refused_as_truncated(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"\0\0\0\x10ftypisom\0\0\0\0" + b"\0\0\0\x18mdat" + b"\0" * 16)
    assert refusal(tmp_path / "a.mp4").code == "truncated"


def test_box_with_an_impossible_length_is_refused(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"\0\0\0\x10ftypisom\0\0\0\0" + b"\0\0\0\x05moov" + b"\0" * 16)
    assert refusal(tmp_path / "a.mp4").code == "unreadable"


def test_box_with_a_64_bit_length_beyond_the_end_is_refused(tmp_path):
    wide_box = b"\0\0\0\x01mdat" + (2**40).to_bytes(8, "big") + b"\0" * 16
    (tmp_path / "a.mp4").write_bytes(b"\0\0\0\x10ftypisom\0\0\0\0" + wide_box)
    assert refusal(tmp_path / "a.mp4").code == "truncated"


def test_last_box_may_reach_to_the_end_of_the_file(tmp_path):
    path = write_video(tmp_path / "a.mp4", movflags="faststart")
    data = path.read_bytes()
    at = data.rindex(b"mdat") - 4
    path.write_bytes(data[:at] + b"\0\0\0\0" + data[at + 4 :])
    assert probe(path).frames == 24


def test_webm_without_a_segment_is_refused(tmp_path):
    (tmp_path / "a.webm").write_bytes(b"\x1a\x45\xdf\xa3\x87\x42\x82\x84webm" + b"\xec\x84rest")
    assert refusal(tmp_path / "a.webm").code == "unreadable"


def test_video_format_that_cannot_be_decoded_is_refused(tmp_path):
    path = write_video(tmp_path / "a.mp4")
    path.write_bytes(path.read_bytes().replace(b"avc1", b"zzzz"))
    fault = refusal(path)
    assert fault.code == "unreadable"
    assert "format is unknown" in fault.message


def test_video_that_promises_more_than_it_holds_is_refused(tmp_path):
    path = write_video(tmp_path / "a.webm", codec="libvpx-vp9")
    data = path.read_bytes()
    at = data.index(b"\x44\x89\x88") + 3
    path.write_bytes(data[:at] + struct.pack(">d", 60_000.0) + data[at + 8 :])
    assert refusal(path).code == "truncated"


def test_damage_in_the_last_second_is_noticed(tmp_path):
    path = write_video(tmp_path / "a.mp4", movflags="faststart", frames=48)
    data = path.read_bytes()
    damaged = len(data) // 10
    path.write_bytes(data[:-damaged] + b"\xff" * damaged)
    assert refusal(path).code == "unreadable"


def test_zeroed_pictures_are_refused(tmp_path):
    path = write_video(tmp_path / "a.mp4", movflags="faststart")
    data = path.read_bytes()
    at = data.rindex(b"mdat") + 4
    path.write_bytes(data[:at] + b"\xff" * (len(data) - at))
    assert refusal(path).code in {"unreadable", "truncated"}


def test_playlist_inside_a_video_name_opens_nothing(tmp_path):
    secret = write_video(tmp_path / "secret.mp4")
    (tmp_path / "a.mp4").write_text(f"#EXTM3U\n#EXTINF:1,\nfile://{secret}\n")
    assert refusal(tmp_path / "a.mp4").code == "unknown_type"


def test_thumbnail_of_a_video_is_its_first_frame(tmp_path):
    path = write_video(tmp_path / "a.mp4", size=(960, 640), frames=3, picture=Image.new("RGB", (960, 640), "red"))
    thumbnail = Image.open(io.BytesIO(make_thumbnail(path, probe(path))))
    assert thumbnail.size == (480, 320)
    assert main_colour(thumbnail, (100, 100)) == "red"


def test_turned_video_is_measured_and_shown_upright(tmp_path):
    flat = write_video(tmp_path / "flat.mp4", size=(160, 96), picture=blue_left_of_red((160, 96)))
    turned = turn_by_90(flat, tmp_path / "a.mp4")
    info = probe(turned)
    thumbnail = Image.open(io.BytesIO(make_thumbnail(turned, info)))
    assert (info.width, info.height) == (96, 160)
    assert thumbnail.size == (96, 160)
    assert (main_colour(thumbnail, (48, 20)), main_colour(thumbnail, (48, 140))) == ("blue", "red")


def test_thumbnail_of_a_video_broken_since_is_refused(tmp_path):
    path = write_video(tmp_path / "a.mp4")
    info = probe(path)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(UnusableMedia) as caught:
        make_thumbnail(path, info)
    assert caught.value.code == "unreadable"


def turn_by_90(source: Path, target: Path) -> Path:
    data = bytearray(source.read_bytes())
    at = data.index(b"tkhd") + 4 + 40
    one, minus_one, zero = (value.to_bytes(4, "big", signed=True) for value in (65536, -65536, 0))
    data[at : at + 16] = zero + one + zero + minus_one
    target.write_bytes(data)
    with av.open(str(target)) as container:
        assert next(container.decode(video=0)).rotation in {90, -90}
    return target
