"""The review queue as people see it: what waits, for whom, and what exactly would be sent."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any
from uuid import UUID

from django.db.models import Count, F, Q, QuerySet

from accounts.access import Actor, Perm
from campaigns.access import visible_assets, visible_deliveries
from campaigns.deliveries import KIND
from campaigns.live_changes import KIND as EDIT
from campaigns.models import Delivery, LiveChange, MediaAsset
from campaigns.previews import Preview, build_preview, rendered_from
from campaigns.rendering import Rendered, RenderedPart
from compliance.models import Review
from compliance.models.review import Risk
from compliance.reviews.claims import open_to
from lib.clock import now
from lib.text_diff import Change, diff_words
from social.networks.port import Entity

KINDS = [KIND, EDIT]
Status = Review.Status
TABS = {"": "All", "me": "Waiting for me", "late": "Late", "held": "On hold", "mine": "Mine"}


@dataclass(frozen=True)
class Row:
    """What a list shows of a review."""

    review: Review
    delivery: Delivery
    # The asset's key.
    picture: UUID | None = None

    @property
    def is_edit(self) -> bool:
        """Of a post that is live already."""
        return self.review.kind == EDIT

    @property
    def seen(self) -> str:
        """What a form sends back: which review, and which content of it was on the screen."""
        return f"{self.review.pk}:{self.review.action_hash}"


@dataclass(frozen=True, kw_only=True)
class Item(Row):
    preview: Preview
    # By part, against what was approved last; empty when nothing was.
    changes: list[list[Change]]
    is_own: bool


@dataclass(frozen=True)
class Wanted:
    """What the queue is narrowed to; empty means everything."""

    tab: str = ""
    risk: str = ""
    campaign: UUID | None = None
    connection: UUID | None = None
    author: UUID | None = None


def in_queue(rows: QuerySet[Review]) -> QuerySet[Review]:
    """The most urgent first."""
    return rows.order_by(F("due_at").asc(nulls_last=True), "requested_at", "pk")


def waiting_reviews(actor: Actor) -> QuerySet[Review]:
    return in_queue(Review.objects.filter(workspace=actor.workspace, kind__in=KINDS, status=Status.WAITING))


def for_me(actor: Actor) -> Q:
    """What the person may decide right now: not held, not in somebody else's hands, under four eyes not their own."""
    if not actor.can(Perm.REVIEW) or actor.user is None:
        return Q(pk__in=[])
    mine = Q() if not actor.workspace.four_eyes else ~is_mine(actor)
    return mine & Q(held_at=None) & open_to(actor.user, now())


def is_mine(actor: Actor) -> Q:
    return by_author(actor.user.pk) if actor.user else Q(pk__in=[])


def by_author(user_id: UUID) -> Q:
    """Asked for by the person, or with words of theirs in it."""
    written = Q(post__authors__contains=[str(user_id)])
    deliveries = Delivery.objects.filter(written).values("pk")
    edits = LiveChange.objects.filter(part__delivery__in=deliveries).values("pk")
    return Q(requested_by=user_id) | Q(object_id__in=deliveries) | Q(object_id__in=edits)


def tab_rules(actor: Actor) -> dict[str, Q]:
    return {
        "": Q(),
        "me": for_me(actor),
        "late": Q(due_at__lt=now()),
        "held": Q(held_at__isnull=False),
        "mine": is_mine(actor),
    }


def count_tabs(actor: Actor, rows: QuerySet[Review]) -> dict[str, int]:
    """One query."""
    rules = {f"in_{name}": rule for name, rule in tab_rules(actor).items() if name}
    counted = rows.order_by().aggregate(all=Count("pk"), **{key: Count("pk", filter=r) for key, r in rules.items()})
    return {"": counted["all"]} | {name: counted[f"in_{name}"] for name in TABS if name}


