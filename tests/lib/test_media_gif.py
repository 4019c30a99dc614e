import pytest

from lib.media_gif import is_complete

TABLE = bytes(range(12))
HEADER = b"GIF89a" + b"\1\0\1\0" + b"\x81\0\0" + TABLE
BARE_HEADER = b"GIF89a" + b"\1\0\1\0" + b"\0\0\0"
LOOP = b"!\xff\x0bNETSCAPE2.0\x03\1\0\0\0"
COMMENT = b"!\xfe\x04a\0;b\x02\0;\0"
PLACE = b",\0\0\0\0\1\0\1\0"
IMAGE = PLACE + b"\0\2" + b"\3a\0;" + b"\2\0;" + b"\0"
OWN_COLOURS = PLACE + b"\x81" + TABLE + b"\2" + b"\2\0;" + b"\0"


@pytest.mark.parametrize(
    "whole",
    [
        BARE_HEADER + b";",
        BARE_HEADER + IMAGE + b";",
        HEADER + IMAGE + b";",
        HEADER + LOOP + OWN_COLOURS + COMMENT + IMAGE + b";",
        HEADER + IMAGE + b"\0\0" + IMAGE + b"\0;",
    ],
    ids=["no image", "no colours", "one image", "every block", "stray bytes"],
)
def test_a_gif_is_complete_with_its_last_byte_and_not_before(whole):
    assert is_complete(whole)
    assert is_complete(whole + b"added by a tool;")
    assert [at for at in range(len(whole)) if is_complete(whole[:at])] == []


def test_blocks_that_point_past_the_end_are_not_complete():
    assert not is_complete(HEADER + PLACE + b"\0\2" + b"\xffab\0;")
