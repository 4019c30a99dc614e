from django.db import models
from django.db.models import Q

from accounts.models import User
from accounts.tenancy import TenantModel
from lib.clock import now


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
