"""Media bytes on disk, and what can be learned by looking at them."""

import io
import shutil
import struct
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, UnidentifiedImageError

MAX_GIF_PIXELS = 300_000_000
MAX_GIF_FRAMES = 350
MAX_GIF_SIZE = (1280, 1080)
MIN_VIDEO_MS = 500
MAX_VIDEO_MS = 140_000
_IMAGE_FORMATS = {
    "image/jpeg": "JPEG",
    "image/pjpeg": "JPEG",
    "image/png": "PNG",
    "image/gif": "GIF",
    "image/webp": "WEBP",
    "image/bmp": "BMP",
    "image/tiff": "TIFF",
}
# Decoders meet broken bytes with whatever their parser ran into.
_DECODER_ERRORS = (
    UnidentifiedImageError,
    Image.DecompressionBombError,
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    OverflowError,
    struct.error,
)


class Unreadable(Exception):
    """The bytes are not what they are said to be, or break a limit; the text says how."""


@dataclass(frozen=True)
class Facts:
    width: int | None = None
    height: int | None = None
    duration_ms: int | None = None


def segment_path(folder: Path, media_id: int, index: int) -> Path:
    return folder / f"{media_id}.parts" / f"{index:04d}"


def file_path(folder: Path, media_id: int) -> Path:
    return folder / f"{media_id}.bin"


def write_segment(folder: Path, media_id: int, index: int, content: bytes) -> None:
    path = segment_path(folder, media_id, index)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def segment_size(folder: Path, media_id: int, index: int) -> int:
    path = segment_path(folder, media_id, index)
    return path.stat().st_size if path.exists() else 0


def join_segments(folder: Path, media_id: int) -> bytes:
    """The whole file; Unreadable when a segment is missing in between."""
    parts = sorted(segment_path(folder, media_id, 0).parent.glob("*"))
    if [int(part.name) for part in parts] != list(range(len(parts))):
        raise Unreadable("Segments do not add up to provided total file size.")
    return b"".join(part.read_bytes() for part in parts)


def save(folder: Path, media_id: int, content: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    file_path(folder, media_id).write_bytes(content)
    shutil.rmtree(segment_path(folder, media_id, 0).parent, ignore_errors=True)


def inspect(content: bytes, media_type: str) -> Facts:
    if media_type in _IMAGE_FORMATS:
        return _inspect_image(content, media_type)
    if media_type in ("video/mp4", "video/quicktime"):
        return _inspect_mp4(content)
    if media_type == "video/webm" and not content.startswith(b"\x1a\x45\xdf\xa3"):
        raise Unreadable("InvalidMedia")
    return Facts()


def _inspect_image(content: bytes, media_type: str) -> Facts:
    try:
        with Image.open(io.BytesIO(content)) as image:
            if image.format != _IMAGE_FORMATS[media_type]:
                raise Unreadable("media type unrecognized.")
            if image.format == "GIF":
                _check_gif(image)
            image.load()
            return Facts(*image.size)
    except _DECODER_ERRORS as error:
        raise Unreadable("media type unrecognized.") from error


def _check_gif(image: Image.Image) -> None:
    frames = int(getattr(image, "n_frames", 1))
    width, height = image.size
    is_too_wide = width > MAX_GIF_SIZE[0] or height > MAX_GIF_SIZE[1]
    if is_too_wide or frames > MAX_GIF_FRAMES or width * height * frames > MAX_GIF_PIXELS:
        raise Unreadable("GIF exceeds 1280x1080 pixels, 350 frames or 300 million pixels.")


def _inspect_mp4(content: bytes) -> Facts:
    header = content.find(b"mvhd")
    if content[4:8] != b"ftyp" or header < 0:
        raise Unreadable("InvalidMedia")
    try:
        timescale, duration = _movie_times(content, header + 4)
    except (struct.error, IndexError) as error:
        raise Unreadable("InvalidMedia") from error
    duration_ms = duration * 1000 // max(1, timescale)
    if not MIN_VIDEO_MS <= duration_ms <= MAX_VIDEO_MS:
        raise Unreadable("Video must be 0.5 to 140 seconds long.")
    return Facts(duration_ms=duration_ms)


def _movie_times(content: bytes, at: int) -> tuple[int, int]:
    # Version 1 of the movie header holds 64-bit times, version 0 32-bit ones.
    if content[at] == 1:
        timescale, duration = struct.unpack_from(">IQ", content, at + 20)
    else:
        timescale, duration = struct.unpack_from(">II", content, at + 12)
    return int(timescale), int(duration)
