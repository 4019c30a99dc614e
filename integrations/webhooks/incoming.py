"""What X tells of: somebody mentioned one of our accounts, so its inbox is read now and not at its next turn."""

import re
from datetime import timedelta
from typing import Any

import structlog
from django.db.models import F, Value
from django.db.models.functions import Greatest, Least

from accounts.scope import all_workspaces_scope
from campaigns.inbox.collect import MENTIONS
from campaigns.models import InboxCursor
from lib.clock import now
from social.models import Connection, Network

log = structlog.get_logger(__name__)
WAKING = {"post.mention.create", "post.reply.create", "post.quote.create"}
NUMBER = re.compile(r"[0-9]{1,40}")
# Reading costs money: however many mentions come, it is read once in so long.
APART = timedelta(minutes=1)


def hear_x(event: dict[str, Any]) -> int:
    """How many inboxes it woke. What we do not know is left alone, and the same event again changes nothing."""
    data = event.get("data")
    kind, chosen = (data.get("event_type"), data.get("filter")) if isinstance(data, dict) else (None, None)
    user_id = chosen.get("user_id") if isinstance(chosen, dict) else None
    if not (isinstance(kind, str) and kind in WAKING and isinstance(user_id, str) and NUMBER.fullmatch(user_id)):
        log.info("x_event_ignored", kind=str(kind)[:60])
        return 0
    return _wake_inboxes(user_id)


def _wake_inboxes(user_id: str) -> int:
    """The same account may be connected in several workspaces."""
    with all_workspaces_scope("X tells of a mention"):
        connections = Connection.objects.filter(network=Network.X, remote_id=user_id)
        later = InboxCursor.objects.filter(connection__in=connections, kind=MENTIONS, next_at__gt=now())
        # GREATEST leaves out what is not known: an inbox that was never read is read now.
        return later.update(next_at=Least(F("next_at"), Greatest(Value(now()), F("read_at") + APART)))
