from datetime import datetime

from django.db import models
from django.db.models import Q

from accounts.models import User, Workspace
from accounts.tenancy import TenantForeignKey, TenantModel
from lib.clock import now
from lib.crypto import SecretField
from lib.ids import uuid7
from social.networks.x.scopes import OAUTH1, SCOPES


class Network(models.TextChoices):
    X = "x", "X"
    TELEGRAM = "telegram", "Telegram"


class UnknownPolicy(models.TextChoices):
    """What to do when nobody can find out whether a post is live."""

    ASK = "ask", "Ask a person"
    NEVER_TWICE = "never", "Give up: rather missing than twice"
    SEND_AGAIN = "again", "Send again: rather twice than missing"


class ConnectionQuerySet(models.QuerySet["Connection"]):
    def shown(self) -> "ConnectionQuerySet":
        return self.exclude(status=Connection.Status.DISCONNECTED)


class Connection(TenantModel):
    """One account of the workspace on a network."""

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        RECONNECT = "reconnect", "Needs reconnecting"
        PAUSED = "paused", "Paused"
        # By staff: only staff can end it.
        SUSPENDED = "suspended", "Suspended"
        DISCONNECTED = "disconnected", "Disconnected"

    network = models.CharField(max_length=12, choices=Network.choices)
    # On Telegram `<chat>` or `<chat>:<topic>`.
    remote_id = models.CharField(max_length=40)
    # The id it had first, where it goes by another one now: approvals name this one.
    origin_id = models.CharField(max_length=40, blank=True)
    # channel, group, supergroup or private; empty where a network has one kind of account.
    kind = models.CharField(max_length=12, blank=True)
    handle = models.CharField(max_length=80)
    name = models.CharField(max_length=120)
    is_premium = models.BooleanField(default=False)
    followers = models.PositiveIntegerField(default=0)
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.ACTIVE)
    # Why it is not active, for people.
    status_text = models.CharField(max_length=300, blank=True)
    scopes = models.JSONField(default=list)
    # Not api.x.com: set when connecting, shown on every card.
    api_host = models.CharField(max_length=120, blank=True)
    connected_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    connected_at = models.DateTimeField(default=now)
    checked_at = models.DateTimeField(null=True)
    # Who shares a developer app or a bot: its rate windows are theirs together.
    app_key = models.CharField(max_length=64, blank=True)
    unknown_policy = models.CharField(max_length=5, choices=UnknownPolicy.choices, default=UnknownPolicy.ASK)
    # The breaker: temporary failures in a row, and until when it stays open.
    failures_in_row = models.PositiveSmallIntegerField(default=0)
    broken_until = models.DateTimeField(null=True)
    # A used-up rate window: nothing is claimed for this account before it opens.
    limited_until = models.DateTimeField(null=True)

    objects = ConnectionQuerySet.as_manager()

    class Meta:
        ordering = ["network", "handle"]
        constraints = [
            models.UniqueConstraint(fields=["workspace", "network", "remote_id"], name="one_connection_per_account")
        ]
        # For prefixes too: all topics of a chat, in whatever workspace.
        indexes = [models.Index(fields=["remote_id"], opclasses=["varchar_pattern_ops"], name="connection_remote_id")]

    def __str__(self) -> str:
        # A private chat has a title only.
        return f"@{self.handle}" if self.handle else self.name

    @property
    def is_sandbox(self) -> bool:
        return self.api_host not in {"api.x.com", "api.twitter.com", "api.telegram.org"}

    @property
    def missing_scopes(self) -> list[str]:
        """What the account did not grant, so that the rest can be used knowingly."""
        if OAUTH1 in self.scopes or self.network != Network.X:
            return []
        return [scope for scope in SCOPES if scope not in self.scopes]

    @property
    def limited_now(self) -> datetime | None:
        """When the used-up rate window opens, while it is shut."""
        return self.limited_until if self.limited_until and self.limited_until > now() else None

    @property
    def wants_reconnect(self) -> bool:
        return self.status == self.Status.RECONNECT or bool(self.missing_scopes)

    @property
    def health(self) -> str:
        """ok, warning, error or off."""
        if self.status == self.Status.ACTIVE:
            return "warning" if self.missing_scopes or self.limited_now else "ok"
        return "error" if self.status in {self.Status.RECONNECT, self.Status.SUSPENDED} else "off"


class NetworkApp(TenantModel):
    """A workspace's own keys of a developer app (where the operator allows them)."""

    network = models.CharField(max_length=12, choices=Network.choices)
    name = models.CharField(max_length=80)
    client_id = models.CharField(max_length=200, blank=True)
    client_secret = SecretField(blank=True, default="")
    consumer_key = models.CharField(max_length=200, blank=True)
    consumer_secret = SecretField(blank=True, default="")
    created_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["workspace", "network", "name"], name="app_name_once")]

    def __str__(self) -> str:
        return self.name


class Credential(TenantModel):
    """The tokens of a connection. Refresh tokens are single use: change this row only while holding its lock."""

    class Kind(models.TextChoices):
        OAUTH2 = "oauth2", "OAuth 2.0"
        OAUTH1 = "oauth1", "OAuth 1.0a"
        BOT = "bot", "Bot token"

    connection = models.OneToOneField(
        Connection, on_delete=models.CASCADE, related_name="credential", db_constraint=False
    )
    app = TenantForeignKey(NetworkApp, null=True, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.OAUTH2)
    # Telegram: the workspace's own bot; without one the instance's bot posts.
    bot = TenantForeignKey("social.Bot", null=True, on_delete=models.PROTECT, related_name="+")
    access_token = SecretField(blank=True, default="")
    refresh_token = SecretField(blank=True, default="")
    # OAuth 1.0a keeps its token secret here.
    token_secret = SecretField(blank=True, default="")
    expires_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)
    updated_at = models.DateTimeField(default=now)

    def __str__(self) -> str:
        return f"{self.kind} of {self.connection_id}"


class OAuthState(models.Model):
    """A resolver: one started connect, found again by the hash of `state` when the browser comes back."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
    state_hash = models.CharField(max_length=64, unique=True)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    # Empty when an API call started it: then the same person must come back, in any session.
    session_hash = models.CharField(max_length=64, blank=True)
    verifier = SecretField()
    redirect_uri = models.CharField(max_length=300)
    app_id = models.UUIDField(null=True)
    created_at = models.DateTimeField(default=now)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["expires_at"], name="oauth_state_expiry", condition=Q(used_at=None))]

    def __str__(self) -> str:
        return f"state of {self.user_id}"


class NetworkState(models.Model):
    """The breaker of a whole network: while it is open nobody is sent into the same wall."""

    network = models.CharField(max_length=12, choices=Network.choices, primary_key=True)
    failures_in_row = models.PositiveSmallIntegerField(default=0)
    broken_until = models.DateTimeField(null=True)
    changed_at = models.DateTimeField(default=now)

    def __str__(self) -> str:
        return self.get_network_display()


class RateBucket(models.Model):
    """A rate window that several connections share (one developer app), as the network's last answer told it."""

    app_key = models.CharField(max_length=64, primary_key=True)
    limit = models.PositiveIntegerField()
    remaining = models.PositiveIntegerField()
    resets_at = models.DateTimeField()
    seen_at = models.DateTimeField(default=now)

    def __str__(self) -> str:
        return f"{self.remaining} of {self.limit}"
