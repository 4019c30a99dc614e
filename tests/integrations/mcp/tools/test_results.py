from datetime import timedelta

import pytest

from accounts.models import Workspace
from analytics.definitions import set_target
from analytics.models import MeasuredPost
from analytics.queries.period import today
from campaigns.models import Campaign
from campaigns.services import create_campaign
from experiments.models import Look
from lib.clock import now
from social.models import Connection
from tests.analytics.results_cast import add_clicks, add_conversion, add_cost, add_link, add_measured
from tests.campaigns.cast import add_connection
from tests.integrations.mcp.tools.cast import Program

NULL = {"value": None}


@pytest.fixture
def account(in_workspace: Workspace) -> Connection:
    return add_connection(in_workspace, "roastery")


@pytest.fixture
def campaign(bobs: Program, account: Connection) -> Campaign:
    """Two posts, three clicks, a sale of $20 and $0.40 for models, all of two days ago."""
    at = now() - timedelta(days=2)
    made = create_campaign(by=bobs.actor, name="Spring", starts_on=today(account.workspace) - timedelta(days=9))
    link = add_link(account.workspace, made)
    add_measured(account, at, campaign=made, text="Decaf", impressions=1000, likes=10)
    add_measured(account, at, campaign=made, text="Beans", impressions=500, likes=0)
    add_clicks(account.workspace, at, 3, link_id=link.pk, campaign_id=made.pk)
    add_conversion(account.workspace, at, 20_000_000, made)
    add_cost(account.workspace, "llm", 400_000, at, campaign_id=made.pk)
    return made


def test_every_number_has_its_source_and_kind(bobs: Program, campaign: Campaign) -> None:
    answer = bobs("metrics", campaign_id=str(campaign.pk), days=7)
    numbers = answer["numbers"]
    for name, said in numbers.items():
        if said["value"] is None:
            assert said["why"], name
        else:
            assert said["source"], name
            assert said["kind"] in {"exact", "delayed", "estimated"}, name
    assert {name: said["value"] for name, said in numbers.items()} == {
        "impressions": 1500,
        "engagements": 10,
        "joins": None,
        "clicks": 3,
        "bot_clicks": 0,
        "visitors": 3,
        "conversions": 1,
        "revenue_micro": 20_000_000,
        "posts": 2,
        "ai_cost_micro": 400_000,
        "network_cost_micro": 0,
        "media_cost_micro": 0,
    }
    assert numbers["impressions"]["source"] == "Read from X; newest readings added up"
    assert numbers["visitors"]["kind"] == "estimated"
    assert numbers["ai_cost_micro"]["dollars"] == "$0.40"


def test_gap_is_null_with_its_reason_and_never_zero(bobs: Program, account: Connection) -> None:
    numbers = bobs("metrics")["numbers"]
    for name in ("impressions", "engagements", "clicks", "visitors", "conversions", "revenue_micro", "joins"):
        assert numbers[name]["value"] is None, name
        assert numbers[name]["why"].endswith("."), name
    assert numbers["posts"] == {"value": 0, "source": "Publishing log", "kind": "exact"}


def test_campaign_comes_with_goals_and_what_it_earned(bobs: Program, campaign: Campaign) -> None:
    set_target(campaign, "clicks", 30, by=bobs.actor)
    answer = bobs("metrics", campaign_id=str(campaign.pk), days=7)
    assert answer["goals"] == [{"metric": "clicks", "wanted": 30, "reached": 3, "note": ""}]
    earned = answer["return"]
    assert (earned["costs"], earned["revenue"], earned["ratio"]) == ("$0.40", "$20.00", 49.0)
    low, high = earned["ratio_90_percent"]
    assert low < 49 < high
    assert answer["than_before"]["numbers"]["clicks"]["percent"] is None


def test_days_are_the_workspaces(bobs: Program, campaign: Campaign) -> None:
    day = today(campaign.workspace)
    answer = bobs("metrics", **{"from": str(day - timedelta(days=1)), "to": str(day)})
    assert answer["period"] == {"from": str(day - timedelta(days=1)), "to": str(day), "time_zone": "Europe/Berlin"}
    assert answer["numbers"]["posts"]["value"] == 0


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"days": 5}, "days"),
        ({"from": "2026-01-01"}, "both days"),
        ({"from": "2026-02-01", "to": "2026-01-01"}, "before `to`"),
        ({"from": "2020-01-01", "to": "2026-01-01"}, "at most 750 days"),
        ({"from": "2026-01-01", "to": "2099-01-01"}, "not after today"),
        ({"from": "yesterday", "to": "today"}, "from"),
    ],
)
def test_days_that_make_no_sense_are_refused(bobs: Program, wrong, word) -> None:
    assert word in bobs.refused("metrics", **wrong).words


def test_account_has_no_clicks_of_its_own(bobs: Program, campaign: Campaign, account: Connection) -> None:
    numbers = bobs("metrics", connection_id=str(account.pk), days=7)["numbers"]
    assert numbers["impressions"]["value"] == 1500
    assert (numbers["clicks"]["value"], "shared by all accounts" in numbers["clicks"]["why"]) == (None, True)


def test_post_tells_its_numbers_by_account_and_age(bobs: Program, cast) -> None:
    [row] = bobs("metrics", post_id=str(cast.live.post_id))["deliveries"]
    [part] = row["parts"]
    numbers = part["numbers"]
    assert (numbers["impressions"]["value"], numbers["impressions"]["kind"]) == (120, "exact")
    # Measured and none: that is zero.
    assert (numbers["likes"]["value"], numbers["engagements"]["value"]) == (0, 0)
    assert numbers["link_clicks"] == {"value": None, "why": "The account did not grant it."}
    assert numbers["replies"] == {"value": None, "why": "Not measured yet."}
    [taken] = part["by_age"]
    assert (taken["age"], taken["source"], taken["numbers"]["impressions"]) == ("15 minutes", "Read from X", 120)


def test_post_that_is_not_live_has_no_numbers_and_says_why(bobs: Program, cast) -> None:
    [row] = bobs("metrics", post_id=str(cast.draft.pk))["deliveries"]
    assert (row["parts"], row["note"]) == ([], "Nothing is measured before it is live.")


def test_number_without_a_reading_claims_no_source(bobs: Program, cast) -> None:
    MeasuredPost.objects.update(reposts=4)
    [row] = bobs("metrics", post_id=str(cast.live.post_id))["deliveries"]
    said = row["parts"][0]["numbers"]["reposts"]
    assert (said["value"], said["source"], said["kind"]) == (4, None, None)


# --- experiments --------------------------------------------------------------------------------------------


def test_experiment_says_its_verdict_and_its_limits(bobs: Program, cast) -> None:
    [row] = bobs("experiments")["items"]
    assert (row["verdict"], row["says"]) == (None, "Nobody has looked at its results yet.")
    refusal = {"code": "few", "reason": "Too few visitors.", "next": "Wait."}
    Look.objects.create(
        workspace=cast.experiment.workspace,
        experiment=cast.experiment,
        number=1,
        verdict="cannot_tell",
        sentence="Cannot tell: too few visitors.",
        refusals=[refusal],
        data_hash="0" * 64,
    )
    whole = bobs("experiments", experiment_id=str(cast.experiment.pk))
    assert (whole["verdict"], whole["says"]) == ("cannot_tell", "Cannot tell: too few visitors.")
    assert whole["refusals"] == [refusal]
    assert [arm["name"] for arm in whole["arms"]] == ["Old page", "New page"]
    assert "causes" in whole["claim"]
    assert whole["caution"]
    assert whole["winner"] is None
    assert bobs("experiments", status="running")["items"] == []
