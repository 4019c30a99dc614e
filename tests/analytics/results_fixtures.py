"""A workspace of which something is known. Each `conftest.py` that wants these imports them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from accounts.access import Actor
from accounts.models import Workspace
from accounts.scope import workspace_scope
from analytics.queries.period import Period
from analytics.tracking.ingest import EventRow, add_events
from campaigns.models import Campaign
from campaigns.services import create_campaign
from lib.clock import shifted
from social.models import Connection
from tests.analytics.results_cast import (
    DAY,
    NOON,
    TODAY,
    add_conversion,
    add_cost,
    add_followers,
    add_link,
    add_measured,
)
from tests.campaigns.cast import add_connection


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    """Everything happens on one day, whenever the tests run."""
    with shifted(NOON - datetime.now(UTC)):
        yield


@pytest.fixture
def roastery(in_workspace: Workspace) -> Connection:
    return add_connection(in_workspace, "roastery")


@pytest.fixture
def channel(in_workspace: Workspace) -> Connection:
    return Connection.objects.create(
        workspace=in_workspace, network="telegram", remote_id="-1001", kind="channel", name="Beans", app_key="bot:1"
    )


@pytest.fixture
def spring(in_workspace: Workspace, alice_actor: Actor) -> Campaign:
    return create_campaign(by=alice_actor, name="Spring")


@pytest.fixture
def week() -> Period:
    """The last seven days, in Berlin."""
    return Period(TODAY - 6 * DAY, TODAY, "Europe/Berlin")


@pytest.fixture
def busy(workspace: Workspace, alice_actor: Actor) -> Campaign:
    """A campaign with four weeks of posts, clicks, sales and costs."""
    with workspace_scope(workspace.pk):
        campaign = create_campaign(by=alice_actor, name="Spring")
        roastery = add_connection(workspace, "roastery")
        link = add_link(workspace, campaign)
        clicks = []
        for number in range(28):
            at = NOON - timedelta(days=number, hours=number % 5)
            add_measured(
                roastery, at, campaign=campaign, text=f"Post {number}", impressions=1000 + number, likes=10 + number
            )
            add_followers(roastery, at.date(), 500 - number)
            told = {"kind": "click", "at": at, "link_id": link.pk, "campaign_id": campaign.pk, "device": "phone"}
            clicks += [EventRow(**told, visitor=f"{number:016x}{person:016x}") for person in range(3)]
            clicks.append(EventRow(**told, is_bot=True))
        add_events(workspace.pk, clicks)
        for number in range(6):
            add_conversion(workspace, NOON - number * DAY, 20_000_000, campaign)
        add_cost(workspace, "llm", 400_000, NOON - DAY, campaign_id=campaign.pk)
        add_cost(workspace, "x.post", 600_000, NOON - DAY, campaign_id=campaign.pk)
    return campaign
