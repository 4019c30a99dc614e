"""Telegram's own rows: bots, what they hear, and the people and chats they know."""

from typing import Any

from django.db import models

from accounts.models import User
from accounts.tenancy import TenantForeignKey, TenantModel
from lib.clock import now
from lib.crypto import SecretField
from lib.ids import uuid7
from social.models.connection import Connection


class Bot(TenantModel):
    """A workspace's own bot. The instance's bot has no row: its token comes from the settings."""

    bot_id = models.BigIntegerField(unique=True)
    username = models.CharField(max_length=64)
    name = models.CharField(max_length=120)
    token = SecretField()
    created_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["username"]

    def __str__(self) -> str:
        return f"@{self.username}"


class BotReceiver(models.Model):
    """Who reads a bot's updates and how far: one receiver per bot, on a lease. No secrets."""

    bot_id = models.BigIntegerField(primary_key=True)
    # The workspace of an own bot; none for the instance's.
    workspace_id = models.UUIDField(null=True)
    username = models.CharField(max_length=64, blank=True)
    next_update = models.BigIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    # Of the secret that Telegram sends with each webhook call; empty while updates are polled.
    webhook_secret_hash = models.CharField(max_length=64, blank=True)
    polled_at = models.DateTimeField(null=True)
    problem = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return f"@{self.username}"


class InboundUpdate(models.Model):
    """What a bot heard, once. Global: whose it is turns out only when it is read."""

    id = models.BigAutoField(primary_key=True)
    bot_id = models.BigIntegerField()
    update_id = models.BigIntegerField()
    kind = models.CharField(max_length=40)
    payload = models.JSONField()
    received_at = models.DateTimeField(default=now)
    handled_at = models.DateTimeField(null=True)
    failures = models.PositiveSmallIntegerField(default=0)
    problem = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["bot_id", "update_id"], name="update_once")]
        indexes = [models.Index(fields=["id"], condition=models.Q(handled_at=None), name="update_unhandled")]

    def __str__(self) -> str:
        return f"{self.kind} {self.update_id}"

    @property
    def content(self) -> dict[str, Any]:
        """What stands under the update's kind."""
        content: dict[str, Any] = self.payload.get(self.kind) or {}
        return content


class BotChat(models.Model):
    """A chat that a bot is or was in, as its updates said. Global: nobody owns it before it is connected."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    bot_id = models.BigIntegerField()
    chat_id = models.BigIntegerField()
    kind = models.CharField(max_length=12)
    title = models.CharField(max_length=255)
    username = models.CharField(max_length=64, blank=True)
    is_forum = models.BooleanField(default=False)
    # Name by id, as far as the bot heard of them: Telegram lists topics to nobody.
    topics = models.JSONField(default=dict, blank=True)
    # administrator, member, left, kicked…
    status = models.CharField(max_length=20)
    can_post = models.BooleanField(default=False)
    # The Telegram user who changed the bot's place last: with their link we know who may connect the chat.
    changed_by = models.BigIntegerField(null=True)
    changed_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["title"]
        constraints = [models.UniqueConstraint(fields=["bot_id", "chat_id"], name="bot_chat_once")]
        indexes = [models.Index(fields=["changed_by"], name="bot_chat_changed_by")]

    def __str__(self) -> str:
        return self.title


class TelegramLink(models.Model):
    """A person's own Telegram account, proven by a code sent to the bot in a private chat."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="telegram_link")
    telegram_user_id = models.BigIntegerField(unique=True)
    bot_id = models.BigIntegerField()
    username = models.CharField(max_length=64, blank=True)
    name = models.CharField(max_length=120, blank=True)
    linked_at = models.DateTimeField(default=now)

    def __str__(self) -> str:
        return f"{self.user} on Telegram"


class TelegramCode(models.Model):
    """A resolver: a one-time code that a person sends to a bot, found again by its hash."""

    class Purpose(models.TextChoices):
        LINK = "link", "Link a person"
        CONNECT = "connect", "Connect a chat"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="+")
    code_hash = models.CharField(max_length=64, unique=True)
    purpose = models.CharField(max_length=8, choices=Purpose.choices)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    bot_id = models.BigIntegerField()
    # The chat in which a connect code was posted.
    chat_id = models.BigIntegerField(null=True)
    created_at = models.DateTimeField(default=now)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.purpose} code of {self.user_id}"


class InviteLink(TenantModel):
    """A named link into a chat: who came by it counts for what it was made for."""

    connection = TenantForeignKey(Connection, on_delete=models.CASCADE, related_name="invite_links")
    # Of a higher floor, by id only.
    campaign_id = models.UUIDField(null=True, blank=True)
    name = models.CharField(max_length=32)
    url = models.CharField(max_length=200)
    joins = models.PositiveIntegerField(default=0)
    member_limit = models.PositiveIntegerField(null=True, blank=True)
    needs_approval = models.BooleanField(default=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["-created_at"]
        constraints = [models.UniqueConstraint(fields=["connection", "url"], name="invite_link_once")]

    def __str__(self) -> str:
        return self.name


class UserSession(TenantModel):
    """An MTProto session of a person: reads views and finds uncertain posts. Off unless the operator allows it."""

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        BROKEN = "broken", "Needs a new session"
        PAUSED = "paused", "Paused"

    name = models.CharField(max_length=120)
    api_id = models.PositiveIntegerField()
    api_hash = SecretField()
    session = SecretField()
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.ACTIVE)
    status_text = models.CharField(max_length=300, blank=True)
    # One process at a time may use it: two would make Telegram end it.
    lease_until = models.DateTimeField(null=True)
    lease_holder = models.CharField(max_length=40, blank=True)
    # Told to wait by Telegram.
    flood_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
