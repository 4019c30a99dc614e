"""What Telegram tells a bot by itself: reactions to posts, people who join, and what others write in a channel.

Handlers of social's receiver: each runs once per update, inside the transaction that marks it as handled.
"""

from datetime import UTC, datetime
from typing import Any

from django.db.models import F, Q

from accounts.scope import all_workspaces_scope, workspace_scope
from analytics.ages import ENGAGING, engagements_of
from analytics.collection import joins
from analytics.collection.adopt import adopt, new_post
from analytics.models import MeasuredPost
from analytics.tracking.ingest import EventRow, add_events
from campaigns.models import LivePart
from lib.clock import now
from lib.text import storable
from social.models import Connection, InboundUpdate, InviteLink, Network
from social.networks.links import telegram_message_url
from social.networks.telegram.posting import IN_CHAT
from social.telegram.bots import app_key
from social.telegram.rights import find_connections

JOIN = "join"
MAX_TEXT = 10_000


def hear_reaction(update: InboundUpdate) -> None:
    """message_reaction_count: the totals as they are now. Of an album only its first message shows them."""
    counts = update.content
    total = sum(int(one["total_count"]) for one in counts.get("reactions", []))
    for connection in find_connections(app_key(update.bot_id), counts["chat"]["id"]):
        with workspace_scope(connection.workspace_id):
            _keep_reactions(connection, str(counts["message_id"]), total)


def _keep_reactions(connection: Connection, message_id: str, total: int) -> None:
    # The tick that adopts new posts may come later than the first reaction.
    part = LivePart.objects.select_related("connection").filter(connection=connection, remote_id=message_id).first()
    if part and not MeasuredPost.objects.filter(part=part).exists():
        adopt(part)
    # Whoever measures it at this moment writes other columns of the same row.
    rows = MeasuredPost.objects.select_for_update(no_key=True).filter(connection=connection, remote_id=message_id)
    if post := rows.first():
        post.reactions = total
        post.missing.pop("reactions", None)
        post.engagements = engagements_of({name: getattr(post, name) for name in ENGAGING})
        post.save(update_fields=["reactions", "missing", "engagements"])


def hear_member(update: InboundUpdate) -> None:
    """chat_member: somebody came by an invite link. It counts for the link's campaign and for the post it stood in."""
    change = update.content
    url = (change.get("invite_link") or {}).get("invite_link")
    if not url or _is_in(change["old_chat_member"]) or not _is_in(change["new_chat_member"]):
        return
    with all_workspaces_scope("an invite link may be of any workspace"):
        invites = list(InviteLink.objects.filter(url=url, connection__app_key=app_key(update.bot_id)))
    for invite in invites:
        with workspace_scope(invite.workspace_id):
            _count_join(invite, _moment(change.get("date")))


def _is_in(member: dict[str, Any]) -> bool:
    status = member.get("status")
    return bool(member.get("is_member")) if status == "restricted" else status in IN_CHAT


def _count_join(invite: InviteLink, at: datetime) -> None:
    post = joins.post_with(invite)
    if post:
        counted = {**post.missing}
        counted.pop("joins", None)
        MeasuredPost.objects.filter(pk=post.pk, joins=None).update(joins=0, missing=counted)
        MeasuredPost.objects.filter(pk=post.pk).update(joins=F("joins") + 1)
    delivery = post.delivery if post else None
    campaign_id = invite.campaign_id or (post.campaign_id if post else None)
    row = EventRow("custom", at, name=JOIN, campaign_id=campaign_id, post_id=delivery.post_id if delivery else None)
    add_events(invite.workspace_id, [row])


def hear_channel_post(update: InboundUpdate) -> None:
    """channel_post: something was written in a channel, by hand or by another bot. Ours are told apart by their ids."""
    message = update.content
    if _is_later_of_album(update, message):
        return
    for connection in find_connections(app_key(update.bot_id), message["chat"]["id"]):
        with workspace_scope(connection.workspace_id):
            _keep_post(connection, message)


def _is_later_of_album(update: InboundUpdate, message: dict[str, Any]) -> bool:
    """An album arrives as one update for each of its items; the first one stands for it."""
    group = message.get("media_group_id")
    if not group:
        return False
    same = {"payload__channel_post__media_group_id": group, "payload__channel_post__chat__id": message["chat"]["id"]}
    return InboundUpdate.objects.filter(bot_id=update.bot_id, id__lt=update.pk, **same).exists()


def _keep_post(connection: Connection, message: dict[str, Any]) -> None:
    remote_id, chat = str(message["message_id"]), message["chat"]
    if ours_among(connection, [remote_id]):
        return
    row = new_post(
        connection,
        remote_id,
        text=storable(message.get("text") or message.get("caption") or "")[:MAX_TEXT],
        url=telegram_message_url(chat["id"], chat.get("username") or "", remote_id),
        published_at=_moment(message.get("date")),
    )
    MeasuredPost.objects.bulk_create([row], ignore_conflicts=True)


def ours_among(connection: Connection, remote_ids: list[str]) -> set[str]:
    """Those that we published, as single posts or within an album. Inside the workspace's scope."""
    named = Q(remote_id__in=remote_ids)
    # Only Telegram has albums.
    for remote_id in remote_ids if connection.network == Network.TELEGRAM else ():
        named |= Q(remote_ids__contains=[remote_id])
    parts = LivePart.objects.filter(named, connection=connection).values_list("remote_id", "remote_ids")
    return {pk for one, many in parts for pk in (one, *many)} & set(remote_ids)


def _moment(date: Any) -> datetime:
    return datetime.fromtimestamp(date, UTC) if isinstance(date, int) else now()
