from django.db import models
from django.db.models import Q

from accounts.models import User
from accounts.tenancy import TenantForeignKey, TenantModel
from campaigns.models import Campaign, Delivery, LivePart
from lib.clock import now
from social.models import Connection

# What is counted of a post, as the columns of MeasuredPost.
METRICS = (
    "impressions",
    "likes",
    "replies",
    "reposts",
    "quotes",
    "bookmarks",
    "link_clicks",
    "profile_clicks",
    "video_views",
    "reactions",
    "joins",
)


class MeasuredPost(TenantModel):
    """A post that is live on a network, ours or made elsewhere: when it is measured next, and its newest numbers.

    A number that is null was never measured or is not to be had; `missing` says why. It is never zero for that.
    """

    connection = TenantForeignKey(Connection, on_delete=models.CASCADE, related_name="+")
    remote_id = models.CharField(max_length=40)
    # Both null where it was made elsewhere.
    part = TenantForeignKey(LivePart, null=True, on_delete=models.CASCADE, related_name="+")
    delivery = TenantForeignKey(Delivery, null=True, on_delete=models.CASCADE, related_name="measured")
    campaign = TenantForeignKey(Campaign, null=True, on_delete=models.SET_NULL, related_name="+")
    url = models.CharField(max_length=300, blank=True)
    text = models.TextField(blank=True)
    published_at = models.DateTimeField()
    # Position in `analytics.ages.AGES`; past its end nothing is due any more.
    next_age = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    failures = models.PositiveSmallIntegerField(default=0)
    measured_at = models.DateTimeField(null=True)
    gone_at = models.DateTimeField(null=True)

    impressions = models.PositiveBigIntegerField(null=True)
    likes = models.PositiveBigIntegerField(null=True)
    replies = models.PositiveBigIntegerField(null=True)
    reposts = models.PositiveBigIntegerField(null=True)
    quotes = models.PositiveBigIntegerField(null=True)
    bookmarks = models.PositiveBigIntegerField(null=True)
    link_clicks = models.PositiveBigIntegerField(null=True)
    profile_clicks = models.PositiveBigIntegerField(null=True)
    video_views = models.PositiveBigIntegerField(null=True)
    reactions = models.PositiveBigIntegerField(null=True)
    joins = models.PositiveBigIntegerField(null=True)
    # All of likes, replies, reposts, quotes, bookmarks, reactions that are known, added up.
    engagements = models.PositiveBigIntegerField(null=True)
    # Name of a number to why there is none (`analytics.ages.Missing`).
    missing = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["-published_at"]
        constraints = [models.UniqueConstraint(fields=["connection", "remote_id"], name="measured_once")]
        indexes = [
            models.Index(fields=["due_at"], condition=~Q(due_at=None), name="measure_due"),
            models.Index(fields=["workspace", "-published_at"], name="measured_list"),
            models.Index(fields=["workspace", "campaign", "-published_at"], name="measured_campaign"),
        ]


class Snapshot(TenantModel):
    """The numbers of one post at one age."""

    class Kind(models.TextChoices):
        EXACT = "exact", "Exact"
        DELAYED = "delayed", "Delayed"
        ESTIMATED = "estimated", "Estimated"

    post = TenantForeignKey(MeasuredPost, on_delete=models.CASCADE, related_name="snapshots")
    # The planned age in seconds (one of `analytics.ages.AGES`), and when it was really taken.
    age_s = models.PositiveIntegerField()
    at = models.DateTimeField(default=now)
    # x.lookup, telegram.updates, telegram.session, link
    source = models.CharField(max_length=20)
    kind = models.CharField(max_length=9, choices=Kind.choices, default=Kind.EXACT)
    # {"likes": 3, …}: only what is known.
    metrics = models.JSONField(default=dict)
    missing = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["age_s"]
        constraints = [models.UniqueConstraint(fields=["post", "age_s", "source"], name="snapshot_once")]


class FollowerCount(TenantModel):
    """Followers or members of an account on a date (UTC): the last reading of the day."""

    connection = TenantForeignKey(Connection, on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    count = models.PositiveBigIntegerField()
    at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["day"]
        constraints = [models.UniqueConstraint(fields=["connection", "day"], name="followers_once_a_day")]


class MediaCost(TenantModel):
    """Money spent outside, for pictures, films or placements, as a person says it."""

    campaign = TenantForeignKey(Campaign, on_delete=models.CASCADE, related_name="media_costs")
    day = models.DateField()
    amount_micro = models.PositiveBigIntegerField()
    note = models.CharField(max_length=200, blank=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["-day"]


class Target(TenantModel):
    """What a campaign is to reach: held against what it did."""

    campaign = TenantForeignKey(Campaign, on_delete=models.CASCADE, related_name="targets")
    # impressions, engagements, clicks, visitors, conversions, revenue or followers
    metric = models.CharField(max_length=20)
    # Revenue in millionths of the workspace's currency.
    value = models.BigIntegerField()
    created_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["metric"]
        constraints = [models.UniqueConstraint(fields=["campaign", "metric"], name="target_once")]
