import pytest

from agents.models import Run
from agents.runs.worker import advance
from campaigns.models import Delivery, Origin, Post
from social.models import Connection
from tests.campaigns.cast import add_asset, add_connection, texts_of
from tests.integrations.mcp.tools.cast import DRAFT, SOON, Program

State = Delivery.State
TWO_TEXTS = {"connection_id": "ACCOUNT", "texts": ["B", "C"]}


def test_text_becomes_a_labelled_draft_that_goes_nowhere(bobs: Program, cast, bob) -> None:
    answer = bobs("draft_post", text="A new roast.", connection_ids=[str(cast.account.pk)], language="en")
    post = Post.objects.get(pk=answer["post_id"])
    assert (post.has_agent_text, post.made_with_ai, post.authors) == (True, True, [str(bob.pk)])
    [row] = answer["deliveries"]
    assert (row["state"], row["planned_at"]) == ("draft", None)
    assert row["says"].startswith("A draft: nothing is sent")
    [check] = answer["checks"]
    assert (check["verdict"], check["problems"]) == ("allow", [])


def test_draft_tells_at_once_what_stands_against_it(bobs: Program, cast) -> None:
    text = "Write to 13812345678. " + "x" * 280
    [check] = bobs("draft_post", text=text, connection_ids=[str(cast.account.pk)])["checks"]
    assert check["verdict"] != "allow"
    assert any("over the limit" in problem for problem in check["problems"])
    assert check["findings"]


def test_thread_own_wording_tags_and_time(bobs: Program, cast) -> None:
    other = add_connection(cast.account.workspace, "cafe")
    answer = bobs(
        "draft_post",
        thread=["One.", "Two."],
        title="Two things",
        tags=["decaf"],
        campaign_id=str(cast.campaign.pk),
        connection_ids=[str(cast.account.pk), str(other.pk)],
        own_texts=[{"connection_id": str(other.pk), "texts": ["Eins."]}],
        planned_at=SOON,
    )
    assert [part["text"] for part in answer["parts"]] == ["One.", "Two."]
    by_account = {row["connection"]["account"]: row for row in answer["deliveries"]}
    assert by_account["@cafe"]["own_texts"] == ["Eins."]
    assert "own_texts" not in by_account[str(cast.account)]
    # Only remembered: a person has to approve it first.
    assert {row["planned_at"] for row in answer["deliveries"]} == {SOON}
    assert set(Delivery.objects.filter(post=answer["post_id"]).values_list("state", "due_at")) == {("draft", None)}
    assert (answer["title"], answer["tags"], answer["campaign_id"]) == ("Two things", ["decaf"], str(cast.campaign.pk))


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({}, "exactly one"),
        ({"text": "A", "wish": "B"}, "exactly one"),
        ({"text": "A", "thread": ["A", "B"]}, "exactly one"),
        ({"thread": ["only one"]}, "thread"),
        ({"text": ""}, "text"),
        ({"text": "x" * 25_001}, "text"),
        ({"wish": "A", "tone": "angry"}, "tone"),
        ({"wish": "A", "count": 5}, "count"),
        ({"text": "A", "language": "xx"}, "language"),
        ({"text": "A", "planned_at": "2020-01-01T09:00:00Z", "connection_ids": ["ACCOUNT"]}, "passed"),
        ({"text": "A", "planned_at": "0001-01-01T00:00:00+14:00", "connection_ids": ["ACCOUNT"]}, "passed"),
        ({"text": "A", "planned_at": "9999-12-31T23:59:59-14:00", "connection_ids": ["ACCOUNT"]}, "too far"),
        ({"text": "A", "own_texts": [{"connection_id": "ACCOUNT", "texts": ["B"]}]}, "own_texts"),
        (
            {
                "text": "A",
                "connection_ids": ["ACCOUNT"],
                "own_texts": [TWO_TEXTS],
            },
            "own_texts",
        ),
        ({"text": "A\ud800"}, "characters"),
        ({"text": "A\x00"}, "characters"),
    ],
)
def test_wrong_draft_is_refused_in_words_and_saves_nothing(bobs: Program, cast, wrong, word) -> None:
    before = Post.objects.count()
    args = filled(wrong, "ACCOUNT", str(cast.account.pk))
    assert word in bobs.refused("draft_post", **args).words
    assert Post.objects.count() == before
    assert Run.objects.count() == 1


def filled(value, name: str, pk: str):
    """With the id in place of its name."""
    if isinstance(value, dict):
        return {key: filled(inner, name, pk) for key, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, name, pk) for inner in value]
    return pk if value == name else value


# --- drafts of agents ---------------------------------------------------------------------------------------


