import secrets
import zoneinfo
from typing import ClassVar

from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from lib.clock import now
from lib.ids import uuid7


class UserManager(BaseUserManager["User"]):
    use_in_migrations = True

    def create_user(self, email: str, password: str | None = None, **fields: object) -> "User":
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save()
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: object) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username)


class User(AbstractUser):
    username = None  # type: ignore[assignment]
    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120, blank=True)
    time_zone = models.CharField(max_length=64, blank=True)
    mail_alerts = models.BooleanField("mail me what needs attention", default=True)
    # On the person's own clock; alerts wait for the end of the quiet hours. Both or neither.
    quiet_from = models.TimeField(null=True, blank=True)
    quiet_to = models.TimeField(null=True, blank=True)
    last_workspace = models.ForeignKey(
        "accounts.Workspace", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects: ClassVar[UserManager] = UserManager()  # type: ignore[assignment]

    def __str__(self) -> str:
        return self.name or self.email

    def get_full_name(self) -> str:
        return str(self)

    def get_short_name(self) -> str:
        return str(self)


def check_time_zone(value: str) -> None:
    if value not in zoneinfo.available_timezones():
        raise ValidationError(f"{value} is not a time zone. Use a name such as Europe/Berlin.")


class LatePolicy(models.TextChoices):
    """What becomes of a post that is later than the workspace allows."""

    ASK = "ask", "Ask what to do with it"
    SEND = "send", "Send it all the same"
    DROP = "drop", "Drop it"


class Workspace(models.Model):
    """The tenant. The row itself holds nothing but names and switches; all a customer owns is in tenant tables."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=80)
    slug = models.SlugField(max_length=60, unique=True)
    time_zone = models.CharField(max_length=64, default="UTC", validators=[check_time_zone])
    four_eyes = models.BooleanField("four eyes", default=False, help_text="Nobody approves a post of their own.")
    late_minutes = models.PositiveIntegerField(
        default=60, help_text="A post that is later than this is not sent; it waits as missed and asks."
    )
    late_policy = models.CharField(max_length=4, choices=LatePolicy.choices, default=LatePolicy.ASK)
    # Somebody pressed "stop everything": nothing goes out until it is released.
    is_stopped = models.BooleanField("stopped", default=False)
    stopped_text = models.CharField(max_length=200, blank=True)
    # What calls to paid networks may cost in a UTC month, in micro-dollars.
    monthly_cap_micro = models.PositiveBigIntegerField("monthly cap", null=True, blank=True)
    # ISO codes whose public holidays the calendar shows.
    holiday_countries = models.JSONField(default=list, blank=True)
    is_suspended = models.BooleanField("suspended by staff", default=False)
    # Of `accounts.plans`; empty for the installation's default. It ends by itself where it has an end.
    plan = models.CharField(max_length=20, blank=True, default="", editable=False)
    plan_until = models.DateTimeField(null=True, blank=True, editable=False)
    # What the billing provider calls this customer.
    billing_ref = models.CharField(max_length=120, blank=True, default="", editable=False)
    # Of the provider's last message that counted: older ones that come late change nothing.
    billing_revision = models.PositiveBigIntegerField(default=0, editable=False)
    # The owner asked for its end: until then everything can be taken back.
    deletes_at = models.DateTimeField("deleted at", null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=now, editable=False)

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    OWNER = "owner", "Owner"
    ADMIN = "admin", "Admin"
    EDITOR = "editor", "Editor"
    REVIEWER = "reviewer", "Reviewer"
    VIEWER = "viewer", "Viewer"
    GUEST = "guest", "Guest"


class Membership(models.Model):
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices)
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        ordering = ["created_at"]
        constraints = [models.UniqueConstraint(fields=["user", "workspace"], name="one_membership_per_workspace")]

    def __str__(self) -> str:
        return f"{self.user} in {self.workspace}"


class Invitation(models.Model):
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField()
    role = models.CharField(max_length=10, choices=Role.choices)
    # A guest invitation may carry the campaign that is shared with them.
    campaign_id = models.UUIDField(null=True, blank=True)
    invited_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=now, editable=False)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "email"],
                condition=Q(accepted_at=None),
                name="one_open_invitation_per_address",
            )
        ]

    def __str__(self) -> str:
        return f"{self.email} to {self.workspace}"


class ApiKey(models.Model):
    """A resolver: read by its hash before the workspace is known. Only the hash is stored."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="api_keys", editable=False)
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=12, editable=False)
    key_hash = models.CharField(max_length=64, unique=True, editable=False)
    scopes = models.JSONField(default=list)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @property
    def is_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= now()


def new_secret(prefix: str) -> str:
    return f"{prefix}_{secrets.token_urlsafe(32)}"
