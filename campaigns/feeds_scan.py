"""A scan of a feed: each entry becomes a draft once, however often the feed shows it."""

import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ValidationError
from django.db import DataError, IntegrityError

from accounts import audit
from accounts.access import Actor
from accounts.plans import PlanLimit
from accounts.scope import workspace_scope
from campaigns.errors import NotAllowedNow
from campaigns.feeds import Entry, Feed, find_feed, read_feed
from campaigns.folder_walk import Problem
from campaigns.library import store_path
from campaigns.models import MediaAsset, Post, Source, SourceItem
from campaigns.services import MediaDraft, PartDraft, PostDraft, create_post
from campaigns.source_config import FEED_TEMPLATE, Words, fill, read_config
from campaigns.source_posts import Note, submit_new, unsendable
from campaigns.source_report import ScanReport, only_scan_of
from campaigns.workflows.enhance import start_enhancing
from lib.clock import now
from lib.media import UnusableMedia, probe
from lib.media_types import HEAD_BYTES, recognise
from lib.public_http import FetchError, fetch
from social.models import Connection

MAX_DRAFTS = 50
# Pictures of a slow server must not keep the worker until it is stopped.
MAX_SCAN_S = 200
MAX_PICTURE_BYTES, PICTURE_TIMEOUT_S = 15 * 1024 * 1024, 10
PICTURES = {"image/jpeg": ".jpg", "image/png": ".png", "image/gif": ".gif", "image/webp": ".webp"}
EVERY = timedelta(minutes=15)
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=5), timedelta(days=1)


def scan_feed(source: Source, *, by: Actor) -> ScanReport:
    with only_scan_of(source):
        try:
            feed = _read(source, by)
        except FetchError as fault:
            return _give_up(source, by, fault)
        return _FeedScan(source, by).run(feed)


def _read(source: Source, by: Actor) -> Feed | None:
    if source.read_at:
        return read_feed(source.feed_url, etag=source.feed_etag, modified=source.feed_modified)
    feed = find_feed(source.feed_url)
    if feed.url != source.feed_url:
        _move(source, feed.url, by)
    return feed


def _move(source: Source, url: str, by: Actor) -> None:
    """A page was named; from now on its feed is read."""
    try:
        with workspace_scope(by.workspace.pk):
            Source.objects.filter(pk=source.pk).update(feed_url=url)
    except (IntegrityError, DataError) as error:
        raise FetchError("feed_taken", f"The page names {url[:150]}, which another source reads already.") from error


def _give_up(source: Source, by: Actor, fault: FetchError) -> ScanReport:
    """What was read before stays; the next try waits longer each time, and as long as the server asks."""
    with workspace_scope(by.workspace.pk):
        row = Source.objects.select_for_update(no_key=True).get(pk=source.pk)
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(row.failures, 10))
        pause = max(pause, timedelta(seconds=fault.retry_after_s or 0))
        Source.objects.filter(pk=source.pk).update(
            failures=min(row.failures + 1, 1000),
            scanned_at=now(),
            next_scan_at=now() + pause,
            scan_error=fault.message[:300],
        )
    return ScanReport(error=fault.message)


