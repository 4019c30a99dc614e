import pytest

from agents.models import Run
from agents.runs.worker import advance
from campaigns.models import Delivery, Plan, PlanLine, Post
from tests.campaigns.cast import add_connection
from tests.integrations.mcp.tools.cast import Program

BRIEF = "Promote our new decaf from Huila https://roastery.example/decaf"


@pytest.fixture
def account(in_workspace):
    return add_connection(in_workspace, "roastery")


def test_plan_is_asked_for_written_read_and_accepted(bobs: Program, account, sandbox, bob) -> None:
    asked = bobs("plan_campaign", brief=BRIEF, connection_ids=[str(account.pk)])
    assert asked["status"] == "working"
    assert "get_plan" in asked["next"]
    run = Run.objects.get(pk=asked["run_id"])
    assert run.user == bob
    advance(run.pk)
    plan = bobs("get_plan", plan_id=asked["plan_id"])
    [line] = plan["lines"]
    assert (plan["status"], line["status"], line["connection"]["account"]) == ("ready", "proposed", "@roastery")
    assert plan["cost"].startswith("$")
    post = bobs("accept_plan_line", plan_id=asked["plan_id"], line_id=line["line_id"])
    assert [row["state"] for row in post["deliveries"]] == ["in_review"]
    assert post["made_with_ai"] is True
    again = bobs("get_plan", plan_id=asked["plan_id"])
    assert (again["status"], again["lines"][0]["post_id"]) == ("closed", post["post_id"])


def test_plan_belongs_to_the_campaign_that_is_named(bobs: Program, cast) -> None:
    asked = bobs("plan_campaign", brief=BRIEF, connection_ids=[str(cast.account.pk)], campaign_id=str(cast.campaign.pk))
    assert asked["campaign_id"] == str(cast.campaign.pk)


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"brief": "  "}, "brief"),
        ({"connection_ids": []}, "connection_ids"),
        ({"languages": ["xx"]}, "languages"),
        ({"languages": ["en"] * 7}, "languages"),
    ],
)
def test_wrong_plan_starts_nothing(bobs: Program, account, wrong, word) -> None:
    args = {"brief": BRIEF, "connection_ids": [str(account.pk)]} | wrong
    assert word in bobs.refused("plan_campaign", **args).words
    assert not Plan.objects.exists()
    assert not Run.objects.exists()


def test_dry_run_starts_no_agent(bobs: Program, account, sandbox, django_capture_on_commit_callbacks) -> None:
    with django_capture_on_commit_callbacks() as promised:
        bobs("plan_campaign", brief=BRIEF, connection_ids=[str(account.pk)], dry_run=True)
    assert promised == []
    assert not Run.objects.exists()


def test_line_that_a_network_would_refuse_stays(bobs: Program, cast) -> None:
    PlanLine.objects.update(text="x" * 290)
    refusal = bobs.refused("accept_plan_line", plan_id=str(cast.plan.pk), line_id=str(cast.line.pk))
    assert "10 over the limit" in refusal.words
    assert PlanLine.objects.get().status == "proposed"
    assert not Post.objects.filter(title__startswith="xxx").exists()


def test_decided_line_is_told_so(bobs: Program, cast) -> None:
    place = {"plan_id": str(cast.plan.pk), "line_id": str(cast.line.pk)}
    bobs("accept_plan_line", **place)
    count = Delivery.objects.count()
    assert "decided" in bobs.refused("accept_plan_line", **place).words
    assert Delivery.objects.count() == count


def test_line_of_another_plan_is_missing(bobs: Program, cast) -> None:
    other = Plan.objects.create(workspace=cast.plan.workspace, brief="Other")
    assert bobs.refused("accept_plan_line", plan_id=str(other.pk), line_id=str(cast.line.pk)).code == "not_found"


def test_plan_that_failed_says_why(bobs: Program, cast) -> None:
    Plan.objects.update(status="failed", problem="Stopped by a person.")
    answer = bobs("get_plan", plan_id=str(cast.plan.pk))
    assert (answer["problem"], "problem" in answer["next"]) == ("Stopped by a person.", True)
