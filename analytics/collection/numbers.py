"""The numbers of posts as they are shown: by age, with source and kind, and what is missing and why."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404

from accounts.access import Actor, Perm
from analytics import ages
from analytics.models import MeasuredPost, Snapshot
from analytics.models.measures import METRICS
from campaigns.models import Delivery
from lib.clock import now

LABELS = {
    "impressions": "Impressions",
    "likes": "Likes",
    "replies": "Replies",
    "reposts": "Reposts",
    "quotes": "Quotes",
    "bookmarks": "Bookmarks",
    "link_clicks": "Link clicks",
    "profile_clicks": "Profile clicks",
    "video_views": "Video views",
    "reactions": "Reactions",
    "joins": "Joins",
}
SOURCES = {
    "x.lookup": "Read from X",
    "telegram.updates": "Told by Telegram",
    "telegram.session": "Read through a Telegram session",
    "link": "Short links",
}


@dataclass(frozen=True)
class AgeRow:
    """One age: its numbers by name, or a note why there are none."""

    age_s: int
    label: str
    planned_at: datetime
    snapshot: Snapshot | None = None
    note: str = ""

    @property
    def has_numbers(self) -> bool:
        return self.snapshot is not None and not self.note

    @property
    def source(self) -> str:
        return SOURCES.get(self.snapshot.source, self.snapshot.source) if self.snapshot else ""


@dataclass(frozen=True)
class PostNumbers:
    post: MeasuredPost
    rows: list[AgeRow] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        """Of what is known now or was at some age."""
        known = {name for row in self.rows if row.snapshot for name in row.snapshot.metrics}
        return [name for name in METRICS if name in known or getattr(self.post, name) is not None]

    @property
    def headings(self) -> list[str]:
        return [LABELS[name] for name in self.names]

    @property
    def newest(self) -> list[tuple[str, int | None]]:
        return [(LABELS[name], getattr(self.post, name)) for name in self.names]

    @property
    def table(self) -> list[tuple[AgeRow, list[tuple[str, int | None, str]]]]:
        """Each row with its numbers, or why there is none, in the order of the headings; without numbers, nothing."""
        return [(row, [_cell(row.snapshot, name) for name in self.names if row.has_numbers]) for row in self.rows]

    @property
    def width(self) -> int:
        return len(self.names) + 1

    @property
    def missing(self) -> list[tuple[str, str]]:
        """What there is no number of, and why, for people."""
        return [(LABELS[name], why(self.post.missing.get(name, ""))) for name in METRICS if name not in self.names]


def _cell(snapshot: Snapshot | None, name: str) -> tuple[str, int | None, str]:
    assert snapshot, "only rows with numbers are asked"
    count = snapshot.metrics.get(name)
    return LABELS[name], count, "" if count is not None else why(snapshot.missing.get(name, ""))


def why(reason: str) -> str:
    return ages.WHY[ages.Missing(reason)] if reason in set(ages.Missing) else "Not measured yet."


def visible_measured(actor: Actor) -> QuerySet[MeasuredPost]:
    actor.require(Perm.VIEW)
    return MeasuredPost.objects.filter(workspace=actor.workspace).select_related("connection")


def get_measured(actor: Actor, measured_id: UUID) -> MeasuredPost:
    post = visible_measured(actor).filter(pk=measured_id).first()
    if post is None:
        raise Http404("Not found.")
    return post


def measured_of(delivery: Delivery) -> QuerySet[MeasuredPost]:
    """Of a delivery that the caller may see, by part."""
    return delivery.measured.select_related("connection").order_by("part__position", "published_at")


def numbers_of(posts: Iterable[MeasuredPost]) -> list[PostNumbers]:
    """Two queries, however many posts."""
    found = list(posts)
    taken: dict[UUID, list[Snapshot]] = {}
    for snapshot in Snapshot.objects.filter(post__in=found).order_by("age_s", "source"):
        taken.setdefault(snapshot.post_id, []).append(snapshot)
    return [PostNumbers(post, _rows(post, taken.get(post.pk, ()))) for post in found]


def _rows(post: MeasuredPost, taken: Sequence[Snapshot]) -> list[AgeRow]:
    rows = []
    for index, age_s in enumerate(ages.AGES):
        planned = ages.planned_at(post.published_at, index)
        here = [snapshot for snapshot in taken if snapshot.age_s == age_s]
        label = ages.age_label(age_s)
        rows += [AgeRow(age_s, label, planned, snapshot, _note_of(snapshot)) for snapshot in here]
        if not here:
            rows.append(AgeRow(age_s, label, planned, note=_note(post, index)))
    return rows


def _note_of(snapshot: Snapshot) -> str:
    reason = snapshot.missing.get("*", "")
    return why(reason) if reason else ""


def _note(post: MeasuredPost, index: int) -> str:
    """Why an age has no snapshot."""
    if post.gone_at and post.gone_at <= ages.closes_at(post.published_at, index):
        return ages.WHY[ages.Missing.GONE]
    if now() > ages.closes_at(post.published_at, index):
        return ages.LATE
    return "" if post.due_at else "Not planned."
