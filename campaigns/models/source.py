from django.db import models
from django.db.models import Q

from accounts.models import User
from accounts.tenancy import TenantForeignKey, TenantModel
from campaigns.models.campaign import Campaign
from lib.clock import now
from social.models import Connection


class Source(TenantModel):
    """A media folder or a feed that becomes posts. The API calls it a project."""

    class Kind(models.TextChoices):
        FOLDER = "folder", "Media folder"
        FEED = "feed", "RSS or Atom feed"

    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.FOLDER)
    name = models.CharField(max_length=120)
    folder = models.CharField(max_length=300, blank=True)
    feed_url = models.URLField(max_length=500, blank=True)
    # How its posts are made: text_template, tags, language, enhance (`campaigns.source_config` gives the shape).
    config = models.JSONField(default=dict, blank=True)
    # What the feed's server said last, so that an unchanged feed is not read again.
    feed_etag = models.CharField(max_length=200, blank=True)
    feed_modified = models.CharField(max_length=80, blank=True)
    campaign = TenantForeignKey(Campaign, null=True, blank=True, on_delete=models.SET_NULL, related_name="sources")
    is_active = models.BooleanField(default=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=now)
    scanned_at = models.DateTimeField(null=True)
    # The last scan that read everything; without one, what a feed holds is old news.
    read_at = models.DateTimeField(null=True)
    # Feeds only: failures in a row, and when it is asked again by itself.
    failures = models.PositiveSmallIntegerField(default=0)
    next_scan_at = models.DateTimeField(null=True)
    # The last scan could not run at all.
    scan_error = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["workspace", "folder"], condition=Q(kind="folder"), name="folder_once"),
            models.UniqueConstraint(fields=["workspace", "feed_url"], condition=Q(kind="feed"), name="feed_once"),
        ]

    def __str__(self) -> str:
        return self.name


class SourceConnection(TenantModel):
    """Where the posts of a source go by default."""

    source = TenantForeignKey(Source, on_delete=models.CASCADE, related_name="targets")
    connection = TenantForeignKey(Connection, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "connection"], name="source_target_once")]


class SourceItem(TenantModel):
    """A file of a source as the last scan saw it, or an entry of a feed (its path is the digest of its id)."""

    class Status(models.TextChoices):
        USED = "used", "Used"
        PROBLEM = "problem", "Not usable"
        VANISHED = "vanished", "Vanished"

    source = TenantForeignKey(Source, on_delete=models.CASCADE, related_name="items")
    path = models.CharField(max_length=500)
    status = models.CharField(max_length=10, choices=Status.choices)
    digest = models.CharField(max_length=64, blank=True)
    post = TenantForeignKey("campaigns.Post", null=True, on_delete=models.SET_NULL, related_name="source_items")
    # The file changed after its post was approved or sent, so the post was left as it is.
    has_newer_file = models.BooleanField(default=False)
    code = models.CharField(max_length=40, blank=True)
    message = models.CharField(max_length=500, blank=True)
    seen_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["path"]
        constraints = [models.UniqueConstraint(fields=["source", "path"], name="source_path_once")]
