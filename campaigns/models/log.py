"""What happened, for people and for reports."""

from django.db import models

from accounts.tenancy import TenantForeignKey, TenantModel
from campaigns.models.source import Source
from lib.clock import now


class PublishingLog(TenantModel):
    """One line for each thing that happened to a delivery. Ids only: the line outlives what it speaks of."""

    delivery_id = models.UUIDField(null=True)
    post_id = models.UUIDField(null=True)
    connection_id = models.UUIDField(null=True)
    source_id = models.UUIDField(null=True)
    campaign_id = models.UUIDField(null=True)
    # created, submitted, approved, scheduled, published, retry, failed, unconfirmed, missed, canceled…
    action = models.CharField(max_length=30)
    # info, success, warning or error
    status = models.CharField(max_length=8)
    message = models.CharField(max_length=300, blank=True)
    details = models.JSONField(default=dict)
    at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["-at"]
        verbose_name = "publishing log line"
        indexes = [
            models.Index(fields=["workspace", "-at"], name="publishing_log_at"),
            models.Index(fields=["delivery_id", "at"], name="publishing_log_delivery"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.status}"


class HourlyRollup(TenantModel):
    """How many deliveries of a project were created, completed and failed in an hour; no project: all others."""

    source = TenantForeignKey(Source, null=True, on_delete=models.CASCADE, related_name="+")
    hour = models.DateTimeField()
    created = models.PositiveIntegerField(default=0)
    completed = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-hour"]
        constraints = [
            models.UniqueConstraint(fields=["workspace", "source", "hour"], name="rollup_once", nulls_distinct=False)
        ]


class LinkCheck(TenantModel):
    """Whether an address that a post names answers."""

    url = models.TextField()
    url_hash = models.CharField(max_length=64)
    is_ok = models.BooleanField()
    http_status = models.PositiveSmallIntegerField(null=True)
    problem = models.CharField(max_length=200, blank=True)
    checked_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "url_hash"], name="link_checked_once")]
