from django.db import models
from django.db.models import Q

from accounts.models import User, Workspace
from lib.clock import now
from lib.ids import uuid7


class SubjectKind(models.TextChoices):
    USER = "user", "User"
    CONTACT = "contact", "Contact"
    WORKSPACE = "workspace", "Workspace"


class PrivacyRequest(models.Model):
    """What a person asked for about their data, and its clock. Without a workspace: about a user's own account."""

    class Kind(models.TextChoices):
        EXPORT = "export", "A copy of the data"
        ERASE = "erase", "Erasure"
        RECTIFY = "rectify", "Correction"
        RESTRICT = "restrict", "Restriction"
        OBJECT = "object", "Objection"

    class Law(models.TextChoices):
        GDPR = "gdpr", "GDPR (30 days)"
        CCPA = "ccpa", "CCPA (45 days)"

    class Status(models.TextChoices):
        # Who asks is not known for sure yet.
        VERIFYING = "verifying", "Identity to be checked"
        OPEN = "open", "Open"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        REFUSED = "refused", "Refused"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace = models.ForeignKey(Workspace, null=True, on_delete=models.CASCADE, editable=False, related_name="+")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    subject_kind = models.CharField(max_length=9, choices=SubjectKind.choices)
    subject_id = models.UUIDField()
    # How people call the subject; emptied by the erasure.
    subject_label = models.CharField(max_length=200, blank=True)
    law = models.CharField(max_length=4, choices=Law.choices, default=Law.GDPR)
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.VERIFYING)
    # What to correct, what to object to, and what was said.
    details = models.JSONField(default=dict, blank=True)
    received_at = models.DateTimeField(default=now)
    due_at = models.DateTimeField()
    extended_because = models.CharField(max_length=300, blank=True)
    reminded_at = models.DateTimeField(null=True)
    # How we know who asks: password, mail link, document seen.
    identity_method = models.CharField(max_length=60, blank=True)
    verified_at = models.DateTimeField(null=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    handled_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    refusal = models.CharField(max_length=300, blank=True)
    # What came out: counts by model, digests of the files.
    manifest = models.JSONField(default=dict, blank=True)
    file = models.CharField(max_length=300, blank=True)
    file_expires_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-received_at"]
        indexes = [models.Index(fields=["due_at"], condition=~Q(status__in=["done", "refused"]), name="privacy_due")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.subject_label or self.subject_id}"


class LegalHold(models.Model):
    """While it stands, nothing of the subject is erased, by nobody and no schedule."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace = models.ForeignKey(Workspace, null=True, on_delete=models.CASCADE, editable=False, related_name="+")
    subject_kind = models.CharField(max_length=9, choices=SubjectKind.choices)
    subject_id = models.UUIDField()
    reason = models.CharField(max_length=300)
    set_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    set_at = models.DateTimeField(default=now)
    released_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-set_at"]

    def __str__(self) -> str:
        return f"Hold on {self.subject_kind} {self.subject_id}"


class Erasure(models.Model):
    """Who was erased, by id alone: a restored backup replays it. Global, without a person."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    subject_kind = models.CharField(max_length=9, choices=SubjectKind.choices)
    subject_id = models.UUIDField()
    workspace_id = models.UUIDField(null=True)
    counts = models.JSONField(default=dict)
    at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["-at"]

    def __str__(self) -> str:
        return f"{self.subject_kind} {self.subject_id}"
