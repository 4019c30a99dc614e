from django.db import models
from django.db.models import Q
from django.urls import reverse

from accounts.models import User, check_time_zone
from accounts.tenancy import TenantForeignKey, TenantModel
from lib.clock import now
from social.models import Connection


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


class MediaAsset(TenantModel):
    """A file of the workspace, kept once however often it is used."""

    file = models.CharField(max_length=300)
    thumbnail = models.CharField(max_length=300, blank=True)
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=6, choices=[("image", "Image"), ("gif", "GIF"), ("video", "Video")])
    mime = models.CharField(max_length=40)
    sha256 = models.CharField(max_length=64)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    size_bytes = models.PositiveBigIntegerField()
    duration_ms = models.PositiveIntegerField(null=True)
    fps = models.FloatField(null=True)
    frames = models.PositiveIntegerField(null=True)
    has_audio = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["-created_at"]
        constraints = [models.UniqueConstraint(fields=["workspace", "sha256"], name="asset_once")]

    def __str__(self) -> str:
        return self.name


class Post(TenantModel):
    """What to say. Its deliveries say where and when."""

    campaign = TenantForeignKey(Campaign, null=True, blank=True, on_delete=models.CASCADE, related_name="posts")
    title = models.CharField(max_length=200, blank=True)
    made_with_ai = models.BooleanField(default=False)
    # Grows with every change of content; a stale form is told so.
    revision = models.PositiveIntegerField(default=1)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    # Everybody who changed the content: four eyes means somebody else.
    authors = models.JSONField(default=list)
    created_at = models.DateTimeField(default=now)
    updated_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.title or "Untitled post"

    def get_absolute_url(self) -> str:
        return reverse("campaigns:post-detail", args=[self.pk])


class PostPart(TenantModel):
    """One post of a thread, from position 0. A plain post has one part."""

    post = TenantForeignKey(Post, on_delete=models.CASCADE, related_name="parts")
    position = models.PositiveSmallIntegerField()
    text = models.TextField(blank=True, max_length=25_000)

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["post", "position"], name="part_position_once")]


class PartMedia(TenantModel):
    part = TenantForeignKey(PostPart, on_delete=models.CASCADE, related_name="media")
    asset = TenantForeignKey(MediaAsset, on_delete=models.PROTECT, related_name="uses")
    position = models.PositiveSmallIntegerField()
    alt_text = models.CharField(max_length=1000, blank=True)

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["part", "position"], name="media_position_once")]


class Delivery(TenantModel):
    """One post to one connection: what is approved, claimed, published, retried and receipted. Also the queue."""

    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        IN_REVIEW = "in_review", "In review"
        APPROVED = "approved", "Approved"
        SCHEDULED = "scheduled", "Scheduled"
        PUBLISHING = "publishing", "Publishing"
        PUBLISHED = "published", "Published"
        RETRY_WAIT = "retry_wait", "Waiting to retry"
        UNCONFIRMED = "unconfirmed", "Unconfirmed"
        FAILED = "failed", "Failed"
        MISSED = "missed", "Missed"
        PAUSED = "paused", "Paused"
        CANCELED = "canceled", "Canceled"

    post = TenantForeignKey(Post, on_delete=models.CASCADE, related_name="deliveries")
    connection = TenantForeignKey(Connection, on_delete=models.PROTECT, related_name="deliveries")
    state = models.CharField(max_length=12, choices=State.choices, default=State.DRAFT)
    # Texts that replace the post's own on this connection; empty means none.
    override_texts = models.JSONField(default=list, blank=True)
    # What a person planned; it never moves by itself.
    scheduled_at = models.DateTimeField(null=True)
    # When the engine acts next: the plan, a retry, or a look-up.
    due_at = models.DateTimeField(null=True)
    approved_hash = models.CharField(max_length=64, blank=True)
    approved_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    approved_at = models.DateTimeField(null=True)
    # Rises with every claim: a worker that lost its lease can no longer write.
    fence = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    # Failures that count against the retry limit; waiting for a rate window does not.
    failures = models.PositiveSmallIntegerField(default=0)
    lookups = models.PositiveSmallIntegerField(default=0)
    published_at = models.DateTimeField(null=True)
    problem_code = models.CharField(max_length=40, blank=True)
    problem_text = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=now)
    updated_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["-created_at"]
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(fields=["post", "connection"], name="delivery_once_per_connection"),
            # The back-stop behind the dispatcher: never two at once on one account.
            models.UniqueConstraint(
                fields=["connection"], condition=Q(state="publishing"), name="one_in_flight_per_connection"
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(state__in=["scheduled", "retry_wait"]), name="delivery_due"),
            models.Index(fields=["due_at"], condition=Q(state="unconfirmed"), name="delivery_lookup"),
            models.Index(fields=["lease_until"], condition=Q(state="publishing"), name="delivery_lease"),
            models.Index(fields=["workspace", "state", "scheduled_at"], name="delivery_list"),
        ]

    def __str__(self) -> str:
        return f"{self.post_id} to {self.connection_id}"

    def get_absolute_url(self) -> str:
        return reverse("campaigns:delivery-detail", args=[self.pk])


