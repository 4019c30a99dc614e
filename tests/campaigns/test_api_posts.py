import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from campaigns.deliveries import submit_post
from campaigns.models import Campaign, Delivery, Post
from campaigns.sources import create_source, scan_source
from compliance.models import Review
from tests.campaigns.cast import add_asset, add_connection, add_post, folder_of, mark_published, set_state, texts_of
from tests.media_files import write_pair

pytestmark = pytest.mark.django_db
URL = "/api/posts"
MISSING = "018f0000-0000-7000-8000-000000000000"


@pytest.fixture
def bob_api(api, bob):
    return api(bob)


@pytest.fixture
def roastery(in_workspace):
    return add_connection(in_workspace)


@pytest.fixture
def campaign(in_workspace) -> Campaign:
    return Campaign.objects.create(workspace=in_workspace, name="Spring")


@pytest.fixture
def post(bob_actor, roastery, campaign) -> Post:
    return add_post(bob_actor, roastery, campaign=campaign, title="Beans")


def at(post: Post) -> str:
    return f"{URL}/{post.pk}"


def titles(answer) -> list[str]:
    return [row["title"] for row in answer.json()["results"]]


# --- list ---------------------------------------------------------------------------------------------------


def test_list_shows_what_a_post_says_and_where_it_goes(bob_api, post, roastery, campaign):
    (row,) = bob_api.get(URL).json()["results"]
    assert (row["id"], row["campaign"], row["parts"]) == (
        str(post.pk),
        str(campaign.pk),
        [{"text": "Fresh beans.", "media": [], "poll": None}],
    )
    assert row["connections"] == [str(roastery.pk)]
    assert [(d["connection"], d["state"]) for d in row["deliveries"]] == [(str(roastery.pk), "draft")]


def test_list_can_be_cut_to_a_campaign(bob_api, post, bob_actor, campaign):
    add_post(bob_actor, title="Loose")
    assert titles(bob_api.get(URL, {"campaign": campaign.pk})) == ["Beans"]
    assert titles(bob_api.get(URL, {"campaign": MISSING})) == []


def test_list_can_be_cut_to_the_state_of_any_delivery(bob_api, post, bob_actor, in_workspace):
    mixed = add_post(bob_actor, *(add_connection(in_workspace, name) for name in ("a", "b")), title="Mixed")
    Delivery.objects.filter(post=mixed, connection__handle="a").update(state="failed")
    assert titles(bob_api.get(URL, {"state": "failed"})) == ["Mixed"]
    assert titles(bob_api.get(URL, {"state": "draft"})) == ["Mixed", "Beans"]


@pytest.mark.parametrize(("text", "found"), [("bean", ["Beans"]), ("FRESH", ["Beans"]), ("tea", [])])
def test_list_can_be_searched(bob_api, post, text, found):
    assert titles(bob_api.get(URL, {"search": text})) == found


@pytest.mark.parametrize("query", [{"state": "nonsense"}, {"campaign": "7"}, {"search": "\x00"}])
def test_filter_that_makes_no_sense_is_refused(bob_api, query):
    assert bob_api.get(URL, query).json()["errors"].keys() == query.keys()


def test_list_asks_as_often_for_20_posts_as_for_10(bob_api, bob_actor, roastery, campaign):
    for number in range(10):
        add_post(bob_actor, roastery, text=str(number), campaign=campaign)
    bob_api.get(URL)
    with CaptureQueriesContext(database) as ten:
        bob_api.get(URL)
    for number in range(10):
        add_post(bob_actor, roastery, text=str(number), campaign=campaign)
    with CaptureQueriesContext(database) as twenty:
        assert len(bob_api.get(URL).json()["results"]) == 20
    assert len(twenty) == len(ten)


# --- create -------------------------------------------------------------------------------------------------


def test_post_is_created_with_all_its_content(bob_api, campaign, roastery, in_workspace):
    asset = add_asset(in_workspace)
    body = {
        "title": "Thread",
        "campaign": str(campaign.pk),
        "made_with_ai": True,
        "parts": [{"text": " One", "media": [{"asset": str(asset.pk), "alt_text": "A bag"}]}, {"text": "Two"}],
        "connections": [str(roastery.pk)],
        "overrides": {str(roastery.pk): [None, "Zwei"]},
    }
    answer = bob_api.post(URL, body, format="json")
    assert answer.status_code == 201
    assert (answer.json()["revision"], answer.headers["ETag"], answer.json()["origin"]) == (1, '"1"', None)
    given = answer.json()
    assert {name: given[name] for name in ("title", "campaign", "made_with_ai", "connections", "overrides")} == {
        name: body[name] for name in ("title", "campaign", "made_with_ai", "connections", "overrides")
    }
    assert given["parts"] == [body["parts"][0] | {"poll": None}, {"text": "Two", "media": [], "poll": None}]
    assert texts_of(Post.objects.get()) == [" One", "Two"]


def test_a_text_is_enough(bob_api):
    body = bob_api.post(URL, {"parts": [{"text": "Fresh beans."}]}, format="json").json()
    assert (body["title"], body["campaign"], body["connections"]) == ("Fresh beans.", None, [])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("parts", []),
        ("parts", [{"text": "x"}] * 26),
        ("parts", [{"text": "a\x00b"}]),
        ("parts", "text"),
        ("parts", [{"text": "x", "media": [{"asset": "7"}]}]),
        ("title", "x" * 201),
        ("campaign", "7"),
        ("campaign", MISSING),
        ("connections", [MISSING]),
        ("overrides", {"7": ["x"]}),
        ("overrides", {MISSING: "x"}),
    ],
)
def test_wrong_field_is_named(bob_api, in_workspace, field, value):
    answer = bob_api.post(URL, {"parts": [{"text": "x"}], field: value}, format="json")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])
    assert not Post.objects.exists()


