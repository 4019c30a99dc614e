from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from accounts.access import Actor, Perm
from accounts.web import MemberRequest, member_view
from campaigns.access import visible_assets, visible_deliveries
from campaigns.deliveries import KIND
from campaigns.live_changes import KIND as EDIT
from campaigns.models import Delivery, LiveChange
from campaigns.previews import Preview, build_preview, rendered_from
from campaigns.rendering import Rendered, RenderedPart
from campaigns.text_diff import Change, diff_words
from campaigns.views.outcome import Refusal, attempt
from compliance.access import get_review
from compliance.models import Review
from compliance.services import ReviewClosed, approve_review, reject_review
from social.networks.port import Entity

KINDS = [KIND, EDIT]
QUEUE_SHOWN = 100
DECIDED_SHOWN = 10


@dataclass(frozen=True)
class Item:
    review: Review
    delivery: Delivery
    preview: Preview
    # By part, against what was approved last; empty when nothing was.
    changes: list[list[Change]]
    is_own: bool
    # Of a post that is live already.
    is_edit: bool = False


@member_view(Perm.VIEW)
def review_list(request: MemberRequest) -> HttpResponse:
    waiting = waiting_reviews(request.actor)
    items = _items(request.actor, waiting.select_related("requested_by")[:QUEUE_SHOWN])
    recent = Review.objects.select_related("requested_by", "decided_by").filter(
        workspace=request.actor.workspace, kind__in=KINDS, status__in=[Review.Status.APPROVED, Review.Status.REJECTED]
    )
    context = {
        "items": items,
        "waiting": waiting.count(),
        "decided": _items(request.actor, recent.order_by("-decided_at")[:DECIDED_SHOWN]),
        "may_review": request.actor.can(Perm.REVIEW),
    }
    return render(request, "campaigns/review_list.html", context)


@member_view(Perm.VIEW)
def review_detail(request: MemberRequest, review_id: UUID) -> HttpResponse:
    return _show(request, get_review(request.actor, review_id))


def waiting_reviews(actor: Actor) -> QuerySet[Review]:
    return Review.objects.filter(workspace=actor.workspace, kind__in=KINDS, status=Review.Status.WAITING)


def _with_same_post(actor: Actor, review: Review) -> QuerySet[Review]:
    """What else of this post waits: the other accounts it goes to."""
    deliveries = visible_deliveries(actor)
    posts = deliveries.filter(pk=review.object_id).values("post")
    others = deliveries.filter(post__in=posts).exclude(pk=review.object_id).values("pk")
    return waiting_reviews(actor).filter(object_id__in=others)


def _show(request: MemberRequest, review: Review, refusal: Refusal | None = None) -> HttpResponse:
    actor = request.actor
    items = _items(actor, [review])
    if not items:
        # The post was deleted since.
        return redirect("campaigns:review-list")
    [item] = items
    siblings = _items(actor, _with_same_post(actor, review))
    context = {
        "item": item,
        "siblings": siblings,
        "shown": [item, *siblings],
        "waiting": waiting_reviews(actor).count(),
        "is_open": review.status == Review.Status.WAITING,
        "may_review": actor.can(Perm.REVIEW),
        "needs_other_eyes": actor.workspace.four_eyes and item.is_own,
        "refusal": refusal,
    }
    return render(request, "campaigns/review_detail.html", context, status=refusal.status if refusal else 200)


def _items(actor: Actor, reviews: Sequence[Review] | QuerySet[Review]) -> list[Item]:
    """The same queries for any number of reviews. One whose post is gone is left out."""
    found = list(reviews)
    items = _post_items(actor, [review for review in found if review.kind == KIND])
    items |= _edit_items(actor, [review for review in found if review.kind == EDIT])
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
            items[review.pk] = Item(review, delivery, preview, [diff], _is_own(actor, delivery, review), is_edit=True)
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
    wanted = {item.asset_id for rendered in snapshots.values() for part in rendered.parts for item in part.media}
    assets = {asset.pk: asset for asset in visible_assets(actor).filter(pk__in=wanted)}
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


def _last_approved(actor: Actor, reviews: Sequence[Review]) -> dict[UUID, Review]:
    approved = Review.objects.filter(
        workspace=actor.workspace,
        kind=KIND,
        status=Review.Status.APPROVED,
        object_id__in=[review.object_id for review in reviews],
    )
    return {review.object_id: review for review in approved.order_by("decided_at")}


def _changes(approved: Review | None, review: Review) -> list[list[Change]]:
    if approved is None or approved.pk == review.pk:
        return []
    before, after = _texts(approved), _texts(review)
    length = max(len(before), len(after))
    pairs = zip(before + [""] * (length - len(before)), after + [""] * (length - len(after)), strict=True)
    return [diff_words(old, new) for old, new in pairs]


def _texts(review: Review) -> list[str]:
    return [part.text for part in rendered_from(review.snapshot).parts]


# --- deciding ---------------------------------------------------------------------------------------------


@require_POST
@member_view(Perm.VIEW)
def review_approve(request: MemberRequest, review_id: UUID) -> HttpResponse:
    """Approves what was on the screen: this review and, for "approve all", the others shown with it."""
    review = get_review(request.actor, review_id)
    seen = dict(value.split(":", 1) for value in request.POST.getlist("seen") if ":" in value)
    shown = [one for one in [review, *_with_same_post(request.actor, review)] if str(one.pk) in seen]

    def approve_all() -> None:
        if not shown:
            raise ReviewClosed("Look at the post again, then decide.")
        for one in shown:
            approve_review(one, by=request.actor, seen_hash=seen[str(one.pk)])

    refusal = attempt(approve_all)
    if refusal:
        return _show(request, get_review(request.actor, review_id), refusal)
    messages.success(request, "Approved." if len(shown) == 1 else f"Approved for {len(shown)} accounts.")
    return _next(request)


@require_POST
@member_view(Perm.VIEW)
def review_reject(request: MemberRequest, review_id: UUID) -> HttpResponse:
    review = get_review(request.actor, review_id)
    refusal = attempt(lambda: reject_review(review, by=request.actor, reason=request.POST.get("reason", "")))
    if refusal:
        return _show(request, review, refusal)
    messages.success(request, "Rejected. The author is told why.")
    return _next(request)


def _next(request: MemberRequest) -> HttpResponse:
    following = waiting_reviews(request.actor).first()
    return redirect("campaigns:review-detail", following.pk) if following else redirect("campaigns:review-list")
