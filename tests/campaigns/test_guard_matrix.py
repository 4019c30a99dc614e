"""Publishable where: each market on each platform."""

from time import process_time

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.access import Actor
from accounts.models import User, Workspace
from campaigns.guard_matrix import MOST, USUAL_PLATFORMS, matrix_of_post
from campaigns.models import Post
from compliance.guard_settings import update_guard_settings
from compliance.models import GuardDecision
from compliance.rulesets import instance_rules
from compliance.terms import TermDraft, add_term
from social.models import Connection
from tests.campaigns.cast import add_connection, add_post

LAW = "国家级护肤品牌"
MARKETS = ["US", "UK", "EU", "CN", "DE", "FR"]


@pytest.fixture
def advert(bob_actor: Actor, roastery: Connection, alice_actor: Actor) -> Post:
    update_guard_settings(by=alice_actor, industry="cosmetics")
    return add_post(bob_actor, roastery, text=LAW)


def verdicts(matrix) -> dict[tuple[str, str], str]:
    return {(cell.market, cell.platform): cell.verdict.value for cell in matrix.cells}


def test_a_draft_may_go_to_some_markets_only(advert: Post) -> None:
    found = verdicts(matrix_of_post(advert, markets=["US", "CN"], platforms=["x", "xiaohongshu"]))
    assert found[("CN", "x")] == found[("CN", "xiaohongshu")] == "block"
    assert found[("US", "x")] != "block"


def test_a_cell_says_why_and_what_is_the_smallest_change(
    bob_actor: Actor, roastery: Connection, alice_actor: Actor
) -> None:
    add_term(TermDraft("cheap", replacement="fair", reason="We are not cheap."), by=alice_actor)
    post = add_post(bob_actor, roastery, text="So cheap")
    [cell] = matrix_of_post(post, markets=["US"], platforms=["linkedin"]).cells
    assert (cell.reason, cell.words, cell.replacement, cell.more) == ("We are not cheap.", "cheap", "fair", 0)
    assert cell.place == "LinkedIn, United States"


def test_a_platform_with_its_own_text_is_judged_by_it(
    bob_actor: Actor, roastery: Connection, alice_actor: Actor, in_workspace: Workspace
) -> None:
    add_term(TermDraft("cheap"), by=alice_actor)
    channel = add_connection(in_workspace, "channel")
    Connection.objects.filter(pk=channel.pk).update(network="telegram", remote_id="-1001")
    post = add_post(bob_actor, channel, text="So fair", overrides={channel.pk: ["So cheap"]})
    found = verdicts(matrix_of_post(post, markets=["US"], platforms=["telegram", "x"]))
    assert found == {("US", "telegram"): "block", ("US", "x"): "allow"}


@pytest.mark.parametrize(
    ("of_workspace", "of_campaign", "shown"),
    [
        ([], [], ("US", "UK", "EU", "CN")),
        (["DE"], [], ("DE",)),
        (["DE"], ["CN", "US"], ("CN", "US")),
    ],
)
def test_the_markets_are_the_campaigns_or_the_workspaces(
    advert: Post, campaign, alice_actor: Actor, of_workspace, of_campaign, shown
) -> None:
    update_guard_settings(by=alice_actor, markets=of_workspace)
    campaign.markets = of_campaign
    campaign.save()
    Post.objects.filter(pk=advert.pk).update(campaign=campaign)
    matrix = matrix_of_post(Post.objects.get(pk=advert.pk))
    assert matrix.markets == shown
    assert matrix.platforms == USUAL_PLATFORMS
    assert sum(matrix.counts.values()) == len(matrix.cells) == len(shown) * len(USUAL_PLATFORMS)


def test_a_member_state_has_the_law_of_the_union_too(advert: Post) -> None:
    Post.objects.filter(pk=advert.pk).update(relationship="paid")
    post = Post.objects.get(pk=advert.pk)
    found = verdicts(matrix_of_post(post, markets=["EU", "DE"], platforms=["instagram"]))
    assert found[("EU", "instagram")] != "allow"
    assert found[("DE", "instagram")] == found[("EU", "instagram")]


def test_nothing_is_written_and_no_cell_costs_a_query(advert: Post) -> None:
    counts = []
    for markets in (MARKETS[:1], MARKETS):
        instance_rules()
        with CaptureQueriesContext(database) as queries:
            matrix_of_post(advert, markets=markets)
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert not GuardDecision.objects.exists()


def test_six_by_six_is_quick(bob_actor: Actor, roastery: Connection) -> None:
    post = add_post(bob_actor, roastery, text="春季新品上市，欢迎到店体验。Fresh beans today. " * 4)
    matrix_of_post(post, markets=MARKETS)
    took_s = []
    for _ in range(3):
        started = process_time()
        assert len(matrix_of_post(post, markets=MARKETS).cells) == 36
        took_s.append(process_time() - started)
    assert min(took_s) < 0.3


# --- doors ------------------------------------------------------------------------------------------------


def test_the_page_shows_it_to_members(vic_client: Client, charlie_client: Client, gwen_client: Client, advert) -> None:
    page = vic_client.get(f"/posts/{advert.pk}/matrix")
    assert page.status_code == 200
    assert "小红书" in page.content.decode()
    assert "Must change" in page.content.decode()
    assert charlie_client.get(f"/posts/{advert.pk}/matrix").status_code == 404
    assert gwen_client.get(f"/posts/{advert.pk}/matrix").status_code in {403, 404}


def test_the_composer_shows_it_of_what_is_typed(
    bob_client: Client, vic_client: Client, alice_actor: Actor, roastery: Connection
) -> None:
    update_guard_settings(by=alice_actor, markets=["CN"], industry="cosmetics")
    data = {"part-0-text": LAW, "connections": str(roastery.pk)}
    matrix = bob_client.post("/posts/matrix", data).context["matrix"]
    assert matrix.markets == ("CN",)
    assert matrix.counts["block"] == len(USUAL_PLATFORMS)
    fine = bob_client.post("/posts/matrix", data | {"part-0-text": "欢迎光临"}).context["matrix"]
    assert fine.counts["block"] == 0
    assert vic_client.post("/posts/matrix", data).status_code == 403
    assert not Post.objects.exists()


def test_the_api_answers_for_chosen_places(api, vic: User, advert: Post) -> None:
    answer = api(vic).get(f"/api/posts/{advert.pk}/matrix", {"markets": "cn,us", "platforms": "x, wechat"})
    assert answer.status_code == 200
    data = answer.json()
    assert (data["markets"], data["platforms"]) == (["CN", "US"], ["x", "wechat"])
    cell = data["cells"][0]
    assert (cell["market"], cell["platform"], cell["verdict"]) == ("CN", "x", "block")
    assert cell["rule"].startswith("AL9")
    assert cell["words"] in LAW


@pytest.mark.parametrize("query", [{"markets": "MOON"}, {"platforms": "myspace"}, {"markets": "x" * 300}])
def test_the_api_refuses_places_nobody_knows(api, vic: User, advert: Post, query: dict) -> None:
    assert api(vic).get(f"/api/posts/{advert.pk}/matrix", query).status_code == 400


def test_the_api_keeps_to_its_workspace(api, charlie: User, gwen: User, other_workspace, advert: Post) -> None:
    for user in (charlie, gwen):
        assert api(user).get(f"/api/posts/{advert.pk}/matrix").status_code in {403, 404}
    many = ",".join(["US", "UK", "EU", "CN", "AT", "DE", "ES", "FR", "IE", "IT"])
    assert len(matrix_of_post(advert, markets=many.split(","), platforms=["x"]).markets) == MOST
