"""Assistants, and the prompts they speak by."""

from django.db import models

from accounts.models import User
from accounts.tenancy import TenantForeignKey, TenantModel
from lib.clock import now


class Assistant(TenantModel):
    """A named way of using a workflow: its prompt versions, its settings."""

    key = models.SlugField(max_length=60)
    name = models.CharField(max_length=80)
    description = models.TextField(max_length=1_000, blank=True)
    # A name of the registry of workflows.
    workflow = models.CharField(max_length=40, default="chat")
    # {"role": "writer", "tools": […], "language": "zh"}
    settings = models.JSONField(default=dict, blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    # Grows with every change, its prompts included; a stale If-Match is told so.
    revision = models.PositiveIntegerField(default=1)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=now)
    updated_at = models.DateTimeField(default=now)
    archived_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["workspace", "key"], name="assistant_once")]

    def __str__(self) -> str:
        return self.name


class PromptVersion(TenantModel):
    """What an assistant is told. A row never changes: a trigger refuses it."""

    assistant = TenantForeignKey(Assistant, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    body = models.TextField()
    config = models.JSONField(default=dict)
    # Names and descriptions of the variables in the body.
    variables = models.JSONField(default=dict)
    sha256 = models.CharField(max_length=64)
    message = models.CharField(max_length=200, blank=True)
    author = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    author_label = models.CharField(max_length=120, blank=True)
    # "<assistant key>@<number>" of what it was copied from.
    cloned_from = models.CharField(max_length=80, blank=True)
    # The version that a rollback left.
    rolled_back_from = models.PositiveIntegerField(null=True)
    created_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["workspace", "assistant", "number"], name="prompt_version_once")]

    def __str__(self) -> str:
        return f"v{self.number}"


class PromptLabel(TenantModel):
    """A name that points at a version: production, staging, latest, or one's own."""

    assistant = TenantForeignKey(Assistant, on_delete=models.CASCADE, related_name="labels")
    label = models.CharField(max_length=40)
    version = TenantForeignKey(PromptVersion, on_delete=models.CASCADE, related_name="labels")
    is_protected = models.BooleanField(default=False)
    updated_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    updated_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["label"]
        constraints = [models.UniqueConstraint(fields=["workspace", "assistant", "label"], name="prompt_label_once")]

    def __str__(self) -> str:
        return self.label


class PromptTemplate(TenantModel):
    """A workspace's own addition to the library of templates."""

    name = models.CharField(max_length=80)
    language = models.CharField(max_length=12, default="en")
    industry = models.CharField(max_length=40, blank=True)
    body = models.TextField()
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="prompt_template_once")]

    def __str__(self) -> str:
        return self.name
