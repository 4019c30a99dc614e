"""A person's own corner of a workspace: how they like things, what they watch, what they are told each day."""

from django.db import models

from accounts.models import User
from accounts.tenancy import TenantModel
from lib.clock import now
from lib.ids import uuid7


class Preference(TenantModel):
    """How one person wants their reports and news. How they want their assistant stands in their memory blocks."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    language = models.CharField(max_length=5, default="en")
    # Topics that matter to them.
    interests = models.JSONField(default=list, blank=True)
    # in_app, mail, telegram.
    channels = models.JSONField(default=list, blank=True)
    # Counted up by every change: what If-Match is held against.
    revision = models.PositiveIntegerField(default=0)
    updated_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "user"], name="preference_once")]


class WatchKind(models.TextChoices):
    ACCOUNT = "account", "Account"
    KEYWORD = "keyword", "Keyword"
    SYMBOL = "symbol", "Symbol"


class WatchValue(models.Model):
    """Something public that anybody may watch. Global: it is read once, however many watch it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=7, choices=WatchKind.choices)
    # Lower case, NFKC, without @, # or $.
    value = models.CharField(max_length=120)
    # How many watch it; nobody reads what nobody watches.
    watchers = models.PositiveIntegerField(default=0)
    every_s = models.PositiveIntegerField(default=3600)
    due_at = models.DateTimeField(default=now)
    lease_until = models.DateTimeField(null=True)
    fence = models.PositiveIntegerField(default=0)
    last_seq = models.PositiveIntegerField(default=0)
    # The newest observation's data, and why there is none.
    data = models.JSONField(default=dict)
    problem_text = models.CharField(max_length=300, blank=True)
    failures_in_row = models.PositiveSmallIntegerField(default=0)
    read_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "value"], name="watch_value_once")]
        indexes = [models.Index(fields=["due_at"], condition=models.Q(watchers__gt=0), name="watch_due")]

    def __str__(self) -> str:
        return self.value


class Observation(models.Model):
    """What was new when a value was read. Public, hence without a workspace."""

    id = models.BigAutoField(primary_key=True)
    value = models.ForeignKey(WatchValue, on_delete=models.CASCADE, related_name="observations")
    seq = models.PositiveIntegerField()
    at = models.DateTimeField(default=now)
    data = models.JSONField(default=dict)
    digest = models.CharField(max_length=64)

    class Meta:
        ordering = ["-seq"]
        constraints = [models.UniqueConstraint(fields=["value", "seq"], name="observation_once")]
        indexes = [models.Index(fields=["at"], name="observation_at")]


class Watch(TenantModel):
    """One person watches one value."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    value = models.ForeignKey(WatchValue, on_delete=models.PROTECT, related_name="+")
    label = models.CharField(max_length=120, blank=True)
    # Tell at once when a number moves by more than so many per cent; empty for only in the brief.
    alert_percent = models.FloatField(null=True)
    # Observations up to this one were told.
    seen_seq = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["created_at"]
        verbose_name_plural = "watches"
        constraints = [models.UniqueConstraint(fields=["workspace", "user", "value"], name="watch_once")]
        indexes = [models.Index(fields=["value"], name="watch_value")]


class Brief(TenantModel):
    """What a person was told at one time. Old ones are kept in cold storage: `archive_key` instead of `data`."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    # Of `agents.PeriodicTask`.
    task_id = models.UUIDField(null=True)
    wanted_at = models.DateTimeField()
    title = models.CharField(max_length=160)
    language = models.CharField(max_length=5, default="en")
    # {"sections": [{"title", "lines": [{"text", "path"}]}]}
    data = models.JSONField(null=True)
    run_id = models.UUIDField(null=True)
    read_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    archive_key = models.CharField(max_length=200, blank=True)
    archived_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["-wanted_at"]
        constraints = [models.UniqueConstraint(fields=["workspace", "user", "task_id", "wanted_at"], name="brief_once")]
        indexes = [
            models.Index(fields=["workspace", "user", "-wanted_at"], name="brief_list"),
            models.Index(fields=["created_at"], condition=models.Q(archived_at=None), name="brief_to_archive"),
            models.Index(fields=["created_at"], condition=models.Q(sent_at=None), name="brief_to_send"),
        ]

    def __str__(self) -> str:
        return self.title
