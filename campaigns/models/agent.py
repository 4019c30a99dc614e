"""What agents made for campaigns: plans to accept line by line, and where texts come from."""

from django.db import models

from accounts.models import User
from accounts.tenancy import TenantForeignKey, TenantModel
from campaigns.models.campaign import Campaign
from campaigns.models.post import Post
from lib.clock import now
from social.models import Connection


class Plan(TenantModel):
    """A campaign as the agents propose it. Nothing of it exists until a person accepts it."""

    class Status(models.TextChoices):
        WORKING = "working", "Being written"
        READY = "ready", "Ready"
        FAILED = "failed", "Failed"
        CLOSED = "closed", "Closed"

    campaign = TenantForeignKey(Campaign, null=True, on_delete=models.CASCADE, related_name="plans")
    brief = models.TextField(max_length=4_000)
    languages = models.JSONField(default=list)
    # The strategist's answer: {"name", "goal", "audience", "angle", "key_messages": […]}
    strategy = models.JSONField(default=dict)
    run_id = models.UUIDField(null=True)
    status = models.CharField(max_length=7, choices=Status.choices, default=Status.WORKING)
    problem = models.CharField(max_length=300, blank=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.brief[:60]


class PlanLine(TenantModel):
    """One proposed post: accepted, it becomes a post that waits for review."""

    class Status(models.TextChoices):
        PROPOSED = "proposed", "Proposed"
        ACCEPTED = "accepted", "Accepted"
        REJECTED = "rejected", "Rejected"

    plan = TenantForeignKey(Plan, on_delete=models.CASCADE, related_name="lines")
    n = models.PositiveSmallIntegerField()
    connection = TenantForeignKey(Connection, null=True, on_delete=models.SET_NULL, related_name="+")
    language = models.CharField(max_length=12)
    planned_at = models.DateTimeField(null=True)
    text = models.TextField()
    # Other wordings: [{"text", "angle"}]
    variants = models.JSONField(default=list)
    # The guard's findings, as `campaigns.guard_findings` shows them.
    findings = models.JSONField(default=dict)
    # What the product and brand check said.
    notes = models.JSONField(default=list)
    # As `Origin` keeps it, once accepted.
    origin = models.JSONField(default=dict)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.PROPOSED)
    post = TenantForeignKey(Post, null=True, on_delete=models.SET_NULL, related_name="+")
    decided_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    decided_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["n"]
        constraints = [models.UniqueConstraint(fields=["workspace", "plan", "n"], name="plan_line_once")]


class Origin(TenantModel):
    """Where an agent's text in a post comes from, and who took it over."""

    post = TenantForeignKey(Post, on_delete=models.CASCADE, related_name="origins")
    run_id = models.UUIDField(null=True)
    step_key = models.CharField(max_length=120, blank=True)
    model = models.CharField(max_length=80)
    is_sandbox = models.BooleanField(default=False)
    assistant = models.CharField(max_length=80, blank=True)
    prompt_version = models.PositiveIntegerField(null=True)
    prompt_sha256 = models.CharField(max_length=64, blank=True)
    # [{"kind": "item" | "chunk" | "claim" | "web", "id": …, "title": …, "url": …}]
    sources = models.JSONField(default=list)
    cost_micro = models.PositiveBigIntegerField(default=0)
    # What was offered, sentence by sentence: [{"text": …, "is_accepted": true}]
    sentences = models.JSONField(default=list)
    accepted_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    accepted_label = models.CharField(max_length=120, blank=True)
    accepted_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["-accepted_at"]
