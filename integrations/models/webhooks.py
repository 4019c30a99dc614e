from django.db import models
from django.db.models import Q

from accounts.models import User
from accounts.tenancy import TenantForeignKey, TenantModel
from integrations.webhooks.kinds import told_of
from lib.clock import now
from lib.crypto import SecretField


class WebhookEndpoint(TenantModel):
    """An address of a customer that is told of events."""

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        # By a person, or after too many failures in a row.
        PAUSED = "paused", "Paused"

    label = models.CharField(max_length=80, blank=True)
    url = models.URLField(max_length=500)
    # Kinds of events, or their beginnings: "delivery.", "report.ready"; "*" for all.
    kinds = models.JSONField(default=list)
    secret = SecretField()
    # Signs as well, until a receiver has changed over.
    old_secret = SecretField(blank=True, default="")
    old_secret_until = models.DateTimeField(null=True)
    status = models.CharField(max_length=6, choices=Status.choices, default=Status.ACTIVE)
    status_text = models.CharField(max_length=200, blank=True)
    failures_in_row = models.PositiveIntegerField(default=0)
    # Since its first failure after the last success; and until when it is left alone.
    failing_since = models.DateTimeField(null=True)
    rest_until = models.DateTimeField(null=True)
    last_ok_at = models.DateTimeField(null=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.label or self.url

    @property
    def told_of(self) -> str:
        return told_of(self.kinds)


class WebhookDelivery(TenantModel):
    """One event for one endpoint. Those with the same ordering key go one after the other."""

    class Status(models.TextChoices):
        PENDING = "pending", "Waiting"
        DELIVERED = "delivered", "Delivered"
        FAILED = "failed", "Failed"
        CANCELED = "canceled", "Canceled"

    endpoint = TenantForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="deliveries")
    # Of the outbox; empty for tests. Sent again by hand, it has a row of its own.
    event_id = models.UUIDField(null=True)
    replay_of = TenantForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="replays")
    kind = models.CharField(max_length=60)
    ordering_key = models.CharField(max_length=120)
    # The body as it is signed and sent.
    payload = models.JSONField(default=dict)
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.PENDING)
    tries = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(default=now)
    lease_until = models.DateTimeField(null=True)
    fence = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=now)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]
        verbose_name_plural = "webhook deliveries"
        constraints = [
            models.UniqueConstraint(
                fields=["endpoint", "event_id"],
                condition=Q(replay_of=None) & ~Q(event_id=None),
                name="webhook_event_once",
            )
        ]
        indexes = [
            models.Index(fields=["endpoint", "due_at", "id"], condition=Q(status="pending"), name="webhook_due"),
            models.Index(fields=["lease_until"], condition=Q(status="pending"), name="webhook_lease"),
            models.Index(
                fields=["endpoint", "ordering_key", "id"], condition=Q(status="pending"), name="webhook_order"
            ),
            models.Index(fields=["workspace", "endpoint", "-created_at"], name="webhook_log"),
        ]

    def __str__(self) -> str:
        return self.kind


class WebhookTry(TenantModel):
    delivery = TenantForeignKey(WebhookDelivery, on_delete=models.CASCADE, related_name="log")
    at = models.DateTimeField(default=now)
    # Empty where no answer came.
    status_code = models.PositiveSmallIntegerField(null=True)
    ms = models.PositiveIntegerField(default=0)
    problem_text = models.CharField(max_length=300, blank=True)
    # The beginning of the answer.
    answer = models.CharField(max_length=1000, blank=True)

    class Meta:
        ordering = ["-at"]
        verbose_name_plural = "webhook tries"
        indexes = [models.Index(fields=["workspace", "delivery", "at"], name="webhook_try")]
