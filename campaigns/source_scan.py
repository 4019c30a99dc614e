"""A scan: what lies in a source's folder becomes posts, and every file is accounted for."""

from contextlib import AbstractContextManager
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ValidationError

from accounts import audit
from accounts.access import Actor
from accounts.models import Workspace
from accounts.scope import workspace_scope
from campaigns.deliveries.loading import lock_accounts
from campaigns.errors import NotAllowedNow
from campaigns.feeds_scan import scan_feed
from campaigns.folder import FolderError, FolderItem, Problem, ScanResult, resolve_inside, scan_folder
from campaigns.library import store_path
from campaigns.models import Delivery, MediaAsset, Post, Source, SourceItem
from campaigns.services import create_post, update_post
from campaigns.source_config import read_config
from campaigns.source_items import MAX_FILES, Ledger, idle_partners
from campaigns.source_posts import Note, changed_draft, new_draft, plan_deliveries, submit_new, unsendable, was_sent
from campaigns.source_report import ScanReport, only_scan_of, scanner
from campaigns.workflows.enhance import start_enhancing
from lib.clock import now
from lib.media import UnusableMedia
from social.models import Connection

SENT = "The file changed after its post was sent, so the post stays. Save it under another name to post it anew."


def sources_root(workspace: Workspace) -> Path:
    """Where the workspace's folders lie; made on first use."""
    root = Path(settings.SOURCES_ROOT) / str(workspace.pk)
    root.mkdir(parents=True, exist_ok=True)
    return root


def scan_source(source: Source, *, by: Actor | None = None) -> ScanReport:
    """Read the folder or feed and bring its posts up to date; in the source's own name where nobody asked.

    Best called outside a transaction: each file then gets a short one of its own. Raises NotAllowedNow while
    another scan of this source runs.
    """
    by = scanner(source, by)
    if source.kind == Source.Kind.FEED:
        return scan_feed(source, by=by)
    with only_scan_of(source):
        try:
            folder = resolve_inside(sources_root(by.workspace), source.folder)
            found = scan_folder(folder, max_files=MAX_FILES)
            _refuse_outside(folder, found)
            found.problems += idle_partners(folder, found)
        except FolderError as fault:
            return _give_up(source, by, fault)
        return _Scan(source, by).run(found)


def _refuse_outside(folder: Path, found: ScanResult) -> None:
    """The folder may have become a link between the look at its name and the walk."""
    if not all(item.path.is_relative_to(folder) for item in found.items):
        raise FolderError("outside", "The folder changed into a link. Put a real folder there.")


def _give_up(source: Source, by: Actor, fault: FolderError) -> ScanReport:
    """The rows stay: a disk that is not mounted must not look like a hundred deleted files."""
    message = f"“{source.folder}”: {fault.message}"[:300]
    with workspace_scope(by.workspace.pk):
        Source.objects.filter(pk=source.pk).update(scanned_at=now(), scan_error=message)
    return ScanReport(error=message)


