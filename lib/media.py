import hashlib
import io
import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from PIL import ExifTags, Image, ImageOps

from lib.media_gif import is_complete
from lib.media_types import (
    HEAD_BYTES,
    Deadline,
    Kind,
    MediaInfo,
    Picture,
    ProbeLimits,
    UnusableMedia,
    open_regular,
    recognise,
    truncated,
    unreadable,
)
from lib.media_video import first_frame, read_video

__all__ = ["Kind", "MediaInfo", "ProbeLimits", "UnusableMedia", "make_thumbnail", "open_regular", "probe"]

THUMBNAIL_PX = 480
CHUNK_BYTES = 1024 * 1024
DEFAULT_LIMITS = ProbeLimits()
# Pillow promises no exception type for damaged input; these are what its parsers let through.
DECODER_FAULTS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    EOFError,
    OverflowError,
    MemoryError,
    RuntimeError,
    struct.error,
    zlib.error,
)
BOMBS = (Image.DecompressionBombError, Image.DecompressionBombWarning)
SIDEWAYS = {5, 6, 7, 8}


def probe(path: Path, *, limits: ProbeLimits = DEFAULT_LIMITS) -> MediaInfo:
    """Decode the file for real and describe it; raises UnusableMedia."""
    with open_regular(path) as file:
        try:
            return _probe_open(file, path.suffix, limits)
        except OSError as fault:
            raise unreadable("the disk reported an error") from fault


def make_thumbnail(path: Path, info: MediaInfo) -> bytes:
    """A JPEG of at most 480 px a side, upright, without metadata; raises UnusableMedia."""
    with open_regular(path) as file:
        if info.kind == "video":
            return _to_jpeg(first_frame(file, info.mime, DEFAULT_LIMITS))
        with _explained_faults(), _open_image(file, info.mime, DEFAULT_LIMITS) as image:
            image.draft("RGB", (THUMBNAIL_PX, THUMBNAIL_PX))
            return _to_jpeg(ImageOps.exif_transpose(image))


def _probe_open(file: BinaryIO, suffix: str, limits: ProbeLimits) -> MediaInfo:
    before = os.fstat(file.fileno())
    _check_size(before.st_size, limits.max_bytes)
    mime = recognise(file.read(HEAD_BYTES), suffix)
    if mime.startswith("video/"):
        picture = read_video(file, mime, before.st_size, limits)
    else:
        _check_size(before.st_size, limits.max_image_bytes)
        picture = _read_image(file, mime, before.st_size, limits)
    digest = _sha256(file)
    after = os.fstat(file.fileno())
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise UnusableMedia("still_changing", "The file is still being written. Try again in a minute.")
    return MediaInfo(
        kind=picture.kind,
        mime=mime,
        width=picture.width,
        height=picture.height,
        size_bytes=before.st_size,
        sha256=digest,
        duration_ms=picture.duration_ms,
        fps=picture.fps,
        frames=picture.frames,
        has_audio=picture.has_audio,
    )


def _check_size(size: int, limit: int) -> None:
    if size == 0:
        raise UnusableMedia("empty_file", "The file is empty. Copy or export it again.")
    if size > limit:
        raise UnusableMedia(
            "too_large",
            f"{size / 1024**2:.1f} MB is more than {limit / 1024**2:.1f} MB. Export a smaller file.",
        )


def _sha256(file: BinaryIO) -> str:
    file.seek(0)
    digest = hashlib.sha256()
    while chunk := file.read(CHUNK_BYTES):
        digest.update(chunk)
    return digest.hexdigest()


def _read_image(file: BinaryIO, mime: str, size: int, limits: ProbeLimits) -> Picture:
    _check_ending(file, mime, size)
    # verify() sees checksums that decoding skips, and leaves the object unusable.
    with _explained_faults(), _open_image(file, mime, limits) as image:
        image.verify()
    with _explained_faults(), _open_image(file, mime, limits) as image:
        return _decode_frames(image, mime, limits)


@contextmanager
def _explained_faults() -> Iterator[None]:
    try:
        yield
    except BOMBS as fault:
        raise _bomb() from fault
    except DECODER_FAULTS as fault:
        if isinstance(fault, EOFError) or "truncated" in str(fault).lower():
            raise truncated() from fault
        raise unreadable("its content is damaged") from fault


def _open_image(file: BinaryIO, mime: str, limits: ProbeLimits) -> Image.Image:
    file.seek(0)
    # Naming the format keeps hostile input away from Pillow's forty other parsers.
    image = Image.open(file, formats=[mime.removeprefix("image/").upper()])
    if image.width * image.height > limits.max_pixels:
        raise _bomb()
    return image


def _check_ending(file: BinaryIO, mime: str, size: int) -> None:
    """Where decoders shrug at a missing end, look for it ourselves."""
    if mime == "image/webp":
        file.seek(4)
        if int.from_bytes(file.read(4), "little") + 8 > size:
            raise truncated()
    if mime == "image/gif":
        file.seek(0)
        if not is_complete(file.read(size)):
            raise truncated()
    if mime == "image/png":
        # Some tools append a little of their own after the end.
        file.seek(max(0, size - 1024))
        if b"IEND\xaeB`\x82" not in file.read():
            raise truncated()


def _decode_frames(image: Image.Image, mime: str, limits: ProbeLimits) -> Picture:
    deadline = Deadline(limits.max_seconds)
    frames = pixels = duration_ms = 0
    # A JPEG from a phone may hold more pictures (depth, gain map): only the first is the photo.
    while _has_frame(image, frames) and (frames == 0 or mime != "image/jpeg"):
        deadline.check()
        frames += 1
        pixels += image.width * image.height
        if frames > limits.max_frames or pixels > limits.max_total_pixels:
            raise _bomb()
        image.load()
        duration_ms += _frame_ms(image)
    width, height = _upright_size(image)
    if frames < 2:
        return Picture("image", width, height, frames=1)
    kind: Kind = "gif" if mime == "image/gif" else "image"
    return Picture(kind, width, height, frames, duration_ms, round(frames * 1000 / duration_ms, 3))


def _has_frame(image: Image.Image, index: int) -> bool:
    try:
        image.seek(index)
    except EOFError:
        return False
    return True


def _frame_ms(image: Image.Image) -> int:
    # Browsers and networks play frames of 10 ms or less as 100 ms.
    duration = int(image.info.get("duration") or 0)
    return duration if duration > 10 else 100


def _upright_size(image: Image.Image) -> tuple[int, int]:
    if image.getexif().get(ExifTags.Base.Orientation) in SIDEWAYS:
        return image.height, image.width
    return image.width, image.height


def _to_jpeg(image: Image.Image) -> bytes:
    image.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX))
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        image = Image.new("RGBA", layer.size, "white")
        image.alpha_composite(layer)
    out = io.BytesIO()
    image.convert("RGB").save(out, "JPEG", quality=82, exif=b"")
    return out.getvalue()


def _bomb() -> UnusableMedia:
    return UnusableMedia(
        "decode_bomb",
        "The picture unpacks to more pixels than any network shows. Export it in a smaller size.",
    )
