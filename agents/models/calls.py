"""What model calls need and leave behind: settings, keys, breakers, and the ledger of what was used."""

from django.db import models

from accounts.models import User
from accounts.tenancy import TenantModel
from lib.clock import now
from lib.crypto import SecretField


class AISettings(TenantModel):
    """A workspace's own limits and choices; a missing row means the defaults."""

    monthly_cap_micro = models.PositiveBigIntegerField(null=True, blank=True)
    run_cap_micro = models.PositiveBigIntegerField(null=True, blank=True)
    # Role by role, the models to use instead of the catalogue's: {"writer": ["claude-opus-5-5"]}.
    role_models = models.JSONField(default=dict, blank=True)
    is_paused = models.BooleanField(default=False)
    # Local hour at which memory is tidied; null: never.
    consolidate_hour = models.PositiveSmallIntegerField(null=True, blank=True)
    updated_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    updated_at = models.DateTimeField(default=now)

    class Meta:
        verbose_name = "AI settings"
        verbose_name_plural = "AI settings"
        constraints = [models.UniqueConstraint(fields=["workspace"], name="ai_settings_once")]


class ProviderKey(TenantModel):
    """A workspace's own key at a provider of the catalogue, or at any OpenAI-compatible address."""

    provider = models.CharField(max_length=40)
    name = models.CharField(max_length=80)
    # Only for the provider "compatible".
    base_url = models.URLField(max_length=300, blank=True)
    secret = SecretField()
    # The last characters, to tell keys apart.
    hint = models.CharField(max_length=8)
    is_active = models.BooleanField(default=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=now)
    last_used_at = models.DateTimeField(null=True)
    # Why the provider last refused it.
    problem = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["provider", "name"]
        constraints = [models.UniqueConstraint(fields=["workspace", "provider", "name"], name="provider_key_once")]

    def __str__(self) -> str:
        return f"{self.provider}: {self.name}"


class Circuit(models.Model):
    """The breaker of one provider, model and key. Global: the installation's keys are shared; a key is a digest."""

    # provider:model:digest of the key
    name = models.CharField(max_length=160, primary_key=True)
    failures = models.PositiveIntegerField(default=0)
    # Calls are refused until then; afterwards one goes ahead to try.
    open_until = models.DateTimeField(null=True)
    trial_until = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=60, blank=True)
    changed_at = models.DateTimeField(default=now)

    def __str__(self) -> str:
        return self.name


class ModelCall(TenantModel):
    """The usage ledger of model calls: one row per attempt that may have cost something. Outlives its trace."""

    class Status(models.TextChoices):
        # Held back; nobody knows yet. A sweeper settles what a dead worker left.
        OPEN = "open", "Open"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    # Names the attempt: <run>:<step>:<n> or a uuid.
    key = models.CharField(max_length=160)
    run_id = models.UUIDField(null=True)
    step_key = models.CharField(max_length=120, blank=True)
    campaign_id = models.UUIDField(null=True)
    # chat, writer, strategist, compliance, product, sentiment, memory, embed
    role = models.CharField(max_length=20)
    provider = models.CharField(max_length=40)
    model = models.CharField(max_length=80)
    is_sandbox = models.BooleanField(default=False)
    # All that was sent, cached or not; all that came back, reasoning included.
    input_tokens = models.PositiveIntegerField(default=0)
    cached_tokens = models.PositiveIntegerField(default=0)
    cache_write_tokens = models.PositiveIntegerField(default=0)
    output_tokens = models.PositiveIntegerField(default=0)
    reasoning_tokens = models.PositiveIntegerField(default=0)
    # The row of the price table that was used.
    price = models.JSONField(default=dict)
    reserved_micro = models.PositiveBigIntegerField(default=0)
    cost_micro = models.PositiveBigIntegerField(default=0)
    is_estimated = models.BooleanField(default=False)
    status = models.CharField(max_length=6, choices=Status.choices, default=Status.OPEN)
    error = models.CharField(max_length=60, blank=True)
    latency_ms = models.PositiveIntegerField(default=0)
    started_at = models.DateTimeField(default=now)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-started_at"]
        constraints = [models.UniqueConstraint(fields=["workspace", "key"], name="model_call_once")]
        indexes = [
            models.Index(fields=["workspace", "-started_at"], name="model_call_list"),
            models.Index(fields=["workspace", "run_id"], name="model_call_run"),
            models.Index(fields=["started_at"], condition=models.Q(status="open"), name="model_call_open"),
        ]

    def __str__(self) -> str:
        return f"{self.model} {self.cost_micro}"
