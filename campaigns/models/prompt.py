from django.db import models

from accounts.models import User
from accounts.tenancy import TenantModel
from lib.clock import now


class ReviewPrompt(TenantModel):
    """A review put before a member in a private chat. A resolver: a pressed button names it by its token only."""

    token = models.CharField(max_length=32, unique=True)
    review_id = models.UUIDField()
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    # What the member was shown; a decision counts for nothing else.
    action_hash = models.CharField(max_length=64)
    bot_id = models.BigIntegerField()
    chat_id = models.BigIntegerField()
    message_id = models.BigIntegerField(null=True)
    # The message that asks for the reason of a rejection.
    reason_message_id = models.BigIntegerField(null=True)
    created_at = models.DateTimeField(default=now)
    sent_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["review_id", "user"], name="prompt_once")]
        indexes = [models.Index(fields=["chat_id", "reason_message_id"], name="prompt_reason")]
