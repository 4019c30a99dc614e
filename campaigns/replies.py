"""Answers to other people's posts, and other people's answers to ours.

X lets a program answer only a post whose author summoned the account: mentioned or quoted it. One answer to each.
"""

from datetime import timedelta
from typing import cast
from uuid import UUID

from django.core.exceptions import ValidationError

from accounts import audit
from accounts.access import Actor, Perm
from accounts.scope import workspace_scope
from campaigns.errors import NotAllowedNow
from campaigns.models import Delivery, LivePart, Post
from lib.clock import now
from social.credentials import open_client
from social.models import Connection, Network
from social.networks.links import find_post_id
from social.networks.port import Failure, NetworkError, SeenPost
from social.networks.x.client import XClient

State = Delivery.State
# How far back answers are read; each one read costs.
REPLIES_BACK = timedelta(days=7)
ONE_ACCOUNT = "An answer goes out from one account. Take the other connections off."
UNCHECKED = "The post that this one answers is still being looked at. Try again in a moment."
NOT_SUMMONED = "@{author} has not mentioned or quoted {account} in that post, and X forbids answers nobody asked for."


def check_reply(delivery: Delivery) -> list[str]:
    """Why this answer may not be sent, as sentences; nothing for posts that answer nobody."""
    if not delivery.post.reply_to:
        return []
    if delivery.connection.network != Network.X:
        return ["Answers can be sent on X only. Take this connection off, or write a post of its own for it."]
    problem = _target_problem(delivery) or _answered_problem(delivery)
    return [problem] if problem else []


def _target_problem(delivery: Delivery) -> str:
    facts = delivery.post.reply_facts
    mine = str(delivery.connection_id)
    if facts.get("connection", mine) != mine and delivery.post.deliveries.count() > 1:
        return ONE_ACCOUNT
    # X said it of the account that was chosen before.
    if not facts or facts.get("connection", mine) != mine:
        return UNCHECKED
    if facts.get("problem"):
        return str(facts["problem"])
    if not facts.get("is_summoned"):
        return NOT_SUMMONED.format(author=facts.get("author", ""), account=delivery.connection)
    return ""


def _answered_problem(delivery: Delivery) -> str:
    answered = Delivery.objects.filter(connection=delivery.connection, post__reply_to=delivery.post.reply_to)
    if answered.exclude(pk=delivery.pk).exclude(state__in=[State.CANCELED, State.DRAFT]).exists():
        return "That post has an answer from this account already, or one on its way. X allows one."
    return ""


def look_at_target(workspace_id: UUID, post_id: UUID) -> bool:
    """Ask X about the post that is answered. False: it did not say, so ask again. Call it outside a transaction."""
    with workspace_scope(workspace_id):
        post = Post.objects.filter(pk=post_id).exclude(reply_to="").first()
        connections = Connection.objects.filter(deliveries__post=post_id, network=Network.X)
        connection = connections.select_related("workspace").filter(status=Connection.Status.ACTIVE).first()
    if post is None or connection is None:
        return True
    facts = _facts(connection, post.reply_to)
    if not facts:
        return False
    with workspace_scope(workspace_id):
        # Somebody may have chosen another post meanwhile.
        Post.objects.filter(pk=post_id, reply_to=post.reply_to).update(reply_facts=facts)
    return True


def _facts(connection: Connection, remote_id: str) -> dict[str, object]:
    """Empty where X did not say: a bad moment of X is no fact about the post."""
    shared: dict[str, object] = {"connection": str(connection.pk), "checked_at": now().isoformat()}
    try:
        seen = _client(connection).read_post(remote_id)
    except NetworkError as error:
        return shared | {"problem": error.message} if error.failure is Failure.REJECTED else {}
    return shared | {"is_summoned": seen.has_summoned, "author": seen.author, "text": seen.text[:300]}


def list_replies(part: LivePart, *, by: Actor) -> list[SeenPost]:
    """Recent answers in the thread of one of our posts. Each one read is paid. Call it outside a transaction."""
    by.require(Perm.VIEW)
    connection = _on_x(part)
    with workspace_scope(by.workspace.pk):
        first = LivePart.objects.filter(delivery=part.delivery_id).order_by("position").first() or part
    # An edit gives the post another id; the link keeps the one that its conversation began with.
    threads = {first.remote_id, find_post_id(connection, first.url)}
    return _client(connection).replies_to(threads, max(first.published_at, now() - REPLIES_BACK))


def hide_reply(part: LivePart, reply_id: str, *, hidden: bool, by: Actor) -> None:
    """Hide an answer below our post, or show it again. Call it outside a transaction."""
    by.require(Perm.PUBLISH)
    if not (reply_id.isascii() and reply_id.isdecimal() and len(reply_id) < 20):
        raise ValidationError({"reply": "This is not the id of a post."})
    _client(_on_x(part)).set_hidden(reply_id, hidden)
    with workspace_scope(by.workspace.pk):
        audit.record("reply.hide" if hidden else "reply.show", part.delivery, by=by, reply=reply_id)


def _on_x(part: LivePart) -> Connection:
    if part.connection.network != Network.X:
        raise NotAllowedNow("Answers can be read and hidden on X only.")
    return part.connection


def _client(connection: Connection) -> XClient:
    return cast(XClient, open_client(connection))
