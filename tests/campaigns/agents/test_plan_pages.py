"""The box, the list and the page of a proposal, as people see and use them."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from agents.models import Run
from campaigns.models import Plan, PlanLine, Post
from campaigns.services import share_campaign
from compliance.models import Review
from lib.clock import now
from tests.campaigns.agents.conftest import BRIEF, lines_of
from tests.campaigns.agents.test_plan_lines import line, proposal  # noqa: F401 fixtures


@pytest.fixture
def base(workspace) -> str:
    return f"/w/{workspace.slug}"


def page_of(client: Client, base: str, plan: Plan) -> str:
    return client.get(f"{base}/plans/{plan.pk}").content.decode()


def act(client: Client, base: str, line: PlanLine, name: str, **data: str):  # noqa: F811
    return client.post(f"{base}/plans/{line.plan_id}/lines/{line.pk}/{name}", data, follow=True)


def test_sentence_on_the_dashboard_starts_a_proposal(sandbox, roastery, bob_client, base):
    page = bob_client.get(f"{base}/").content.decode()
    assert "What do you want to promote?" in page
    data = {"brief": BRIEF, "connections": [str(roastery.pk)], "languages": ["en", "zh"]}
    answer = bob_client.post(f"{base}/plans", data)
    plan = Plan.objects.get()
    assert answer.headers["Location"] == f"{base}/plans/{plan.pk}"
    assert (plan.brief, plan.languages, plan.status) == (BRIEF, ["en", "zh"], "working")


def test_what_was_typed_is_kept_beside_what_is_wrong(sandbox, roastery, bob_client, base):
    answer = bob_client.post(f"{base}/plans", {"brief": "Our decaf", "connections": [str(roastery.pk)]})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Our decaf</textarea>" in page
    assert "Choose one or more of the languages." in page


@pytest.mark.parametrize(("client", "sees_box"), [("bob_client", True), ("rita_client", False), ("vic_client", False)])
def test_only_those_who_write_see_the_box(roastery, request, base, client, sees_box):
    for path in ("/", "/plans"):
        page = request.getfixturevalue(client).get(f"{base}{path}").content.decode()
        assert ("What do you want to promote?" in page) is sees_box


def test_without_an_account_the_box_says_what_to_do(bob_client, base, in_workspace):
    assert "Connect an account first" in bob_client.get(f"{base}/plans").content.decode()


def test_guest_finds_no_proposals(gwen_client, base, proposal):  # noqa: F811
    assert gwen_client.get(f"{base}/plans").status_code == 403
    assert gwen_client.get(f"{base}/plans/{proposal.pk}").status_code == 403


def test_campaign_is_carried_along(sandbox, roastery, campaign, bob_client, base):
    page = bob_client.get(f"{base}/plans?campaign={campaign.pk}").content.decode()
    assert f'value="{campaign.pk}"' in page
    data = {"brief": BRIEF, "connections": [str(roastery.pk)], "languages": ["en"], "campaign": str(campaign.pk)}
    bob_client.post(f"{base}/plans", data)
    assert Plan.objects.get().campaign == campaign


def test_page_follows_the_agents_while_they_work(small, bob_client, base):
    page = page_of(bob_client, base, small)
    assert 'hx-trigger="every 1500ms"' in page
    assert "Agents are at work" in page
    assert "Accept" not in page


def test_page_shows_strategy_lines_checks_and_cost(written_small, bob_client, base):
    ready = written_small
    page = page_of(bob_client, base, ready)
    assert "every 1500ms" not in page
    assert ready.strategy["goal"] in page
    assert "Answered by the sandbox model" in page
    for line in lines_of(ready):  # noqa: F402
        assert line.variants[0]["text"].split("\n")[0][:30] in page
        assert f'id="accept-{line.n}"' in page
    assert "Nothing forbids it" in page
    assert "Europe/Berlin" in page


def test_steps_of_the_agents_are_named(small, bob_client, base, run_to_end):
    plan, run = small, Run.objects.get(pk=small.run_id)
    run_to_end(run.pk)
    Plan.objects.filter(pk=plan.pk).update(status="working")
    Run.objects.filter(pk=run.pk).update(status="running")
    page = page_of(bob_client, base, plan)
    assert "Variants" in page
    assert "line 1 variants" in page


def test_viewer_sees_it_and_has_no_buttons(written_small, vic_client, base):
    page = page_of(vic_client, base, written_small)
    assert written_small.strategy["goal"] in page
    assert "accept-1" not in page
    assert "<textarea" not in page


def test_accepting_takes_what_stands_in_the_field(line, bob_client, base):  # noqa: F811
    answer = act(bob_client, base, line, "accept", text="Typed and not saved.", at="2090-01-02T09:30")
    post = Post.objects.get()
    assert post.parts.get().text == "Typed and not saved."
    assert post.deliveries.get().scheduled_at.isoformat() == "2090-01-02T08:30:00+00:00"
    assert "Accepted" in answer.content.decode()


def test_time_that_was_not_touched_keeps_its_seconds(line, bob_client, base):  # noqa: F811
    local = f"{line.planned_at.astimezone(ZoneInfo('Europe/Berlin')):%Y-%m-%dT%H:%M}"
    act(bob_client, base, line, "accept", text=line.text, at=local)
    assert Post.objects.get().deliveries.get().scheduled_at == line.planned_at


def test_refused_line_says_why_and_keeps_what_was_typed(line, bob_client, base):  # noqa: F811
    answer = act(bob_client, base, line, "accept", text="y" * 290)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "10 over the limit of 280" in page
    assert "y" * 290 in page
    assert not Post.objects.exists()


def test_every_line_is_decided_for_itself(line, bob_client, base, proposal):  # noqa: F811
    act(bob_client, base, line, "reject")
    page = act(bob_client, base, line, "undo").content.decode()
    assert "Take the rejection back" not in page
    act(bob_client, base, line, "variant", variant="0", text=line.text)
    assert PlanLine.objects.get(pk=line.pk).text == "Other words 1."
    act(bob_client, base, line, "edit", text="Mine now.")
    assert PlanLine.objects.get(pk=line.pk).text == "Mine now."


def test_rewriting_line_follows_its_run_alone(line, bob_client, base, proposal, sandbox):  # noqa: F811
    page = act(bob_client, base, line, "rewrite", wish="Shorter", text=line.text).content.decode()
    assert "Being written anew" in page
    assert page.count("every 1500ms") == 1
    assert Run.objects.get(workflow="plan_line").input == {"line": str(line.pk), "wish": "Shorter"}


def test_failed_rewriting_is_told_at_the_line(line, bob_client, base, proposal, sandbox):  # noqa: F811
    act(bob_client, base, line, "rewrite", wish="Shorter", text=line.text)
    Run.objects.filter(workflow="plan_line").update(status="over_budget", error={"code": "over_budget"})
    page = page_of(bob_client, base, proposal)
    assert "It could not be written anew: The budget for the assistant is used up." in page
    assert "every 1500ms" not in page


@pytest.mark.parametrize("number", ["9", "x", "", "-1"])
def test_wording_that_is_none_is_refused(line, bob_client, base, number):  # noqa: F811
    assert act(bob_client, base, line, "variant", variant=number).status_code == 422


@pytest.mark.parametrize("name", ["accept", "reject", "edit", "variant", "rewrite", "undo"])
@pytest.mark.parametrize("client", ["rita_client", "vic_client", "gwen_client"])
def test_others_may_not_decide(line, request, base, client, name):  # noqa: F811
    assert act(request.getfixturevalue(client), base, line, name, text="x").status_code == 403
    assert PlanLine.objects.get(pk=line.pk).text == line.text


def test_unknown_acts_are_no_addresses(line, bob_client, base):  # noqa: F811
    assert act(bob_client, base, line, "publish").status_code == 404
    assert bob_client.post(f"{base}/plans/{line.plan_id}/publish").status_code == 404


def test_all_are_accepted_at_once_and_the_rest_is_explained(proposal, bob_client, base):  # noqa: F811
    PlanLine.objects.filter(plan=proposal, n=1).update(text="z" * 281)
    answer = bob_client.post(f"{base}/plans/{proposal.pk}/accept")
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "1 over the limit of 280" in page
    assert Post.objects.count() == 1
    assert "1 accepted" in page


def test_passed_times_are_offered_anew(proposal, bob_client, base):  # noqa: F811
    PlanLine.objects.filter(plan=proposal).update(planned_at=now() - timedelta(hours=1))
    assert "Suggest new times" in page_of(bob_client, base, proposal)
    page = bob_client.post(f"{base}/plans/{proposal.pk}/new-times", follow=True).content.decode()
    assert "Suggest new times" not in page


def test_stopping_and_trying_again(small, bob_client, base):
    plan = small
    page = bob_client.post(f"{base}/plans/{plan.pk}/stop", follow=True).content.decode()
    assert "It stopped before it was done." in page
    assert "Stopped by a person." in page
    page = bob_client.post(f"{base}/plans/{plan.pk}/again", follow=True).content.decode()
    assert "Agents are at work" in page
    plan.refresh_from_db()
    assert len(plan.strategy["runs"]) == 2


def test_used_up_budget_is_told_plainly(small, bob_client, base, run_to_end):
    plan = small
    Run.objects.filter(pk=plan.run_id).update(cap_micro=1)
    run_to_end(plan.run_id)
    page = page_of(bob_client, base, plan)
    assert "The budget for the assistant is used up." in page
    assert "Try again" in page


def test_list_names_proposals_and_their_state(proposal, bob_client, base):  # noqa: F811
    page = bob_client.get(f"{base}/plans").content.decode()
    assert ">Decaf</a>" in page
    assert "Waits for you" in page


def test_list_asks_the_database_as_often_for_many_as_for_few(
    proposal: Plan,  # noqa: F811
    bob_client: Client,
    base: str,
    bob: User,
):
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            bob_client.get(f"{base}/plans")
        return len(queries)

    count()
    few = count()
    for n in range(8):
        Plan.objects.create(workspace=proposal.workspace, brief=f"Brief {n}", created_by=bob)
    assert count() == few


def test_post_and_review_say_where_the_text_comes_from(line, bob_client, rita_client, base):  # noqa: F811
    act(bob_client, base, line, "accept", text=line.text)
    post = Post.objects.get()
    review = Review.objects.get()
    for client, path in ((bob_client, f"/posts/{post.pk}"), (rita_client, f"/reviews/{review.pk}")):
        page = client.get(f"{base}{path}").content.decode()
        assert "Where this text comes from" in page
        assert "claude" in page
        assert "writer, version 3" in page
        assert "$0.00012" in page
        assert "bob@example.org" in page


def test_guest_is_not_told_where_a_text_comes_from(line, bob_client, gwen_client, gwen, base, alice_actor):  # noqa: F811
    act(bob_client, base, line, "accept", text=line.text)
    post = Post.objects.get()
    share_campaign(post.campaign, gwen, by=alice_actor)
    page = gwen_client.get(f"{base}/posts/{post.pk}").content.decode()
    assert "Our decaf is here." in page
    assert "Where this text comes from" not in page


def test_post_that_people_wrote_shows_no_origin(post, bob_client, base):
    assert "Where this text comes from" not in bob_client.get(f"{base}/posts/{post.pk}").content.decode()


def test_api_gives_the_origins_with_the_post(line, api, bob, bob_client, base):  # noqa: F811
    act(bob_client, base, line, "accept", text=line.text)
    [origin] = api(bob).get(f"/api/posts/{Post.objects.get().pk}").json()["origins"]
    assert (origin["model"], origin["prompt_version"], origin["cost_micro"]) == ("claude", 3, 120)
    assert origin["accepted_by"] == "bob@example.org"
