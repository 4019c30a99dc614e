"""Writing posts: from given text, or by asking the workspace's own agents for drafts."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from django.core.exceptions import ValidationError

from accounts.access import Actor, Perm
from agents.models import Run
from campaigns.access import get_campaign, get_post
from campaigns.deliveries import schedule_delivery
from campaigns.draft_checks import LANGUAGES
from campaigns.drafting import MAX_COUNT, MAX_WISH, TONES, Wanted, cost_of_run, get_draft_run, problem_of, start_drafts
from campaigns.drafts import PartDraft, PostDraft
from campaigns.forms_post import MAX_TAGS, form_of, to_draft
from campaigns.models import Campaign, Delivery, Post
from campaigns.origins import keep_drafts, used_drafts
from campaigns.services import MAX_TEXT, create_post, update_post
from integrations.mcp.registry import ToolDef
from integrations.mcp.tools.checks import check_post
from integrations.mcp.tools.posts import POST, post_data
from integrations.mcp.tools.schemas import (
    JSON,
    a_moment,
    an_id,
    choice,
    closed,
    gives,
    id_of,
    ids_of,
    many,
    moment_of,
    need_id,
    text,
    whole,
)
from social.models import Connection
from social.networks.rules import MAX_PARTS

State = Delivery.State
MAX_ACCOUNTS = 50
# In their order on the composer: what is asked for, by the name that stands for it.
TONE_NAMES = [name for name in TONES if name]
NEXT = "Look at it with preview_post; submit_for_review when it is right."


# --- a new post ---------------------------------------------------------------------------------------------


def draft_post(actor: Actor, args: JSON) -> JSON:
    given = [name for name in ("text", "thread", "wish") if args.get(name)]
    if len(given) != 1:
        raise ValidationError({"text": "Give exactly one of text, thread and wish."})
    return _ask(actor, args) if given == ["wish"] else _write(actor, args)


def _write(actor: Actor, args: JSON) -> JSON:
    texts = args.get("thread") or [args["text"]]
    draft = PostDraft(
        parts=tuple(PartDraft(one) for one in texts),
        title=args.get("title", ""),
        campaign=_campaign(actor, args),
        connections=tuple(ids_of(args, "connection_ids")),
        overrides=_own_texts(args),
        tags=tuple(args.get("tags", ())),
        language=args.get("language", ""),
    )
    _check_own_texts(draft)
    post = create_post(draft, by=actor)
    _keep_origin(post, texts, actor)
    return _saved(post, moment_of(args, "planned_at"), actor)


def _keep_origin(post: Post, texts: Sequence[str], actor: Actor) -> None:
    """Sentences of the drafts that were asked for are told by their words, as in the composer."""
    keep_drafts(post, used_drafts("\n\n".join(texts), (), by=actor), by=actor)


def _saved(post: Post, planned_at: datetime | None, actor: Actor) -> JSON:
    if planned_at:
        for row in Delivery.objects.filter(post=post).exclude(state=State.CANCELED).order_by("connection_id"):
            schedule_delivery(row, planned_at, by=actor)
    return post_data(post, actor) | {"checks": check_post(post), "next": NEXT}


def _campaign(actor: Actor, args: JSON) -> Campaign | None:
    campaign_id = id_of(args, "campaign_id")
    return get_campaign(actor, campaign_id) if campaign_id else None


def _own_texts(args: JSON) -> dict:
    return {need_id(row, "connection_id"): list(row["texts"]) for row in args.get("own_texts", ())}


def _check_own_texts(draft: PostDraft) -> None:
    if draft.overrides.keys() - set(draft.connections):
        raise ValidationError({"own_texts": "Only for accounts of connection_ids."})
    if any(len(texts) > len(draft.parts) for texts in draft.overrides.values()):
        raise ValidationError({"own_texts": "Not more texts than the post has parts."})


# --- drafts of agents ---------------------------------------------------------------------------------------


def _ask(actor: Actor, args: JSON) -> JSON:
    connections = ids_of(args, "connection_ids")
    wanted = Wanted(
        wish=args["wish"],
        language=args.get("language", "en"),
        tone=TONES.get(args.get("tone", ""), "") if args.get("tone") else "",
        count=args.get("count", 1),
        connection_id=connections[0] if connections else None,
        campaign_id=id_of(args, "campaign_id"),
    )
    run = start_drafts(wanted, by=actor)
    return {
        "run_id": str(run.pk),
        "status": run.status,
        "next": "Call get_drafts in about 10 seconds; then draft_post with the text you choose.",
    }


def get_drafts(actor: Actor, args: JSON) -> JSON:
    run = get_draft_run(actor, need_id(args, "run_id"))
    drafts = (run.output or {}).get("drafts", [])
    answer: JSON = {
        "run_id": str(run.pk),
        "status": run.status,
        "cost": cost_of_run(run),
        "drafts": [_offered(row) for row in drafts],
    }
    if not run.is_ended:
        return answer | {"next": "It is being written. Call get_drafts again in about 10 seconds."}
    if run.status != Run.Status.SUCCEEDED:
        return answer | {"problem": problem_of(run), "next": "Change the wish, or write the text yourself."}
    return answer | {"next": "Call draft_post with the text you choose, changed as you like."}


def _offered(row: JSON) -> JSON:
    findings = row["findings"]
    return {
        "text": row["text"],
        "angle": row["angle"],
        "verdict": findings["verdict"],
        "problems": findings["problems"],
        "findings": [{name: found.get(name) for name in FINDING} for found in findings["found"]],
        "notes": [note["text"] for note in row["notes"]],
        "sources": row["origin"].get("sources", []),
        "is_sandbox": row["origin"].get("is_sandbox", False),
    }


FINDING = ("severity", "rule", "words", "message", "citation", "fix", "replacement")


# --- a post that is there -----------------------------------------------------------------------------------


def edit_draft(actor: Actor, args: JSON) -> JSON:
    post = get_post(actor, need_id(args, "post_id"))
    if args.get("text") and args.get("thread"):
        raise ValidationError({"text": "Give either text or thread."})
    before = _as_it_stands(post)
    draft = replace(before, **_changes(actor, before, args))
    _check_own_texts(draft)
    post = update_post(post, draft, by=actor, revision=args.get("revision"))
    _keep_origin(post, [part.text for part in draft.parts], actor)
    return _saved(post, moment_of(args, "planned_at"), actor)


def _as_it_stands(post: Post) -> PostDraft:
    """Without the accounts that are gone: they would refuse any change."""
    draft = to_draft(form_of(post), post.campaign)
    shown = Connection.objects.shown().filter(pk__in=draft.connections).values_list("pk", flat=True)
    kept = tuple(pk for pk in draft.connections if pk in set(shown))
    return replace(draft, connections=kept, overrides={pk: draft.overrides[pk] for pk in kept})


def _changes(actor: Actor, before: PostDraft, args: JSON) -> JSON:
    changes: JSON = {name: args[name] for name in ("title", "language") if name in args}
    if texts := args.get("thread") or ([args["text"]] if args.get("text") else None):
        changes["parts"] = _with_texts(before, texts)
        # What an account says of its own was written for the old text.
        changes["overrides"] = {}
    if "campaign_id" in args:
        changes["campaign"] = _campaign(actor, args)
    if "connection_ids" in args:
        kept = ids_of(args, "connection_ids")
        changes["connections"] = tuple(kept)
        changes.setdefault("overrides", {pk: texts for pk, texts in before.overrides.items() if pk in kept})
    if "own_texts" in args:
        changes["overrides"] = changes.get("overrides", before.overrides) | _own_texts(args)
    if "tags" in args:
        changes["tags"] = tuple(args["tags"])
    return changes


def _with_texts(before: PostDraft, texts: Sequence[str]) -> tuple[PartDraft, ...]:
    """Each part keeps its pictures and its poll; one that is left out goes with them."""
    plain = [PartDraft("")] * max(0, len(texts) - len(before.parts))
    return tuple(replace(part, text=one) for part, one in zip([*before.parts, *plain], texts, strict=False))


TEXT = text("What it says, for all accounts.", MAX_TEXT, least=1)
THREAD = many(text("A part.", MAX_TEXT, least=1), "Instead of text: the parts of a thread.", MAX_PARTS, least=2)
CONTENT: JSON = {
    "title": text("Its name in lists; else its first words.", 200),
    "campaign_id": an_id("The campaign it belongs to."),
    "connection_ids": many(an_id("Of list_connections."), "The accounts it goes to.", MAX_ACCOUNTS),
    "own_texts": many(
        closed(
            ["connection_id", "texts"],
            connection_id=an_id("One of connection_ids."),
            texts=many(text("Its own wording of a part.", MAX_TEXT), "By part, in order.", MAX_PARTS, least=1),
        ),
        "Other wordings for single accounts.",
        MAX_ACCOUNTS,
    ),
    "tags": many(text("A tag.", 80, least=1), "For finding it again; not shown to followers.", MAX_TAGS),
    "language": choice("What it is written in.", LANGUAGES),
    "planned_at": a_moment("When it should go out, once a person approved it."),
}
TOOLS = (
    ToolDef(
        name="draft_post",
        title="Draft a post",
        description=(
            "Make a draft: give `text` (or `thread`) to save it as a post, or a `wish` to have the workspace's agents "
            "write drafts from its brand and knowledge (then call get_drafts). Nothing goes out: a draft is submitted "
            "with submit_for_review and approved by a person."
        ),
        input_schema=closed(
            text=TEXT,
            thread=THREAD,
            wish=text("Instead of text: what agents should write about.", MAX_WISH, least=1),
            tone=choice("With wish: how it should sound; else as the brand speaks.", TONE_NAMES),
            count=whole("With wish: how many drafts.", 1, MAX_COUNT, default=1),
            **CONTENT,
        ),
        do=draft_post,
        perm=Perm.CONTENT_EDIT,
        has_effect=True,
    ),
    ToolDef(
        name="get_drafts",
        title="Get drafts of agents",
        description="The drafts that a wish of draft_post brought, each with what the rules say about it.",
        input_schema=closed(["run_id"], run_id=an_id("Of draft_post.")),
        do=get_drafts,
        perm=Perm.CONTENT_EDIT,
    ),
    ToolDef(
        name="edit_draft",
        title="Edit a post",
        description=(
            "Change a post that is not live yet; only what you name changes. What was approved and is now different "
            "needs a new approval. Give `revision` of get_post so that nobody's change is lost."
        ),
        input_schema=closed(
            ["post_id"],
            post_id=an_id("Of list_posts or draft_post."),
            revision=whole("As you read it; refused when somebody changed the post since.", 1, 2**31 - 1),
            text=TEXT,
            thread=THREAD,
            **CONTENT,
        ),
        do=edit_draft,
        output_schema=gives(**POST, checks="array", next="string"),
        perm=Perm.CONTENT_EDIT,
        has_effect=True,
    ),
)
