from django.db import models

from accounts.models.people import User
from accounts.tenancy import TenantModel
from lib.clock import now


class Event(TenantModel):
    """The outbox: written in the transaction of what happened, turned into webhooks later."""

    kind = models.CharField(max_length=60)
    payload = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=now, db_index=True)
    # Became webhooks, or nobody wanted it.
    is_handed_on = models.BooleanField(default=False)

    class Meta:
        indexes = [
            models.Index(
                fields=["workspace", "created_at", "id"],
                condition=models.Q(is_handed_on=False),
                name="event_to_hand_on",
            )
        ]

    def __str__(self) -> str:
        return self.kind


class Notification(TenantModel):
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=60)
    text = models.CharField(max_length=300)
    path = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(default=now)
    read_at = models.DateTimeField(null=True)
    # Alerts are mailed, once the person's quiet hours are over.
    is_alert = models.BooleanField(default=False)
    mailed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["workspace", "user", "-created_at"], name="notification_inbox"),
            models.Index(
                fields=["created_at"], condition=models.Q(is_alert=True, mailed_at=None), name="notification_to_mail"
            ),
        ]

    def __str__(self) -> str:
        return self.text

    @property
    def href(self) -> str:
        """Where it leads, inside its workspace."""
        is_complete = not self.path or self.path.startswith("/w/")
        return self.path if is_complete else f"/w/{self.workspace.slug}{self.path}"


class IdempotencyKey(TenantModel):
    """The answer to a write, kept so that the same request again gets the same answer."""

    key = models.CharField(max_length=200)
    caller = models.CharField(max_length=60)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(default=0)
    body = models.JSONField(null=True)
    created_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "caller", "key"], name="idempotency_key_once")]

    def __str__(self) -> str:
        return self.key
