"""What other people write to a workspace's accounts."""

from django.db import models
from django.db.models import Q

from accounts.models import User
from accounts.tenancy import TenantForeignKey, TenantModel
from campaigns.models.delivery import Delivery
from lib.clock import now
from social.models import Connection


class Conversation(TenantModel):
    """One thread of messages with somebody on one account."""

    class Kind(models.TextChoices):
        MENTION = "mention", "Mention"
        COMMENT = "comment", "Comment"
        DIRECT = "direct", "Direct message"

    class Status(models.TextChoices):
        OPEN = "open", "Open"
        DONE = "done", "Done"

    connection = TenantForeignKey(Connection, on_delete=models.CASCADE, related_name="conversations")
    kind = models.CharField(max_length=7, choices=Kind.choices)
    # The network's name for the thread: X's conversation, Telegram's chat or post.
    remote_id = models.CharField(max_length=80)
    author_id = models.CharField(max_length=40)
    author_handle = models.CharField(max_length=80, blank=True)
    author_name = models.CharField(max_length=120, blank=True)
    status = models.CharField(max_length=4, choices=Status.choices, default=Status.OPEN)
    assigned_to = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    # From -1 to 1, of the last reading.
    sentiment = models.FloatField(null=True)
    intent = models.CharField(max_length=20, blank=True)
    # They asked to be left alone: nothing automatic ever answers.
    has_opted_out = models.BooleanField(default=False)
    is_unread = models.BooleanField(default=True)
    last_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["-last_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "connection", "kind", "remote_id", "author_id"], name="conversation_once"
            )
        ]
        indexes = [models.Index(fields=["workspace", "status", "-last_at"], name="conversation_list")]

    def __str__(self) -> str:
        return self.author_name or self.author_handle or self.author_id


class InboxMessage(TenantModel):
    """One message of a conversation, theirs or ours."""

    conversation = TenantForeignKey(Conversation, on_delete=models.CASCADE, related_name="messages")
    # Repeated of the conversation, so that the database keeps each message once.
    connection = TenantForeignKey(Connection, on_delete=models.CASCADE, related_name="+")
    remote_id = models.CharField(max_length=80, blank=True)
    is_ours = models.BooleanField(default=False)
    text = models.TextField(blank=True)
    url = models.URLField(max_length=300, blank=True)
    # On X: they mentioned or quoted the account, so that it may answer.
    is_summons = models.BooleanField(default=False)
    # The reader's answer in its closed schema; nothing else of the text goes further.
    reading = models.JSONField(null=True)
    # Ours: the answer as it was sent, or is to be.
    delivery = TenantForeignKey(Delivery, null=True, on_delete=models.SET_NULL, related_name="+")
    # A proposed answer that waits for a person.
    draft = models.JSONField(null=True)
    sent_at = models.DateTimeField(default=now)
    created_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["sent_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "connection", "remote_id"],
                condition=~Q(remote_id=""),
                name="inbox_message_once",
            )
        ]

    def __str__(self) -> str:
        return self.text[:60]


class InboxCursor(TenantModel):
    """How far an account's messages were read."""

    connection = TenantForeignKey(Connection, on_delete=models.CASCADE, related_name="+")
    # mentions, direct
    kind = models.CharField(max_length=8)
    since_id = models.CharField(max_length=80, blank=True)
    read_at = models.DateTimeField(null=True)
    next_at = models.DateTimeField(default=now)
    problem = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "connection", "kind"], name="inbox_cursor_once")]
