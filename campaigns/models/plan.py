"""What makes posts and times: slots, recurrences, imports."""

from django.db import models

from accounts.models import User, check_time_zone
from accounts.tenancy import TenantForeignKey, TenantModel
from lib.clock import now
from social.models import Connection


class Slot(TenantModel):
    """A wall-clock posting time of a connection, every week."""

    connection = TenantForeignKey(Connection, on_delete=models.CASCADE, related_name="slots")
    weekday = models.PositiveSmallIntegerField(help_text="0 is Monday.")
    time = models.TimeField()
    time_zone = models.CharField(max_length=64, validators=[check_time_zone])

    class Meta:
        ordering = ["weekday", "time"]
        constraints = [models.UniqueConstraint(fields=["connection", "weekday", "time"], name="slot_once")]


class Recurrence(TenantModel):
    """A post that comes again: at set times, or evergreen whenever its cooldown allows a free slot.

    Each occurrence is a post of its own that goes through the rules and the approval again.
    """

    class Kind(models.TextChoices):
        WEEKLY = "weekly", "On set days"
        EVERGREEN = "evergreen", "Evergreen"

    post = TenantForeignKey("campaigns.Post", on_delete=models.CASCADE, related_name="recurrences")
    kind = models.CharField(max_length=9, choices=Kind.choices)
    weekdays = models.JSONField(default=list, blank=True)
    time = models.TimeField(null=True, blank=True)
    time_zone = models.CharField(max_length=64, validators=[check_time_zone])
    cooldown_days = models.PositiveSmallIntegerField(default=30)
    ends_on = models.DateField(null=True, blank=True)
    is_active = models.BooleanField(default=True)
    # The next occurrence that has not been made into a post yet.
    next_at = models.DateTimeField(null=True)
    problem_text = models.CharField(max_length=300, blank=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["next_at"]
        indexes = [models.Index(fields=["next_at"], condition=models.Q(is_active=True), name="recurrence_due")]


class Import(TenantModel):
    """An uploaded plan (CSV or XLSX): its rows, the columns chosen for them, and each row's fate."""

    class Status(models.TextChoices):
        MAPPING = "mapping", "Choose columns"
        CHECKED = "checked", "Checked"
        APPLYING = "applying", "Being applied"
        APPLIED = "applied", "Applied"

    name = models.CharField(max_length=200)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.MAPPING)
    columns = models.JSONField(default=list)
    rows = models.JSONField(default=list)
    # Field to column.
    mapping = models.JSONField(default=dict)
    time_zone = models.CharField(max_length=64, validators=[check_time_zone])
    # One for each row: action (create, update, same, skip, error), messages, post.
    fates = models.JSONField(default=list)
    # While it is applied: how many rows are settled.
    done_rows = models.PositiveIntegerField(default=0)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=now)
    applied_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.name
