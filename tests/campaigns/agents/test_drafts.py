"""Drafts beside the composer: asked for, shown, taken over sentence by sentence, and remembered with the post."""

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from accounts.models import User
from agents.models import ModelCall, Run, Step
from campaigns.drafting import Wanted, start_drafts
from campaigns.models import Origin, Post
from campaigns.origins import read_picks
from tests.campaigns.agents.test_campaign_workflow import variants, written

WISH = "We open at seven from Monday https://roastery.example/hours"


@pytest.fixture
def base(workspace) -> str:
    return f"/w/{workspace.slug}"


@pytest.fixture
def draft_run(sandbox, brand, roastery, bob_actor, run_to_end):
    """A run of bob's with two drafts for X."""

    def make(**fields) -> Run:
        wanted = Wanted(**{"wish": WISH, "count": 2, "connection_id": roastery.pk} | fields)
        run = run_to_end(start_drafts(wanted, by=bob_actor).pk)
        assert run.status == Run.Status.SUCCEEDED, run.error
        return run

    return make


def post_form(client: Client, base: str, path: str = "/posts/new", **data):
    return client.post(f"{base}{path}", {"action": "save"} | data, follow=True)


# --- the workflow -----------------------------------------------------------------------------------------


def test_drafts_differ_fit_and_keep_the_link(draft_run):
    drafts = draft_run(count=4).output["drafts"]
    texts = [draft["text"] for draft in drafts]
    assert [draft["n"] for draft in drafts] == list(range(1, len(drafts) + 1))
    assert 2 <= len(set(texts)) == len(texts) <= 4
    assert all("https://roastery.example/hours" in text for text in texts)
    assert all(draft["findings"]["verdict"] == "allow" for draft in drafts)


def test_sentences_together_are_the_text(draft_run):
    for draft in draft_run().output["drafts"]:
        assert "".join(draft["text"].split()) == "".join("".join(draft["sentences"]).split())


def test_every_call_is_paid_by_one_draft(draft_run):
    run = draft_run(count=3)
    spent = sum(ModelCall.objects.filter(run_id=run.pk).values_list("cost_micro", flat=True))
    assert sum(draft["origin"]["cost_micro"] for draft in run.output["drafts"]) == spent > 0


def test_each_draft_has_an_origin_of_its_own(draft_run):
    origins = [draft["origin"] for draft in draft_run().output["drafts"]]
    assert [origin["assistant"] for origin in origins] == ["writer", "variants"]
    assert len({origin["step_key"] for origin in origins}) == 2


def test_tone_and_what_stands_there_already_reach_the_writer(draft_run):
    run = draft_run(tone="Playful", text="Doors open early.")
    said = Step.objects.get(run=run, key="draft 1 write").input["messages"][0]["text"]
    assert "Tone: Playful" in said
    assert "Material: Doors open early." in said


def test_variant_that_the_rules_forbid_is_written_once_more(draft_run, script):
    script(written("Open at seven."), variants("Cheap coffee at seven."), written("Good coffee at seven."))
    first, second = draft_run().output["drafts"]
    assert second["text"].startswith("Good coffee at seven.")
    assert second["origin"]["assistant"] == "writer"
    assert not [note for note in second["notes"] if note["must_change"]]
    assert first["text"].startswith("Open at seven.")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"wish": " "}, "wish"),
        ({"wish": "x" * 2_001}, "wish"),
        ({"language": "xx"}, "language"),
        ({"count": 0}, "count"),
        ({"count": 5}, "count"),
        ({"network": "myspace"}, "network"),
        ({"connection_id": "018f0000-0000-7000-8000-000000000000"}, "connection"),
        ({"campaign_id": "018f0000-0000-7000-8000-000000000000"}, "campaign"),
    ],
)
def test_what_cannot_be_drafted_is_told_beside_its_field(bob_actor, in_workspace, fields, field):
    with pytest.raises(ValidationError) as refused:
        start_drafts(Wanted(**{"wish": WISH} | fields), by=bob_actor)
    assert list(refused.value.message_dict) == [field]
    assert not Run.objects.exists()


