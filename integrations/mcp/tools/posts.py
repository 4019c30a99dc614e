"""Posts as they stand, and the receipts of what was sent."""

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Prefetch

from accounts.access import Actor, Perm
from accounts.models import Workspace
from campaigns.access import get_delivery, get_post, visible_posts
from campaigns.models import Attempt, Delivery, LivePart, Post, PostPart
from campaigns.post_queries import TABS, PostFilter, filter_posts, tab_posts
from campaigns.queries import with_content
from campaigns.rendering import render
from integrations.mcp.registry import ToolDef
from integrations.mcp.tools.answers import PAGE, account_data, page_of, page_url, short, when
from integrations.mcp.tools.schemas import JSON, an_id, choice, closed, gives, id_of, need_id, text

State = Delivery.State
# As the page of a delivery says it; {at} is when the engine acts next, or acted.
SAID = {
    State.DRAFT: "A draft: nothing is sent before it is submitted and approved.",
    State.IN_REVIEW: "It waits for a person's decision.",
    State.APPROVED: "Approved, and waiting for a time.",
    State.SCHEDULED: "Approved. It goes out at {at}.",
    State.PUBLISHING: "It is being sent.",
    State.PUBLISHED: "Live since {at}.",
    State.RETRY_WAIT: "It was not taken yet. The next try is at {at}.",
    State.UNCONFIRMED: "The network's answer got lost: it may be live or not. It is looked up, never sent on a guess.",
    State.FAILED: "It was not published.",
    State.MISSED: "Its time passed before it could be sent. A person decides what follows.",
    State.PAUSED: "It is held until a person resumes it.",
    State.CANCELED: "It was canceled and will not be sent.",
}


def state_text(row: Delivery, workspace: Workspace) -> str:
    at = when(row.published_at or row.due_at, workspace) or "a time still to be found"
    return " ".join(filter(None, (SAID[State(row.state)].format(at=at), row.problem_text)))


# --- one post -----------------------------------------------------------------------------------------------


def post_data(post: Post, actor: Actor) -> JSON:
    """The whole of it, read anew."""
    post = Post.objects.select_related("campaign").get(pk=post.pk)
    rows = Delivery.objects.filter(post=post).select_related("connection").order_by("created_at", "pk")
    parts = post.parts.order_by("position").prefetch_related("media__asset")
    return {
        "post_id": str(post.pk),
        "title": str(post),
        "campaign_id": str(post.campaign_id) if post.campaign_id else None,
        "parts": [_part_data(part) for part in parts],
        "language": post.language,
        "tags": post.tags,
        "made_with_ai": post.made_with_ai or post.has_agent_text,
        "revision": post.revision,
        "deliveries": [delivery_data(row, actor.workspace) for row in rows],
        "time_zone": actor.workspace.time_zone,
        "page": page_url(actor, post.get_absolute_url()),
    }


def _part_data(part: PostPart) -> JSON:
    media = [{"kind": use.asset.kind, "name": use.asset.name, "alt_text": use.alt_text} for use in part.media.all()]
    return {"text": part.text, "media": media} | ({"poll": part.poll} if part.poll else {})


def delivery_data(row: Delivery, workspace: Workspace) -> JSON:
    return {
        "delivery_id": str(row.pk),
        "connection": account_data(row.connection),
        "state": row.state,
        "says": state_text(row, workspace),
        "planned_at": when(row.scheduled_at, workspace),
        "published_at": when(row.published_at, workspace),
        **({"own_texts": row.override_texts} if row.override_texts else {}),
    }


def show_post(actor: Actor, args: JSON) -> JSON:
    return post_data(get_post(actor, need_id(args, "post_id")), actor)


# --- the list -----------------------------------------------------------------------------------------------


def list_posts(actor: Actor, args: JSON) -> JSON:
    wanted = PostFilter(
        words=args.get("words", ""),
        campaign_id=id_of(args, "campaign_id"),
        connection_id=id_of(args, "connection_id"),
    )
    posts = tab_posts(filter_posts(visible_posts(actor), wanted), args.get("state", ""))
    deliveries = Prefetch("deliveries", Delivery.objects.select_related("connection").order_by("created_at"))
    parts = Prefetch("parts", PostPart.objects.order_by("position"))
    page = page_of(posts.prefetch_related(deliveries, parts), args, lambda post: _row(post, actor.workspace))
    return page | {"time_zone": actor.workspace.time_zone}


