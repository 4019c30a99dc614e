"""/api/deliveries/{id}/metrics: the numbers of what a delivery published, by age."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.rest import WorkspaceView
from analytics.ages import Missing
from analytics.collection.numbers import PostNumbers, measured_of, numbers_of
from analytics.models import Snapshot
from analytics.models.measures import METRICS
from campaigns.access import get_delivery

REASONS = ", ".join(Missing)


class SnapshotAnswer(serializers.Serializer[Any]):
    age_s = serializers.IntegerField(help_text="The planned age in seconds after publishing.")
    at = serializers.DateTimeField(help_text="When it was taken.")
    source = serializers.CharField()  # type: ignore[assignment]
    kind = serializers.ChoiceField(Snapshot.Kind.choices)
    metrics = serializers.DictField(child=serializers.IntegerField(), help_text="Only what is known.")
    missing = serializers.DictField(child=serializers.CharField(), help_text="Why the rest is not; * is all.")


class MetricsAnswer(serializers.Serializer[Any]):
    """The newest numbers; null is not known, never zero."""

    id = serializers.UUIDField()
    part = serializers.IntegerField(allow_null=True, help_text="Position in the thread.")
    remote_id = serializers.CharField()
    url = serializers.CharField()
    published_at = serializers.DateTimeField()
    measured_at = serializers.DateTimeField(allow_null=True)
    due_at = serializers.DateTimeField(allow_null=True, help_text="When it is measured next.")
    gone_at = serializers.DateTimeField(allow_null=True, help_text="When it was found deleted.")
    impressions = serializers.IntegerField(allow_null=True)
    likes = serializers.IntegerField(allow_null=True)
    replies = serializers.IntegerField(allow_null=True)
    reposts = serializers.IntegerField(allow_null=True)
    quotes = serializers.IntegerField(allow_null=True)
    bookmarks = serializers.IntegerField(allow_null=True)
    link_clicks = serializers.IntegerField(allow_null=True)
    profile_clicks = serializers.IntegerField(allow_null=True)
    video_views = serializers.IntegerField(allow_null=True)
    reactions = serializers.IntegerField(allow_null=True)
    joins = serializers.IntegerField(allow_null=True)
    engagements = serializers.IntegerField(allow_null=True)
    missing = serializers.DictField(child=serializers.CharField(), help_text=f"By name: {REASONS}.")
    snapshots = SnapshotAnswer(many=True)


COLUMNS = ("remote_id", "url", "published_at", "measured_at", "due_at", "gone_at", *METRICS, "engagements", "missing")
TAKEN = [str(name) for name in SnapshotAnswer().fields]


def metrics_data(numbers: PostNumbers) -> dict[str, Any]:
    post = numbers.post
    snapshots = [row.snapshot for row in numbers.rows if row.snapshot]
    return {
        "id": post.pk,
        "part": post.part.position if post.part else None,
        **{name: getattr(post, name) for name in COLUMNS},
        "snapshots": [{name: getattr(row, name) for name in TAKEN} for row in snapshots],
    }


class DeliveryMetricsView(WorkspaceView):
    @extend_schema(
        operation_id="delivery_metrics",
        tags=["deliveries"],
        summary="What each part of a delivery reached, by age",
        responses=MetricsAnswer(many=True),
    )
    def get(self, request: Request, delivery_id: UUID) -> Response:
        posts = measured_of(get_delivery(self.actor, delivery_id)).select_related("part")
        return Response([metrics_data(numbers) for numbers in numbers_of(posts)])
