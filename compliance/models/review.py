from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q

from accounts.models import User
from accounts.tenancy import TenantForeignKey, TenantModel
from lib.clock import now


class Risk(models.TextChoices):
    LOW = "low", "Low"
    MEDIUM = "medium", "Medium"
    HIGH = "high", "High"


class Review(TenantModel):
    """An action that waits for a person's decision, as it was rendered, bound to the hash of what will be done."""

    class Status(models.TextChoices):
        WAITING = "waiting", "Waiting"
        APPROVED = "approved", "Approved"
        REJECTED = "rejected", "Rejected"
        CHANGES = "changes", "Changes requested"
        # The content changed, or the post was withdrawn, before anybody decided.
        OBSOLETE = "obsolete", "Obsolete"
        # Nobody decided in time: it is not sent.
        EXPIRED = "expired", "Expired"

    kind = models.CharField(max_length=40)
    object_id = models.UUIDField()
    # What it belongs to, by id: its post, its campaign. Links and policies are given for these.
    scopes = ArrayField(models.UUIDField(), default=list)
    action_hash = models.CharField(max_length=64)
    snapshot = models.JSONField(default=dict)
    # What the guard found when it was asked for.
    guard = models.JSONField(default=dict)
    risk = models.CharField(max_length=6, choices=Risk.choices, default=Risk.LOW)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.WAITING)
    requested_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    requested_at = models.DateTimeField(default=now)
    # When a decision is wanted, and when it is too late for one.
    due_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    reminded_at = models.DateTimeField(null=True)
    # 0: reviewers were asked; 1: admins as well; 2: the owner.
    escalation_level = models.PositiveSmallIntegerField(default=0)
    # Somebody is looking at it; others may still look, but not decide, until the lock ends.
    claimed_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    claimed_until = models.DateTimeField(null=True)
    # On hold: it waits, and nobody may approve it until it is released.
    held_at = models.DateTimeField(null=True)
    held_by_label = models.CharField(max_length=120, blank=True)
    hold_reason = models.TextField(blank=True)
    decided_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    # A client without an account, or a policy, by name.
    decided_label = models.CharField(max_length=120, blank=True)
    decided_link = TenantForeignKey("compliance.ReviewLink", null=True, on_delete=models.SET_NULL, related_name="+")
    decided_at = models.DateTimeField(null=True)
    reason = models.TextField(blank=True)

    class Meta:
        ordering = ["requested_at"]
        indexes = [
            models.Index(fields=["workspace", "status", "requested_at"], name="review_queue"),
            models.Index(fields=["due_at"], condition=Q(status="waiting"), name="review_due"),
            models.Index(fields=["kind", "object_id"], name="review_object"),
            GinIndex(fields=["scopes"], name="review_scopes"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "kind", "object_id"],
                condition=Q(status="waiting"),
                name="one_waiting_review",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.object_id} ({self.status})"

    def is_claimed(self, at: datetime) -> bool:
        return self.claimed_until is not None and self.claimed_until > at

    @property
    def is_late(self) -> bool:
        return self.status == self.Status.WAITING and self.due_at is not None and self.due_at < now()


class ReviewEvent(TenantModel):
    """What happened to a review, one row each, for its history."""

    class Kind(models.TextChoices):
        REQUESTED = "requested", "Requested"
        CLAIMED = "claimed", "Claimed"
        RELEASED = "released", "Released"
        REMINDED = "reminded", "Reminded"
        ESCALATED = "escalated", "Escalated"
        HELD = "held", "Put on hold"
        RESUMED = "resumed", "Taken off hold"
        COMMENTED = "commented", "Commented"
        APPROVED = "approved", "Approved"
        REJECTED = "rejected", "Rejected"
        CHANGES = "changes", "Changes requested"
        OBSOLETE = "obsolete", "Withdrawn"
        EXPIRED = "expired", "Expired"

    review = TenantForeignKey(Review, on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(max_length=9, choices=Kind.choices)
    user = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    label = models.CharField(max_length=120, blank=True)
    text = models.TextField(blank=True)
    at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["at", "id"]


class ReviewLink(TenantModel):
    """A client decides without an account. A resolver: read by the hash of its token; only the hash is stored."""

    token_hash = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=80)
    email = models.EmailField(blank=True)
    # The post or campaign whose reviews it opens.
    scope_id = models.UUIDField()
    scope_label = models.CharField(max_length=200)
    can_decide = models.BooleanField(default=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=now)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.name}: {self.scope_label}"

    @property
    def is_open(self) -> bool:
        return self.revoked_at is None and self.expires_at > now()