def test_wish_is_written_by_agents_and_taken_over_with_its_origin(bobs: Program, cast, sandbox, bob) -> None:
    asked = bobs("draft_post", wish="Our decaf is back", connection_ids=[str(cast.account.pk)], count=2, tone="playful")
    assert "get_drafts" in asked["next"]
    waiting = bobs("get_drafts", run_id=asked["run_id"])
    assert (waiting["drafts"], "again" in waiting["next"]) == ([], True)
    advance(asked["run_id"])
    answer = bobs("get_drafts", run_id=asked["run_id"])
    assert (answer["status"], len(answer["drafts"])) == ("succeeded", 2)
    text = answer["drafts"][0]["text"]
    post = bobs("draft_post", text=text, connection_ids=[str(cast.account.pk)])
    origin = Origin.objects.get(post=post["post_id"])
    assert (str(origin.run_id), origin.accepted_label) == (asked["run_id"], "MCP Test")
    assert all(sentence["is_accepted"] for sentence in origin.sentences)


def test_drafts_are_their_askers_own(bobs: Program, program, cast, alice) -> None:
    assert bobs("get_drafts", run_id=str(cast.run.pk))["drafts"][0]["text"] == DRAFT["text"]
    assert program(alice).refused("get_drafts", run_id=str(cast.run.pk)).code == "not_found"


def test_failed_run_says_what_to_do(bobs: Program, cast) -> None:
    Run.objects.filter(pk=cast.run.pk).update(status="over_budget", output=None)
    answer = bobs("get_drafts", run_id=str(cast.run.pk))
    assert "budget" in answer["problem"]
    assert answer["drafts"] == []


# --- editing ------------------------------------------------------------------------------------------------


def test_edit_changes_what_is_named_and_keeps_the_rest(bobs: Program, cast) -> None:
    post_id, asset = str(cast.draft.pk), add_asset(cast.account.workspace)
    part = cast.draft.parts.get()
    part.media.create(workspace=part.workspace, asset=asset, position=0, alt_text="A bag")
    answer = bobs("edit_draft", post_id=post_id, text="Better beans.", tags=["new"])
    assert texts_of(cast.draft) == ["Better beans."]
    assert answer["parts"][0]["media"] == [{"kind": "image", "name": "bag.png", "alt_text": "A bag"}]
    assert (answer["revision"], answer["tags"], answer["campaign_id"]) == (2, ["new"], str(cast.campaign.pk))
    assert len(answer["deliveries"]) == 1
    longer = bobs("edit_draft", post_id=post_id, thread=["One.", "Two."], language="en")
    assert [(part["text"], len(part["media"])) for part in longer["parts"]] == [("One.", 1), ("Two.", 0)]


def test_edit_of_a_stale_revision_loses_nobodys_words(bobs: Program, cast) -> None:
    bobs("edit_draft", post_id=str(cast.draft.pk), revision=1, text="First.")
    refusal = bobs.refused("edit_draft", post_id=str(cast.draft.pk), revision=1, text="Second.")
    assert refusal.code == "stale"
    assert texts_of(cast.draft) == ["First."]


def test_edit_takes_an_approval_back(bobs: Program, cast) -> None:
    answer = bobs("edit_draft", post_id=str(cast.approved.post_id), text="Other beans.")
    assert [row["state"] for row in answer["deliveries"]] == ["in_review"]
    cast.approved.refresh_from_db()
    assert cast.approved.approved_hash == ""


def test_edit_of_accounts_and_their_own_texts(bobs: Program, cast) -> None:
    other = add_connection(cast.account.workspace, "cafe")
    post_id = str(cast.draft.pk)
    own = [{"connection_id": str(other.pk), "texts": ["For the café."]}]
    both = bobs("edit_draft", post_id=post_id, connection_ids=[str(cast.account.pk), str(other.pk)], own_texts=own)
    assert [row.get("own_texts") for row in both["deliveries"]] == [None, ["For the café."]]
    kept = bobs("edit_draft", post_id=post_id, title="Same accounts")
    assert [row.get("own_texts") for row in kept["deliveries"]] == [None, ["For the café."]]
    # The wording of one account belonged to the text that is gone.
    renewed = bobs("edit_draft", post_id=post_id, text="All new.")
    assert [row.get("own_texts") for row in renewed["deliveries"]] == [None, None]
    one = bobs("edit_draft", post_id=post_id, connection_ids=[str(other.pk)])
    assert [row["connection"]["account"] for row in one["deliveries"]] == ["@cafe"]


def test_account_that_is_gone_keeps_nobody_from_editing(bobs: Program, cast) -> None:
    Connection.objects.filter(pk=cast.account.pk).update(status=Connection.Status.DISCONNECTED)
    assert bobs("edit_draft", post_id=str(cast.draft.pk), text="Still here.")["deliveries"] == []


def test_what_is_live_cannot_be_edited(bobs: Program, cast) -> None:
    refusal = bobs.refused("edit_draft", post_id=str(cast.live.post_id), text="Other beans.")
    assert (refusal.code, "live" in refusal.words) == ("not_allowed_now", True)


def test_time_of_an_edit_revives_nothing_that_was_canceled(bobs: Program, cast) -> None:
    bobs("cancel_post", delivery_id=str(cast.planned.pk))
    bobs("edit_draft", post_id=str(cast.planned.post_id), planned_at=SOON)
    cast.planned.refresh_from_db()
    assert cast.planned.state == State.CANCELED
