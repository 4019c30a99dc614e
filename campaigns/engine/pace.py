"""How fast posts may go out: by account and its health, by whom an automatic answer goes to, and in all."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from accounts.rate import Limit, Taken, take
from campaigns.account_health import pace_of
from campaigns.models import Delivery
from social.models import Connection

if TYPE_CHECKING:
    from campaigns.engine.job import Job

DAY = timedelta(days=1)
INSTANCE = Limit(("posts", "instance"), 100, timedelta(seconds=1), burst=2000)


def take_turn(job: Job) -> Taken:
    """For the whole of a thread, when its first part goes out: what has begun is finished.

    Part of the transaction that announces the call, which has to be undone where the answer is no.
    """
    if job.live:
        return Taken(True, 0.0, 0)
    pace = pace_of(job.connection)
    parts = min(len(job.rendered.parts), pace.burst)
    account = Limit(pace.scope, pace.count, pace.per, pace.burst, cost=parts)
    return take(account, INSTANCE, *reply_limits(job.delivery, job.connection), is_undone=True)


def reply_limits(delivery: Delivery, connection: Connection) -> list[Limit]:
    """An answer that a machine wrote or approved: one to each post, few to each person."""
    post = delivery.post
    if not post.reply_to or not (post.has_agent_text or delivery.approved_policy_id):
        return []
    limits = [Limit(("reply", "thread", connection.pk, post.reply_to), 1, DAY, burst=1)]
    if author := str(post.reply_facts.get("author", "")):
        limits.append(Limit(("reply", "person", connection.pk, author.lower()), 4, DAY, burst=2))
    return limits


def is_about_account(taken: Taken, connection: Connection) -> bool:
    """The account itself is too fast: its other posts would be, too."""
    return any(limit.scope == ("posts", connection.pk) for limit in taken.refused_by)