def narrow(rows: QuerySet[Review], wanted: Wanted) -> QuerySet[Review]:
    """By everything but the tab."""
    if wanted.risk in Risk.values:
        rows = rows.filter(risk=wanted.risk)
    if wanted.campaign:
        rows = rows.filter(scopes__contains=[wanted.campaign])
    if wanted.connection:
        deliveries = Delivery.objects.filter(connection=wanted.connection).values("pk")
        edits = LiveChange.objects.filter(part__connection=wanted.connection).values("pk")
        rows = rows.filter(Q(object_id__in=deliveries) | Q(object_id__in=edits))
    if wanted.author:
        rows = rows.filter(by_author(wanted.author))
    return rows


def with_same_post(actor: Actor, review: Review) -> QuerySet[Review]:
    """What else of this post waits: the other accounts it goes to."""
    deliveries = visible_deliveries(actor)
    posts = deliveries.filter(pk=review.object_id).values("post")
    others = deliveries.filter(post__in=posts).exclude(pk=review.object_id).values("pk")
    rows = Review.objects.filter(workspace=actor.workspace, kind__in=KINDS, status=Status.WAITING)
    return in_queue(rows.filter(object_id__in=others))


def neighbours(actor: Actor, review: Review) -> tuple[UUID | None, UUID | None]:
    """The one before and the one after it in the queue of what the person may decide."""
    queue = list(waiting_reviews(actor).filter(for_me(actor)).values_list("pk", flat=True)[:500])
    if review.pk not in queue:
        return None, next(iter(queue), None)
    at = queue.index(review.pk)
    return (queue[at - 1] if at else None), (queue[at + 1] if at + 1 < len(queue) else None)


def load_rows(actor: Actor, reviews: Sequence[Review]) -> list[Row]:
    """The same queries for any number of reviews. One whose post is gone is left out."""
    keys = {review.pk: delivery_of(review) for review in reviews}
    found = visible_deliveries(actor).filter(pk__in=keys.values()).select_related("post__campaign")
    # Accounts are few: each is loaded once, not joined to every row.
    deliveries = {row.pk: row for row in found.prefetch_related("connection")}
    return [
        Row(review, delivery, first_picture(review))
        for review in reviews
        if (delivery := deliveries.get(keys[review.pk]))
    ]


def delivery_of(review: Review) -> UUID:
    return UUID(review.snapshot["delivery"]) if review.kind == EDIT else review.object_id


def first_picture(review: Review) -> UUID | None:
    """Of the post's first part. What edits a live post names no media."""
    media = [item for part in review.snapshot.get("parts", ())[:1] for item in part["media"]]
    return UUID(media[0]["asset_id"]) if media else None


# --- what would be sent -----------------------------------------------------------------------------------


def load_items(actor: Actor, reviews: Sequence[Review] | QuerySet[Review]) -> list[Item]:
    """The same queries for any number of reviews. One whose post is gone is left out."""
    found = list(reviews)
    if not found:
        return []
    items = _post_items(actor, [review for review in found if review.kind == KIND])
    edits = [review for review in found if review.kind == EDIT]
    items |= _edit_items(actor, edits) if edits else {}
    return [items[review.pk] for review in found if review.pk in items]


def _edit_items(actor: Actor, rows: list[Review]) -> dict[UUID, Item]:
    """Edits of what is live: the part with its new text, and what was there before."""
    found = visible_deliveries(actor).filter(pk__in=[review.snapshot["delivery"] for review in rows])
    deliveries = {str(row.pk): row for row in found.select_related("post__campaign", "post__created_by", "connection")}
    changes = LiveChange.objects.in_bulk([review.object_id for review in rows])
    items = {}
    for review in rows:
        delivery, change = deliveries.get(review.snapshot["delivery"]), changes.get(review.object_id)
        if delivery and change:
            diff = diff_words(review.snapshot["before"], review.snapshot["text"])
            preview = build_preview(_edited(delivery, change), delivery.connection, {})
            is_own = _is_own(actor, delivery, review)
            items[review.pk] = Item(review, delivery, preview=preview, changes=[diff], is_own=is_own)
    return items


def _edited(delivery: Delivery, change: LiveChange) -> Rendered:
    """Its media stay as they are, so only the words are shown."""
    entities = tuple(Entity(**entity) for entity in change.entities)
    return Rendered(
        connection_id=delivery.connection_id,
        network=delivery.connection.network,
        remote_account=delivery.connection.remote_id,
        parts=(RenderedPart(change.text, (), entities),),
        made_with_ai=delivery.post.made_with_ai,
    )


