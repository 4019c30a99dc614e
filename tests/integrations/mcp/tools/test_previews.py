import pytest

from campaigns.models import Campaign
from compliance.models import GuardDecision
from social.models import Connection
from tests.campaigns.cast import add_connection, add_post
from tests.integrations.mcp.tools.cast import Program


def test_preview_is_what_each_account_would_send(bobs: Program, in_workspace) -> None:
    shop = add_connection(in_workspace, "roastery")
    channel = Connection.objects.create(
        workspace=in_workspace, network="telegram", remote_id="-1", kind="channel", name="Beans"
    )
    post = add_post(bobs.actor, shop, channel, text="**Decaf** is back https://acme.com/decaf", is_marked=True)
    answer = bobs("preview_post", post_id=str(post.pk))
    by_network = {one["connection"]["network"]: one for one in answer["previews"]}
    [on_x], [on_telegram] = by_network["x"]["parts"], by_network["telegram"]["parts"]
    assert on_x["text"] == on_telegram["text"] == "Decaf is back https://acme.com/decaf"
    # An address counts 23 on X.
    assert (on_x["characters"], on_x["limit"], on_x["over"]) == (len("Decaf is back ") + 23, 280, 0)
    assert (on_telegram["characters"], on_telegram["limit"]) == (len(on_telegram["text"]), 4096)
    assert (by_network["x"]["cost"], on_x["cost_without_link"]) == ("$0.20", "$0.015")
    assert by_network["telegram"]["cost"] == "$0.00"
    assert answer["total_cost"] == "$0.20"


def test_preview_says_what_a_network_would_refuse(bobs: Program, cast) -> None:
    bobs("edit_draft", post_id=str(cast.draft.pk), text="x" * 300)
    [preview] = bobs("preview_post", post_id=str(cast.draft.pk))["previews"]
    assert preview["parts"][0]["over"] == 20
    assert "20 over the limit" in preview["problems"][0]


def test_preview_without_accounts_says_so(bobs: Program, in_workspace) -> None:
    post = add_post(bobs.actor)
    answer = bobs("preview_post", post_id=str(post.pk))
    assert (answer["previews"], "edit_draft" in answer["note"]) == ([], True)


# --- why not ------------------------------------------------------------------------------------------------


def test_block_is_explained_by_rule_place_source_and_fix(bobs: Program, in_workspace) -> None:
    account = add_connection(in_workspace, "roastery")
    campaign = Campaign.objects.create(workspace=in_workspace, name="China", markets=["CN"])
    text = "全国第一的咖啡，电话 13812345678。"
    post = add_post(bobs.actor, account, text=text, campaign=campaign)
    answer = bobs("explain_block", post_id=str(post.pk), markets=["CN", "US"], platforms=["x", "weibo"])
    [row] = answer["accounts"]
    assert row["verdict"] == "block"
    assert row["findings"]
    for found in row["findings"]:
        assert found["rule"]
        assert found["message"]
        assert found["part"] == 1
        assert found["words"] == text[found["start"] : found["end"]]
    assert any(found["citation"] for found in row["findings"])
    assert any(found["fix"] for found in row["findings"])
    assert answer["publishable"].keys() == {"CN", "US"}
    assert answer["publishable"]["CN"].keys() == {"x", "weibo"}
    assert answer["publishable"]["CN"]["x"]["verdict"] == "block"
    assert answer["publishable"]["CN"]["x"]["reason"]


def test_smallest_change_that_is_named_settles_it(bobs: Program, cast) -> None:
    text = "Call 13812345678."
    answer = bobs("explain_block", text=text, markets=["CN"], platforms=["x"])
    assert answer["verdict"] != "allow"
    change = next(found for found in answer["findings"] if found["replacement"] is not None)
    mended = text[: change["start"]] + change["replacement"] + text[change["end"] :]
    after = bobs("explain_block", text=mended, markets=["CN"], platforms=["x"])
    assert change["rule"] not in {found["rule"] for found in after["findings"]}


def test_harmless_text_may_go_everywhere_and_leaves_no_trace(bobs: Program, cast) -> None:
    answer = bobs("explain_block", text="Fresh beans, roasted on Monday.", markets=["US"], platforms=["telegram"])
    assert (answer["verdict"], answer["publishable"]) == ("allow", {"US": {"telegram": "allow"}})
    assert not GuardDecision.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({}, "either post_id or text"),
        ({"text": "A", "post_id": "018f0000-0000-7000-8000-000000000000"}, "either post_id or text"),
        ({"text": "A", "markets": ["Mars"]}, "markets"),
        ({"text": "A", "platforms": ["myspace"]}, "platforms"),
        ({"text": "x" * 25_001}, "text"),
    ],
)
def test_wrong_question_is_refused_in_words(bobs: Program, wrong, word) -> None:
    assert word in bobs.refused("explain_block", **wrong).words
