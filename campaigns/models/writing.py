"""What helps writing: unsaved work, former versions, pieces of text."""

from django.db import models

from accounts.models import User
from accounts.tenancy import TenantForeignKey, TenantModel
from lib.clock import now


class ComposerDraft(TenantModel):
    """What somebody typed and has not saved: the composer's form, as it was last seen."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    # Of the post, or of the post that saving will make.
    post_id = models.UUIDField()
    data = models.JSONField()
    updated_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "user", "post_id"], name="composer_draft_once")]


class PostVersion(TenantModel):
    """The content of a post as it was saved."""

    post = TenantForeignKey("campaigns.Post", on_delete=models.CASCADE, related_name="versions")
    revision = models.PositiveIntegerField()
    # Texts, media with descriptions, polls, options and each connection's own texts.
    content = models.JSONField()
    author = models.CharField(max_length=120)
    created_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["-revision"]
        constraints = [models.UniqueConstraint(fields=["post", "revision"], name="version_once")]


class Snippet(TenantModel):
    """A saved piece of text: a template, a set of hashtags, a signature."""

    class Kind(models.TextChoices):
        TEMPLATE = "template", "Template"
        HASHTAGS = "hashtags", "Hashtags"
        SIGNATURE = "signature", "Signature"
        # An answer for the inbox.
        REPLY = "reply", "Saved reply"

    kind = models.CharField(max_length=9, choices=Kind.choices)
    name = models.CharField(max_length=80)
    text = models.TextField(max_length=5_000)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    updated_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["kind", "name"]
        constraints = [models.UniqueConstraint(fields=["workspace", "kind", "name"], name="snippet_once")]

    def __str__(self) -> str:
        return self.name
