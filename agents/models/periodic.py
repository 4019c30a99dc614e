"""Tasks of one person that come by themselves: rows, no timers."""

from django.db import models
from django.db.models import Q

from accounts.models import User
from accounts.tenancy import TenantForeignKey, TenantModel
from lib.clock import now


class PeriodicTask(TenantModel):
    """Something to do for a person: once, every so many seconds, or by cron in a zone."""

    class Mode(models.TextChoices):
        AT = "at", "Once"
        EVERY = "every", "Every"
        CRON = "cron", "By the calendar"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    # As `agents.periodic.registry` names it.
    kind = models.CharField(max_length=40)
    name = models.CharField(max_length=120)
    args = models.JSONField(default=dict, blank=True)
    mode = models.CharField(max_length=5, choices=Mode.choices)
    # An instant in ISO 8601, a number of seconds, or five fields of cron.
    spec = models.CharField(max_length=80)
    time_zone = models.CharField(max_length=64, default="UTC")
    # It starts at its own second within so many seconds after the time that was asked for.
    window_s = models.PositiveIntegerField(default=900)
    is_active = models.BooleanField(default=True)
    # The next time that was asked for, and when it starts.
    wanted_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    fence = models.PositiveIntegerField(default=0)
    failures_in_row = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(is_active=True), name="periodic_due"),
            models.Index(fields=["workspace"], condition=Q(lease_until__isnull=False), name="periodic_leased"),
            models.Index(fields=["workspace", "user", "-created_at"], name="periodic_list"),
        ]

    def __str__(self) -> str:
        return self.name


class PeriodicTurn(TenantModel):
    """One time that a task was done: never two for the same time that was asked for."""

    class Status(models.TextChoices):
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        # Nothing new, nobody was told.
        QUIET = "quiet", "Nothing new"
        FAILED = "failed", "Failed"

    task = TenantForeignKey(PeriodicTask, on_delete=models.CASCADE, related_name="turns")
    wanted_at = models.DateTimeField()
    # Earlier times that passed while nobody could do them; this one stands for all.
    missed = models.PositiveIntegerField(default=0)
    status = models.CharField(max_length=7, choices=Status.choices, default=Status.RUNNING)
    text = models.CharField(max_length=300, blank=True)
    # What it made, by id: a brief, a run.
    object_id = models.UUIDField(null=True)
    started_at = models.DateTimeField(default=now)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-wanted_at"]
        constraints = [models.UniqueConstraint(fields=["task", "wanted_at"], name="periodic_turn_once")]
        indexes = [models.Index(fields=["workspace", "task", "-wanted_at"], name="periodic_turns")]
