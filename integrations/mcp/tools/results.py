"""What posts reached and campaigns earned. Each number says where it comes from; what nobody measured is null."""

from typing import Any

from django.core.exceptions import ValidationError

from accounts.access import Actor, Perm
from accounts.models import Workspace
from analytics.ages import COMPARED_AT, ENGAGING, age_label
from analytics.collection.numbers import SOURCES, PostNumbers, measured_of, numbers_of, why
from analytics.models import Snapshot
from analytics.models.measures import METRICS
from analytics.queries.aged import posts_at_age
from analytics.queries.deltas import deltas
from analytics.queries.goals import targets
from analytics.queries.period import FIRST_DAY, LENGTHS, LONGEST, USUAL, Choice, Period, read_choice, today
from analytics.queries.ranking import Ranked, rank_posts
from analytics.queries.roi import roi
from analytics.queries.totals import Totals, measured_posts, totals
from campaigns.access import get_campaign, get_post
from campaigns.models import Campaign, Delivery, Post
from integrations.mcp.registry import ToolDef
from integrations.mcp.tools.answers import short, when
from integrations.mcp.tools.connections import get_account
from integrations.mcp.tools.schemas import JSON, a_day, an_id, closed, day_of, id_of
from lib.money import dollars
from social.models import Connection

Kind = Snapshot.Kind
BEST = 3
BY_LINKS, BY_CONVERSIONS, LEDGER = "Short links", "Conversion tracking", "Usage ledger"
# Of a period, by the name in `Totals`: where it comes from and how exact it is. Those of posts are in their readings.
COUNTED = {
    "posts": ("Publishing log", Kind.EXACT),
    "clicks": (BY_LINKS, Kind.EXACT),
    "bot_clicks": (BY_LINKS, Kind.EXACT),
    # A person who comes back the next day counts again.
    "visitors": (BY_LINKS, Kind.ESTIMATED),
    "conversions": (BY_CONVERSIONS, Kind.EXACT),
    "revenue_micro": (BY_CONVERSIONS, Kind.EXACT),
    "ai_cost_micro": (LEDGER, Kind.EXACT),
    "network_cost_micro": (LEDGER, Kind.EXACT),
    "media_cost_micro": ("Written down by people", Kind.EXACT),
}
OF_POSTS = ("impressions", "engagements", "joins")
# One rough number makes a sum rough.
ROUGHEST = (Kind.ESTIMATED, Kind.DELAYED, Kind.EXACT)


def metrics(actor: Actor, args: JSON) -> JSON:
    if post_id := id_of(args, "post_id"):
        if args.get("campaign_id") or args.get("connection_id"):
            raise ValidationError({"post_id": "Give only one of post_id, campaign_id and connection_id."})
        return _of_post(get_post(actor, post_id), actor)
    campaign_id, connection_id = id_of(args, "campaign_id"), id_of(args, "connection_id")
    campaign = get_campaign(actor, campaign_id) if campaign_id else None
    connection = get_account(actor, connection_id) if connection_id else None
    return of_period(actor, _choice(actor.workspace, args), campaign, connection)


def _choice(workspace: Workspace, args: JSON) -> Choice:
    """The page takes its usual days for days that make no sense; here they are refused."""
    start, end = day_of(args, "from"), day_of(args, "to")
    if (start is None) != (end is None):
        raise ValidationError({"from": "Give both days, or neither."})
    if start and end and not FIRST_DAY <= start <= end <= today(workspace):
        raise ValidationError({"from": "This must be before `to`, and `to` not after today."})
    if start and end and (end - start).days >= LONGEST:
        raise ValidationError({"from": f"Ask for at most {LONGEST} days at once."})
    return read_choice(workspace, {name: str(args[name]) for name in ("days", "from", "to") if name in args})


# --- one post -----------------------------------------------------------------------------------------------


def _of_post(post: Post, actor: Actor) -> JSON:
    rows = Delivery.objects.filter(post=post).select_related("connection").order_by("created_at", "pk")
    return {
        "post_id": str(post.pk),
        "time_zone": actor.workspace.time_zone,
        "deliveries": [_of_delivery(row, actor.workspace) for row in rows],
    }


def _of_delivery(row: Delivery, workspace: Workspace) -> JSON:
    parts = numbers_of(measured_of(row))
    return {
        "delivery_id": str(row.pk),
        "account": str(row.connection),
        "state": row.state,
        "parts": [_of_part(one, workspace) for one in parts],
        "note": "" if parts else "Nothing is measured before it is live.",
    }


def _of_part(numbers: PostNumbers, workspace: Workspace) -> JSON:
    post = numbers.post
    taken = [row.snapshot for row in numbers.rows if row.snapshot]
    return {
        "url": post.url,
        "published_at": when(post.published_at, workspace),
        "measured_at": when(post.measured_at, workspace),
        "next_at": when(post.due_at, workspace),
        "numbers": {name: _newest(numbers, name, workspace) for name in (*METRICS, "engagements")},
        "by_age": [_of_age(one, workspace) for one in taken],
    }


