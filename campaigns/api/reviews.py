"""/api/reviews: what waits for a person's decision, and the decisions."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Perm
from accounts.rest import WorkspaceView
from campaigns.api.answers import Data, ListView, page_of, valid
from compliance.access import get_review
from compliance.models import Review, ReviewEvent
from compliance.models.review import Risk
from compliance.reviews.bulk import MOST
from compliance.services import (
    Left,
    approve_review,
    approve_reviews,
    claim_review,
    comment_review,
    hold_review,
    reject_review,
    reject_reviews,
    release_review,
    request_changes,
    resume_review,
)
from lib.clock import now


class ReviewAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    kind = serializers.CharField()
    object = serializers.UUIDField(help_text="The delivery, where the kind is delivery.")
    status = serializers.ChoiceField(Review.Status.choices)
    risk = serializers.ChoiceField(Risk.choices)
    hash = serializers.CharField(help_text="Of exactly what is asked for; send it back to approve.")
    snapshot = serializers.DictField(help_text="What the hash covers.")
    guard = serializers.DictField(help_text="What the rules found: verdict, disclosure and hits.")
    requested_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField(allow_null=True, help_text="When a decision is wanted.")
    expires_at = serializers.DateTimeField(allow_null=True, help_text="When it is too late for one.")
    is_late = serializers.BooleanField()
    escalation_level = serializers.IntegerField(help_text="0: reviewers were told, 1: admins too, 2: the owner.")
    claimed_by = serializers.CharField(allow_null=True, help_text="Who is looking at it right now.")
    claimed_until = serializers.DateTimeField(allow_null=True)
    hold_reason = serializers.CharField(allow_null=True, help_text="Why it is on hold; null where it is not.")
    decided_at = serializers.DateTimeField(allow_null=True)
    decided_by = serializers.CharField(allow_null=True, help_text="A member, a client or a policy.")
    reason = serializers.CharField()


class EventAnswer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(ReviewEvent.Kind.choices)
    by = serializers.CharField()
    text = serializers.CharField()
    at = serializers.DateTimeField()


class ReviewDetailAnswer(ReviewAnswer):
    events = EventAnswer(many=True)


class ReviewFilter(serializers.Serializer[Any]):
    status = serializers.ChoiceField(Review.Status.choices, default=Review.Status.WAITING)
    risk = serializers.ChoiceField(Risk.choices, required=False)
    scope = serializers.UUIDField(required=False, help_text="A post or a campaign.")
    late = serializers.BooleanField(required=False, help_text="Only those whose time for a decision is over.")


class ApproveInput(serializers.Serializer[Any]):
    hash = serializers.CharField(max_length=64, help_text="Of what you looked at.")


class ReasonInput(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=2000)


class CommentInput(serializers.Serializer[Any]):
    text = serializers.CharField(max_length=2000)


class SeenInput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    hash = serializers.CharField(max_length=64)


class BulkInput(serializers.Serializer[Any]):
    action = serializers.ChoiceField(["approve", "reject"])
    reviews = serializers.ListField(child=SeenInput(), allow_empty=False, max_length=MOST)
    reason = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")


class LeftAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    why = serializers.CharField()


class BulkAnswer(serializers.Serializer[Any]):
    done = serializers.ListField(child=serializers.UUIDField())
    left = LeftAnswer(many=True, help_text="What has to be opened by somebody, and why.")


def review_data(review: Review) -> Data:
    claimed = review.is_claimed(now())
    decided_by = str(review.decided_by) if review.decided_by else review.decided_label
    return {
        "id": review.pk,
        "kind": review.kind,
        "object": review.object_id,
        "status": review.status,
        "risk": review.risk,
        "hash": review.action_hash,
        "snapshot": review.snapshot,
        "guard": review.guard,
        "requested_at": review.requested_at,
        "due_at": review.due_at,
        "expires_at": review.expires_at,
        "is_late": review.is_late,
        "escalation_level": review.escalation_level,
        "claimed_by": str(review.claimed_by) if claimed else None,
        "claimed_until": review.claimed_until if claimed else None,
        "hold_reason": review.hold_reason if review.held_at else None,
        "decided_at": review.decided_at,
        "decided_by": decided_by or None,
        "reason": review.reason,
    }


def event_data(event: ReviewEvent) -> Data:
    return {"kind": event.kind, "by": str(event.user or event.label), "text": event.text, "at": event.at}


def with_people(rows: QuerySet[Review]) -> QuerySet[Review]:
    return rows.select_related("claimed_by", "decided_by")


def filtered(rows: QuerySet[Review], wanted: Data) -> QuerySet[Review]:
    rows = rows.filter(status=wanted["status"])
    if "risk" in wanted:
        rows = rows.filter(risk=wanted["risk"])
    if "scope" in wanted:
        rows = rows.filter(scopes__contains=[wanted["scope"]])
    if wanted.get("late"):
        rows = rows.filter(due_at__lt=now())
    return rows


class ReviewListView(ListView):
    @extend_schema(
        operation_id="reviews",
        tags=["reviews"],
        summary="What waits for a decision, or was decided",
        parameters=[ReviewFilter],
        responses=ReviewAnswer(many=True),
    )
    def get(self, request: Request) -> Response:
        self.actor.require(Perm.VIEW)
        rows = with_people(Review.objects.filter(workspace=self.actor.workspace))
        return page_of(self, filtered(rows, valid(ReviewFilter(data=request.query_params))), review_data)


class ReviewView(WorkspaceView):
    @extend_schema(
        operation_id="review",
        tags=["reviews"],
        summary="One review, with its history",
        responses=ReviewDetailAnswer,
    )
    def get(self, request: Request, review_id: UUID) -> Response:
        review = get_review(self.actor, review_id)
        events = [event_data(event) for event in review.events.select_related("user")]
        return Response(review_data(review) | {"events": events})


class ActView(WorkspaceView):
    """One act on one review, which answers with the review as it is afterwards."""

    needs: Perm = Perm.REVIEW

    def act(self, review_id: UUID, do: Callable[[Review], object]) -> Response:
        review = get_review(self.actor, review_id)
        self.actor.require(self.needs)
        do(review)
        return Response(review_data(with_people(Review.objects.all()).get(pk=review.pk)))


class ApproveView(ActView):
    @extend_schema(
        operation_id="review_approve",
        tags=["reviews"],
        summary="Approve exactly what you saw",
        request=ApproveInput,
        responses=ReviewAnswer,
    )
    def post(self, request: Request, review_id: UUID) -> Response:
        def approve(review: Review) -> None:
            approve_review(review, by=self.actor, seen_hash=valid(ApproveInput(data=request.data))["hash"])

        return self.act(review_id, approve)


class ReasonView(ActView):
    """An act that needs a reason."""

    service: Callable[..., None]

    def with_reason(self, request: Request, review_id: UUID) -> Response:
        def run(review: Review) -> None:
            type(self).service(review, by=self.actor, reason=valid(ReasonInput(data=request.data))["reason"])

        return self.act(review_id, run)


class RejectView(ReasonView):
    service = staticmethod(reject_review)

    @extend_schema(
        operation_id="review_reject",
        tags=["reviews"],
        summary="Reject, with the reason for the author",
        request=ReasonInput,
        responses=ReviewAnswer,
    )
    def post(self, request: Request, review_id: UUID) -> Response:
        return self.with_reason(request, review_id)


class ChangesView(ReasonView):
    service = staticmethod(request_changes)

    @extend_schema(
        operation_id="review_changes",
        tags=["reviews"],
        summary="Send it back and say what should change",
        request=ReasonInput,
        responses=ReviewAnswer,
    )
    def post(self, request: Request, review_id: UUID) -> Response:
        return self.with_reason(request, review_id)


class HoldView(ReasonView):
    service = staticmethod(hold_review)

    @extend_schema(
        operation_id="review_hold",
        tags=["reviews"],
        summary="Keep it from being approved until it is resumed",
        request=ReasonInput,
        responses=ReviewAnswer,
    )
    def post(self, request: Request, review_id: UUID) -> Response:
        return self.with_reason(request, review_id)


class ResumeView(ActView):
    @extend_schema(
        operation_id="review_resume",
        tags=["reviews"],
        summary="Take it off hold",
        request=None,
        responses=ReviewAnswer,
    )
    def post(self, request: Request, review_id: UUID) -> Response:
        return self.act(review_id, lambda review: resume_review(review, by=self.actor))


class ClaimView(ActView):
    @extend_schema(
        operation_id="review_claim",
        tags=["reviews"],
        summary="Take it for ten minutes, or keep it for ten more: nobody else decides meanwhile",
        request=None,
        responses=ReviewAnswer,
    )
    def post(self, request: Request, review_id: UUID) -> Response:
        return self.act(review_id, lambda review: claim_review(review, by=self.actor))


class ReleaseView(ActView):
    @extend_schema(
        operation_id="review_release",
        tags=["reviews"],
        summary="Give it back to the others",
        request=None,
        responses=ReviewAnswer,
    )
    def post(self, request: Request, review_id: UUID) -> Response:
        return self.act(review_id, lambda review: release_review(review, by=self.actor))


class CommentView(ActView):
    needs = Perm.VIEW

    @extend_schema(
        operation_id="review_comment",
        tags=["reviews"],
        summary="Say something to the team",
        request=CommentInput,
        responses=ReviewAnswer,
    )
    def post(self, request: Request, review_id: UUID) -> Response:
        def comment(review: Review) -> None:
            comment_review(review, by=self.actor, text=valid(CommentInput(data=request.data))["text"])

        return self.act(review_id, comment)


class BulkView(WorkspaceView):
    @extend_schema(
        operation_id="reviews_bulk",
        tags=["reviews"],
        summary="Decide several: approves only what is harmless, and names the rest",
        request=BulkInput,
        responses=BulkAnswer,
    )
    def post(self, request: Request) -> Response:
        self.actor.require(Perm.REVIEW)
        data = valid(BulkInput(data=request.data))
        seen = {row["id"]: row["hash"] for row in data["reviews"]}
        rows = list(with_people(Review.objects.filter(workspace=self.actor.workspace, pk__in=seen)))
        left = self._decide(rows, seen, data)
        missing = [{"id": pk, "why": "No such review."} for pk in seen.keys() - {row.pk for row in rows}]
        named = [{"id": one.review.pk, "why": one.why} for one in left]
        kept = {one["id"] for one in named}
        return Response({"done": [row.pk for row in rows if row.pk not in kept], "left": named + missing})

    def _decide(self, rows: list[Review], seen: dict[UUID, str], data: Data) -> list[Left]:
        if not rows:
            return []
        if data["action"] == "reject":
            return reject_reviews(rows, by=self.actor, reason=data["reason"])
        return approve_reviews([(row, seen[row.pk]) for row in rows], by=self.actor)