def _row(post: Post, workspace: Workspace) -> JSON:
    return {
        "post_id": str(post.pk),
        "title": str(post),
        "text": short(" ".join(part.text for part in post.parts.all())),
        "campaign_id": str(post.campaign_id) if post.campaign_id else None,
        "deliveries": [
            {
                "delivery_id": str(row.pk),
                "account": str(row.connection),
                "state": row.state,
                "at": when(row.published_at or row.scheduled_at, workspace),
            }
            for row in post.deliveries.all()
        ],
    }


# --- receipts -----------------------------------------------------------------------------------------------


def receipts(actor: Actor, args: JSON) -> JSON:
    found = with_content(Delivery.objects.filter(pk__in=_wanted(actor, args))).prefetch_related(
        "live_parts", "attempts"
    )
    rows = found.select_related("approved_by", "approved_policy").order_by("created_at", "pk")
    return {
        "receipts": [_receipt(row, actor.workspace) for row in rows],
        "time_zone": actor.workspace.time_zone,
    }


def _wanted(actor: Actor, args: JSON) -> Iterable[Any]:
    post_id, delivery_id = id_of(args, "post_id"), id_of(args, "delivery_id")
    if (post_id is None) == (delivery_id is None):
        raise ValidationError({"post_id": "Give either post_id or delivery_id."})
    if delivery_id:
        return [get_delivery(actor, delivery_id).pk]
    assert post_id
    return Delivery.objects.filter(post=get_post(actor, post_id)).values("pk")


def _receipt(row: Delivery, workspace: Workspace) -> JSON:
    return delivery_data(row, workspace) | {
        "post_id": str(row.post_id),
        "title": str(row.post),
        "problem": {"code": row.problem_code, "text": row.problem_text} if row.problem_code else None,
        "approved_by": _approver(row),
        "approved_at": when(row.approved_at, workspace),
        "content_sha256": render(row).content_hash,
        "approved_sha256": row.approved_hash or None,
        "live": [_live_data(part, workspace) for part in row.live_parts.all()],
        "attempts": [_attempt_data(attempt, workspace) for attempt in row.attempts.all()],
    }


def _approver(row: Delivery) -> str | None:
    if row.approved_policy:
        return f"Policy of {row.approved_policy.signed_label}"
    return str(row.approved_by) if row.approved_by else None


def _live_data(part: LivePart, workspace: Workspace) -> JSON:
    return {
        "part": part.position + 1,
        "url": part.url,
        "remote_id": part.remote_id,
        "sha256": part.content_hash,
        "published_at": when(part.published_at, workspace),
        "taken_down_at": when(part.deleted_at, workspace),
        # Read from the account's timeline, since the answer to the call was lost.
        "was_found": part.was_found,
    }


def _attempt_data(attempt: Attempt, workspace: Workspace) -> JSON:
    return {
        "number": attempt.number,
        "outcome": attempt.outcome,
        "started_at": when(attempt.started_at or attempt.claimed_at, workspace),
        "finished_at": when(attempt.finished_at, workspace),
        "http_status": attempt.http_status,
        "request_id": attempt.request_id,
        "message": attempt.message,
    }


# Of one post; others add what they say besides.
POST = {
    **dict.fromkeys(("post_id", "title", "language", "time_zone", "page"), "string"),
    **dict.fromkeys(("parts", "tags", "deliveries"), "array"),
    "campaign_id": "string?",
    "made_with_ai": "boolean",
    "revision": "integer",
}
TOOLS = (
    ToolDef(
        name="list_posts",
        title="List posts",
        description="Posts, newest first, with the state of each account they go to. Use it to find a post's id.",
        input_schema=closed(
            state=choice("Only in this group of states.", TABS),
            words=text("Words of title or text.", 200),
            campaign_id=an_id("Only of this campaign."),
            connection_id=an_id("Only to this account."),
            **PAGE,
        ),
        do=list_posts,
        output_schema=gives(items="array", next_cursor="string?", time_zone="string"),
        perm=Perm.VIEW,
    ),
    ToolDef(
        name="get_post",
        title="Get a post",
        description="One post: its text, and for each account how it stands in words and its planned time.",
        input_schema=closed(["post_id"], post_id=an_id("Of list_posts or draft_post.")),
        do=show_post,
        output_schema=gives(**POST),
        perm=Perm.VIEW,
    ),
    ToolDef(
        name="receipts",
        title="Publish receipts",
        description=(
            "Proof of what was sent: state in words, who approved which content (sha256), every attempt, and the "
            "link of what is live. Use it to tell whether, when and where a post went out."
        ),
        input_schema=closed(post_id=an_id("All accounts of this post."), delivery_id=an_id("Or one account's.")),
        do=receipts,
        output_schema=gives(receipts="array", time_zone="string"),
        perm=Perm.VIEW,
    ),
)
