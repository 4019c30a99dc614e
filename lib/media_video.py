import os
from typing import Any, BinaryIO

import av
from av.error import FFmpegError
from PIL import Image

from lib.media_types import FAMILIES, Deadline, Picture, ProbeLimits, UnusableMedia, truncated, unreadable

FIRST_FRAMES = 5
US = 1_000_000
# Last seconds that are decoded to prove that the end is there.
TAIL_US = 1 * US
# A player forgives a little less than the header promises.
TOLERATED_US = US // 2


def read_video(file: BinaryIO, mime: str, size: int, limits: ProbeLimits) -> Picture:
    """Decode the beginning and the end, and walk every packet between; raises UnusableMedia."""
    (_check_boxes if FAMILIES[mime] == "iso" else _check_segment)(file, size)
    deadline = Deadline(limits.max_seconds)
    try:
        with _open(file, mime, deadline) as container:
            stream = _video_stream(container, limits)
            first = _decode(container, stream, deadline, FIRST_FRAMES)
            container.seek(0)
            frames, end_us = _walk_packets(container, stream, deadline)
            _decode_tail(container, stream, end_us, deadline)
            return _describe(container, stream, first, frames, end_us)
    except FFmpegError as fault:
        raise unreadable("its video is damaged") from fault


def first_frame(file: BinaryIO, mime: str, limits: ProbeLimits) -> Image.Image:
    deadline = Deadline(limits.max_seconds)
    try:
        with _open(file, mime, deadline) as container:
            frame = _decode(container, _video_stream(container, limits), deadline, 1)
            return frame.to_image().rotate(frame.rotation, expand=True)
    except FFmpegError as fault:
        raise unreadable("its video is damaged") from fault


class _TimedFile:
    """The demuxer cannot be stopped from outside, but it has to come to us for bytes."""

    def __init__(self, file: BinaryIO, deadline: Deadline) -> None:
        self._file = file
        self._deadline = deadline
        self.seek = file.seek
        self.tell = file.tell

    def read(self, size: int) -> bytes:
        self._deadline.check()
        return self._file.read(size)


def _open(file: BinaryIO, mime: str, deadline: Deadline) -> Any:
    file.seek(0)
    # A named demuxer and a file object: a playlist inside cannot make us open anything else.
    demuxer = "mov" if FAMILIES[mime] == "iso" else "matroska"
    return av.open(_TimedFile(file, deadline), mode="r", format=demuxer, metadata_errors="replace")


def _check_boxes(file: BinaryIO, size: int) -> None:
    """Every top-level box must fit into the file, and the index must be among them."""
    position, has_index = 0, False
    while position + 8 <= size:
        file.seek(position)
        header = file.read(16)
        length = int.from_bytes(header[:4], "big")
        if length == 1:
            length = int.from_bytes(header[8:16], "big")
        has_index = has_index or header[4:8] == b"moov"
        if length == 0:
            break
        if length < 8:
            raise unreadable("its structure is damaged")
        position += length
    if position > size or not has_index:
        raise truncated()


def _check_segment(file: BinaryIO, size: int) -> None:
    """The one segment that holds everything in a WebM file must fit into it (RFC 8794)."""
    file.seek(4)
    file.seek(_read_vint(file) or 0, os.SEEK_CUR)
    if file.read(4) != b"\x18\x53\x80\x67":
        raise unreadable("its structure is damaged")
    length = _read_vint(file)
    if length is not None and file.tell() + length > size:
        raise truncated()


def _read_vint(file: BinaryIO) -> int | None:
    """A length whose leading zero bits say how many bytes it takes; None for "unknown", as live streams have."""
    first = (file.read(1) or b"\0")[0]
    more = 8 - first.bit_length()
    value = int.from_bytes(bytes([first]) + file.read(more), "big")
    data_bits = 7 * (more + 1)
    value &= (1 << data_bits) - 1
    return None if value == (1 << data_bits) - 1 else value


def _video_stream(container: Any, limits: ProbeLimits) -> Any:
    covers = av.stream.Disposition.attached_pic
    stream = next((s for s in container.streams.video if not s.disposition & covers), None)
    if stream is None:
        raise UnusableMedia("no_video_stream", "The file has no video track. Export it again with picture.")
    if stream.codec_context is None:
        raise unreadable("its video format is unknown to us")
    if stream.width * stream.height > limits.max_video_pixels:
        raise UnusableMedia("decode_bomb", "The video is larger than 4096 × 4096. Export it at 4K or below.")
    # The header may understate what the stream then unpacks to.
    stream.codec_context.options = {"max_pixels": str(limits.max_video_pixels)}
    return stream


def _decode(container: Any, stream: Any, deadline: Deadline, at_most: int | None = None) -> Any:
    """The first frame decoded from here on, after decoding `at_most` frames or all."""
    first = None
    for count, frame in enumerate(container.decode(stream), start=1):
        deadline.check()
        if frame.is_corrupt:
            raise unreadable("its video is damaged")
        first = first or frame
        if count == at_most:
            break
    if first is None:
        raise truncated()
    return first


def _walk_packets(container: Any, stream: Any, deadline: Deadline) -> tuple[int, int]:
    """How many frames there are and when the last sound or picture ends, in microseconds."""
    frames, end_us = 0, 0
    for packet in container.demux():
        deadline.check()
        # The demuxer ends every stream with an empty packet.
        if packet.pts is None:
            continue
        if packet.is_corrupt:
            raise truncated()
        frames += packet.stream is stream
        end_us = max(end_us, int((packet.pts + (packet.duration or 0)) * packet.time_base * US))
    end_us -= container.start_time or 0
    if container.duration and end_us < container.duration * 0.9 - TOLERATED_US:
        raise truncated()
    return frames, end_us


def _decode_tail(container: Any, stream: Any, end_us: int, deadline: Deadline) -> None:
    container.seek(max(0, end_us - TAIL_US) + (container.start_time or 0))
    _decode(container, stream, deadline)


def _describe(container: Any, stream: Any, first: Any, frames: int, end_us: int) -> Picture:
    duration_us = container.duration or end_us
    rate = stream.average_rate or (frames * US / duration_us if duration_us else None)
    sideways = first.rotation % 180 != 0
    width, height = (first.height, first.width) if sideways else (first.width, first.height)
    return Picture(
        kind="video",
        width=width,
        height=height,
        frames=frames,
        duration_ms=round(duration_us / 1000),
        fps=round(float(rate), 3) if rate else None,
        has_audio=bool(container.streams.audio),
    )
