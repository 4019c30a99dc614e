"""Towards the network: ask for review, and give times to what a person approved. Nothing here approves."""

from accounts.access import Actor, Perm
from campaigns.access import get_delivery, get_post
from campaigns.deliveries import (
    add_to_next_slot,
    cancel_delivery,
    publish_now,
    schedule_delivery,
    submit_post,
    unschedule,
)
from campaigns.delivery_actions import BEFORE_APPROVAL
from campaigns.errors import NotAllowedNow
from campaigns.models import Delivery, Post
from integrations.mcp.registry import ToolDef
from integrations.mcp.tools.answers import page_url
from integrations.mcp.tools.posts import POST, delivery_data, post_data
from integrations.mcp.tools.schemas import JSON, a_moment, an_id, as_moment, closed, gives, need_id

State = Delivery.State
NOW, SLOT = "now", "next_slot"
WAITS = "A person decides. get_post says how it stands; schedule_post once it is approved."
BY_POLICY = "The campaign's policy, which a person signed, approved it. schedule_post gives it a time."


def submit(actor: Actor, args: JSON) -> JSON:
    post = get_post(actor, need_id(args, "post_id"))
    submit_post(post, by=actor)
    return submitted_data(post, actor)


def submitted_data(post: Post, actor: Actor) -> JSON:
    answer = post_data(post, actor)
    waits = any(row["state"] == State.IN_REVIEW for row in answer["deliveries"])
    return answer | {"reviews": page_url(actor, "/reviews"), "next": WAITS if waits else BY_POLICY}


def schedule(actor: Actor, args: JSON) -> JSON:
    row = get_delivery(actor, need_id(args, "delivery_id"))
    _require_approval(row)
    at = args["at"]
    if at == SLOT:
        row = add_to_next_slot(row, by=actor)
    elif at == NOW:
        row = publish_now(row, by=actor)
    else:
        row = schedule_delivery(row, as_moment(at, "at"), by=actor)
    return _answer(row, actor)


def _require_approval(row: Delivery) -> None:
    """Before it, a time is only a wish: `planned_at` of a draft says that more honestly."""
    if row.state in BEFORE_APPROVAL | {State.CANCELED}:
        how = "It waits for a person's approval" if row.state == State.IN_REVIEW else "Call submit_for_review first"
        raise NotAllowedNow(f"Only what a person approved gets a time. {how}; propose a time with edit_draft.")


def take_back(actor: Actor, args: JSON) -> JSON:
    return _answer(unschedule(get_delivery(actor, need_id(args, "delivery_id")), by=actor), actor)


def cancel(actor: Actor, args: JSON) -> JSON:
    return _answer(cancel_delivery(get_delivery(actor, need_id(args, "delivery_id")), by=actor), actor)


def _answer(row: Delivery, actor: Actor) -> JSON:
    fresh = get_delivery(actor, row.pk)
    return delivery_data(fresh, actor.workspace) | {
        "post_id": str(fresh.post_id),
        "time_zone": actor.workspace.time_zone,
    }


DELIVERY = an_id("Of get_post: one account of a post.")
SUBMITTED = gives(**POST, reviews="string", next="string")
PLANNED = gives(
    **dict.fromkeys(("delivery_id", "post_id", "state", "says", "time_zone"), "string"),
    **dict.fromkeys(("planned_at", "published_at"), "string?"),
    connection="object",
)
TOOLS = (
    ToolDef(
        name="submit_for_review",
        title="Submit for review",
        description=(
            "Send a draft to the people who approve. Refused with the reasons where a network or a rule forbids it "
            "(explain_block says more). With dry_run it only says whether it would be taken."
        ),
        input_schema=closed(["post_id"], post_id=an_id("Of draft_post or list_posts.")),
        do=submit,
        output_schema=SUBMITTED,
        perm=Perm.CONTENT_EDIT,
        has_effect=True,
    ),
    ToolDef(
        name="schedule_post",
        title="Schedule an approved post",
        description="Give an approved post its time on one account, or a new time. What no person approved is refused.",
        input_schema=closed(
            ["delivery_id", "at"],
            delivery_id=DELIVERY,
            at={
                "anyOf": [a_moment("A time."), {"type": "string", "enum": [NOW, SLOT]}],
                "description": "A time with its zone, or now, or next_slot for the account's next free slot.",
            },
        ),
        do=schedule,
        output_schema=PLANNED,
        perm=Perm.PUBLISH,
        has_effect=True,
    ),
    ToolDef(
        name="unschedule_post",
        title="Take a post out of the calendar",
        description="Take its time away on one account; an approval stays, so schedule_post can give it another one.",
        input_schema=closed(["delivery_id"], delivery_id=DELIVERY),
        do=take_back,
        output_schema=PLANNED,
        perm=Perm.PUBLISH,
        has_effect=True,
    ),
    ToolDef(
        name="cancel_post",
        title="Cancel a post",
        description=(
            "Stop a post on one account for good: its approval ends, and it would have to be submitted again. What is "
            "live already cannot be canceled."
        ),
        input_schema=closed(["delivery_id"], delivery_id=DELIVERY),
        do=cancel,
        output_schema=PLANNED,
        perm=Perm.PUBLISH,
        has_effect=True,
        is_destructive=True,
    ),
)
