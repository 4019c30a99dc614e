"""Integrators: programs that own the workspaces they synced."""

from django.db import models

from accounts.models.people import User, Workspace
from lib.clock import now
from lib.ids import uuid7


class ServiceClient(models.Model):
    """A program that signs in with an app key. Global: its tenants are workspaces. Only the key's hash is stored."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=12, editable=False)
    key_hash = models.CharField(max_length=64, unique=True, editable=False)
    # Owns the workspaces it makes, so that a person can look after them.
    owner = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=now, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class ServiceTenant(models.Model):
    """A workspace as its integrator calls it. Global: read before the workspace is known."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    client = models.ForeignKey(ServiceClient, on_delete=models.CASCADE, related_name="tenants")
    external_id = models.CharField(max_length=120)
    workspace = models.OneToOneField(Workspace, on_delete=models.CASCADE, related_name="service_tenant")
    # Of the last sync that was taken; an older one changes nothing.
    revision = models.PositiveBigIntegerField(default=0)
    is_active = models.BooleanField(default=True)
    data = models.JSONField(default=dict)
    synced_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["client", "external_id"], name="service_tenant_once")]

    def __str__(self) -> str:
        return self.external_id
