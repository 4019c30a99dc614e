from django.db import models

from accounts.tenancy import TenantModel
from lib.clock import now


class UsageEntry(TenantModel):
    """One cost in micro-dollars: reserved before a call, settled or released once its outcome is known."""

    class Status(models.TextChoices):
        RESERVED = "reserved", "Reserved"
        SETTLED = "settled", "Settled"
        RELEASED = "released", "Released"

    # Names the effect: the same effect is never counted twice.
    key = models.CharField(max_length=120)
    kind = models.CharField(max_length=40)
    amount_micro = models.PositiveBigIntegerField()
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.RESERVED)
    # The first day of the UTC month it counts in.
    month = models.DateField()
    # Rows of higher floors, by id only.
    campaign_id = models.UUIDField(null=True)
    connection_id = models.UUIDField(null=True)
    object_id = models.UUIDField(null=True)
    # Further totals it counts in, as `UsageTotal` names them: `ai:2026-11`, `run:<id>`.
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField(default=now)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]
        verbose_name_plural = "usage entries"
        constraints = [models.UniqueConstraint(fields=["workspace", "key"], name="usage_once")]
        indexes = [
            models.Index(fields=["workspace", "month", "kind"], name="usage_month"),
            models.Index(fields=["workspace", "campaign_id"], name="usage_campaign"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount_micro}"


class UsageTotal(TenantModel):
    """What one budget has spent and holds back, moved only by conditional updates: `month:2026-11`, `campaign:<id>`."""

    scope = models.CharField(max_length=60)
    spent_micro = models.PositiveBigIntegerField(default=0)
    reserved_micro = models.PositiveBigIntegerField(default=0)
    # The last mark that people were told of, and the cap it was a share of: another cap is told anew.
    warned_percent = models.PositiveSmallIntegerField(default=0)
    warned_cap_micro = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "scope"], name="usage_total_once")]

    def __str__(self) -> str:
        return self.scope


class Meter(TenantModel):
    """How much of a plan's quota was used in a UTC month, counted by conditional updates: `briefs`, `mcp_calls`."""

    name = models.CharField(max_length=40)
    month = models.DateField()
    count = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "name", "month"], name="meter_once")]

    def __str__(self) -> str:
        return self.name


class RateCell(models.Model):
    """When the next act of a kind conforms to its rate (GCRA). Global: the key is a digest of scope and act."""

    key = models.CharField(max_length=64, primary_key=True)
    # Theoretical arrival time.
    tat = models.DateTimeField()

    def __str__(self) -> str:
        return self.key[:12]


class Switch(models.Model):
    """A switch of the whole installation that staff may throw. On means stopped."""

    PUBLISHING = "publishing"

    name = models.CharField(max_length=40, primary_key=True)
    is_on = models.BooleanField(default=False)
    reason = models.CharField(max_length=200, blank=True)
    changed_by = models.CharField(max_length=120, blank=True)
    changed_at = models.DateTimeField(default=now)

    class Meta:
        verbose_name_plural = "switches"

    def __str__(self) -> str:
        return self.name
