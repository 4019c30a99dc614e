from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from accounts.models import Workspace
from campaigns.inbox.collect import Heard, record
from campaigns.models import Conversation, InboxMessage
from lib.clock import now
from social.models import Connection
from tests.agents.conftest import sandbox, sandbox_process  # noqa: F401 fixtures


@pytest.fixture
def cafe(in_workspace: Workspace) -> Connection:
    return Connection.objects.create(
        workspace=in_workspace, network="x", handle="cafe", name="Café", remote_id="900", status="active"
    )


@pytest.fixture
def write(cafe: Connection) -> Callable[..., InboxMessage]:
    """Somebody writes to the account; the kept message."""
    count = iter(range(1, 1000))

    def send(text: str = "@cafe do you open on Sunday?", **changes: Any) -> InboxMessage:
        n = next(count)
        facts = {
            "kind": Conversation.Kind.MENTION,
            "conversation": "c1",
            "remote_id": str(1_000 + n),
            "author_id": "7",
            "author_handle": "dana",
            "author_name": "Dana",
            "text": text,
            "at": now() - timedelta(minutes=10 - n),
            "is_summons": True,
        }
        heard = Heard(**facts | changes)
        record(cafe, heard)
        return InboxMessage.objects.get(remote_id=heard.remote_id)

    return send
