import errno
import os
import stat
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path, PurePosixPath

MAX_DEPTH = 8
MAX_NAME_BYTES = 255
MAX_PATH_BYTES = 1024
# Droppings of desktops, which nobody means to post.
JUNK = {"thumbs.db", "desktop.ini", "__macosx", "@eadir"}


class FolderError(Exception):
    """A folder nobody may name, or that is not there."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Problem:
    path: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Found:
    """A file of the walk: `path` is real (links resolved), `relative` is for people (POSIX, NFC)."""

    path: Path
    relative: str
    size: int

    @property
    def name(self) -> str:
        return PurePosixPath(self.relative).name

    @property
    def stem(self) -> str:
        return PurePosixPath(self.relative).stem

    @property
    def suffix(self) -> str:
        return PurePosixPath(self.relative).suffix.lower()


def resolve_inside(root: Path, relative: str) -> Path:
    """The real path of a folder that a user names below `root`; it need not exist; raises FolderError."""
    if relative.startswith("/") or "\\" in relative or relative[1:2] == ":":
        raise FolderError("bad_path", "Name the folder relative to the media folder, with / between names.")
    parts = [part for part in relative.split("/") if part not in {"", "."}]
    if ".." in parts or any(_has_bad_characters(part) for part in parts):
        raise FolderError("bad_path", "The folder name has parts that are not allowed.")
    if len(relative.encode()) > MAX_PATH_BYTES or any(len(part.encode()) > MAX_NAME_BYTES for part in parts):
        raise FolderError("bad_path", "The folder name is too long.")
    base = root.resolve()
    real = base
    for part in parts:
        real = _step(real, part)
        if not real.is_relative_to(base):
            raise FolderError("outside", "The folder is outside the media folder.")
    return real


def _step(folder: Path, name: str) -> Path:
    try:
        names = os.listdir(folder) if folder.is_dir() else []
        # People type the form their keyboard makes; disks keep the form they were given.
        twins = [other for other in names if _nfc(other) == _nfc(name)]
        return (folder / (name if name in names or not twins else min(twins))).resolve()
    except (OSError, RuntimeError) as fault:
        raise FolderError("bad_path", "The folder name leads in a circle or cannot be opened.") from fault


def walk(root: Path, *, max_files: int) -> Iterator[list[Found] | Problem]:
    """Files below `root`, those of one stem in one directory together, and what is wrong with the rest."""
    base = root.resolve()
    if not base.is_dir():
        raise FolderError("not_found", "There is no such folder.")
    yield from _Walk(base, max_files).visit(base, depth=0)


class _Walk:
    def __init__(self, base: Path, max_files: int) -> None:
        self.base = base
        self.left = max_files
        self.seen: dict[str, Path] = {}

    def visit(self, folder: Path, depth: int) -> Iterator[list[Found] | Problem]:
        try:
            paths = self._listing(folder)
        except OSError as fault:
            yield self._problem(folder, *_explain_os(fault))
            return
        kept = self._within_limit(paths)
        folders: list[Path] = []
        for _, same_stem in groupby(kept, key=_stem):
            files = []
            for path in same_stem:
                found = self._examine(path)
                if isinstance(found, Problem):
                    yield found
                elif found is None:
                    folders.append(path)
                else:
                    files.append(found)
            if files:
                yield files
        if len(kept) < len(paths):
            yield self._problem(folder, "too_many_files", "The scan stopped here: too many files. Split the folder.")
        for path in folders:
            yield from self._enter(path, depth + 1)

    def _listing(self, folder: Path) -> list[Path]:
        names = [name for name in os.listdir(folder) if not name.startswith(".") and name.lower() not in JUNK]
        return sorted((folder / name for name in names), key=lambda path: (_stem(path), path.name))

    def _within_limit(self, paths: list[Path]) -> list[Path]:
        kept = paths[: self.left]
        # Half a pair would be reported for a reason that is not true.
        while kept and len(kept) < len(paths) and _stem(kept[-1]) == _stem(paths[len(kept)]):
            kept.pop()
        self.left = self.left - len(kept) if len(kept) == len(paths) else 0
        return kept

    def _enter(self, folder: Path, depth: int) -> Iterator[list[Found] | Problem]:
        if depth > MAX_DEPTH:
            yield self._problem(folder, "too_deep", f"Folders may be nested {MAX_DEPTH} deep. Move it up.")
        else:
            yield from self.visit(folder, depth)

    def _examine(self, path: Path) -> Found | Problem | None:
        """A file, what is wrong with it, or None for a folder to enter."""
        if _has_bad_characters(path.name):
            return self._problem(path, "bad_name", "The name has characters that cannot be shown. Rename it.")
        try:
            status = path.lstat()
            if stat.S_ISLNK(status.st_mode):
                return self._follow(path)
        except (OSError, RuntimeError) as fault:
            return self._problem(path, *_explain_os(fault))
        if stat.S_ISDIR(status.st_mode):
            return None
        return self._file(path, path, status)

    def _file(self, path: Path, real: Path, status: os.stat_result) -> Found | Problem:
        if not stat.S_ISREG(status.st_mode):
            return self._problem(path, "not_a_file", "This is a pipe or a device, no file. Take it out.")
        found = Found(real, self._relative(path), status.st_size)
        # Two folders may differ in nothing but their Unicode form.
        if self.seen.setdefault(found.relative, path.parent) != path.parent:
            return self._problem(path, "ambiguous_name", "Another file looks the same to people. Rename its folder.")
        return found

    def _follow(self, link: Path) -> Found | Problem:
        real = link.resolve(strict=True)
        if not real.is_relative_to(self.base):
            return self._problem(link, "symlink_outside", "The link leads out of the folder. Copy the file instead.")
        status = real.stat()
        if not stat.S_ISDIR(status.st_mode):
            return self._file(link, real, status)
        if link.is_relative_to(real):
            return self._problem(link, "symlink_loop", "The link leads back to a folder it is in. Take it out.")
        # What it leads to is inside and is scanned there.
        return self._problem(link, "symlink_folder", "Links to folders are not followed. Take it out.")

    def _problem(self, path: Path, code: str, message: str) -> Problem:
        return Problem(self._relative(path), code, message)

    def _relative(self, path: Path) -> str:
        # Names that are not UTF-8 arrive with surrogates, which nothing can store.
        shown = os.fsencode(path.relative_to(self.base)).decode("utf-8", "backslashreplace")
        return _nfc(shown)


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _stem(path: Path) -> str:
    return _nfc(path.stem)


def _has_bad_characters(name: str) -> bool:
    return any(unicodedata.category(char) in {"Cc", "Cs"} for char in name)


def _explain_os(fault: OSError | RuntimeError) -> tuple[str, str]:
    # Python 3.11 reports a circle of links as RuntimeError, later versions as OSError.
    if isinstance(fault, RuntimeError) or fault.errno == errno.ELOOP:
        return "symlink_loop", "The link leads in a circle. Take it out."
    if isinstance(fault, FileNotFoundError):
        return "vanished", "It is no longer there, or a link leads to nothing. Put it back and scan again."
    return "unreadable", "The computer refused to open it. Check who may read it."
