"""What visitors did. Event is partitioned by month (`analytics.partitions`); rollups are made from it, exactly once."""

from django.db import models

from accounts.tenancy import TenantForeignKey, TenantModel
from analytics.models.links import Link
from campaigns.models import Campaign
from lib.clock import now
from lib.ids import uuid7


class Event(models.Model):
    """Something a visitor did. Plain ids instead of keys: rows come by the million and go by the partition."""

    class Kind(models.TextChoices):
        CLICK = "click", "Click"
        VIEW = "view", "Page view"
        CONVERSION = "conversion", "Conversion"
        CUSTOM = "custom", "Custom"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace_id = models.UUIDField()
    # Grows with every insert: rollups go by it (`analytics.rollups`).
    number = models.BigIntegerField()
    at = models.DateTimeField()
    received_at = models.DateTimeField(default=now)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    # Of a custom event, or the goal of a conversion.
    name = models.CharField(max_length=60, blank=True)
    campaign_id = models.UUIDField(null=True)
    post_id = models.UUIDField(null=True)
    link_id = models.UUIDField(null=True)
    arm = models.CharField(max_length=12, blank=True)
    # 32 hexadecimal digits, see Exposure.unit.
    visitor = models.CharField(max_length=32, blank=True)
    is_bot = models.BooleanField(default=False)
    # Why it was taken for a bot: agent, head, prefetch, early, range.
    bot_reason = models.CharField(max_length=12, blank=True)
    # The site it came from (host only), and phone, tablet, desktop or bot.
    referrer = models.CharField(max_length=120, blank=True)
    device = models.CharField(max_length=8, blank=True)
    language = models.CharField(max_length=12, blank=True)
    value_micro = models.BigIntegerField(default=0)

    class Meta:
        # The key in the database is (at, id): the partition's column must be in it.
        ordering = ["number"]


class Conversion(TenantModel):
    """What a visitor did that is worth something. Kept as long as the workspace; the same key is one conversion."""

    class Source(models.TextChoices):
        PIXEL = "pixel", "Pixel"
        SERVER = "server", "Server"
        CSV = "csv", "CSV"
        TELEGRAM = "telegram", "Telegram"

    key = models.CharField(max_length=120)
    goal = models.CharField(max_length=60, default="purchase")
    at = models.DateTimeField()
    received_at = models.DateTimeField(default=now)
    source = models.CharField(max_length=8, choices=Source.choices)
    # Of the workspace's currency, in millionths. A refund is its own row with a negative value.
    value_micro = models.BigIntegerField(default=0)
    # The click it is counted for, and what follows from that; empty where none was found.
    click_id = models.UUIDField(null=True)
    clicked_at = models.DateTimeField(null=True)
    visitor = models.CharField(max_length=32, blank=True)
    link = TenantForeignKey(Link, null=True, on_delete=models.SET_NULL, related_name="+")
    campaign = TenantForeignKey(Campaign, null=True, on_delete=models.SET_NULL, related_name="+")
    post_id = models.UUIDField(null=True)
    arm = models.CharField(max_length=12, blank=True)
    # Whatever the caller sent along, up to a size.
    data = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["-at"]
        constraints = [models.UniqueConstraint(fields=["workspace", "key"], name="conversion_once")]
        indexes = [
            models.Index(fields=["workspace", "-at"], name="conversion_at"),
            models.Index(fields=["workspace", "campaign", "-at"], name="conversion_campaign"),
        ]


class RollupCursor(models.Model):
    """Up to which number events are rolled up. One row, of the installation."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    number = models.BigIntegerField(default=0)
    rolled_at = models.DateTimeField(default=now)


class Rollup(models.Model):
    """Counts of events that are alike. `visitors` are those of the day, each counted where first seen that day."""

    id = models.BigAutoField(primary_key=True)
    workspace_id = models.UUIDField()
    kind = models.CharField(max_length=10)
    name = models.CharField(max_length=60, blank=True)
    campaign_id = models.UUIDField(null=True)
    post_id = models.UUIDField(null=True)
    link_id = models.UUIDField(null=True)
    arm = models.CharField(max_length=12, blank=True)
    is_bot = models.BooleanField()
    events = models.BigIntegerField(default=0)
    visitors = models.BigIntegerField(default=0)
    value_micro = models.BigIntegerField(default=0)

    class Meta:
        abstract = True


class HourRollup(Rollup):
    # The beginning of the hour on the workspace's clock when it was counted.
    hour = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace_id", "hour", "kind", "name", "campaign_id", "post_id", "link_id", "arm", "is_bot"],
                name="hour_rollup_once",
                nulls_distinct=False,
            )
        ]


class DayRollup(Rollup):
    # The date on the workspace's clock when it was counted.
    day = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace_id", "day", "kind", "name", "campaign_id", "post_id", "link_id", "arm", "is_bot"],
                name="day_rollup_once",
                nulls_distinct=False,
            )
        ]


class VisitorDay(models.Model):
    """That a visitor was counted on a day for a link: what makes `visitors` exact. Kept for a short while."""

    id = models.BigAutoField(primary_key=True)
    workspace_id = models.UUIDField()
    day = models.DateField()
    kind = models.CharField(max_length=10)
    link_id = models.UUIDField(null=True)
    visitor = models.CharField(max_length=32)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace_id", "day", "kind", "link_id", "visitor"],
                name="visitor_day_once",
                nulls_distinct=False,
            )
        ]
        indexes = [models.Index(fields=["day"], name="visitor_day_sweep")]
