from django.db import models
from django.urls import reverse

from accounts.models import User
from accounts.tenancy import TenantForeignKey, TenantModel
from campaigns.models.campaign import Campaign
from campaigns.models.source import Source
from lib.clock import now


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
    # Made by an import: the same row again updates it.
    external_id = models.CharField(max_length=120, blank=True)
    source = TenantForeignKey(Source, null=True, blank=True, on_delete=models.SET_NULL, related_name="posts")
    tags = models.JSONField(default=list, blank=True)
    language = models.CharField(max_length=12, blank=True)
    # Marked text has bold, links and the like (`social.networks.markup`); plain text is taken as it stands.
    is_marked = models.BooleanField(default=False)
    # Per network: what only that one knows (`social.networks.options` gives the shapes).
    options = models.JSONField(default=dict, blank=True)
    # A reply: the post it answers, and what the network said about whether we may.
    reply_to = models.CharField(max_length=40, blank=True)
    reply_facts = models.JSONField(default=dict, blank=True)

    class Relationship(models.TextChoices):
        OWN_BRAND = "own_brand", "Our own brand"
        PAID = "paid", "Paid by somebody"
        GIFT = "gift", "Got it for free"
        AFFILIATE = "affiliate", "Earns by its links"
        EMPLOYEE = "employee", "Written by an employee"

    # The author's tie to what is praised: what has to be disclosed follows from it.
    relationship = models.CharField(max_length=10, choices=Relationship.choices, default=Relationship.OWN_BRAND)
    made_with_ai = models.BooleanField(default=False)
    # An agent wrote some of it: then the label cannot be taken off.
    has_agent_text = models.BooleanField(default=False)
    # Grows with every change of content; a stale form is told so.
    revision = models.PositiveIntegerField(default=1)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    # Everybody who changed the content: four eyes means somebody else.
    authors = models.JSONField(default=list)
    created_at = models.DateTimeField(default=now)
    updated_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "external_id"], condition=~models.Q(external_id=""), name="external_id_once"
            )
        ]

    def __str__(self) -> str:
        return self.title or "Untitled post"

    def get_absolute_url(self) -> str:
        return reverse("campaigns:post-detail", args=[self.pk])


class PostPart(TenantModel):
    """One post of a thread, from position 0. A plain post has one part."""

    post = TenantForeignKey(Post, on_delete=models.CASCADE, related_name="parts")
    position = models.PositiveSmallIntegerField()
    text = models.TextField(blank=True, max_length=25_000)
    # {"options": [2 to 4 of up to 25 characters], "minutes": 5 to 10080}
    poll = models.JSONField(null=True, blank=True)

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
