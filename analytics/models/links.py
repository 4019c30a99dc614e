from django.db import models
from django.db.models import Q

from accounts.models import User
from accounts.tenancy import TenantForeignKey, TenantModel
from campaigns.models import Campaign, Post
from lib.clock import now


class Tracking(TenantModel):
    """How a workspace tracks: one row each."""

    # Conversions are counted for the last click within so many days.
    attribution_days = models.PositiveSmallIntegerField(default=30)
    # A cookie tells a visitor from day to day; without one a visitor is a keyed digest that changes every day.
    uses_cookie = models.BooleanField(default=False)
    # Conversions' values are in this currency (ISO 4217); costs are always in US dollars.
    currency = models.CharField(max_length=3, default="USD")
    # How many US dollars one unit of the currency is worth, for ROI; a person says so.
    dollars_per_unit = models.DecimalField(max_digits=14, decimal_places=6, default=1)
    # Names the workspace in pixels and server calls; shown to members, not a secret.
    pixel_key = models.CharField(max_length=24, unique=True)
    updated_at = models.DateTimeField(default=now)

    class Meta:
        verbose_name_plural = "tracking"
        constraints = [models.UniqueConstraint(fields=["workspace"], name="tracking_once")]


class LinkDomain(TenantModel):
    """A domain of the workspace's own for its short links. It counts once it answered with its token."""

    host = models.CharField(max_length=253)
    token = models.CharField(max_length=40)
    verified_at = models.DateTimeField(null=True)
    problem_text = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["host"]
        constraints = [
            models.UniqueConstraint(fields=["workspace", "host"], name="domain_once"),
            models.UniqueConstraint(fields=["host"], condition=~Q(verified_at=None), name="domain_of_one_workspace"),
        ]

    def __str__(self) -> str:
        return self.host


class UtmTemplate(TenantModel):
    """The utm_* parameters of short links, of one campaign or of the whole workspace.

    Values may hold {campaign}, {post}, {network}, {variant}, {date}.
    """

    campaign = TenantForeignKey(Campaign, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    source = models.CharField(max_length=120, blank=True, default="{network}")
    medium = models.CharField(max_length=120, blank=True, default="social")
    name = models.CharField(max_length=120, blank=True, default="{campaign}")
    term = models.CharField(max_length=120, blank=True)
    content = models.CharField(max_length=120, blank=True, default="{variant}")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "campaign"], name="utm_once", nulls_distinct=False)]


class Link(TenantModel):
    """A short link of ours. A resolver: it is read by its code before the workspace is known."""

    code = models.CharField(max_length=24, unique=True)
    # Where it leads, with its utm parameters.
    target = models.CharField(max_length=2000)
    title = models.CharField(max_length=200, blank=True)
    domain = TenantForeignKey(LinkDomain, null=True, blank=True, on_delete=models.SET_NULL, related_name="links")
    campaign = TenantForeignKey(Campaign, null=True, blank=True, on_delete=models.SET_NULL, related_name="links")
    post = TenantForeignKey(Post, null=True, blank=True, on_delete=models.SET_NULL, related_name="links")
    # Written by experiments: {"experiment": id, "salt": …, "epoch": n, "share": 0..1,
    # "arms": [{"key", "url", "weight"}]}; empty for a plain link.
    split = models.JSONField(default=dict, blank=True)
    is_active = models.BooleanField(default=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["workspace", "-created_at"], name="link_list")]

    def __str__(self) -> str:
        return self.title or self.code


class Exposure(TenantModel):
    """The arm a visitor got, for good: written before the redirect, the first one counts."""

    link = TenantForeignKey(Link, null=True, on_delete=models.CASCADE, related_name="+")
    # The experiment's id; experiments stand above this app.
    experiment_id = models.UUIDField()
    # A digest or a first-party id, as 32 hexadecimal digits.
    unit = models.CharField(max_length=32)
    arm = models.CharField(max_length=12)
    # The weight the arm had when it was drawn, in which epoch, by which salt.
    propensity = models.FloatField()
    epoch = models.PositiveIntegerField()
    salt = models.CharField(max_length=64)
    # Bots are drawn like people, but kept apart.
    is_bot = models.BooleanField(default=False)
    at = models.DateTimeField(default=now)
    # The first conversion of this unit after its exposure, set by whoever books conversions.
    converted_at = models.DateTimeField(null=True)
    value_micro = models.BigIntegerField(default=0)

    class Meta:
        ordering = ["at"]
        constraints = [models.UniqueConstraint(fields=["experiment_id", "unit"], name="exposed_once")]
        indexes = [models.Index(fields=["experiment_id", "epoch", "arm"], name="exposure_count")]