class _FeedScan:
    def __init__(self, source: Source, by: Actor) -> None:
        self.by = by
        self.report = ScanReport()
        self.ends_at = time.monotonic() + MAX_SCAN_S
        with self._scope():
            self.source = Source.objects.select_related("campaign").get(pk=source.pk)
            targets = source.targets.exclude(connection__status=Connection.Status.DISCONNECTED)
            self.targets = tuple(targets.values_list("connection_id", flat=True))
            self.known = set(SourceItem.objects.filter(source=source).values_list("path", flat=True))
        self.config = read_config(self.source.config)

    def _scope(self) -> AbstractContextManager[None]:
        return workspace_scope(self.by.workspace.pk)

    def run(self, feed: Feed | None) -> ScanReport:
        fresh = [entry for entry in feed.entries if entry.key not in self.known] if feed else []
        if feed:
            self.report.unchanged = len(feed.entries) - len(fresh)
            if self.source.read_at is None:
                newest = {entry.key for entry in feed.entries[: self.config.newest_only]}
                self._pass_over([entry for entry in fresh if entry.key not in newest])
                fresh = [entry for entry in fresh if entry.key in newest]
        # The oldest first: the list of posts then has the feed's order.
        left = fresh[::-1]
        while left and self.report.created < MAX_DRAFTS and time.monotonic() < self.ends_at:
            self._take(left.pop(0))
        with self._scope():
            self._finish(feed, is_complete=not left)
        return self.report

    def _pass_over(self, entries: Sequence[Entry]) -> None:
        notes = [(entry, f"“{entry.title}” was there before this feed was added.") for entry in entries]
        with self._scope():
            SourceItem.objects.bulk_create([self._row(entry, None, ("seen", text)) for entry, text in notes])

    def _take(self, entry: Entry) -> None:
        picture, notes = _fetch_picture(entry.picture)
        try:
            # The post and its row together: a killed scan leaves no post that the next one would make again.
            with self._scope():
                notes += self._write(entry, picture, notes)
        except (ValidationError, NotAllowedNow) as refusal:
            notes = [("refused", _explain(refusal))]
            with self._scope():
                self._row(entry, None, notes[0], SourceItem.Status.PROBLEM).save()
        else:
            self.report.created += 1
        self.report.problems += [Problem(entry.title, *note) for note in notes]

    def _write(self, entry: Entry, picture: bytes, before: list[Note]) -> list[Note]:
        asset, notes = self._keep_picture(entry, picture)
        post = create_post(self._draft(entry, asset), by=self.by)
        notes += unsendable(post)
        if self.config.enhance:
            notes += start_enhancing(post, by=self.by)
        elif self.config.submit and not notes:
            notes += submit_new(post, by=self.by)
        told = [*before, *notes]
        self._row(entry, post, (told[0][0] if told else "", " ".join(text for _, text in told))).save()
        return notes

    def _draft(self, entry: Entry, asset: MediaAsset | None) -> PostDraft:
        tags = tuple(dict.fromkeys((*self.config.tags, *entry.tags)))
        words = Words(entry.title, entry.summary, entry.text, entry.link, tags, self.source.name)
        text = fill(self.config.text_template or FEED_TEMPLATE, words)
        return PostDraft(
            parts=(PartDraft(text, (MediaDraft(asset.pk),) if asset else ()),),
            title=entry.title,
            campaign=self.source.campaign,
            connections=self.targets,
            tags=tags,
            language=self.config.language,
            source=self.source,
        )

    def _keep_picture(self, entry: Entry, picture: bytes) -> tuple[MediaAsset | None, list[Note]]:
        if not picture:
            return None, []
        try:
            return _store_picture(entry.picture, picture, self.by), []
        except UnusableMedia as fault:
            return None, [("no_picture", f"Its picture cannot be used: {fault.message}")]
        except PlanLimit as full:
            return None, [("no_picture", f"Its picture was not kept. {' '.join(full.messages)}")]

    def _row(self, entry: Entry, post: Post | None, note: Note, status: str = SourceItem.Status.USED) -> SourceItem:
        return SourceItem(
            workspace_id=self.source.workspace_id,
            source=self.source,
            path=entry.key,
            digest=entry.key,
            status=status,
            post=post,
            code=note[0][:40],
            message=note[1][:500],
        )

    def _finish(self, feed: Feed | None, *, is_complete: bool) -> None:
        marks = {}
        if feed:
            # Where entries are left, the server must send them again although nothing changed.
            marks = {
                "feed_etag": feed.etag if is_complete else "",
                "feed_modified": feed.modified if is_complete else "",
            }
        due = now() + EVERY if is_complete else None
        Source.objects.filter(pk=self.source.pk).update(
            scanned_at=now(), read_at=now(), next_scan_at=due, failures=0, scan_error="", **marks
        )
        if self.report.created:
            problems = len(self.report.problems)
            audit.record("source.scan", self.source, by=self.by, created=self.report.created, problems=problems)


def _fetch_picture(url: str) -> tuple[bytes, list[Note]]:
    if not url:
        return b"", []
    try:
        answer = fetch(url, max_bytes=MAX_PICTURE_BYTES, timeout_s=PICTURE_TIMEOUT_S, accept="image/*")
    except FetchError as fault:
        return b"", [("no_picture", f"Its picture could not be read: {fault.message}")]
    return answer.body, []


def _store_picture(url: str, content: bytes, by: Actor) -> MediaAsset:
    """Raises UnusableMedia for anything but a picture that networks take."""
    mime = recognise(content[:HEAD_BYTES], "")
    if mime not in PICTURES:
        raise UnusableMedia("not_a_picture", "It is no picture.")
    stem = PurePosixPath(unquote(urlsplit(url).path)).stem.replace("\x00", "")[:80] or "picture"
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"picture{PICTURES[mime]}"
        path.write_bytes(content)
        return store_path(path, f"{stem}{PICTURES[mime]}", probe(path), workspace=by.workspace)


def _explain(refusal: ValidationError | NotAllowedNow) -> str:
    return " ".join(refusal.messages) if isinstance(refusal, ValidationError) else str(refusal)