class LivePart(TenantModel):
    """A part that is live on the network: the checkpoint a thread resumes from, and proof of what was sent."""

    delivery = TenantForeignKey(Delivery, on_delete=models.CASCADE, related_name="live_parts")
    connection = TenantForeignKey(Connection, on_delete=models.PROTECT, related_name="+")
    position = models.PositiveSmallIntegerField()
    content_hash = models.CharField(max_length=64)
    remote_id = models.CharField(max_length=40)
    url = models.CharField(max_length=300)
    # Adopted after reading the timeline, not from the answer to the call.
    was_found = models.BooleanField(default=False)
    published_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["delivery", "position"], name="part_live_once"),
            models.UniqueConstraint(fields=["connection", "remote_id"], name="remote_post_claimed_once"),
        ]


class Attempt(TenantModel):
    """One try of a delivery, written before the call and closed after it. Its number is the fence of the claim."""

    class Outcome(models.TextChoices):
        OPEN = "open", "Open"
        ACCEPTED = "accepted", "Accepted"
        REFUSED = "refused", "Refused"
        UNKNOWN = "unknown", "Unknown"
        # Nothing was sent: the worker died before the call, or stopped itself.
        ABANDONED = "abandoned", "Not sent"

    delivery = TenantForeignKey(Delivery, on_delete=models.CASCADE, related_name="attempts")
    number = models.PositiveIntegerField()
    outcome = models.CharField(max_length=10, choices=Outcome.choices, default=Outcome.OPEN)
    claimed_at = models.DateTimeField(default=now)
    started_at = models.DateTimeField(null=True)
    # Set, and committed, before the irreversible call; cleared when its answer is recorded.
    submitting_part = models.PositiveSmallIntegerField(null=True)
    submitting_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    http_status = models.PositiveSmallIntegerField(null=True)
    request_id = models.CharField(max_length=80, blank=True)
    code = models.CharField(max_length=40, blank=True)
    message = models.CharField(max_length=300, blank=True)
    # The platform's own words, for staff.
    raw = models.TextField(blank=True)

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["delivery", "number"], name="attempt_number_once")]


class MediaUpload(TenantModel):
    """A file already on the network, so that a retry does not upload it again."""

    connection = TenantForeignKey(Connection, on_delete=models.CASCADE, related_name="+")
    asset = TenantForeignKey(MediaAsset, on_delete=models.CASCADE, related_name="+")
    remote_id = models.CharField(max_length=40)
    is_ready = models.BooleanField(default=False)
    # The alt text the network has; another one must be sent again.
    alt_text = models.CharField(max_length=1000, blank=True)
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "asset"], name="upload_once")]


class Slot(TenantModel):
    """A wall-clock posting time of a connection, every week."""

    connection = TenantForeignKey(Connection, on_delete=models.CASCADE, related_name="slots")
    weekday = models.PositiveSmallIntegerField(help_text="0 is Monday.")
    time = models.TimeField()
    time_zone = models.CharField(max_length=64, validators=[check_time_zone])

    class Meta:
        ordering = ["weekday", "time"]
        constraints = [models.UniqueConstraint(fields=["connection", "weekday", "time"], name="slot_once")]


class Source(TenantModel):
    """A media folder that becomes posts. The API calls it a project."""

    name = models.CharField(max_length=120)
    folder = models.CharField(max_length=300)
    campaign = TenantForeignKey(Campaign, null=True, blank=True, on_delete=models.SET_NULL, related_name="sources")
    is_active = models.BooleanField(default=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=now)
    scanned_at = models.DateTimeField(null=True)
    # The last scan could not run at all.
    scan_error = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["workspace", "folder"], name="folder_once")]

    def __str__(self) -> str:
        return self.name


class SourceConnection(TenantModel):
    """Where the posts of a source go by default."""

    source = TenantForeignKey(Source, on_delete=models.CASCADE, related_name="targets")
    connection = TenantForeignKey(Connection, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "connection"], name="source_target_once")]


class SourceItem(TenantModel):
    """A file of a source as the last scan saw it: used for a post, or not usable and why."""

    class Status(models.TextChoices):
        USED = "used", "Used"
        PROBLEM = "problem", "Not usable"
        VANISHED = "vanished", "Vanished"

    source = TenantForeignKey(Source, on_delete=models.CASCADE, related_name="items")
    path = models.CharField(max_length=500)
    status = models.CharField(max_length=10, choices=Status.choices)
    digest = models.CharField(max_length=64, blank=True)
    post = TenantForeignKey(Post, null=True, on_delete=models.SET_NULL, related_name="source_items")
    # The file changed after its post was approved or sent, so the post was left as it is.
    has_newer_file = models.BooleanField(default=False)
    code = models.CharField(max_length=40, blank=True)
    message = models.CharField(max_length=500, blank=True)
    seen_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["path"]
        constraints = [models.UniqueConstraint(fields=["source", "path"], name="source_path_once")]
