from django.db import models
from django.db.models import Q
from django.urls import reverse

from accounts.models import User
from accounts.tenancy import TenantForeignKey, TenantModel
from lib.clock import now
from social.models import Connection


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

    post = TenantForeignKey("campaigns.Post", on_delete=models.CASCADE, related_name="deliveries")
    connection = TenantForeignKey(Connection, on_delete=models.PROTECT, related_name="deliveries")
    state = models.CharField(max_length=12, choices=State.choices, default=State.DRAFT)
    # Texts that replace the post's own on this connection; empty means none.
    override_texts = models.JSONField(default=list, blank=True)
    # What a person planned; it never moves by itself.
    scheduled_at = models.DateTimeField(null=True)
    # When the engine acts next: the plan, a retry, or a look-up.
    due_at = models.DateTimeField(null=True)
    # Its time came from a posting slot, so it takes part in reordering the queue.
    is_queued = models.BooleanField(default=False)
    approved_hash = models.CharField(max_length=64, blank=True)
    approved_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    approved_at = models.DateTimeField(null=True)
    # A policy approved it, not a person.
    approved_policy = TenantForeignKey(
        "campaigns.AutonomyPolicy", null=True, on_delete=models.SET_NULL, related_name="+"
    )
    # Rises with every claim: a worker that lost its lease can no longer write.
    fence = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    # Failures that count against the retry limit; waiting for a rate window does not.
    failures = models.PositiveSmallIntegerField(default=0)
    lookups = models.PositiveSmallIntegerField(default=0)
    published_at = models.DateTimeField(null=True)
    problem_code = models.CharField(max_length=40, blank=True)
    problem_text = models.CharField(max_length=300, blank=True)
    # What the check an hour ahead found: empty, amber or red.
    risk = models.CharField(max_length=5, blank=True)
    risk_text = models.CharField(max_length=300, blank=True)
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
            # Which accounts have something due, from the index alone; then the oldest of each.
            models.Index(
                fields=["due_at"],
                include=["connection"],
                condition=Q(state__in=["scheduled", "retry_wait"]),
                name="delivery_due",
            ),
            models.Index(
                fields=["connection", "due_at", "id"],
                condition=Q(state__in=["scheduled", "retry_wait"]),
                name="delivery_next",
            ),
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
    # All messages of an album; empty where the part is one post.
    remote_ids = models.JSONField(default=list, blank=True)
    # Taken down by us after it was live.
    deleted_at = models.DateTimeField(null=True)
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
    asset = TenantForeignKey("campaigns.MediaAsset", on_delete=models.CASCADE, related_name="+")
    remote_id = models.CharField(max_length=40)
    is_ready = models.BooleanField(default=False)
    # The alt text the network has; another one must be sent again.
    alt_text = models.CharField(max_length=1000, blank=True)
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "asset"], name="upload_once")]


class LiveChange(TenantModel):
    """A change to a part that is live: an edit, or taking it down. Reviewed like a post; never sends the post again."""

    class Action(models.TextChoices):
        EDIT = "edit", "Edit"
        DELETE = "delete", "Delete"

    class State(models.TextChoices):
        IN_REVIEW = "in_review", "In review"
        QUEUED = "queued", "Queued"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        REJECTED = "rejected", "Rejected"

    part = TenantForeignKey(LivePart, on_delete=models.CASCADE, related_name="changes")
    action = models.CharField(max_length=6, choices=Action.choices)
    state = models.CharField(max_length=9, choices=State.choices)
    # The new text as it will be sent, with its entities.
    text = models.TextField(blank=True)
    entities = models.JSONField(default=list, blank=True)
    action_hash = models.CharField(max_length=64)
    requested_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    due_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    failures = models.PositiveSmallIntegerField(default=0)
    problem_text = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=now)
    done_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["part"], condition=Q(state__in=["in_review", "queued"]), name="one_open_change_per_part"
            )
        ]
        indexes = [models.Index(fields=["due_at"], condition=Q(state="queued"), name="live_change_due")]
