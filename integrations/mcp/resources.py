"""What programs may read: the brand, the plan of a month, the results of a campaign, a post."""

import re
from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import Http404

from accounts.access import Actor
from agents.memory import brand_of
from analytics.queries.period import read_choice
from campaigns.access import get_campaign, get_post, visible_campaigns
from campaigns.calendar_queries import CalendarFilter
from campaigns.calendar_span import YEARS, read_span
from integrations.mcp.registry import JSON, REGISTRY, ResourceDef
from integrations.mcp.tools.calendar import calendar_data
from integrations.mcp.tools.posts import post_data
from integrations.mcp.tools.results import of_period
from lib.clock import now

MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])", re.ASCII)
# Before and after this one.
MONTHS_OFFERED = range(-2, 4)
MOST_IN_MONTH = 500
OFFERED = 20


def read_brand(actor: Actor, _params: dict[str, str]) -> str:
    return brand_of(actor.workspace, actor.user).as_text()


def read_calendar(actor: Actor, params: dict[str, str]) -> JSON:
    found = MONTH.fullmatch(params["month"])
    if found is None or int(found[1]) not in YEARS:
        raise Http404("No such month.")
    span = read_span({"view": "list", "month": params["month"]}, actor.workspace.time_zone, now())
    return calendar_data(actor, span, CalendarFilter(), {"limit": MOST_IN_MONTH})


def read_results(actor: Actor, params: dict[str, str]) -> JSON:
    """Of the usual days."""
    campaign = get_campaign(actor, _uuid(params["campaign_id"]))
    return of_period(actor, read_choice(actor.workspace, {}), campaign)


def read_post(actor: Actor, params: dict[str, str]) -> JSON:
    return post_data(get_post(actor, _uuid(params["post_id"])), actor)


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Http404("Not found.") from error


# --- what is offered while one types ------------------------------------------------------------------------


def offer_months(actor: Actor, _place: str, typed: str) -> Iterable[str]:
    first = now().astimezone(ZoneInfo(actor.workspace.time_zone)).date().replace(day=1)
    middles = (first.replace(day=15) + timedelta(days=30.44 * step) for step in MONTHS_OFFERED)
    return [name for name in (f"{day:%Y-%m}" for day in middles) if name.startswith(typed)]


def offer_campaigns(actor: Actor, _place: str, typed: str) -> Iterable[str]:
    """The newest, by the beginning of the id."""
    ids = visible_campaigns(actor).order_by("-pk").values_list("pk", flat=True)
    return [str(pk) for pk in ids[:200] if str(pk).startswith(typed.lower())][:OFFERED]


REGISTRY.add(
    ResourceDef(
        uri="rostrum://brand",
        name="brand",
        title="Brand",
        description="Who the brand is: voice, audience, products, words to use and to avoid, claims that are proven.",
        read=read_brand,
        mime="text/markdown",
    ),
    ResourceDef(
        uri="rostrum://calendar/{month}",
        name="calendar",
        title="Calendar of a month",
        description="What is planned and what went out in a month such as 2026-12, and the free posting slots.",
        read=read_calendar,
        complete=offer_months,
    ),
    ResourceDef(
        uri="rostrum://results/{campaign_id}",
        name="results",
        title="Results of a campaign",
        description="What a campaign reached and earned in the last 28 days, each number with its source.",
        read=read_results,
        complete=offer_campaigns,
    ),
    ResourceDef(
        uri="rostrum://posts/{post_id}",
        name="posts",
        title="A post",
        description="One post, and how it stands on each account.",
        read=read_post,
    ),
)
