from django.db import models
from django.db.models import Q
from django.urls import reverse

from accounts.models import User
from accounts.tenancy import TenantForeignKey, TenantModel
from lib.clock import now


class Campaign(TenantModel):
    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        RUNNING = "running", "Running"
        PAUSED = "paused", "Paused"
        COMPLETED = "completed", "Completed"
        ARCHIVED = "archived", "Archived"

    # What may follow what. An archived campaign can be brought back as a draft.
    NEXT = {
        Status.DRAFT: {Status.RUNNING, Status.ARCHIVED},
        Status.RUNNING: {Status.PAUSED, Status.COMPLETED},
        Status.PAUSED: {Status.RUNNING, Status.COMPLETED},
        Status.COMPLETED: {Status.RUNNING, Status.ARCHIVED},
        Status.ARCHIVED: {Status.DRAFT},
    }

    name = models.CharField(max_length=120)
    goal = models.CharField(max_length=200, blank=True)
    brief = models.TextField(blank=True, max_length=10_000)
    starts_on = models.DateField(null=True, blank=True)
    ends_on = models.DateField(null=True, blank=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT)
    config = models.JSONField(default=dict, blank=True)
    # What calls to paid networks for its posts may cost in all, in micro-dollars.
    cap_micro = models.PositiveBigIntegerField("budget for network costs", null=True, blank=True)
    # Where its posts are aimed at and what they sell, where that differs from the workspace (`GuardSettings`).
    markets = models.JSONField(default=list, blank=True)
    industry = models.CharField(max_length=40, blank=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+", editable=False)
    created_at = models.DateTimeField(default=now, editable=False)
    updated_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(starts_on=None) | Q(ends_on=None) | Q(ends_on__gte=models.F("starts_on")),
                name="campaign_ends_after_start",
                violation_error_message="The last day is before the first.",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("campaigns:campaign-detail", args=[self.pk])

    @property
    def open_policy(self) -> "AutonomyPolicy | None":
        return self.policies.filter(revoked_at=None).first()


class AutonomyPolicy(TenantModel):
    """How far a campaign's posts may go without a person, as one member signed it. Never changed, only replaced.

    A campaign without an open policy wants a person's approval for everything.
    """

    class Mode(models.TextChoices):
        DRAFT_ONLY = "draft_only", "Drafts only"
        HUMAN = "human", "A person approves"
        AUTOMATIC = "automatic", "Automatic below a risk and a budget"

    campaign = TenantForeignKey(Campaign, on_delete=models.CASCADE, related_name="policies")
    mode = models.CharField(max_length=10, choices=Mode.choices)
    # Up to which risk (`compliance.models.review.Risk`) and for how much network cost in all, in micro-dollars.
    max_risk = models.CharField(max_length=6, default="low")
    budget_micro = models.PositiveBigIntegerField(default=0)
    spent_micro = models.PositiveBigIntegerField(default=0)
    # Over campaign, mode, risk, budget and signer.
    hash = models.CharField(max_length=64)
    signed_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    signed_label = models.CharField(max_length=120)
    signed_at = models.DateTimeField(default=now)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-signed_at"]
        constraints = [
            models.UniqueConstraint(fields=["campaign"], condition=Q(revoked_at=None), name="one_open_policy"),
            models.CheckConstraint(
                condition=Q(spent_micro__lte=models.F("budget_micro")), name="policy_spends_within_budget"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_mode_display()}, signed by {self.signed_label}"
