"""The encryption of backups: what went in comes out, and nothing else is ever taken for it."""

import base64
import io
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketing.backups import seal as sealing
from marketing.backups.errors import BackupError
from marketing.backups.seal import MAGIC, PROOF, SALT, parse_key, seal, unseal

KEY, OTHER = bytes(range(32)), bytes(32)
SMALL = 16
HEAD = len(MAGIC) + SALT


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    monkeypatch.setattr(sealing, "PIECE", SMALL)


def sealed(data: bytes, key: bytes = KEY, name: str = "a") -> bytes:
    target = io.BytesIO()
    seal(io.BytesIO(data), target, key, name)
    return target.getvalue()


def opened(data: bytes, key: bytes = KEY, name: str = "a") -> bytes:
    target = io.BytesIO()
    unseal(io.BytesIO(data), target, key, name)
    return target.getvalue()


class Trickle(io.RawIOBase):
    """A pipe that gives a few bytes at a time."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def read(self, size: int = -1) -> bytes:
        given, self.data = self.data[: min(size, 3)], self.data[min(size, 3) :]
        return given


@pytest.mark.parametrize("size", [0, 1, SMALL - 1, SMALL, SMALL + 1, 2 * SMALL, 5 * SMALL + 7])
def test_every_length_comes_back(size):
    data = os.urandom(size)
    assert opened(sealed(data)) == data
    assert data not in sealed(data) or size < 4


@given(st.binary(max_size=100))
def test_anything_comes_back(data):
    assert opened(sealed(data)) == data


def test_slow_pipe_makes_the_same_pieces():
    data = os.urandom(50)
    target = io.BytesIO()
    seal(Trickle(data), target, KEY, "a")
    assert opened(target.getvalue()) == data


def test_same_content_is_never_sealed_alike():
    assert sealed(b"same") != sealed(b"same")


@given(st.data())
def test_each_changed_byte_is_found(data):
    whole = bytearray(sealed(b"forty bytes of something worth keeping.."))
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(BackupError):
        opened(bytes(whole))


@pytest.mark.parametrize("cut", [1, SMALL + PROOF, 2 * (SMALL + PROOF)], ids=["a byte", "a piece", "two pieces"])
def test_what_was_cut_off_is_missed(cut):
    with pytest.raises(BackupError):
        opened(sealed(bytes(3 * SMALL))[:-cut])


def test_pieces_keep_their_order():
    whole = sealed(bytes(3 * SMALL))
    first, second = whole[HEAD : HEAD + SMALL + PROOF], whole[HEAD + SMALL + PROOF : HEAD + 2 * (SMALL + PROOF)]
    with pytest.raises(BackupError):
        opened(whole.replace(first + second, second + first))


@pytest.mark.parametrize(("key", "name"), [(OTHER, "a"), (KEY, "b")], ids=["another key", "another file's name"])
def test_only_the_right_key_and_name_open(key, name):
    with pytest.raises(BackupError, match="cannot be decrypted"):
        opened(sealed(b"secret"), key, name)


def test_plain_file_is_not_taken_for_a_sealed_one():
    with pytest.raises(BackupError, match="not encrypted"):
        opened(b"plain words, quite a lot of them")


def test_without_a_key_it_is_copied():
    assert sealed(b"plain", b"") == b"plain"
    assert opened(b"plain", b"") == b"plain"


@pytest.mark.parametrize("text", ["short", base64.urlsafe_b64encode(bytes(31)).decode(), "§" * 43])
def test_unusable_key_is_refused(text):
    with pytest.raises(BackupError, match="32 bytes"):
        parse_key(text)


def test_key_may_come_without_its_padding():
    text = base64.urlsafe_b64encode(KEY).decode()
    assert parse_key(text) == parse_key(text.rstrip("=")) == KEY
    assert parse_key("") == b""
