from django.db import models
from django.db.models import Q
from django.urls import reverse

from accounts.models import User
from accounts.tenancy import TenantForeignKey, TenantModel
from campaigns.models import Campaign, Delivery
from lib.clock import now


class Experiment(TenantModel):
    """A test of a hypothesis. What decides it is written down before it starts and does not change afterwards."""

    class Design(models.TextChoices):
        LINK_SPLIT = "A", "Visitors of one link"
        SUBSCRIBER_SPLIT = "B", "Subscribers of a bot"
        PAIRED_SLOTS = "C", "Paired time slots"
        CROSSOVER = "D", "Crossover of channels"
        PROGRAMME = "E", "Style programme"
        OPTIMISER = "F", "Optimiser"
        OBSERVATION = "G", "Observation, no experiment"

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        RUNNING = "running", "Running"
        # By a person, a guardrail or a broken split: nothing is assigned any more, and it may go on.
        PAUSED = "paused", "Paused"
        STOPPED = "stopped", "Stopped"
        ARCHIVED = "archived", "Archived"

    class Allocation(models.TextChoices):
        FIXED = "fixed", "Fixed shares"
        THOMPSON = "thompson", "Thompson sampling"
        TOP_TWO = "top_two", "Top-two Thompson"
        KL_UCB = "kl_ucb", "KL-UCB"
        EPSILON = "epsilon", "Epsilon-greedy"

    name = models.CharField(max_length=120)
    hypothesis = models.CharField(max_length=500)
    design = models.CharField(max_length=1, choices=Design.choices)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.DRAFT)
    campaign = TenantForeignKey(Campaign, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    # What decides: conversions or clicks (A, B), engagement_rate, click_rate, … of posts (C to F).
    metric = models.CharField(max_length=30)
    lower_is_better = models.BooleanField(default=False)
    # [{"metric", "margin"}]: how much worse than the control (a share) each may get.
    guardrails = models.JSONField(default=list, blank=True)
    allocation = models.CharField(max_length=8, choices=Allocation.choices, default=Allocation.FIXED)
    # {"alpha", "mde", "share", "holdout", "floor", "half_life_days", "caring", "age_h", "washout_h", "strata", …}
    settings = models.JSONField(default=dict, blank=True)
    # Days it runs at most, and units an arm it was planned for.
    horizon_days = models.PositiveSmallIntegerField(default=28)
    planned_units = models.PositiveIntegerField(null=True)
    # All of the above as it was at the start, and its sha256: a change means a new version.
    registered = models.JSONField(default=dict, blank=True)
    registered_hash = models.CharField(max_length=64, blank=True)
    version = models.PositiveSmallIntegerField(default=1)
    parent = TenantForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="versions")
    seed = models.BigIntegerField(default=0)
    started_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)
    stopped_at = models.DateTimeField(null=True)
    # Why it paused or stopped, for people.
    status_text = models.CharField(max_length=300, blank=True)
    # When weights are set and results looked at next.
    due_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    # The key of the arm that a person made the winner.
    winner = models.CharField(max_length=12, blank=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=now)
    updated_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(status="running"), name="experiment_due"),
            models.Index(fields=["workspace", "status", "-created_at"], name="experiment_list"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("experiments:experiment-detail", args=[self.pk])


class Arm(TenantModel):
    """A variant. Its key names it in exposures, events and epochs."""

    experiment = TenantForeignKey(Experiment, on_delete=models.CASCADE, related_name="arms")
    key = models.CharField(max_length=12)
    name = models.CharField(max_length=80)
    position = models.PositiveSmallIntegerField()
    is_control = models.BooleanField(default=False)
    # By design: {"url"} (A), {"text"} (B, C, D), {"style"} (E), {"params"} (F).
    content = models.JSONField(default=dict)
    # An arm may come later; a closed one gets nobody any more.
    opened_at = models.DateTimeField(default=now)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["experiment", "key"], name="arm_key_once"),
            models.UniqueConstraint(fields=["experiment"], condition=Q(is_control=True), name="one_control"),
        ]

    def __str__(self) -> str:
        return self.name


class Epoch(TenantModel):
    """A stretch of time with the same shares. Never changed: with its seed and data it can be computed again."""

    experiment = TenantForeignKey(Experiment, on_delete=models.CASCADE, related_name="epochs")
    number = models.PositiveIntegerField()
    # {arm key: share}
    weights = models.JSONField()
    salt = models.CharField(max_length=64)
    seed = models.BigIntegerField()
    # What the weights were computed from, and its sha256.
    data = models.JSONField(default=dict)
    data_hash = models.CharField(max_length=64)
    reason = models.CharField(max_length=200)
    started_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["experiment", "number"], name="epoch_number_once")]


class Unit(TenantModel):
    """What is randomised where posts are tested: one post in one slot of a pair, a channel's period, a recipient."""

    class State(models.TextChoices):
        PLANNED = "planned", "Planned"
        LIVE = "live", "Live"
        MEASURED = "measured", "Measured"
        EXCLUDED = "excluded", "Excluded"

    experiment = TenantForeignKey(Experiment, on_delete=models.CASCADE, related_name="units")
    # The pair, stratum or channel it is compared within, and its place there.
    block = models.CharField(max_length=80)
    position = models.PositiveSmallIntegerField(default=0)
    arm = TenantForeignKey(Arm, on_delete=models.CASCADE, related_name="units")
    propensity = models.FloatField(default=0.5)
    delivery = TenantForeignKey(Delivery, null=True, on_delete=models.SET_NULL, related_name="+")
    planned_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.PLANNED)
    # Why it does not count.
    reason = models.CharField(max_length=200, blank=True)
    # At the age that the experiment says: successes of so many; the log rate, its variance, the forecast without arms.
    events = models.PositiveBigIntegerField(null=True)
    exposures = models.PositiveBigIntegerField(null=True)
    outcome = models.FloatField(null=True)
    variance = models.FloatField(null=True)
    baseline = models.FloatField(null=True)
    # Hour, weekday, format, length, followers and the like, as they were.
    facts = models.JSONField(default=dict, blank=True)
    measured_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["block", "position"]
        constraints = [
            models.UniqueConstraint(fields=["experiment", "block", "position"], name="unit_place_once"),
            models.UniqueConstraint(fields=["delivery"], condition=~Q(delivery=None), name="delivery_in_one_unit"),
        ]


class Look(TenantModel):
    """One look at the results: the data it was made from, what the statistics said, and the sentence people read."""

    class Verdict(models.TextChoices):
        BETTER = "better", "Better"
        NO_DIFFERENCE = "no_difference", "No meaningful difference"
        HARMFUL = "harmful", "Harmful"
        KEEP_GOING = "keep_going", "Keep going"
        CANNOT_TELL = "cannot_tell", "Cannot tell"

    experiment = TenantForeignKey(Experiment, on_delete=models.CASCADE, related_name="looks")
    number = models.PositiveIntegerField()
    at = models.DateTimeField(default=now)
    verdict = models.CharField(max_length=13, choices=Verdict.choices)
    sentence = models.CharField(max_length=500)
    # [{"code", "reason", "next"}]: why nothing is concluded. With any of them the verdict is "cannot tell".
    refusals = models.JSONField(default=list, blank=True)
    data = models.JSONField(default=dict)
    data_hash = models.CharField(max_length=64)
    result = models.JSONField(default=dict)

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["experiment", "number"], name="look_number_once")]
