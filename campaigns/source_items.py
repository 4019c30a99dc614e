"""The files of a source as rows: which post each became, or why it could not be used."""

from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from django.db.models import Q

from campaigns.folder import FolderItem, Problem, ScanResult
from campaigns.folder_walk import walk
from campaigns.models import Delivery, Post, Source, SourceItem
from campaigns.services import FROZEN
from campaigns.source_posts import Note
from lib.clock import now

Status = SourceItem.Status
MAX_FILES = 2000
MAX_PATH, MAX_CODE, MAX_MESSAGE = 500, 40, 500
DELETED: Note = ("post_deleted", "Its post was deleted here. Change the file to get a new one.")


def idle_partners(folder: Path, found: ScanResult) -> list[Problem]:
    """Files with nothing wrong but the one beside them, so that every file that is not used is named."""
    used = {item.relative_path for item in found.items}
    wrong = {problem.path for problem in found.problems}
    idle = []
    for group in walk(folder, max_files=MAX_FILES):
        paths = [] if isinstance(group, Problem) else [file.relative for file in group]
        faulty = [PurePosixPath(path).name for path in paths if path in wrong]
        if faulty and not used.intersection(paths):
            message = f"Not used, because {faulty[0]} beside it cannot be."
            idle += [Problem(path, "partner", message) for path in paths if path not in wrong]
    return idle


class Ledger:
    """The rows of one source during one scan; call it inside the workspace's scope.

    A row with a digest once became a post, whatever has happened to the file or the post since.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self.rows = {row.path: row for row in SourceItem.objects.filter(source=source)}
        self.seen: set[str] = set()

    def usable(self, found: ScanResult) -> tuple[list[FolderItem], list[Problem]]:
        """The items that can have a row and a post of their own, and what is wrong with the rest."""
        fitting = [item for item in found.items if len(item.relative_path) <= MAX_PATH]
        message = "The name with its folders is longer than 500 characters. Shorten it."
        long = [Problem(i.relative_path, "path_too_long", message) for i in found.items if i not in fitting]
        items, copies = self._split_copies(fitting)
        return items, [*found.problems, *long, *copies]

    def _split_copies(self, items: Sequence[FolderItem]) -> tuple[list[FolderItem], list[Problem]]:
        digests = {item.relative_path: item.digest for item in items}
        # The file that has its post already is the original, wherever it stands in the alphabet.
        owners = {row.digest: path for path, row in self.rows.items() if digests.get(path) == row.digest}
        for item in items:
            owners.setdefault(item.digest, item.relative_path)
        copies = [item for item in items if owners[item.digest] != item.relative_path]
        return [item for item in items if item not in copies], [
            Problem(
                item.relative_path,
                "copy",
                f"The same picture and text as {owners[item.digest]}, which is used.",
            )
            for item in copies
        ]

    def follow_renames(self, items: Iterable[FolderItem]) -> set[str]:
        """New paths of files whose content was somewhere else before. Their rows move along."""
        present = {item.relative_path for item in items}
        gone = {row.digest: row for path, row in self.rows.items() if row.digest and path not in present}
        moved = set()
        for item in items:
            row = self.rows.get(item.relative_path)
            if (row is None or not row.digest) and item.digest in gone:
                self._move(gone.pop(item.digest), item.relative_path)
                moved.add(item.relative_path)
        return moved

    def _move(self, row: SourceItem, path: str) -> None:
        SourceItem.objects.filter(source=self.source, path=path).delete()
        SourceItem.objects.filter(pk=row.pk).update(path=path)
        del self.rows[row.path]
        row.path = path
        self.rows[path] = row

    def keep(self, row: SourceItem) -> None:
        """The file is as its post was made from it."""
        self.seen.add(row.path)
        if row.post_id is None:
            self._write(row, Status.USED, DELETED)
        elif row.status != Status.USED or row.has_newer_file:
            self._write(row, Status.USED, ("", ""))

    def use(self, item: FolderItem, post: Post, note: Note) -> None:
        self.seen.add(item.relative_path)
        row = self.rows.get(item.relative_path) or SourceItem(
            workspace_id=self.source.workspace_id, source=self.source, path=item.relative_path
        )
        row.digest, row.post = item.digest, post
        self._write(row, Status.USED, note)

    def hold(self, row: SourceItem, note: Note) -> None:
        """The file changed and its post could not follow; the digest stays, so that the next scan tries again."""
        self.seen.add(row.path)
        self._write(row, Status.USED, note, has_newer_file=True)

    def _write(self, row: SourceItem, status: str, note: Note, *, has_newer_file: bool = False) -> None:
        row.status, row.has_newer_file, row.seen_at = status, has_newer_file, now()
        row.code, row.message = note[0][:MAX_CODE], note[1][:MAX_MESSAGE]
        row.save()
        self.rows[row.path] = row

    def note_problems(self, problems: Iterable[Problem]) -> None:
        """One row per file, however many things are wrong with it. A post it became earlier stays linked."""
        by_path: dict[str, SourceItem] = {}
        for problem in problems:
            path = _shown(problem.path)
            row = by_path.setdefault(
                path,
                SourceItem(
                    workspace_id=self.source.workspace_id,
                    source=self.source,
                    path=path,
                    status=Status.PROBLEM,
                    code=problem.code[:MAX_CODE],
                ),
            )
            row.message = f"{row.message} {problem.message}".strip()[:MAX_MESSAGE]
        SourceItem.objects.bulk_create(
            by_path.values(),
            update_conflicts=True,
            unique_fields=["source", "path"],
            update_fields=["status", "code", "message", "seen_at"],
        )
        self.seen |= by_path.keys()

    def mark_missing(self, problems: Sequence[Problem]) -> int:
        """Files that are no longer there, and how many vanished since the last scan."""
        missing = [row for path, row in self.rows.items() if path not in self.seen]
        unread = {problem.path for problem in problems}
        never_used = [row.pk for row in missing if not row.digest and not _is_below(row.path, unread)]
        SourceItem.objects.filter(pk__in=never_used).delete()
        gone = [row for row in missing if row.digest and row.status != Status.VANISHED]
        return self._mark_vanished([row for row in gone if not _is_below(row.path, unread)])

    def _mark_vanished(self, rows: Sequence[SourceItem]) -> int:
        sent = Q(state__in=FROZEN) | Q(live_parts__isnull=False)
        posts = [row.post_id for row in rows]
        sent_posts = set(Delivery.objects.filter(sent, post__in=posts).values_list("post_id", flat=True))
        for row in rows:
            self._write(row, Status.VANISHED, _vanished_note(row, is_sent=row.post_id in sent_posts))
        return len(rows)


def _vanished_note(row: SourceItem, *, is_sent: bool) -> Note:
    if row.post_id is None:
        return ("vanished", "The file is gone, and its post was deleted.")
    if is_sent:
        return ("vanished", "The file is gone. Its post was sent before.")
    return (
        "vanished",
        "The file is gone. Its post is not sent yet and stays: delete it if nobody wants it any more.",
    )


def _is_below(path: str, folders: set[str]) -> bool:
    """Inside a folder that could not be read to its end: then nobody knows whether the file is there."""
    return any(str(parent) in folders for parent in PurePosixPath(path).parents)


def _shown(path: str) -> str:
    return path if len(path) <= MAX_PATH else path[: MAX_PATH - 1] + "…"