# --- the panel --------------------------------------------------------------------------------------------


def test_composer_offers_to_draft(bob_client, base, roastery):
    page = bob_client.get(f"{base}/posts/new").content.decode()
    assert "Draft with the assistant" in page
    assert 'id="draft-go"' in page


def test_asking_starts_a_run_for_the_chosen_account(sandbox, bob_client, base, roastery):
    data = {"wish": WISH, "draft_language": "zh", "tone": "playful", "count": "3", "connections": [str(roastery.pk)]}
    page = bob_client.post(f"{base}/drafting", data).content.decode()
    run = Run.objects.get(workflow="draft")
    assert (run.input["language"], run.input["count"], run.input["tone"]) == ("zh", 3, "Playful")
    assert run.input["connection"] == str(roastery.pk)
    assert f'hx-get="{base}/drafting/{run.pk}"' in page


def test_account_with_the_least_room_decides(sandbox, bob_client, base, roastery, channel):
    data = {"wish": WISH, "draft_language": "en", "count": "1", "connections": [str(channel.pk), str(roastery.pk)]}
    bob_client.post(f"{base}/drafting", data)
    assert Run.objects.get(workflow="draft").input["connection"] == str(roastery.pk)


def test_refusal_is_shown_in_the_panel(bob_client, base, roastery):
    answer = bob_client.post(f"{base}/drafting", {"wish": "", "draft_language": "en", "count": "1"})
    assert answer.status_code == 422
    assert "Say what it is about" in answer.content.decode()


def test_drafts_are_shown_sentence_by_sentence_with_verdict_and_cost(draft_run, bob_client, base):
    run = draft_run()
    page = bob_client.get(f"{base}/drafting/{run.pk}").content.decode()
    assert page.count("data-sentence") == sum(len(draft["sentences"]) for draft in run.output["drafts"])
    assert page.count("Nothing forbids it") == 2
    assert "Answered by the sandbox model" in page
    assert "hx-get" not in page


def test_end_without_a_draft_is_told(sandbox, bob_actor, bob_client, base, roastery):
    run = start_drafts(Wanted(WISH), by=bob_actor)
    Run.objects.filter(pk=run.pk).update(status="failed", error={"code": "refused", "message": "The model declined."})
    assert "The model declined." in bob_client.get(f"{base}/drafting/{run.pk}").content.decode()
    Run.objects.filter(pk=run.pk).update(status="over_budget")
    assert "The budget for the assistant is used up." in bob_client.get(f"{base}/drafting/{run.pk}").content.decode()


def test_drafts_are_their_askers_own(draft_run, alice_client, rita_client, base):
    run = draft_run()
    assert alice_client.get(f"{base}/drafting/{run.pk}").status_code == 404
    assert rita_client.get(f"{base}/drafting/{run.pk}").status_code == 403


# --- saving -----------------------------------------------------------------------------------------------


def test_sentences_that_stand_in_the_text_are_remembered_with_their_origin(draft_run, bob_client, base):
    run = draft_run()
    draft = run.output["drafts"][0]
    first, *rest = draft["sentences"]
    post_form(bob_client, base, **{"part-0-text": f"{first} My own words."})
    post = Post.objects.get()
    origin = Origin.objects.get(post=post)
    assert (post.has_agent_text, post.made_with_ai) == (True, True)
    assert origin.sentences == [
        {"text": first, "is_accepted": True},
        *({"text": t, "is_accepted": False} for t in rest),
    ]
    assert (origin.run_id, origin.model, origin.accepted_by) == (run.pk, "sandbox-writer", post.created_by)


