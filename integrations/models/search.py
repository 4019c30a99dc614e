from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models.functions import Now

from accounts.tenancy import TenantModel
from lib.clock import now


class SearchEntry(TenantModel):
    """What can be found of a post or campaign. Written by a task from the rows themselves; may be thrown away."""

    kind = models.CharField(max_length=12)
    object_id = models.UUIDField()
    title = models.CharField(max_length=200)
    body = models.TextField(blank=True)
    tokens = SearchVectorField()
    n_tokens = models.PositiveIntegerField(default=0)
    # The campaign it belongs to: guests find what is shared with them.
    campaign_id = models.UUIDField(null=True)
    at = models.DateTimeField(default=now)

    class Meta:
        verbose_name_plural = "search entries"
        constraints = [models.UniqueConstraint(fields=["workspace", "kind", "object_id"], name="search_entry_once")]

    def __str__(self) -> str:
        return self.title


class SearchDue(TenantModel):
    """What has changed since it was last read, noted by triggers: no code path can forget it."""

    kind = models.CharField(max_length=12)
    object_id = models.UUIDField()
    at = models.DateTimeField(default=now, db_default=Now())

    class Meta:
        verbose_name_plural = "search due"
        constraints = [models.UniqueConstraint(fields=["workspace", "kind", "object_id"], name="search_due_once")]
        indexes = [models.Index(fields=["at"], name="search_due_at")]
