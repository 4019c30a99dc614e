from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from campaigns.folder_metadata import BadMetadata, ItemMetadata, compose_parts, digest_item, read_metadata
from campaigns.folder_walk import FolderError, Found, Problem, resolve_inside, walk
from lib.media import MediaInfo, ProbeLimits, UnusableMedia, open_regular, probe
from lib.media_types import SUFFIXES, SVG_SUFFIXES

__all__ = [
    "FolderError",
    "FolderItem",
    "ItemMetadata",
    "Problem",
    "ScanResult",
    "compose_parts",
    "iter_folder",
    "resolve_inside",
    "scan_folder",
]

MAX_JSON_BYTES = 1024 * 1024
MAX_SCAN_BYTES = 8 * 1024**3
DEFAULT_LIMITS = ProbeLimits()


@dataclass(frozen=True, slots=True)
class FolderItem:
    """A usable post: `path` opens the media, `relative_path` (POSIX, NFC) names it to people."""

    path: Path
    relative_path: str
    media: MediaInfo
    metadata: ItemMetadata
    digest: str


@dataclass(slots=True)
class ScanResult:
    items: list[FolderItem] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def scan_folder(
    root: Path,
    *,
    max_files: int = 2000,
    max_bytes: int = MAX_SCAN_BYTES,
    limits: ProbeLimits = DEFAULT_LIMITS,
) -> ScanResult:
    """Everything below `root`, usable or not, sorted by name; FolderError if there is no such folder.

    `max_files` counts files of every kind and folders; `max_bytes` counts the media of the whole scan.
    """
    result = ScanResult()
    for outcome in iter_folder(root, max_files=max_files, max_bytes=max_bytes, limits=limits):
        if isinstance(outcome, FolderItem):
            result.items.append(outcome)
        else:
            result.problems.append(outcome)
    result.items.sort(key=lambda item: item.relative_path)
    result.problems.sort(key=lambda problem: (problem.path, problem.code))
    return result


def iter_folder(
    root: Path,
    *,
    max_files: int = 2000,
    max_bytes: int = MAX_SCAN_BYTES,
    limits: ProbeLimits = DEFAULT_LIMITS,
) -> Iterator[FolderItem | Problem]:
    """As `scan_folder`, one outcome at a time."""
    bytes_left = max_bytes
    for outcome in walk(root, max_files=max_files):
        if isinstance(outcome, Problem):
            yield outcome
            continue
        group = _Group.of(outcome)
        # A file over its own limit is not read, so it costs the others nothing.
        cost = sum(found.size for found in group.media if found.size <= limits.max_bytes)
        if cost > bytes_left:
            yield from _explain_all(
                group.media, "scan_too_large", "The folder holds more than one scan may read. Split it."
            )
        else:
            bytes_left -= cost
            yield from _read_group(group, limits)


@dataclass(frozen=True, slots=True)
class _Group:
    """The files of one stem in one directory."""

    media: list[Found]
    texts: list[Found]
    others: list[Found]

    @classmethod
    def of(cls, files: list[Found]) -> "_Group":
        media = [found for found in files if found.suffix in SUFFIXES]
        texts = [found for found in files if found.suffix == ".json"]
        return cls(media, texts, [found for found in files if found not in media and found not in texts])


def _read_group(group: _Group, limits: ProbeLimits) -> Iterator[FolderItem | Problem]:
    yield from (_refuse_other(found, group) for found in group.others)
    if len(group.media) > 1:
        yield from _explain_all(
            group.media,
            "ambiguous_pair",
            "Several media files share this name before the ending. Rename one.",
        )
    elif len(group.texts) > 1:
        yield from _explain_all(
            group.texts, "ambiguous_pair", "Several JSON files have the same name. Keep one of them."
        )
    elif group.media:
        yield from _read_pair(group, group.media[0], limits)
    elif not group.others:
        yield from _explain_all(
            group.texts,
            "orphan",
            "There is no picture or video of the same name beside it. Add one or rename it.",
        )


def _explain_all(files: list[Found], code: str, message: str) -> list[Problem]:
    return [Problem(found.relative, code, message) for found in files]


def _refuse_other(found: Found, group: _Group) -> Problem:
    idle = "" if group.media else _left_idle(group.texts)
    if found.suffix in SVG_SUFFIXES:
        try:
            probe(found.path)
        except UnusableMedia as fault:
            return Problem(found.relative, fault.code, fault.message + idle)
    message = "Only JPEG, PNG, GIF, WebP, MP4, MOV and WebM files can be posted. Convert it or take it out."
    return Problem(found.relative, "unsupported", message + idle)


def _read_pair(group: _Group, found: Found, limits: ProbeLimits) -> Iterator[FolderItem | Problem]:
    media = metadata = None
    try:
        media = probe(found.path, limits=limits)
    except UnusableMedia as fault:
        yield Problem(found.relative, fault.code, fault.message + _left_idle(group.texts))
    if not group.texts:
        message = f"It has no text. Put {found.stem}.json beside it, with at least a title."
        yield Problem(found.relative, "no_metadata", message)
        return
    text = group.texts[0]
    try:
        metadata, repeated = read_metadata(_read_json(text))
        if repeated:
            yield _note_repeated(text, repeated)
    except (BadMetadata, UnusableMedia) as fault:
        yield Problem(text.relative, fault.code, fault.message + _left_idle([found]))
    if media and metadata:
        yield FolderItem(found.path, found.relative, media, metadata, digest_item(media.sha256, metadata))


def _left_idle(partners: list[Found]) -> str:
    return "".join(f" Until then {partner.name} is not used." for partner in partners)


def _note_repeated(text: Found, repeated: list[str]) -> Problem:
    keys = ", ".join(repr(key[:40]) for key in repeated[:10])
    return Problem(text.relative, "duplicate_keys", f"Written more than once, the last one counts: {keys}.")


def _read_json(text: Found) -> bytes:
    with open_regular(text.path) as file:
        raw = file.read(MAX_JSON_BYTES + 1)
    if len(raw) > MAX_JSON_BYTES:
        raise BadMetadata("json_too_large", "The JSON is larger than 1 MB. Keep only what describes the post.")
    if not raw.strip():
        raise BadMetadata("not_json", "The JSON file is empty. Write at least a title into it.")
    return raw
