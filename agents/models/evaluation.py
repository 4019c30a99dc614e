"""How good runs are: scores, datasets made from them, and prompts tried on recorded ones."""

from django.db import models

from accounts.models import User
from accounts.tenancy import TenantForeignKey, TenantModel
from agents.models.prompts import Assistant, PromptVersion
from agents.models.runs import Run
from lib.clock import now


class Score(TenantModel):
    """A judgement of a run or of one of its steps, by a person or an evaluator."""

    run = TenantForeignKey(Run, on_delete=models.CASCADE, related_name="scores")
    step_key = models.CharField(max_length=120, blank=True)
    name = models.CharField(max_length=60)
    value = models.FloatField()
    comment = models.TextField(max_length=1_000, blank=True)
    # An evaluator's name and version; empty for a person.
    evaluator = models.CharField(max_length=60, blank=True)
    user = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["workspace", "name", "-created_at"], name="score_list")]

    def __str__(self) -> str:
        return f"{self.name} {self.value}"


class Dataset(TenantModel):
    name = models.CharField(max_length=80)
    description = models.TextField(max_length=1_000, blank=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="dataset_once")]

    def __str__(self) -> str:
        return self.name


class DatasetItem(TenantModel):
    """An input and what is expected of it. A change closes the row and writes a new one."""

    dataset = TenantForeignKey(Dataset, on_delete=models.CASCADE, related_name="items")
    workflow = models.CharField(max_length=40)
    input = models.JSONField()
    expected = models.JSONField(null=True)
    # The run it was made from, for as long as that is kept.
    source_run_id = models.UUIDField(null=True)
    valid_from = models.DateTimeField(default=now)
    valid_to = models.DateTimeField(null=True)

    class Meta:
        ordering = ["valid_from"]


class Replay(TenantModel):
    """Recorded runs played again with another prompt version, before a label moves."""

    class Status(models.TextChoices):
        QUEUED = "queued", "Queued"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    assistant = TenantForeignKey(Assistant, on_delete=models.CASCADE, related_name="replays")
    version = TenantForeignKey(PromptVersion, on_delete=models.CASCADE, related_name="+")
    dataset = TenantForeignKey(Dataset, null=True, on_delete=models.SET_NULL, related_name="+")
    # Calls that the new prompt changes are made for real.
    is_live = models.BooleanField(default=False)
    status = models.CharField(max_length=6, choices=Status.choices, default=Status.QUEUED)
    # [{"run": …, "before": …, "after": …, "verdict_before": …, "verdict_after": …, "is_missing": false}]
    results = models.JSONField(default=list)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=now)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]