def _newest(numbers: PostNumbers, name: str, workspace: Workspace) -> JSON:
    value = getattr(numbers.post, name)
    if value is None:
        return {"value": None, "why": why(numbers.post.missing.get(name, ""))}
    holds = set(ENGAGING) if name == "engagements" else {name}
    taken = [row.snapshot for row in numbers.rows if row.snapshot and holds & row.snapshot.metrics.keys()]
    last = max(taken, key=lambda snapshot: snapshot.at, default=None)
    if last is None:
        return {"value": value, "source": None, "kind": None, "at": when(numbers.post.measured_at, workspace)}
    return {"value": value, "source": source_of(last.source), "kind": last.kind, "at": when(last.at, workspace)}


def _of_age(one: Snapshot, workspace: Workspace) -> JSON:
    return {
        "age": age_label(one.age_s),
        "at": when(one.at, workspace),
        "source": source_of(one.source),
        "kind": one.kind,
        "numbers": one.metrics,
    }


def source_of(name: str) -> str:
    return SOURCES.get(name, name)


# --- a period of a campaign, an account or everything -------------------------------------------------------


def of_period(
    actor: Actor, choice: Choice, campaign: Campaign | None = None, connection: Connection | None = None
) -> JSON:
    workspace, period = actor.workspace, choice.period
    which: dict[str, Any] = {"campaign": campaign, "connection": connection}
    known = totals(workspace, period, **which)
    compared = deltas(workspace, choice, **which)
    aged = posts_at_age(workspace, period.starts_at, period.ends_at, **which)
    answer: JSON = {
        "of": str(campaign or connection or workspace),
        "period": {"from": period.start, "to": period.end, "time_zone": period.zone},
        "currency_of_revenue": known.currency,
        "numbers": _numbers(workspace, period, known, which),
        "than_before": {
            "from": choice.against.start,
            "to": choice.against.end,
            "how": "Whole days, and posts at one age: like with like.",
            "numbers": {name: _change(one) for name, one in compared.items()},
        },
        "best_posts": [
            _ranked(row, workspace) for ranking in rank_posts(aged, period.zone) for row in ranking.best[:BEST]
        ],
    }
    return answer | (_earned(actor, period, campaign, known) if campaign else {})


def _numbers(workspace: Workspace, period: Period, known: Totals, which: dict[str, Any]) -> JSON:
    source, kind = _readings(workspace, period, which)
    places: dict[str, tuple[str, str | None]] = {**COUNTED, **dict.fromkeys(OF_POSTS, (source, kind))}
    return {name: _number(known, name, source, kind, workspace) for name, (source, kind) in places.items()}


def _number(known: Totals, name: str, source: str, kind: str | None, workspace: Workspace) -> JSON:
    value = getattr(known, name)
    if value is None:
        return {"value": None, "why": known.notes.get(name, "Not measured.")}
    said: JSON = {"value": value, "source": source, "kind": kind}
    if name in OF_POSTS:
        said["at"] = when(known.measured_at, workspace)
    if name.endswith("_cost_micro"):
        said["dollars"] = dollars(value)
    return said


def _readings(workspace: Workspace, period: Period, which: dict[str, Any]) -> tuple[str, str | None]:
    """Who said the numbers of these posts, and the roughest kind among them."""
    posts = measured_posts(workspace, period, **which)
    found = set(Snapshot.objects.filter(post__in=posts.order_by()).values_list("source", "kind").distinct().order_by())
    kinds = {kind for _source, kind in found}
    said = ", ".join(sorted({source_of(source) for source, _kind in found})) or "Posts"
    return f"{said}; newest readings added up", next((kind for kind in ROUGHEST if kind in kinds), None)


def _change(change: Any) -> JSON:
    percent = change.percent
    return {"now": change.now, "before": change.before, "percent": None if percent is None else round(percent, 1)}


def _ranked(row: Ranked, workspace: Workspace) -> JSON:
    post = row.post
    return {
        "delivery_id": str(post.delivery_id) if post.delivery_id else None,
        "account": post.account,
        "text": short(post.text, 120),
        "url": post.url,
        "published_at": when(post.published_at, workspace),
        "reached": row.figure,
        "at_age": age_label(COMPARED_AT[post.network]),
    }


def _earned(actor: Actor, period: Period, campaign: Campaign, known: Totals) -> JSON:
    found = roi(actor.workspace, period, campaign, known=known)
    return {
        "goals": [
            {"metric": one.target.metric, "wanted": one.target.value, "reached": one.reached, "note": one.note}
            for one in targets(campaign)
        ],
        "return": {
            "costs": dollars(found.costs_micro),
            "revenue": None if found.revenue_micro is None else dollars(found.revenue_micro),
            "ratio": _rounded(found.ratio),
            "ratio_90_percent": [_rounded(found.ratio_low), _rounded(found.ratio_high)],
            "missing": found.missing,
        },
    }


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 3)


TOOLS = (
    ToolDef(
        name="metrics",
        title="Metrics",
        description=(
            "Results of a post, a campaign, an account or the whole workspace. Each number has its source and kind "
            "(exact, delayed, estimated); null means nobody measured it, and `why` says the reason: never read it as 0."
        ),
        input_schema=closed(
            post_id=an_id("Of one post, by account and age."),
            campaign_id=an_id("Of one campaign, with its goals and what it earned."),
            connection_id=an_id("Of one account."),
            days={"type": "integer", "enum": list(LENGTHS), "default": USUAL, "description": "Until today."},
            **{"from": a_day("Instead of days: the first one."), "to": a_day("The last day.")},
        ),
        do=metrics,
        perm=Perm.VIEW,
    ),
)
