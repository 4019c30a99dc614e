from uuid import UUID

from django.db import models

from accounts.models.people import Workspace
from lib.clock import now

INSTANCE_CHAIN = UUID(int=0)


class AuditEntry(models.Model):
    """One link of a workspace's chain of decisions; `workspace` is empty in the instance's own (staff) chain.

    The chain covers salted digests. What was decided stands beside it in AuditDetail, which may be erased.
    """

    id = models.BigAutoField(primary_key=True)
    workspace = models.ForeignKey(Workspace, null=True, on_delete=models.CASCADE, related_name="+")
    number = models.PositiveBigIntegerField()
    at = models.DateTimeField(default=now)
    action = models.CharField(max_length=60)
    object_kind = models.CharField(max_length=40)
    object_id = models.CharField(max_length=40)
    digest = models.CharField(max_length=64)
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    class Meta:
        ordering = ["number"]
        verbose_name_plural = "audit entries"
        constraints = [
            models.UniqueConstraint(fields=["workspace", "number"], name="audit_number", nulls_distinct=False)
        ]
        indexes = [
            models.Index(fields=["workspace", "action", "-number"], name="audit_action"),
            models.Index(fields=["workspace", "object_kind", "object_id", "-number"], name="audit_object"),
            models.Index(fields=["workspace", "-at"], name="audit_at"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.action}"


class AuditDetail(models.Model):
    entry = models.OneToOneField(
        AuditEntry, on_delete=models.CASCADE, primary_key=True, related_name="detail", db_constraint=False
    )
    workspace = models.ForeignKey(Workspace, null=True, on_delete=models.CASCADE, related_name="+")
    actor = models.CharField(max_length=120)
    data = models.JSONField(default=dict)
    salt = models.CharField(max_length=32)

    @property
    def facts(self) -> list[tuple[str, str]]:
        """What was decided, for people."""
        return [(name.replace("_", " "), _as_text(value)) for name, value in self.data.items()]


def _as_text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(_as_text(item) for item in value)
    if isinstance(value, dict):
        return "; ".join(f"{name}: {_as_text(item)}" for name, item in value.items())
    return str(value)


class AuditHead(models.Model):
    """The newest link, locked while a chain grows."""

    chain = models.UUIDField(primary_key=True)
    workspace = models.ForeignKey(Workspace, null=True, on_delete=models.CASCADE, related_name="+")
    number = models.PositiveBigIntegerField(default=0)
    hash = models.CharField(max_length=64, default="")
