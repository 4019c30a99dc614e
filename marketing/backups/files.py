"""Folders into archives, and back: media, sources, anchors."""

import io
import json
import os
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from django.core.files.storage import FileSystemStorage, default_storage, storages

Found = tuple[str, Path]


def files_below(folder: Path) -> Iterator[Found]:
    """Plain files, by their name below it. Links stay out: what they point at is not ours to copy."""
    for root, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(root) / name
            if path.is_file() and not path.is_symlink():
                yield str(path.relative_to(folder)), path


def pack(found: Iterable[Found], target: IO[bytes]) -> int:
    """A tar of these; what is deleted meanwhile is left out. The number of files."""
    count = 0
    with tarfile.open(fileobj=target, mode="w|", format=tarfile.PAX_FORMAT) as archive:
        for name, path in found:
            try:
                source = path.open("rb")
            except FileNotFoundError:
                continue
            with source:
                archive.addfile(_entry(name, source), source)
            count += 1
    return count


def _entry(name: str, source: IO[bytes]) -> tarfile.TarInfo:
    state = os.fstat(source.fileno())
    entry = tarfile.TarInfo(name)
    entry.size, entry.mtime, entry.mode = state.st_size, int(state.st_mtime), state.st_mode & 0o777
    return entry


def unpack(archive: IO[bytes], folder: Path) -> int:
    """Each file under its name at once, so that a kill leaves none half written. What is there already stays."""
    count = 0
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(fileobj=archive) as opened:
        for entry in opened:
            checked = tarfile.data_filter(entry, str(folder))
            path = folder / checked.name
            if path.exists() or not entry.isreg():
                continue
            content = opened.extractfile(entry)
            assert content is not None, "a regular file has content"
            _write(path, content, entry)
            count += 1
    return count


def _write(path: Path, content: IO[bytes], entry: tarfile.TarInfo) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.restoring")
    with part.open("wb") as file:
        while more := content.read(1024 * 1024):
            file.write(more)
        file.flush()
        os.fsync(file.fileno())
    # Never more than a file's rights, whatever else an archive asks for.
    part.chmod(entry.mode & 0o777)
    os.utime(part, (entry.mtime, entry.mtime))
    part.rename(path)


# --- media --------------------------------------------------------------------------------------------------


def media_folder() -> Path | None:
    """None where media are in S3, which keeps them itself."""
    storage = storages["default"]
    return Path(storage.location) if isinstance(storage, FileSystemStorage) else None


def media_list(folder: str = "") -> Iterator[dict[str, Any]]:
    """{"name", "bytes"} of everything in the storage."""
    folders, names = default_storage.listdir(folder)
    for name in names:
        full = f"{folder}/{name}" if folder else name
        yield {"name": full, "bytes": default_storage.size(full)}
    for name in folders:
        yield from media_list(f"{folder}/{name}" if folder else name)


def as_lines(items: Iterable[dict[str, Any]]) -> io.BytesIO:
    return io.BytesIO(b"".join(json.dumps(item).encode() + b"\n" for item in items))