def test_words_that_were_changed_after_inserting_still_count(draft_run, bob_client, base):
    run = draft_run()
    post_form(bob_client, base, **{"part-0-text": "Quite other words by now.", "drafted": f"{run.pk}:2:0"})
    origin = Origin.objects.get()
    assert origin.sentences[0]["is_accepted"] is True
    assert origin.assistant == "variants"
    assert Post.objects.get().has_agent_text


def test_own_words_stay_unlabelled(draft_run, bob_client, base):
    draft_run()
    post_form(bob_client, base, **{"part-0-text": "All of this is mine."})
    assert not Origin.objects.exists()
    assert not Post.objects.get().has_agent_text


def test_saving_again_keeps_one_origin_and_what_was_taken_over(draft_run, bob_client, base):
    first = draft_run().output["drafts"][0]["sentences"][0]
    post_form(bob_client, base, **{"part-0-text": first})
    post = Post.objects.get()
    post_form(bob_client, base, f"/posts/{post.pk}/edit", **{"part-0-text": "Mine now.", "revision": post.revision})
    origin = Origin.objects.get()
    assert origin.sentences[0]["is_accepted"] is True
    post.refresh_from_db()
    assert post.has_agent_text


def test_draft_put_into_an_older_post_labels_it(draft_run, bob_client, base, post):
    text = draft_run().output["drafts"][0]["text"]
    post_form(bob_client, base, f"/posts/{post.pk}/edit", **{"part-0-text": text, "revision": post.revision})
    post.refresh_from_db()
    assert post.has_agent_text
    assert Origin.objects.get().post == post


def test_drafts_of_somebody_else_are_not_theirs_to_claim(draft_run, alice_client, base):
    run = draft_run()
    post_form(alice_client, base, **{"part-0-text": "Mine.", "drafted": f"{run.pk}:1:0"})
    assert not Origin.objects.exists()


@pytest.mark.parametrize(
    "value",
    ["", "x", "018f0000-0000-7000-8000-000000000000:1:0", "zzzzzzzz-0000-7000-8000-000000000000:1:0", "1:1:1", ":::"],
)
def test_hostile_picks_change_nothing(bob_client, base, roastery, value):
    answer = post_form(bob_client, base, **{"part-0-text": "Mine.", "drafted": value})
    assert answer.status_code == 200
    assert not Origin.objects.exists()


def test_picks_are_read_from_the_form(rf):
    run = "018f0000-0000-7000-8000-000000000000"
    data = rf.post("/", {"drafted": [f"{run}:1:0,2", f"{run}:12:7", "junk"]}).POST
    assert [(str(pick.run_id), pick.n, set(pick.sentences)) for pick in read_picks(data)] == [
        (run, 1, {0, 2}),
        (run, 12, {7}),
    ]


def test_post_page_shows_what_was_left_out(draft_run, bob_client, base, bob: User):
    first, *rest = draft_run().output["drafts"][0]["sentences"]
    post_form(bob_client, base, **{"part-0-text": first})
    page = bob_client.get(f"{base}/posts/{Post.objects.get().pk}").content.decode()
    assert f"1 of {1 + len(rest)} sentences taken over" in page
    assert page.count('<s title="Not taken over">') == len(rest)


def test_copy_of_a_post_knows_where_its_text_comes_from_and_costs_nothing(in_workspace, bob_actor):
    from campaigns.drafts import PartDraft, PostDraft
    from campaigns.models import Origin
    from campaigns.services import create_post, duplicate_post

    post = create_post(PostDraft(parts=(PartDraft("Hello"),)), by=bob_actor, has_agent_text=True)
    Origin.objects.create(workspace=in_workspace, post=post, model="m", cost_micro=120, sentences=[{"text": "Hello"}])
    copy = duplicate_post(post, by=bob_actor)
    assert [(row.model, row.cost_micro, row.sentences) for row in copy.origins.all()] == [("m", 0, [{"text": "Hello"}])]
    assert post.origins.get().cost_micro == 120
