"""Plans: what the workspace's own agents propose for a sentence, accepted line by line."""

from accounts.access import Actor, Perm
from campaigns import plan_lines, plans
from campaigns.access import get_campaign
from campaigns.draft_checks import LANGUAGES, is_blocked
from campaigns.models import Plan, PlanLine
from integrations.mcp.registry import ToolDef
from integrations.mcp.tools.answers import account_data, page_url, when
from integrations.mcp.tools.publishing import SUBMITTED, submitted_data
from integrations.mcp.tools.schemas import JSON, an_id, choice, closed, id_of, ids_of, many, need_id, text
from lib.money import dollars

SHOWN = ("name", "goal", "audience", "angle", "key_messages", "skipped")
NEXT = {
    Plan.Status.WORKING: "Agents are writing. Call get_plan again in about 15 seconds.",
    Plan.Status.READY: "Look at each line, then accept_plan_line for the good ones.",
    Plan.Status.FAILED: "It stopped; `problem` says why. A person can try again on its page, or start another one.",
    Plan.Status.CLOSED: "All lines are decided.",
}


def start(actor: Actor, args: JSON) -> JSON:
    campaign_id = id_of(args, "campaign_id")
    plan = plans.start_plan(
        args["brief"],
        by=actor,
        connections=ids_of(args, "connection_ids"),
        languages=args.get("languages", ["en"]),
        campaign=get_campaign(actor, campaign_id) if campaign_id else None,
    )
    return plan_data(plan, actor)


def show(actor: Actor, args: JSON) -> JSON:
    plan = plans.get_plan(actor, need_id(args, "plan_id"))
    plans.follow_run(plan)
    cost = plans.cost_of_plan(plan)
    lines = plan.lines.select_related("connection")
    return plan_data(plan, actor) | {
        "strategy": {name: plan.strategy[name] for name in SHOWN if name in plan.strategy},
        "cost": dollars(cost.spent_micro),
        "is_sandbox": cost.is_sandbox,
        "lines": [_line_data(line, actor) for line in lines],
    }


def plan_data(plan: Plan, actor: Actor) -> JSON:
    return {
        "plan_id": str(plan.pk),
        "run_id": str(plan.run_id) if plan.run_id else None,
        "campaign_id": str(plan.campaign_id) if plan.campaign_id else None,
        "brief": plan.brief,
        "languages": plan.languages,
        "status": plan.status,
        "problem": plan.problem,
        "time_zone": actor.workspace.time_zone,
        "page": page_url(actor, f"/plans/{plan.pk}"),
        "next": NEXT[Plan.Status(plan.status)],
    }


def _line_data(line: PlanLine, actor: Actor) -> JSON:
    findings = line.findings or {}
    said = [*findings.get("problems", []), *(_sentence(found) for found in findings.get("found", []))]
    return {
        "line_id": str(line.pk),
        "connection": account_data(line.connection) if line.connection else None,
        "language": line.language,
        "planned_at": when(line.planned_at, actor.workspace),
        "text": line.text,
        "other_wordings": len(line.variants),
        "verdict": "block" if is_blocked(findings) else findings.get("verdict", "review"),
        "findings": said,
        "notes": [note["text"] for note in line.notes],
        "status": line.status,
        "post_id": str(line.post_id) if line.post_id else None,
    }


def _sentence(found: JSON) -> str:
    return f"{found.get('message', '')} {found.get('fix', '')}".strip()


def accept(actor: Actor, args: JSON) -> JSON:
    line = plan_lines.get_line(actor, need_id(args, "plan_id"), need_id(args, "line_id"))
    return submitted_data(plan_lines.accept_line(line, by=actor), actor)


TOOLS = (
    ToolDef(
        name="plan_campaign",
        title="Plan a campaign",
        description=(
            "Have the workspace's agents plan a campaign from a sentence or two: a strategy, and one proposed post for "
            "each account in each language (at most 6). Takes a minute and costs money for models: ask get_plan for "
            "the result. To write posts yourself, use draft_post."
        ),
        input_schema=closed(
            ["brief", "connection_ids"],
            brief=text("What to promote; links and hashtags are kept.", plans.MAX_BRIEF, least=1),
            connection_ids=many(an_id("Of list_connections."), "Where to post.", plans.MAX_LINES, least=1),
            languages=many(choice("A language.", LANGUAGES), "English without it.", plans.MAX_LINES, least=1),
            campaign_id=an_id("Where the posts belong; without it the first accepted line makes a campaign."),
        ),
        do=start,
        perm=Perm.CONTENT_EDIT,
        has_effect=True,
    ),
    ToolDef(
        name="get_plan",
        title="Get a plan",
        description="How a plan stands, and its proposed posts with what the rules say about each.",
        input_schema=closed(["plan_id"], plan_id=an_id("Of plan_campaign.")),
        do=show,
        perm=Perm.VIEW,
    ),
    ToolDef(
        name="accept_plan_line",
        title="Accept a line of a plan",
        description="Make a proposed post a real one and send it to review at its planned time. A person approves it.",
        input_schema=closed(["plan_id", "line_id"], plan_id=an_id("Of plan_campaign."), line_id=an_id("Of get_plan.")),
        do=accept,
        output_schema=SUBMITTED,
        perm=Perm.CONTENT_EDIT,
        has_effect=True,
    ),
)
