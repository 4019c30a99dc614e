from django.db import models
from django.db.models import Q

from accounts.models import User
from accounts.tenancy import TenantForeignKey, TenantModel
from campaigns.models import Campaign
from lib.clock import now


class Funnel(TenantModel):
    """Steps from seen to converted: [{"kind": "impressions|engagements|click|view|conversion|custom", "name"}]."""

    name = models.CharField(max_length=80)
    steps = models.JSONField(default=list)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="funnel_name_once")]

    def __str__(self) -> str:
        return self.name


class Segment(TenantModel):
    """Contacts or visitors that fit rules: {"all"|"any": [{"field", "op", "value"} or a nested group]}."""

    class Subject(models.TextChoices):
        CONTACT = "contact", "Contacts"
        VISITOR = "visitor", "Visitors"

    name = models.CharField(max_length=80)
    subject = models.CharField(max_length=7, choices=Subject.choices)
    rules = models.JSONField(default=dict)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="segment_name_once")]

    def __str__(self) -> str:
        return self.name


class ReportSchedule(TenantModel):
    """A report that comes by itself: cron in a zone."""

    name = models.CharField(max_length=120)
    cron = models.CharField(max_length=80)
    time_zone = models.CharField(max_length=64)
    # day, week, month: the last whole one before it is made.
    period = models.CharField(max_length=5, default="week")
    campaign = TenantForeignKey(Campaign, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    language = models.CharField(max_length=5, default="en")
    # Ids of members; a report is mailed to nobody else.
    recipients = models.JSONField(default=list)
    is_active = models.BooleanField(default=True)
    due_at = models.DateTimeField(null=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["name"]
        indexes = [models.Index(fields=["due_at"], condition=Q(is_active=True), name="report_due")]

    def __str__(self) -> str:
        return self.name


class Report(TenantModel):
    """A produced document: the numbers as they were, and a text in which every figure is one of them."""

    class Status(models.TextChoices):
        MAKING = "making", "Being made"
        READY = "ready", "Ready"
        # The text named a figure that is not in the data: only the numbers are shown.
        WITHOUT_TEXT = "without_text", "Ready, without a text"
        FAILED = "failed", "Failed"

    schedule = TenantForeignKey(ReportSchedule, null=True, on_delete=models.SET_NULL, related_name="reports")
    # When the schedule wanted it: one report for each.
    due_at = models.DateTimeField(null=True)
    title = models.CharField(max_length=160)
    campaign = TenantForeignKey(Campaign, null=True, on_delete=models.SET_NULL, related_name="+")
    starts_on = models.DateField()
    ends_on = models.DateField()
    time_zone = models.CharField(max_length=64)
    language = models.CharField(max_length=5, default="en")
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.MAKING)
    data = models.JSONField(default=dict)
    data_hash = models.CharField(max_length=64, blank=True)
    # [{"text", "figures": [path in data]}]
    insight = models.JSONField(default=list, blank=True)
    problem_text = models.CharField(max_length=300, blank=True)
    run_id = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    mailed_at = models.DateTimeField(null=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=now)
    ready_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["schedule", "due_at"], condition=~Q(schedule=None), name="report_once_per_turn"
            )
        ]
        indexes = [models.Index(fields=["created_at"], condition=Q(status="making"), name="report_making")]

    def __str__(self) -> str:
        return self.title


class SharedPage(TenantModel):
    """A page that whoever has its address may read. A resolver: read by the hash of its token."""

    token_hash = models.CharField(max_length=64, unique=True)
    # dashboard, campaign or report, and what of it.
    kind = models.CharField(max_length=10)
    object_id = models.UUIDField(null=True)
    # The period and filters that were open: {"from", "to", …}.
    params = models.JSONField(default=dict)
    label = models.CharField(max_length=80, blank=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=now)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]


class Anomaly(TenantModel):
    """A day that is unlike what was to be expected: told once."""

    metric = models.CharField(max_length=20)
    # campaign, connection or empty for the whole workspace.
    object_kind = models.CharField(max_length=10, blank=True)
    object_id = models.UUIDField(null=True)
    day = models.DateField()
    value = models.FloatField()
    low = models.FloatField()
    high = models.FloatField()
    text = models.CharField(max_length=300)
    seen_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["-day"]
        verbose_name_plural = "anomalies"
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "metric", "object_id", "day"], name="anomaly_once", nulls_distinct=False
            )
        ]


class PerformanceSample(models.Model):
    """How the product itself did in a minute, of the whole installation."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(default=now)
    # {"tasks": {…}, "requests": {…}, "database": {…}, "memory": {…}, "errors": n}
    data = models.JSONField(default=dict)

    class Meta:
        ordering = ["-at"]
        indexes = [models.Index(fields=["-at"], name="performance_at")]
