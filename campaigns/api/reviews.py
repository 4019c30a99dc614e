"""/api/reviews: what waits for a person's decision."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Perm
from accounts.rest import WorkspaceView
from campaigns.api.answers import Data, ListView, page_of, valid
from compliance.access import get_review
from compliance.models import Review
from compliance.services import approve_review, reject_review


class ReviewAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    kind = serializers.CharField()
    object = serializers.UUIDField(help_text="The delivery, where the kind is delivery.")
    status = serializers.ChoiceField(Review.Status.choices)
    hash = serializers.CharField(help_text="Of exactly what is asked for; send it back to approve.")
    snapshot = serializers.DictField(help_text="What the hash covers.")
    requested_at = serializers.DateTimeField()
    decided_at = serializers.DateTimeField(allow_null=True)
    reason = serializers.CharField()


class ReviewFilter(serializers.Serializer[Any]):
    status = serializers.ChoiceField(Review.Status.choices, default=Review.Status.WAITING)


class ApproveInput(serializers.Serializer[Any]):
    hash = serializers.CharField(max_length=64, help_text="Of what you looked at.")


class RejectInput(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=2000)


def review_data(review: Review) -> Data:
    return {
        "id": review.pk,
        "kind": review.kind,
        "object": review.object_id,
        "status": review.status,
        "hash": review.action_hash,
        "snapshot": review.snapshot,
        "requested_at": review.requested_at,
        "decided_at": review.decided_at,
        "reason": review.reason,
    }


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
        rows = Review.objects.filter(workspace=self.actor.workspace)
        return page_of(self, rows.filter(**valid(ReviewFilter(data=request.query_params))), review_data)


class ApproveView(WorkspaceView):
    @extend_schema(
        operation_id="review_approve",
        tags=["reviews"],
        summary="Approve exactly what you saw",
        request=ApproveInput,
        responses=ReviewAnswer,
    )
    def post(self, request: Request, review_id: UUID) -> Response:
        review = get_review(self.actor, review_id)
        self.actor.require(Perm.REVIEW)
        seen_hash = valid(ApproveInput(data=request.data))["hash"]
        approve_review(review, by=self.actor, seen_hash=seen_hash)
        return Response(review_data(review))


class RejectView(WorkspaceView):
    @extend_schema(
        operation_id="review_reject",
        tags=["reviews"],
        summary="Reject, with the reason for the author",
        request=RejectInput,
        responses=ReviewAnswer,
    )
    def post(self, request: Request, review_id: UUID) -> Response:
        review = get_review(self.actor, review_id)
        self.actor.require(Perm.REVIEW)
        reject_review(review, by=self.actor, reason=valid(RejectInput(data=request.data))["reason"])
        return Response(review_data(review))
