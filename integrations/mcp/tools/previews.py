"""Looking before anything is sent: as each network will show it, and why a rule keeps it back."""

from django.core.exceptions import ValidationError

from accounts.access import Actor, Perm
from campaigns.access import get_post
from campaigns.attention import BEFORE_SENDING
from campaigns.guard_matrix import MOST, Cell, Matrix, build_matrix, matrix_of_post
from campaigns.guarding import gather_known
from campaigns.models import Delivery, Post
from campaigns.post_room import say_room
from campaigns.previews import Preview, PreviewPart, preview_delivery
from campaigns.queries import with_content
from campaigns.rendering import Rendered, RenderedPart, render
from compliance.guard import Draft, Verdict
from compliance.guard.port import ANY
from compliance.guard_check import MAX_TEXT, Question, check_text
from compliance.places import MARKETS, PLATFORMS
from integrations.mcp.registry import ToolDef
from integrations.mcp.tools.answers import account_data
from integrations.mcp.tools.checks import explain_post, explain_text
from integrations.mcp.tools.schemas import JSON, an_id, choice, closed, gives, id_of, many, need_id, text
from lib.money import dollars

# --- as it will look ----------------------------------------------------------------------------------------


def preview_post(actor: Actor, args: JSON) -> JSON:
    post = get_post(actor, need_id(args, "post_id"))
    rows = list(with_content(Delivery.objects.filter(post=post)).order_by("created_at", "pk"))
    shown = [(row, render(row), preview_delivery(row)) for row in rows]
    return {
        "post_id": str(post.pk),
        "previews": [_preview_data(*one) for one in shown],
        "total_cost": dollars(sum(preview.cost.total for _row, _rendered, preview in shown)),
        "note": _note(post, rows),
    }


def _note(post: Post, rows: list[Delivery]) -> str:
    if not rows:
        return "It goes to no account yet. Name some with edit_draft."
    waiting = [row for row in rows if row.state in BEFORE_SENDING]
    times = [at for row in waiting if (at := row.due_at or row.scheduled_at)]
    # The first one: what goes out later may find a new month.
    at = min(times, default=None)
    return say_room(post.workspace, len(waiting), at)


def _preview_data(row: Delivery, rendered: Rendered, preview: Preview) -> JSON:
    return {
        "delivery_id": str(row.pk),
        "connection": account_data(row.connection),
        "parts": [_part_data(*one) for one in zip(rendered.parts, preview.parts, strict=True)],
        "cost": dollars(preview.cost.total),
        "labelled_as_ai": rendered.made_with_ai,
        "problems": preview.problems,
        "content_sha256": rendered.content_hash,
    }


def _part_data(rendered: RenderedPart, preview: PreviewPart) -> JSON:
    return {
        "text": rendered.text,
        "characters": preview.used,
        "limit": preview.limit,
        "over": preview.over,
        "media": [{"kind": one.kind, "alt_text": one.alt_text} for one in rendered.media],
        "poll": rendered.poll,
        "link": preview.link,
        "cost": dollars(preview.cost_micro),
        # What it would cost without its link, where that makes a difference.
        "cost_without_link": preview.plain_cost or None,
    }


# --- why not ------------------------------------------------------------------------------------------------


def explain_block(actor: Actor, args: JSON) -> JSON:
    post_id, words = id_of(args, "post_id"), args.get("text")
    if (post_id is None) == (words is None):
        raise ValidationError({"post_id": "Give either post_id or text."})
    places = {name: args.get(name, []) for name in ("markets", "platforms")}
    if post_id is None:
        return _of_text(actor, str(words), places)
    post = get_post(actor, post_id)
    rows = explain_post(post)
    return {
        "verdict": max((Verdict(row["verdict"]) for row in rows), key=list(Verdict).index, default=Verdict.ALLOW).value,
        "accounts": rows,
        # Of a text that is not saved; those of a post are its accounts'.
        "findings": [],
        "publishable": _matrix_data(matrix_of_post(post, **places)),
    }


def _of_text(actor: Actor, words: str, places: dict[str, list[str]]) -> JSON:
    draft = Draft.of(words)
    question = Question(words, markets=places["markets"] or None, ai_generated=True)
    decision = check_text(question, by=actor)
    known = gather_known(actor.workspace, [])
    # Nobody saves it: only what it would be.
    post = Post(workspace=actor.workspace, made_with_ai=True)
    matrix = build_matrix(actor.workspace, post, {ANY: draft}, known, **places)
    return {
        "accounts": [],
        "verdict": decision.verdict.value,
        "findings": explain_text(draft, decision.hits),
        "publishable": _matrix_data(matrix),
    }


def _matrix_data(matrix: Matrix) -> JSON:
    """By market and platform: "allow", or what is asked for and why."""
    rows: dict[str, JSON] = {market: {} for market in matrix.markets}
    for cell in matrix.cells:
        rows[cell.market][cell.platform] = _cell_data(cell)
    return rows


def _cell_data(cell: Cell) -> str | JSON:
    if cell.verdict == Verdict.ALLOW:
        return cell.verdict.value
    said = {"verdict": cell.verdict.value, "rule": cell.rule, "reason": cell.reason, "fix": cell.fix}
    if cell.replacement is not None:
        said |= {"words": cell.words, "replacement": cell.replacement}
    return said | ({"more_findings": cell.more} if cell.more else {})


TOOLS = (
    ToolDef(
        name="preview_post",
        title="Preview a post",
        description=(
            "Exactly what each account would send: text, characters used and allowed, what the network charges in "
            "dollars, and what it would refuse. Call it before submit_for_review."
        ),
        input_schema=closed(["post_id"], post_id=an_id("Of draft_post or list_posts.")),
        do=preview_post,
        output_schema=gives(post_id="string", previews="array", total_cost="string", note="string"),
        perm=Perm.VIEW,
    ),
    ToolDef(
        name="explain_block",
        title="Explain a block",
        description=(
            "Why the rules stop a post or ask for a look: each finding with its rule, the words it is about, the law "
            "or policy it cites, and the smallest change that helps; and in which market on which platform the same "
            "text may go out. Give a post's id, or any text."
        ),
        input_schema=closed(
            post_id=an_id("Of a post."),
            text=text("Or words that are not saved anywhere.", MAX_TEXT, least=1),
            markets=many(choice("A market.", MARKETS), "Else those of campaign or workspace.", MOST),
            platforms=many(choice("A platform.", PLATFORMS), "Else the usual ones.", MOST),
        ),
        do=explain_block,
        output_schema=gives(verdict="string", accounts="array", findings="array", publishable="object"),
        perm=Perm.VIEW,
    ),
)
