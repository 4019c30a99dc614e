import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import BinaryIO, Literal

Kind = Literal["image", "gif", "video"]

SUFFIXES = {
    ".jpg": "jpeg",
    ".jpeg": "jpeg",
    ".jpe": "jpeg",
    ".png": "png",
    ".apng": "png",
    ".gif": "gif",
    ".webp": "webp",
    # Phones and editors write either brand under either name, and every network takes both.
    ".mp4": "iso",
    ".m4v": "iso",
    ".mov": "iso",
    ".webm": "webm",
}
SVG_SUFFIXES = {".svg", ".svgz"}
FAMILIES = {
    "image/jpeg": "jpeg",
    "image/png": "png",
    "image/gif": "gif",
    "image/webp": "webp",
    "video/mp4": "iso",
    "video/quicktime": "iso",
    "video/webm": "webm",
}
HEAD_BYTES = 4096
# Where the system has it, O_PATH also enters folders that we may pass but not list.
FOLDER = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class UnusableMedia(Exception):
    """A file we will not post: `code` is stable, `message` tells a marketer what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class ProbeLimits:
    max_bytes: int = 512 * 1024**2
    max_image_bytes: int = 50 * 1024**2
    # Below Pillow's own warning threshold, so that ours is the one that speaks.
    max_pixels: int = 80_000_000
    max_total_pixels: int = 600_000_000
    max_frames: int = 2_000
    max_video_pixels: int = 4096 * 4096
    max_seconds: float = 30.0


@dataclass(frozen=True, slots=True)
class Picture:
    """What decoding told: everything about a file but its bytes."""

    kind: Kind
    width: int
    height: int
    frames: int | None
    duration_ms: int | None = None
    fps: float | None = None
    has_audio: bool = False


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """`width` and `height` are as displayed, after EXIF or container rotation."""

    kind: Kind
    mime: str
    width: int
    height: int
    size_bytes: int
    sha256: str
    duration_ms: int | None
    fps: float | None
    frames: int | None
    has_audio: bool


class Deadline:
    def __init__(self, seconds: float) -> None:
        self._ends_at = monotonic() + seconds

    def check(self) -> None:
        if monotonic() > self._ends_at:
            raise UnusableMedia(
                "too_slow", "Checking this file took too long. Export it again, shorter or in a smaller size."
            )


@contextmanager
def open_regular(path: Path) -> Iterator[BinaryIO]:
    """Open a plain file and nothing else; a pipe must not block us and a link must not lead us away.

    The path is a real one: a folder on the way that is a link by now is refused, too.
    """
    try:
        descriptor = _open_without_links(path)
    except FileNotFoundError:
        raise UnusableMedia("vanished", "The file is no longer there. Put it back and scan again.") from None
    except (OSError, ValueError) as fault:
        raise unreadable("the computer refused to open it") from fault
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise UnusableMedia("not_a_file", "This is not an ordinary file. Replace it with a picture or a video.")
    with os.fdopen(descriptor, "rb") as file:
        yield file


def _open_without_links(path: Path) -> int:
    parts = path.absolute().parts
    folder = os.open(parts[0], FOLDER)
    try:
        for name in parts[1:-1]:
            outer, folder = folder, os.open(name, FOLDER, dir_fd=folder)
            os.close(outer)
        return os.open(parts[-1], os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    finally:
        os.close(folder)


def unreadable(why: str) -> UnusableMedia:
    return UnusableMedia("unreadable", f"The file cannot be read: {why}. Export it again and replace it.")


def truncated() -> UnusableMedia:
    return UnusableMedia("truncated", "The file ends too early: part of it is missing. Copy or export it again.")


def recognise(head: bytes, suffix: str) -> str:
    """The MIME type of the content, which must agree with the suffix (compared without regard to case)."""
    suffix = suffix.lower()
    if suffix in SVG_SUFFIXES or _looks_like_svg(head):
        raise UnusableMedia(
            "svg_not_allowed", "SVG drawings can carry scripts and no network takes them. Export it as PNG."
        )
    mime = _sniff(head)
    if suffix and SUFFIXES.get(suffix) != FAMILIES[mime]:
        raise UnusableMedia(
            "type_mismatch",
            f"The name ends in {suffix} but the content is {mime}. Correct the name or export it again.",
        )
    return mime


def _looks_like_svg(head: bytes) -> bool:
    # Without NULs a UTF-16 document reads like ASCII.
    text = head.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    return text.startswith(b"<") and b"<svg" in text.lower()


def _sniff(head: bytes) -> str:
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "image/webp"
    if head.startswith(b"\x1a\x45\xdf\xa3") and b"webm" in head[:64]:
        return "video/webm"
    return _sniff_iso(head)


def _sniff_iso(head: bytes) -> str:
    box, brand = head[4:8], head[8:12]
    if box == b"ftyp" and brand in {b"heic", b"heix", b"mif1", b"msf1", b"hevc", b"avif", b"avis"}:
        raise UnusableMedia(
            "unknown_type", "HEIC and AVIF pictures are not taken everywhere. Export this one as JPEG or PNG."
        )
    if box == b"ftyp":
        return "video/quicktime" if brand == b"qt  " else "video/mp4"
    # Old QuickTime files have no ftyp box.
    if box in {b"moov", b"mdat", b"wide"}:
        return "video/quicktime"
    raise UnusableMedia(
        "unknown_type",
        "This is not a picture or video we can post. Use JPEG, PNG, GIF or WebP, or MP4, MOV or WebM.",
    )
