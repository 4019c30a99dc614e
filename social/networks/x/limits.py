from collections import Counter
from collections.abc import Iterator, Sequence

from lib.media import MediaInfo

MAX_PHOTOS = 4
MAX_PHOTO_BYTES = 5 * 1024**2
MAX_GIF_BYTES = 15 * 1024**2
MAX_GIF_WIDTH = 1280
MAX_GIF_HEIGHT = 1080
MAX_GIF_FRAMES = 350
MAX_GIF_PIXELS = 300_000_000
MAX_VIDEO_BYTES = 512 * 1024**2
MIN_VIDEO_MS = 500
MAX_VIDEO_MS = 140_000
MAX_VIDEO_FPS = 60
MAX_VIDEO_ASPECT = 3
MAX_ALT_TEXT = 1000


def check_media(items: Sequence[MediaInfo]) -> list[str]:
    """What X would refuse about the media of one post, as sentences; empty when it takes them."""
    messages = _check_mix(items)
    checks = {"image": _check_photo, "gif": _check_gif, "video": _check_video}
    for number, item in enumerate(items, start=1):
        prefix = f"Media {number}: " if len(items) > 1 else ""
        messages += [prefix + message for message in checks[item.kind](item)]
    return messages


def _check_mix(items: Sequence[MediaInfo]) -> list[str]:
    kinds = Counter(item.kind for item in items)
    moving = kinds["gif"] + kinds["video"]
    if moving > 1 or (moving and kinds["image"]):
        return ["X takes either up to 4 photos, or one GIF, or one video in a post."]
    if kinds["image"] > MAX_PHOTOS:
        return [f"X takes at most {MAX_PHOTOS} photos in a post; here are {kinds['image']}."]
    return []


def _check_bytes(item: MediaInfo, what: str, limit: int) -> Iterator[str]:
    if item.size_bytes > limit:
        yield (
            f"The {what} has {item.size_bytes / 1024**2:.1f} MB; "
            f"X takes at most {limit // 1024**2} MB. Export a smaller one."
        )


def _check_photo(item: MediaInfo) -> Iterator[str]:
    yield from _check_bytes(item, "photo", MAX_PHOTO_BYTES)


def _check_gif(item: MediaInfo) -> Iterator[str]:
    frames = item.frames or 1
    yield from _check_bytes(item, "GIF", MAX_GIF_BYTES)
    if item.width > MAX_GIF_WIDTH or item.height > MAX_GIF_HEIGHT:
        yield f"The GIF is {item.width} × {item.height}; X takes at most {MAX_GIF_WIDTH} × {MAX_GIF_HEIGHT}."
    if frames > MAX_GIF_FRAMES:
        yield f"The GIF has {frames} frames; X takes at most {MAX_GIF_FRAMES}."
    if frames * item.width * item.height > MAX_GIF_PIXELS:
        yield "The GIF has more than 300 million pixels over all frames. Make it shorter or smaller."


def _check_video(item: MediaInfo) -> Iterator[str]:
    yield from _check_bytes(item, "video", MAX_VIDEO_BYTES)
    if item.duration_ms is not None and not MIN_VIDEO_MS <= item.duration_ms <= MAX_VIDEO_MS:
        yield f"The video lasts {item.duration_ms / 1000:.1f} s; X takes 0.5 to 140 s."
    if item.fps is not None and item.fps > MAX_VIDEO_FPS:
        yield f"The video has {item.fps:g} frames a second; X takes at most {MAX_VIDEO_FPS}."
    if max(item.width, item.height) > MAX_VIDEO_ASPECT * min(item.width, item.height):
        yield f"The video is {item.width} × {item.height}; X takes shapes from 1:3 to 3:1."
