from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models

from lib.clock import now
from lib.ids import uuid7


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
