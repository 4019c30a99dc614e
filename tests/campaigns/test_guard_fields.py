"""The tie of a post, the markets and business of a campaign: through every door, and on the pre-flight board."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from accounts.access import Actor
from accounts.models import User, Workspace
from campaigns.guarding import judge_delivery, keep_judged, last_decisions, rules_at_approvals
from campaigns.imports.mapping import guess_mapping
from campaigns.models import Campaign, Delivery
from campaigns.preflight import due_before, flights_of
from campaigns.rendering import render
from campaigns.services import create_campaign, duplicate_post, update_campaign
from campaigns.versions import get_version
from compliance.guard_settings import update_guard_settings
from compliance.models import GuardDecision
from compliance.terms import TermDraft, add_term
from lib.clock import now
from social.models import Connection
from tests.campaigns.cast import add_post

State = Delivery.State


def test_the_api_takes_and_gives_the_tie(api, bob: User, in_workspace) -> None:
    made = api(bob).post("/api/posts", {"parts": [{"text": "x"}], "relationship": "gift"}, format="json")
    assert made.json()["relationship"] == "gift"
    address = f"/api/posts/{made.json()['id']}"
    assert api(bob).patch(address, {"title": "Y"}, format="json").json()["relationship"] == "gift"
    assert api(bob).put(address, {"parts": [{"text": "x"}]}, format="json").json()["relationship"] == "own_brand"
    assert api(bob).patch(address, {"relationship": "friend"}, format="json").status_code == 400


def test_a_copy_and_a_former_version_keep_the_tie(bob_actor: Actor, roastery: Connection) -> None:
    post = add_post(bob_actor, roastery, relationship="paid")
    assert duplicate_post(post, by=bob_actor).relationship == "paid"
    assert get_version(post, 1).content["relationship"] == "paid"
    plain = add_post(bob_actor, roastery, text="Plain")
    assert "relationship" not in get_version(plain, 1).content


def test_the_api_takes_and_gives_markets_and_business(api, bob: User, in_workspace) -> None:
    fields = {"name": "Spring", "markets": ["gb", "CN"], "industry": "cosmetics"}
    made = api(bob).post("/api/campaigns", fields, format="json")
    assert (made.json()["markets"], made.json()["industry"]) == (["UK", "CN"], "cosmetics")
    address = f"/api/campaigns/{made.json()['id']}"
    assert api(bob).patch(address, {"markets": []}, format="json").json()["markets"] == []
    for wrong in ({"markets": ["MOON"]}, {"industry": "dragons"}):
        assert api(bob).patch(address, wrong, format="json").status_code == 400


def test_the_form_takes_markets_and_business(bob_client: Client, in_workspace) -> None:
    fields = {"name": "Spring", "markets": ["CN", "EU"], "industry": "finance"}
    assert bob_client.post("/campaigns/new", fields).status_code == 302
    campaign = Campaign.objects.get()
    assert (campaign.markets, campaign.industry) == (["CN", "EU"], "finance")
    page = bob_client.get(f"/campaigns/{campaign.pk}/edit").content.decode()
    assert page.count("checked") >= 2
    assert bob_client.post(f"/campaigns/{campaign.pk}/edit", fields | {"markets": "MOON"}).status_code == 422


def test_a_service_refuses_markets_nobody_knows(alice_actor: Actor, in_workspace) -> None:
    campaign = create_campaign(by=alice_actor, name="Spring")
    for fields in ({"markets": ["MOON"]}, {"industry": "dragons"}):
        with pytest.raises(ValidationError):
            update_campaign(campaign, by=alice_actor, **fields)
        with pytest.raises(ValidationError):
            create_campaign(by=alice_actor, name="Other", **fields)


@pytest.mark.parametrize("column", ["relationship", "Tie", "关系"])
def test_a_file_may_name_the_tie(column: str) -> None:
    assert guess_mapping(["text", column])["relationship"] == column


# --- verdicts of many -------------------------------------------------------------------------------------


@pytest.fixture
def planned(bob_actor: Actor, roastery: Connection):
    """Due soon; approved, or still a draft."""

    def make(text: str, state: str = State.SCHEDULED) -> Delivery:
        row = Delivery.objects.get(post=add_post(bob_actor, roastery, text=text))
        approved = render(row).content_hash if state == State.SCHEDULED else ""
        due = now() + timedelta(hours=3)
        Delivery.objects.filter(pk=row.pk).update(
            state=state, scheduled_at=due, due_at=due if approved else None, approved_hash=approved
        )
        row.refresh_from_db()
        return row

    return make


def board(row: Delivery) -> dict[str, tuple[str, str]]:
    rows = list(due_before(Delivery.objects.filter(pk=row.pk), now() + timedelta(hours=24)))
    [flight] = flights_of(rows)
    found = {finding.code: (finding.level, finding.text) for finding in flight.findings}
    return {code: told for code, told in found.items() if code.startswith("guard")}


@pytest.mark.parametrize(
    ("kind", "state", "expected"),
    [
        ("block", State.SCHEDULED, {"guard_blocked": "red"}),
        ("block", State.DRAFT, {"guard_blocked": "red"}),
        ("review", State.SCHEDULED, {"guard_review": "red"}),
        ("review", State.IN_REVIEW, {"guard_review": "amber"}),
        ("allow", State.SCHEDULED, {}),
    ],
)
def test_the_board_knows_what_the_rules_will_do(
    planned, alice_actor: Actor, kind: str, state: str, expected: dict[str, str]
) -> None:
    row = planned("A curious bean", state)
    add_term(TermDraft("curious", kind=kind, reason="Ask Rita."), by=alice_actor)
    found = board(row)
    assert {code: level for code, (level, _) in found.items()} == expected
    assert all("Ask Rita." in text for _, text in found.values())


def test_what_a_person_let_through_is_green(planned, alice_actor: Actor) -> None:
    row = planned("A curious bean")
    add_term(TermDraft("curious", kind="review"), by=alice_actor)
    judged = judge_delivery(row, render(row))
    keep_judged(judged, row, render(row), GuardDecision.Stage.APPROVAL)
    assert rules_at_approvals([row])[row.pk] == judged.decision.rules
    assert board(row) == {}
    # An approval of other words lets nothing through.
    GuardDecision.objects.update(action_hash="other")
    assert board(row)["guard_review"][0] == "red"


def test_the_last_verdict_of_each_is_found_at_once(planned, django_assert_num_queries) -> None:
    rows = [planned(f"Bean {number}") for number in range(3)]
    for row in rows[:2]:
        for stage in (GuardDecision.Stage.DRAFT, GuardDecision.Stage.APPROVAL):
            keep_judged(judge_delivery(row, render(row)), row, render(row), stage)
    with django_assert_num_queries(1):
        found = last_decisions([row.pk for row in rows])
    assert {pk: one.stage for pk, one in found.items()} == {row.pk: "approval" for row in rows[:2]}


def test_the_workspaces_settings_reach_the_rules(planned, alice_actor: Actor, in_workspace: Workspace) -> None:
    row = planned("See https://rival.example/x for more")
    assert judge_delivery(row, render(row)).decision.verdict == "allow"
    update_guard_settings(by=alice_actor, blocked_domains=["rival.example"], markets=["DE"])
    judged = judge_delivery(row, render(row))
    assert judged.decision.verdict == "block"
    assert judged.context.jurisdictions == ("DE", "EU")
    assert judged.context.platform == "x"
