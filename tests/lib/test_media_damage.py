from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lib.media import UnusableMedia, make_thumbnail, probe
from tests.media_files import write_animation, write_image, write_video

CAREFULLY = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
DAMAGE = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=20)


def damage(path: Path, original: bytes, changes: list[tuple[float, int]], reach: int) -> None:
    data = bytearray(original)
    for where, value in changes:
        data[int(where * (min(reach, len(data)) - 1))] = value
    path.write_bytes(data)


def outcome(path: Path) -> str:
    try:
        make_thumbnail(path, probe(path))
    except UnusableMedia as fault:
        return fault.code
    return "usable"


WORDS = {
    "usable",
    "truncated",
    "unreadable",
    "unknown_type",
    "type_mismatch",
    "decode_bomb",
    "no_video_stream",
    "too_slow",
}


@pytest.fixture(scope="module")
def originals(tmp_path_factory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("originals")
    made = [
        write_image(folder / "a.jpg"),
        write_image(folder / "a.png"),
        write_animation(folder / "a.gif"),
        write_animation(folder / "a.webp"),
        write_video(folder / "a.mp4", movflags="faststart"),
        write_video(folder / "a.webm", codec="libvpx-vp9"),
    ]
    return {path.name: path.read_bytes() for path in made}


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.gif", "a.webp", "a.mp4", "a.webm"])
@given(changes=DAMAGE, reach=st.sampled_from([64, 1024, 10**9]))
@CAREFULLY
def test_damaged_media_are_usable_or_refused_and_nothing_else(tmp_path, originals, name, changes, reach):
    damage(tmp_path / name, originals[name], changes, reach)
    assert outcome(tmp_path / name) in WORDS


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.gif", "a.webp", "a.mp4", "a.webm"])
@given(share=st.floats(0.01, 0.98))
@CAREFULLY
def test_media_cut_anywhere_are_never_usable(tmp_path, originals, name, share):
    whole = originals[name]
    (tmp_path / name).write_bytes(whole[: int(len(whole) * share)])
    assert outcome(tmp_path / name) in {"truncated", "unreadable", "unknown_type"}


@given(data=st.binary(min_size=1, max_size=2000), suffix=st.sampled_from([".jpg", ".png", ".gif", ".mp4", ".webm", ""]))
@CAREFULLY
def test_random_bytes_are_refused(tmp_path, data, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(data)
    assert outcome(path) in WORDS - {"usable"} | {"svg_not_allowed"}
