from django.db import models
from django.db.models import Q

from accounts.models import User
from accounts.tenancy import TenantForeignKey, TenantModel
from lib.clock import now


class Contact(TenantModel):
    """A person a workspace talks to who has no account here."""

    name = models.CharField(max_length=120, blank=True)
    email = models.EmailField(blank=True)
    network = models.CharField(max_length=12, blank=True)
    remote_id = models.CharField(max_length=60, blank=True)
    handle = models.CharField(max_length=80, blank=True)
    country = models.CharField(max_length=2, blank=True)
    language = models.CharField(max_length=12, blank=True)
    notes = models.TextField(blank=True)
    # Kept, but used for nothing (Art. 18).
    restricted_at = models.DateTimeField(null=True)
    # Their browser said so (Sec-GPC): not sold, not shared, not profiled.
    has_gpc = models.BooleanField(default=False)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["workspace", "email"], condition=~Q(email=""), name="contact_mail_once"),
            models.UniqueConstraint(
                fields=["workspace", "network", "remote_id"], condition=~Q(remote_id=""), name="contact_account_once"
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.email or self.handle or "Unnamed contact"


class Notice(TenantModel):
    """What people are told when they are asked; a version never changes once somebody agreed to it."""

    purpose = models.CharField(max_length=40)
    version = models.PositiveIntegerField()
    language = models.CharField(max_length=12, default="en")
    text = models.TextField(max_length=10_000)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["purpose", "-version", "language"]
        constraints = [
            models.UniqueConstraint(fields=["workspace", "purpose", "version", "language"], name="notice_version_once")
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.version} ({self.language})"


class Consent(TenantModel):
    """The ledger: one row for each time somebody agreed or withdrew. Append-only; the newest row counts."""

    class State(models.TextChoices):
        GIVEN = "given", "Given"
        WITHDRAWN = "withdrawn", "Withdrawn"
        # Objected without ever having agreed (Art. 21), or by Global Privacy Control.
        OBJECTED = "objected", "Objected"

    contact = TenantForeignKey(Contact, on_delete=models.CASCADE, related_name="consents")
    purpose = models.CharField(max_length=40)
    channel = models.CharField(max_length=20)
    state = models.CharField(max_length=9, choices=State.choices)
    # form, import, api, link, gpc, staff
    method = models.CharField(max_length=20)
    notice = TenantForeignKey(Notice, null=True, on_delete=models.PROTECT, related_name="+")
    # What proves it: the form, the file and row, the message.
    evidence = models.JSONField(default=dict)
    recorded_by = models.CharField(max_length=120, blank=True)
    at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["at", "id"]
        indexes = [models.Index(fields=["contact", "purpose", "channel", "-at"], name="consent_newest")]