def _is_own(actor: Actor, delivery: Delivery, review: Review) -> bool:
    return actor.user is not None and str(actor.user.pk) in {*delivery.post.authors, str(review.requested_by_id)}


def _post_items(actor: Actor, rows: list[Review]) -> dict[UUID, Item]:
    found = visible_deliveries(actor).filter(pk__in=[review.object_id for review in rows])
    deliveries = {row.pk: row for row in found.select_related("post__campaign", "post__created_by", "connection")}
    snapshots = {review.pk: rendered_from(review.snapshot) for review in rows}
    assets = _assets(actor, list(snapshots.values()))
    approved = _last_approved(actor, rows)
    return {
        review.pk: Item(
            review=review,
            delivery=delivery,
            preview=build_preview(snapshots[review.pk], delivery.connection, assets),
            changes=_changes(approved.get(review.object_id), review),
            is_own=_is_own(actor, delivery, review),
        )
        for review in rows
        if (delivery := deliveries.get(review.object_id))
    }


def _assets(actor: Actor, snapshots: list[Rendered]) -> dict[UUID, MediaAsset]:
    wanted = {item.asset_id for rendered in snapshots for part in rendered.parts for item in part.media}
    return {asset.pk: asset for asset in visible_assets(actor).filter(pk__in=wanted)}


def _last_approved(actor: Actor, reviews: Sequence[Review]) -> dict[UUID, Review]:
    approved = Review.objects.filter(
        workspace=actor.workspace,
        kind=KIND,
        status=Status.APPROVED,
        object_id__in=[review.object_id for review in reviews],
    )
    return {review.object_id: review for review in approved.order_by("decided_at")}


def _changes(approved: Review | None, review: Review) -> list[list[Change]]:
    if approved is None or approved.pk == review.pk:
        return []
    before, after = texts_of(approved), texts_of(review)
    length = max(len(before), len(after))
    pairs = zip(before + [""] * (length - len(before)), after + [""] * (length - len(after)), strict=True)
    return [diff_words(old, new) for old, new in pairs]


def texts_of(review: Review) -> list[str]:
    if review.kind == EDIT:
        return [review.snapshot["text"]]
    return [part.text for part in rendered_from(review.snapshot).parts]


# --- what the rules found ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Piece:
    """A run of text; `severity` of the strictest rule that hit it, and what the rules say about it."""

    text: str
    severity: str = ""
    says: str = ""


@dataclass(frozen=True)
class Findings:
    verdict: str = ""
    # By part, only of those in which something is marked.
    marked: list[list[Piece]] = field(default_factory=list)
    hits: list[dict[str, Any]] = field(default_factory=list)


STRICTNESS = {"note": 0, "review": 1, "block": 2}


def findings_of(review: Review) -> Findings:
    hits = sorted(review.guard.get("hits", []), key=lambda hit: -STRICTNESS.get(hit["severity"], 0))
    marked = []
    for number, text in enumerate(texts_of(review)):
        spans = [hit for hit in hits if hit["part"] == number and hit["start"] < hit["end"]]
        if spans:
            marked.append(mark_spans(text, spans))
    return Findings(review.guard.get("verdict", ""), marked, _once(hits))


def mark_spans(text: str, hits: list[dict[str, Any]]) -> list[Piece]:
    """Cut at every beginning and end; where several hits overlap, the strictest gives the colour."""
    edges = sorted({0, len(text), *(min(hit[end], len(text)) for hit in hits for end in ("start", "end"))})
    pieces = []
    for start, end in pairwise(edges):
        over = [hit for hit in hits if hit["start"] <= start and end <= hit["end"]]
        strictest = max((hit["severity"] for hit in over), key=lambda name: STRICTNESS.get(name, 0), default="")
        pieces.append(Piece(text[start:end], strictest, " ".join(dict.fromkeys(hit["message"] for hit in over))))
    return pieces


def _once(hits: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A rule that hits five words is explained once."""
    return list({(hit["rule"], hit["message"]): hit for hit in reversed(hits)}.values())[::-1]