class _Scan:
    def __init__(self, source: Source, by: Actor) -> None:
        self.by = by
        self.report = ScanReport()
        with self._scope():
            self.source = Source.objects.select_related("campaign").get(pk=source.pk)
            targets = source.targets.exclude(connection__status=Connection.Status.DISCONNECTED)
            self.targets = tuple(targets.values_list("connection_id", flat=True))
            self.ledger = Ledger(self.source)

    def _scope(self) -> AbstractContextManager[None]:
        return workspace_scope(self.by.workspace.pk)

    def run(self, found: ScanResult) -> ScanReport:
        with self._scope():
            items, self.unusable = self.ledger.usable(found)
            self.moved = self.ledger.follow_renames(items)
        for item in items:
            self._take(item)
        with self._scope():
            self.ledger.note_problems(self.unusable)
            self.report.vanished = self.ledger.mark_missing(self.unusable)
            self.report.problems.extend(self.unusable)
            self.report.problems.sort(key=lambda problem: (problem.path, problem.code))
            self._finish()
        return self.report

    def _take(self, item: FolderItem) -> None:
        row = self.ledger.rows.get(item.relative_path)
        try:
            if row is None or row.digest != item.digest:
                self._write_post(item, row)
            else:
                self._keep(row)
        except (ValidationError, NotAllowedNow, UnusableMedia) as refusal:
            self._refuse(item, row, _explain(refusal))
        except OSError as fault:
            # A storage that fails is no fault of the file.
            if fault.filename != str(item.path):
                raise
            self._refuse(item, row, ("unreadable", "It went away during the scan. Scan again."))

    def _keep(self, row: SourceItem) -> None:
        with self._scope():
            self.ledger.keep(row)
        if row.path in self.moved:
            self.report.renamed += 1
        else:
            self.report.unchanged += 1

    def _write_post(self, item: FolderItem, row: SourceItem | None) -> None:
        with self._scope():
            post = _unsent_post(row)
            asset = store_path(item.path, item.relative_path, item.media, workspace=self.by.workspace)
        # The post and its row together: a killed scan leaves no post that the next one would make again.
        with self._scope():
            own = Delivery.objects.filter(post=post).values_list("connection_id", flat=True) if post else ()
            lock_accounts([*self.targets, *own])
            notes = self._update(item, asset, post) if post else self._create(item, asset)
        if post:
            self.report.updated += 1
        else:
            self.report.created += 1
        self.report.problems += [Problem(item.relative_path, *note) for note in notes]

    def _create(self, item: FolderItem, asset: MediaAsset) -> list[Note]:
        post = create_post(new_draft(item.metadata, asset, self.source, self.targets), by=self.by)
        notes = self._settle(item, post)
        config = read_config(self.source.config)
        if config.enhance:
            notes = notes + start_enhancing(post, by=self.by)
        elif config.submit and not notes:
            notes = submit_new(post, by=self.by)
        return notes

    def _update(self, item: FolderItem, asset: MediaAsset, post: Post) -> list[Note]:
        post = update_post(post, changed_draft(item.metadata, asset, post, self.source), by=self.by)
        notes = self._settle(item, post)
        return notes + start_enhancing(post, by=self.by) if read_config(self.source.config).enhance else notes

    def _settle(self, item: FolderItem, post: Post) -> list[Note]:
        notes = plan_deliveries(post, item.metadata.scheduled_at, by=self.by) + unsendable(post)
        code = notes[0][0] if notes else ""
        self.ledger.use(item, post, (code, " ".join(text for _, text in notes)))
        return notes

    def _refuse(self, item: FolderItem, row: SourceItem | None, note: Note) -> None:
        problem = Problem(item.relative_path, *note)
        if row is None or row.post_id is None:
            self.unusable.append(problem)
            return
        with self._scope():
            self.ledger.hold(row, note)
        self.report.problems.append(problem)

    def _finish(self) -> None:
        Source.objects.filter(pk=self.source.pk).update(scanned_at=now(), read_at=now(), scan_error="")
        if self.report.has_changes:
            counts = {name: getattr(self.report, name) for name in ("created", "updated", "renamed", "vanished")}
            audit.record("source.scan", self.source, by=self.by, **counts, problems=len(self.report.problems))


def _unsent_post(row: SourceItem | None) -> Post | None:
    if row is None or row.post_id is None:
        return None
    post = Post.objects.select_related("campaign").get(pk=row.post_id)
    if was_sent(post):
        raise NotAllowedNow(SENT)
    return post


def _explain(refusal: ValidationError | NotAllowedNow | UnusableMedia) -> Note:
    if isinstance(refusal, ValidationError):
        return "refused", " ".join(refusal.messages)
    if isinstance(refusal, NotAllowedNow):
        return "newer_file", str(refusal)
    return refusal.code, refusal.message