def test_unknown_file_is_refused(bob_api, in_workspace):
    answer = bob_api.post(URL, {"parts": [{"text": "x", "media": [{"asset": MISSING}]}]}, format="json")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["media"])
    assert not Post.objects.exists()


def test_same_key_creates_one_post(bob_api, in_workspace):
    for _ in range(2):
        bob_api.post(URL, {"parts": [{"text": "x"}]}, format="json", HTTP_IDEMPOTENCY_KEY="once")
    assert Post.objects.count() == 1


def test_post_from_a_folder_names_its_file(bob_api, bob_actor, in_workspace):
    source = create_source(by=bob_actor, name="Spring", folder="spring")
    write_pair(folder_of(source) / "hero.jpg")
    scan_source(source, by=bob_actor)
    (row,) = bob_api.get(URL).json()["results"]
    assert row["origin"] == {
        "project": str(source.pk),
        "path": "hero.jpg",
        "status": "used",
        "has_newer_file": False,
    }


# --- change -------------------------------------------------------------------------------------------------


def test_put_replaces_the_content(bob_api, post):
    answer = bob_api.put(at(post), {"parts": [{"text": "New"}]}, format="json")
    assert (answer.status_code, answer.json()["revision"]) == (200, 2)
    post.refresh_from_db()
    assert (post.title, post.campaign, texts_of(post)) == ("New", None, ["New"])
    assert not post.deliveries.exists()


def test_patch_changes_what_is_named(bob_api, post, roastery, campaign, in_workspace):
    Delivery.objects.update(override_texts=["Own"])
    bob_api.patch(at(post), {"title": "Other"}, format="json")
    post.refresh_from_db()
    assert (post.title, post.campaign, texts_of(post)) == ("Other", campaign, ["Fresh beans."])
    assert [(d.connection, d.override_texts) for d in post.deliveries.all()] == [(roastery, ["Own"])]


def test_patch_keeps_media_and_their_alt_texts(bob_api, in_workspace):
    use = {"asset": str(add_asset(in_workspace).pk), "alt_text": "A bag"}
    made = bob_api.post(URL, {"parts": [{"text": "x", "media": [use]}]}, format="json").json()
    changed = bob_api.patch(f"{URL}/{made['id']}", {"title": "Other"}, format="json").json()
    assert changed["parts"] == [{"text": "x", "media": [use], "poll": None}]


@pytest.mark.parametrize("body", [{"parts": [{"media": [{"alt_text": "x"}]}]}, {"parts": []}, [], "text"])
def test_patch_of_half_a_part_is_refused(bob_api, post, body):
    assert bob_api.patch(at(post), body, format="json").status_code == 400
    assert texts_of(post) == ["Fresh beans."]


def test_change_revokes_the_approval(bob_api, post):
    set_state(post, "approved", approved_hash="as it was")
    bob_api.patch(at(post), {"parts": [{"text": "New"}]}, format="json")
    assert Delivery.objects.get(post=post).state == "in_review"


def test_published_post_cannot_change(bob_api, post):
    mark_published(post)
    answer = bob_api.patch(at(post), {"title": "Other"}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_allowed_now")


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_change_of_an_older_revision_is_refused(bob_api, post, method):
    etag = bob_api.get(at(post)).headers["ETag"]
    Post.objects.update(revision=2, title="Theirs")
    answer = getattr(bob_api, method)(at(post), {"parts": [{"text": "Mine"}]}, format="json", HTTP_IF_MATCH=etag)
    assert (answer.status_code, answer.json()["code"]) == (409, "stale")
    assert texts_of(Post.objects.get()) == ["Fresh beans."]


def test_change_of_the_current_revision_is_taken(bob_api, post):
    answer = bob_api.patch(at(post), {"title": "Mine"}, format="json", HTTP_IF_MATCH='"1"')
    assert (answer.status_code, answer.headers["ETag"]) == (200, '"2"')


def test_draft_is_deleted(bob_api, post):
    assert bob_api.delete(at(post)).status_code == 204
    assert not Post.objects.exists()


def test_sent_post_is_not_deleted(bob_api, post):
    mark_published(post)
    assert bob_api.delete(at(post)).status_code == 409
    assert Post.objects.exists()


# --- acts ---------------------------------------------------------------------------------------------------


def test_submit_sends_the_drafts_to_review(bob_api, post):
    answer = bob_api.post(f"{at(post)}/submit")
    assert [row["state"] for row in answer.json()["deliveries"]] == ["in_review"]
    assert Review.objects.get().object_id == Delivery.objects.get().pk


def test_submit_of_what_the_network_would_refuse_says_why(bob_api, bob_actor, roastery):
    long = add_post(bob_actor, roastery, text="x" * 300)
    answer = bob_api.post(f"{at(long)}/submit")
    assert answer.status_code == 400
    assert answer.json()["errors"]["detail"] == [
        "@roastery: The text is 20 over the limit of 280 characters.",
    ]
    assert Delivery.objects.get().state == "draft"


def test_second_submit_is_a_conflict(bob_api, bob_actor, post):
    submit_post(post, by=bob_actor)
    assert bob_api.post(f"{at(post)}/submit").status_code == 409


def test_duplicate_is_a_draft_with_the_same_content(bob_api, post):
    mark_published(post)
    answer = bob_api.post(f"{at(post)}/duplicate")
    assert (answer.status_code, answer.json()["title"]) == (201, "Beans (copy)")
    assert answer.json()["parts"] == [{"text": "Fresh beans.", "media": [], "poll": None}]
    assert [row["state"] for row in answer.json()["deliveries"]] == ["draft"]
