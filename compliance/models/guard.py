from django.db import models

from accounts.models import User
from accounts.tenancy import TenantModel
from lib.clock import now
from lib.ids import uuid7


class GuardRule(models.Model):
    """A rule as every workspace has it: as its pack ships it, or as staff changed or added it. Global."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    rule = models.CharField(max_length=60, unique=True)
    pack = models.CharField(max_length=60, blank=True)
    # What is in force, in the shape of `compliance.guard.rules.RULE_SCHEMA`.
    data = models.JSONField(default=dict)
    # What the pack says; empty where staff added the rule. An edited rule keeps staff's data until they take this over.
    shipped = models.JSONField(default=dict, blank=True, editable=False)
    is_enabled = models.BooleanField("enabled", default=True)
    is_edited = models.BooleanField("changed by staff", default=False, editable=False)
    # Copied out of the data, for lists and for the task that warns before a rule ends.
    valid_from = models.DateField(null=True, blank=True, editable=False)
    valid_to = models.DateField(null=True, blank=True, editable=False)
    expiry_told_at = models.DateTimeField(null=True, blank=True, editable=False)
    updated_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+", editable=False)
    updated_at = models.DateTimeField(default=now, db_index=True, editable=False)

    class Meta:
        ordering = ["pack", "rule"]

    def __str__(self) -> str:
        return self.rule


class WorkspaceTerm(TenantModel):
    """A word on a workspace's own list: never to be used, to be looked at, or always fine."""

    class Kind(models.TextChoices):
        BLOCK = "block", "Never use it"
        REVIEW = "review", "Ask a person"
        ALLOW = "allow", "Always fine"

    term = models.CharField(max_length=120)
    kind = models.CharField(max_length=6, choices=Kind.choices)
    reason = models.CharField(max_length=200, blank=True)
    # What to say instead.
    replacement = models.CharField(max_length=120, blank=True)
    platforms = models.JSONField(default=list, blank=True)
    valid_to = models.DateField(null=True, blank=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["kind", "term"]
        constraints = [models.UniqueConstraint(fields=["workspace", "term"], name="workspace_term_once")]

    def __str__(self) -> str:
        return self.term


class GuardSettings(TenantModel):
    """What the guard must know about a workspace; campaigns may say otherwise for themselves."""

    class PiiMode(models.TextChoices):
        DETECT = "detect", "Point it out"
        MASK = "mask", "Offer to mask it"
        TOKENISE = "tokenise", "Replace it before a model sees it"

    # ISO country codes, plus EU.
    markets = models.JSONField(default=list, blank=True)
    industry = models.CharField(max_length=40, blank=True)
    pii_mode = models.CharField(max_length=8, choices=PiiMode.choices, default=PiiMode.MASK)
    # Proof on file, by the names the engines know: has_review_cert, allowed_contacts, blocked_domains and the like.
    facts = models.JSONField(default=dict, blank=True)
    # Minutes until a decision is wanted, by risk: {"high": 15, "medium": 240, "low": 1440} where nothing is set.
    sla_minutes = models.JSONField(default=dict, blank=True)
    # A review nobody decided is given up after this.
    expires_after_hours = models.PositiveIntegerField(default=336)
    updated_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace"], name="guard_settings_once")]


class GuardDecision(TenantModel):
    """One verdict that mattered: at submission, at approval, at sending. What is typed is checked but not kept."""

    class Stage(models.TextChoices):
        DRAFT = "draft", "Submitted"
        APPROVAL = "approval", "Approved"
        SEND = "send", "Sent"

    kind = models.CharField(max_length=40)
    object_id = models.UUIDField()
    action_hash = models.CharField(max_length=64)
    stage = models.CharField(max_length=8, choices=Stage.choices)
    verdict = models.CharField(max_length=6)
    disclosure = models.CharField(max_length=12, blank=True)
    hits = models.JSONField(default=list)
    took_us = models.PositiveIntegerField(default=0)
    at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["-at"]
        indexes = [
            models.Index(fields=["kind", "object_id", "-at"], name="guard_decision_object"),
            models.Index(fields=["workspace", "-at"], name="guard_decision_list"),
        ]


class RuleStat(TenantModel):
    """How often a rule was hit on a day, and how often what it was hit by was approved all the same."""

    rule = models.CharField(max_length=60)
    day = models.DateField()
    hits = models.PositiveIntegerField(default=0)
    blocked = models.PositiveIntegerField(default=0)
    approved = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "rule", "day"], name="rule_stat_once")]


class AccountHealth(TenantModel):
    """How a network sees one of our accounts. The connection is named by its id only: it belongs to another app."""

    class State(models.TextChoices):
        HEALTHY = "healthy", "Healthy"
        WARNED = "warned", "Warned"
        RESTRICTED = "restricted", "Restricted"
        SUSPENDED = "suspended", "Suspended"

    connection_id = models.UUIDField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.HEALTHY)
    # From 0 (fine) up; what it is made of stands in `reasons`.
    score = models.FloatField(default=0)
    reasons = models.JSONField(default=list)
    # Staff say otherwise, until they take it back.
    forced_state = models.CharField(max_length=10, choices=State.choices, blank=True)
    forced_reason = models.CharField(max_length=200, blank=True)
    changed_at = models.DateTimeField(default=now)

    class Meta:
        verbose_name_plural = "account health"
        constraints = [models.UniqueConstraint(fields=["workspace", "connection_id"], name="account_health_once")]


class HealthSignal(TenantModel):
    """One thing that happened to an account: append-only, it loses weight with age."""

    class Kind(models.TextChoices):
        STRIKE = "strike", "Strike"
        REFUSAL = "refusal", "Refused by the network"
        RATE_LIMIT = "rate_limit", "Rate limit"
        REACH = "reach", "Reach fell"
        DELETION = "deletion", "Deleted by the network"
        APPEAL_WON = "appeal_won", "Appeal won"

    connection_id = models.UUIDField()
    kind = models.CharField(max_length=10, choices=Kind.choices)
    detail = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField(default=now)

    class Meta:
        indexes = [models.Index(fields=["connection_id", "at"], name="health_signal_recent")]
