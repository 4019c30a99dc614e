"""Campaigns: the goals that posts belong to."""

from accounts.access import Actor, Perm
from campaigns.access import get_campaign, visible_campaigns
from campaigns.campaign_queries import filter_campaigns, progress_of, with_progress
from campaigns.models import Campaign
from campaigns.services import create_campaign
from compliance.places import INDUSTRIES, MARKETS, MAX_MARKETS
from integrations.mcp.registry import ToolDef
from integrations.mcp.tools.answers import PAGE, page_of, page_url, when
from integrations.mcp.tools.schemas import JSON, a_day, an_id, choice, closed, day_of, gives, many, need_id, text


def campaign_data(campaign: Campaign) -> JSON:
    return {
        "id": str(campaign.pk),
        "name": campaign.name,
        "goal": campaign.goal,
        "status": campaign.status,
        "starts_on": campaign.starts_on,
        "ends_on": campaign.ends_on,
    }


def list_campaigns(actor: Actor, args: JSON) -> JSON:
    rows = filter_campaigns(visible_campaigns(actor), status=args.get("status", ""), words=args.get("words", ""))
    return page_of(rows, args, campaign_data)


def show_campaign(actor: Actor, args: JSON) -> JSON:
    return whole_campaign(get_campaign(actor, need_id(args, "campaign_id")), actor)


def whole_campaign(campaign: Campaign, actor: Actor) -> JSON:
    counted = with_progress(Campaign.objects.filter(pk=campaign.pk)).get()
    return campaign_data(campaign) | {
        "brief": campaign.brief,
        "markets": campaign.markets,
        "industry": campaign.industry,
        "posts": {part.state: part.number for part in progress_of(counted)},
        "created_at": when(campaign.created_at, actor.workspace),
        "time_zone": actor.workspace.time_zone,
        "page": page_url(actor, campaign.get_absolute_url()),
    }


def new_campaign(actor: Actor, args: JSON) -> JSON:
    said: JSON = {name: args[name] for name in ("name", "goal", "brief", "markets", "industry") if name in args}
    said |= {name: day_of(args, name) for name in ("starts_on", "ends_on")}
    return whole_campaign(create_campaign(by=actor, **said), actor)


WHOLE = gives(
    **dict.fromkeys(("id", "name", "goal", "status", "brief", "industry", "time_zone", "page"), "string"),
    **dict.fromkeys(("starts_on", "ends_on", "created_at"), "string?"),
    markets="array",
    posts="object",
)
TOOLS = (
    ToolDef(
        name="list_campaigns",
        title="List campaigns",
        description="The workspace's campaigns, newest first. Use it to find the id of one by name or status.",
        input_schema=closed(
            status=choice("Only of this status.", Campaign.Status.values),
            words=text("Words of name or goal.", 120),
            **PAGE,
        ),
        do=list_campaigns,
        output_schema=gives(items="array", next_cursor="string?"),
        perm=Perm.VIEW,
    ),
    ToolDef(
        name="get_campaign",
        title="Get a campaign",
        description="One campaign: goal, brief, dates, and how many posts are drafts, in review, planned or published.",
        input_schema=closed(["campaign_id"], campaign_id=an_id("Of list_campaigns.")),
        do=show_campaign,
        output_schema=WHOLE,
        perm=Perm.VIEW,
    ),
    ToolDef(
        name="create_campaign",
        title="Create a campaign",
        description="A new, empty campaign. To have its posts proposed as well, call plan_campaign instead.",
        input_schema=closed(
            ["name"],
            name=text("What people call it.", 120, least=1),
            goal=text("What it is to achieve, in a sentence.", 200),
            brief=text("What the writers should know.", 10_000),
            starts_on=a_day("First day."),
            ends_on=a_day("Last day."),
            markets=many(choice("A market.", MARKETS), "Where it is aimed at; else the workspace's own.", MAX_MARKETS),
            industry=choice("What it sells, where that differs from the workspace.", INDUSTRIES),
        ),
        do=new_campaign,
        output_schema=WHOLE,
        perm=Perm.CONTENT_EDIT,
        has_effect=True,
    ),
)
