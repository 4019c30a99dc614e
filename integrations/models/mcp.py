"""Personal MCP servers: rows, no processes. What one offers is read from its row with every request."""

from django.db import models

from accounts.models import User
from accounts.tenancy import TenantForeignKey, TenantModel
from lib.clock import now
from lib.crypto import SecretField
from lib.ids import uuid7


class McpServer(TenantModel):
    """What one person lets programs do in one workspace, in their name and with no more than their rights."""

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        SUSPENDED = "suspended", "Suspended"
        REVOKED = "revoked", "Revoked"

    class Suspender(models.TextChoices):
        PERSON = "person", "Its person"
        ADMIN = "admin", "An admin"
        STAFF = "staff", "Staff"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=80)
    # Names as `integrations.mcp.registry` has them.
    tools = models.JSONField(default=list)
    resources = models.JSONField(default=list)
    prompts = models.JSONField(default=list)
    calls_per_minute = models.PositiveIntegerField(default=60)
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.ACTIVE)
    # Why it is suspended, for its person; and by whom, since nobody undoes what somebody above them did.
    status_text = models.CharField(max_length=200, blank=True)
    suspended_by = models.CharField(max_length=6, choices=Suspender.choices, blank=True, default="", db_default="")
    created_at = models.DateTimeField(default=now)
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = "MCP server"
        indexes = [models.Index(fields=["workspace", "user", "-created_at"], name="mcp_server_list")]

    def __str__(self) -> str:
        return self.name


class OAuthClient(models.Model):
    """A program that asks people for access. Global: it registers itself before any workspace is known."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    client_id = models.CharField(max_length=500, unique=True)
    name = models.CharField(max_length=120)
    redirect_uris = models.JSONField(default=list)
    # Its page, as it says.
    uri = models.URLField(max_length=500, blank=True)
    created_at = models.DateTimeField(default=now)
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "OAuth client"

    def __str__(self) -> str:
        return self.name


class OAuthCode(TenantModel):
    """A permission that was just given, to be changed into tokens once. A resolver: read by the hash of the code."""

    code_hash = models.CharField(max_length=64, unique=True)
    server = TenantForeignKey(McpServer, on_delete=models.CASCADE, related_name="+")
    client = models.ForeignKey(OAuthClient, on_delete=models.CASCADE, related_name="+")
    redirect_uri = models.CharField(max_length=500)
    # PKCE, S256.
    challenge = models.CharField(max_length=128)
    resource = models.CharField(max_length=500)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    # The tokens it became: all of them end when it is shown again.
    family = models.UUIDField(default=uuid7)

    class Meta:
        verbose_name = "OAuth code"


class McpToken(TenantModel):
    """Opens one server. A resolver: read by its hash; only the hash is stored."""

    class Kind(models.TextChoices):
        PLAIN = "plain", "Token"
        ACCESS = "access", "Access token"
        REFRESH = "refresh", "Refresh token"

    server = TenantForeignKey(McpServer, on_delete=models.CASCADE, related_name="tokens")
    kind = models.CharField(max_length=7, choices=Kind.choices)
    token_hash = models.CharField(max_length=64, unique=True)
    prefix = models.CharField(max_length=12)
    # Empty for plain tokens.
    client = models.ForeignKey(OAuthClient, null=True, on_delete=models.CASCADE, related_name="+")
    # Tokens that follow from one permission.
    family = models.UUIDField(default=uuid7)
    created_at = models.DateTimeField(default=now)
    expires_at = models.DateTimeField(null=True)
    # A refresh token that was changed into the next one: shown again, it ends its family.
    used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = "MCP token"
        indexes = [
            models.Index(fields=["workspace", "server"], name="mcp_token_server"),
            models.Index(fields=["workspace", "family"], name="mcp_token_family"),
        ]

    def __str__(self) -> str:
        return f"{self.prefix}…"


class McpUsage(TenantModel):
    """How often a server's tool was called on a UTC day."""

    server = TenantForeignKey(McpServer, on_delete=models.CASCADE, related_name="usage")
    day = models.DateField()
    tool = models.CharField(max_length=80)
    calls = models.PositiveIntegerField(default=0)
    errors = models.PositiveIntegerField(default=0)
    ms = models.PositiveBigIntegerField(default=0)

    class Meta:
        ordering = ["-day", "tool"]
        verbose_name = "MCP usage"
        verbose_name_plural = "MCP usage"
        constraints = [models.UniqueConstraint(fields=["server", "day", "tool"], name="mcp_usage_once")]


class OutsideServer(TenantModel):
    """Somebody else's MCP server, of which assistants may use the tools that an admin allowed."""

    class Pauser(models.TextChoices):
        ADMIN = "admin", "An admin"
        STAFF = "staff", "Staff"

    name = models.CharField(max_length=40)
    url = models.URLField(max_length=500)
    # The value of the Authorization header; empty for none.
    secret = SecretField(blank=True, default="")
    # As it described them when an admin last looked: [{"name", "description", "schema", "sha256"}].
    tools = models.JSONField(default=list)
    # {name: sha256 of what was allowed}; a tool that has changed since is not offered.
    allowed = models.JSONField(default=dict)
    # Names of allowed tools that only read, as the admin says: used without asking a person.
    read_only = models.JSONField(default=list, db_default=models.Value([], models.JSONField()))
    is_active = models.BooleanField(default=True)
    # Who paused it, since no admin undoes what staff did; and why, for admins.
    paused_by = models.CharField(max_length=5, choices=Pauser.choices, blank=True, default="", db_default="")
    pause_text = models.CharField(max_length=300, blank=True, default="", db_default="")
    problem_text = models.CharField(max_length=300, blank=True)
    checked_at = models.DateTimeField(null=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="outside_server_name_once")]

    def __str__(self) -> str:
        return self.name
