from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q

from accounts.models import User
from accounts.tenancy import TenantModel
from lib.clock import now
from lib.ids import uuid7


class Review(TenantModel):
    """An action that waits for a person's decision, as it was rendered, bound to the hash of what will be done."""

    class Status(models.TextChoices):
        WAITING = "waiting", "Waiting"
        APPROVED = "approved", "Approved"
        REJECTED = "rejected", "Rejected"
        # The content changed, or the post was withdrawn, before anybody decided.
        OBSOLETE = "obsolete", "Obsolete"

    kind = models.CharField(max_length=40)
    object_id = models.UUIDField()
    action_hash = models.CharField(max_length=64)
    snapshot = models.JSONField(default=dict)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.WAITING)
    requested_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    requested_at = models.DateTimeField(default=now)
    decided_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    decided_at = models.DateTimeField(null=True)
    reason = models.TextField(blank=True)

    class Meta:
        ordering = ["requested_at"]
        indexes = [models.Index(fields=["workspace", "status", "requested_at"], name="review_queue")]
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "kind", "object_id"],
                condition=Q(status="waiting"),
                name="one_waiting_review",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.object_id} ({self.status})"


class Fingerprint(models.Model):
    """What one delivery says, as keyed digests without a word of it. Global: X forbids repeats across customers."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # Of a higher floor and of the tenant, by id only.
    workspace_id = models.UUIDField()
    connection_id = models.UUIDField()
    delivery_id = models.UUIDField(unique=True)
    network = models.CharField(max_length=12)
    exact = models.CharField(max_length=64)
    # MinHash: bands find candidates, the signature measures how alike they are.
    bands = ArrayField(models.BigIntegerField())
    signature = ArrayField(models.BigIntegerField())
    is_published = models.BooleanField(default=False)
    seen_at = models.DateTimeField(default=now)

    class Meta:
        indexes = [
            models.Index(fields=["network", "exact"], name="fingerprint_exact"),
            GinIndex(fields=["bands"], name="fingerprint_bands"),
        ]

    def __str__(self) -> str:
        return f"fingerprint of {self.delivery_id}"
