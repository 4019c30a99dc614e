import json
import struct
import zlib
from pathlib import Path
from typing import Any

import av
from PIL import ExifTags, Image

SAMPLES = Path(__file__).resolve().parents[2] / "shared" / "samples" / "content"


def noise(width: int = 96, height: int = 64) -> Image.Image:
    return Image.effect_noise((width, height), 60).convert("RGB")


def main_colour(image: Image.Image, at: tuple[int, int]) -> str:
    pixel = image.getpixel(at)
    return ("red", "green", "blue")[pixel.index(max(pixel))]


def write_image(path: Path, size: tuple[int, int] = (96, 64), **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise(*size).save(path, **options)
    return path


def write_animation(path: Path, frames: int = 5, frame_ms: int = 80) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    first, *rest = [noise(64, 48) for _ in range(frames)]
    first.save(path, save_all=True, append_images=rest, duration=frame_ms)
    return path


def blue_left_of_red(size: tuple[int, int]) -> Image.Image:
    image = Image.new("RGB", size, "red")
    image.paste("blue", (0, 0, size[0] // 2, size[1]))
    return image


def write_sideways_photo(path: Path) -> Path:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    blue_left_of_red((200, 100)).save(path, exif=exif, quality=95)
    return path


def write_video(
    path: Path,
    *,
    container: str | None = None,
    codec: str = "libx264",
    frames: int = 24,
    fps: int = 12,
    size: tuple[int, int] = (160, 96),
    picture: Image.Image | None = None,
    with_audio: bool = False,
    **options: str,
) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", format=container, options=options) as out:
        stream = out.add_stream(codec, rate=fps)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        sound = out.add_stream("aac", rate=44_100) if with_audio else None
        for _ in range(frames):
            out.mux(stream.encode(av.VideoFrame.from_image(picture or noise(*size))))
        out.mux(stream.encode())
        if sound:
            _write_silence(out, sound, frames / fps)
    return path


def write_sound(path: Path) -> Path:
    with av.open(str(path), "w") as out:
        _write_silence(out, out.add_stream("aac", rate=44_100), seconds=1)
    return path


def _write_silence(out: Any, stream: Any, seconds: float) -> None:
    frame_size = 1024
    for number in range(int(seconds * 44_100 / frame_size)):
        frame = av.AudioFrame(format="fltp", layout="stereo", samples=frame_size)
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        frame.sample_rate = 44_100
        frame.pts = number * frame_size
        out.mux(stream.encode(frame))
    out.mux(stream.encode())


def write_huge_png_header(path: Path, width: int, height: int) -> Path:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(b"\0" * 1000))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + body + chunk(b"IEND", b""))
    return path


def write_json(path: Path, **fields: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(fields, ensure_ascii=False), encoding="utf-8")
    return path


def write_pair(media: Path, **fields: Any) -> Path:
    write_image(media)
    write_json(media.with_suffix(".json"), **(fields or {"title": "Hello"}))
    return media
