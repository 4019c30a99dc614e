import html

import pytest

from tests.sandbox.cast import Client, Sandbox, photo

EVERYTHING = "public_metrics,non_public_metrics,organic_metrics,created_at,author_id,entities"


def test_a_post_is_read_with_what_was_asked_for_and_no_more(alice: Client) -> None:
    post_id = alice.post_id("Hello")
    bare = alice.get(f"/2/tweets/{post_id}").json()["data"]
    assert set(bare) == {"id", "text", "edit_history_tweet_ids"}
    full = alice.get(f"/2/tweets/{post_id}", tweet_fields=EVERYTHING).json()["data"]
    assert {"author_id", "created_at", "public_metrics", "non_public_metrics"} <= set(full)
    assert full["author_id"] == alice.id


def test_old_names_for_tweet_fields_and_new_names_for_post_fields(alice: Client) -> None:
    post_id = alice.post_id("Hello")
    old = alice.get("/2/tweets", ids=post_id, tweet_fields="public_metrics").json()["data"][0]
    new = alice.get("/2/tweets", ids=post_id, post_fields="public_metrics").json()["data"][0]
    assert old["edit_history_tweet_ids"] == new["edit_history_post_ids"] == [post_id]
    assert "retweet_count" in old["public_metrics"]
    assert "repost_count" in new["public_metrics"]
    assert "edit_history_tweet_ids" not in new


def test_missing_posts_are_partial_errors_beside_the_found_ones(alice: Client) -> None:
    post_id = alice.post_id("Hello")
    answer = alice.get("/2/tweets", ids=f"{post_id},2")
    assert answer.status_code == 200
    assert [post["id"] for post in answer.json()["data"]] == [post_id]
    assert answer.json()["errors"] == [
        {
            "value": "2",
            "detail": "Could not find tweet with ids: [2].",
            "title": "Not Found Error",
            "resource_type": "tweet",
            "parameter": "ids",
            "resource_id": "2",
            "type": "https://api.twitter.com/2/problems/resource-not-found",
        }
    ]


def test_one_missing_post_is_an_error_with_status_200(alice: Client) -> None:
    answer = alice.get("/2/tweets/99")
    assert answer.status_code == 200
    assert "data" not in answer.json()
    assert answer.json()["errors"][0]["parameter"] == "id"


def test_a_deleted_post_cannot_be_read(alice: Client) -> None:
    post_id = alice.post_id("Hello")
    alice.call("DELETE", f"/2/tweets/{post_id}")
    assert "data" not in alice.get("/2/tweets", ids=post_id).json()


@pytest.mark.parametrize(
    ("path", "query", "parameter"),
    [
        ("/2/tweets", {}, "ids"),
        ("/2/tweets", {"ids": "abc"}, "ids"),
        ("/2/tweets", {"ids": ",".join(["1"] * 101)}, "ids"),
        ("/2/tweets", {"ids": "1", "tweet.fields": "colour"}, "tweet.fields"),
        ("/2/tweets", {"ids": "1", "expansions": "everything"}, "expansions"),
        ("/2/tweets", {"ids": "1", "max_results": "10"}, "max_results"),
        ("/2/tweets/x", {}, "id"),
        ("/2/users/me", {"user.fields": "shoe_size"}, "user.fields"),
        ("/2/users/1/tweets", {"max_results": "4"}, "max_results"),
        ("/2/users/1/tweets", {"max_results": "101"}, "max_results"),
        ("/2/users/1/tweets", {"max_results": "ten"}, "max_results"),
        ("/2/users/1/tweets", {"since_id": "x"}, "since_id"),
        ("/2/users/1/tweets", {"start_time": "yesterday"}, "start_time"),
        ("/2/users/1/tweets", {"start_time": "2026-01-01T00:00:00"}, "start_time"),
        ("/2/users/1/tweets", {"pagination_token": "zzz"}, "pagination_token"),
        ("/2/users/1/tweets", {"exclude": "likes"}, "exclude"),
        ("/2/users/1/mentions", {"exclude": "replies"}, "exclude"),
        ("/2/users/99999999999999999999/tweets", {}, "id"),
    ],
)
def test_a_wrong_query_is_refused_and_its_parameter_is_named(
    alice: Client, path: str, query: dict[str, str], parameter: str
) -> None:
    answer = alice.call("GET", path, params=query)
    assert answer.status_code == 400
    assert list(answer.json()["errors"][0]["parameters"]) == [parameter]


def test_links_come_back_shortened_with_their_destination(alice: Client) -> None:
    post_id = alice.post_id("Read https://example.com/a?b=1&c=2 and example.org now")
    data = alice.get(f"/2/tweets/{post_id}", tweet_fields="entities").json()["data"]
    urls = data["entities"]["urls"]
    assert [url["expanded_url"] for url in urls] == ["https://example.com/a?b=1&c=2", "http://example.org"]
    for url in urls:
        assert data["text"][url["start"] : url["end"]] == url["url"]
        assert len(url["url"]) == 23
        assert url["url"].startswith("https://t.co/")
    assert urls[0]["url"] != urls[1]["url"]


def test_the_same_link_in_two_posts_is_shortened_differently(alice: Client) -> None:
    answers = [alice.create(f"{number} https://example.com").json()["data"]["text"] for number in (1, 2)]
    assert answers[0][2:] != answers[1][2:]


def test_the_text_comes_back_with_html_entities(alice: Client) -> None:
    post_id = alice.post_id('Salt & <pepper> "now" #new @bob $TWTR')
    data = alice.get(f"/2/tweets/{post_id}", tweet_fields="entities").json()["data"]
    assert data["text"].startswith('Salt &amp; &lt;pepper&gt; "now"')
    assert html.unescape(data["text"]) == 'Salt & <pepper> "now" #new @bob $TWTR'
    entities = data["entities"]
    for kind, name in (("hashtags", "tag"), ("mentions", "username"), ("cashtags", "tag")):
        entity = entities[kind][0]
        assert data["text"][entity["start"] + 1 : entity["end"]] == entity[name]


def test_a_mention_of_a_known_account_has_its_id(alice: Client, bob: Client) -> None:
    post_id = alice.post_id("Hello @bob and @nobody_here")
    mentions = alice.get(f"/2/tweets/{post_id}", tweet_fields="entities").json()["data"]["entities"]["mentions"]
    assert mentions[0]["id"] == bob.id
    assert "id" not in mentions[1]


def test_media_hang_on_the_text_as_a_link_with_a_media_key(alice: Client) -> None:
    post_id = alice.post_id("Look", media={"media_ids": [photo(alice, "red"), photo(alice, "blue")]})
    data = alice.get(f"/2/tweets/{post_id}", tweet_fields="entities,attachments").json()["data"]
    urls = data["entities"]["urls"]
    assert data["text"] == f"Look {urls[0]['url']}"
    assert [url["media_key"] for url in urls] == data["attachments"]["media_keys"]
    assert urls[1]["expanded_url"].endswith(f"/x/alice/status/{post_id}/photo/2")


def test_media_are_included_when_asked_for(alice: Client) -> None:
    media_id = photo(alice)
    metadata = {"id": media_id, "metadata": {"alt_text": {"text": "A cup"}}}
    alice.call("POST", "/2/media/metadata", json=metadata)
    post_id = alice.post_id("Look", media={"media_ids": [media_id]})
    answer = alice.get(
        f"/2/tweets/{post_id}",
        expansions="attachments.media_keys",
        media_fields="alt_text,width,height,type,url,public_metrics",
    ).json()
    [media] = answer["includes"]["media"]
    assert (media["type"], media["alt_text"], media["width"], media["height"]) == ("photo", "A cup", 8, 6)
    assert media["media_key"] == f"3_{media_id}"
    assert "public_metrics" not in media


def test_authors_and_referenced_posts_are_included_when_asked_for(alice: Client) -> None:
    first = alice.post_id("First")
    second = alice.reply("Second", first).json()["data"]["id"]
    answer = alice.get(
        f"/2/tweets/{second}",
        tweet_fields="referenced_tweets,in_reply_to_user_id,conversation_id",
        expansions="author_id,referenced_tweets.id,in_reply_to_user_id,entities.mentions.username",
    ).json()
    assert answer["data"]["referenced_tweets"] == [{"type": "replied_to", "id": first}]
    assert answer["data"]["in_reply_to_user_id"] == alice.id
    assert answer["data"]["conversation_id"] == first
    assert [post["id"] for post in answer["includes"]["tweets"]] == [first]
    assert [user["username"] for user in answer["includes"]["users"]] == ["alice"]


def test_a_poll_is_included_and_closes_by_the_clock(sandbox: Sandbox, alice: Client) -> None:
    post_id = alice.post_id("Which?", poll={"options": ["Tea", "Coffee"], "duration_minutes": 60})
    asked = {"expansions": "attachments.poll_ids", "poll_fields": "voting_status,duration_minutes"}
    poll = alice.get(f"/2/tweets/{post_id}", **asked).json()["includes"]["polls"][0]
    assert [option["label"] for option in poll["options"]] == ["Tea", "Coffee"]
    assert poll["voting_status"] == "open"
    sandbox.advance(3601)
    assert alice.get(f"/2/tweets/{post_id}", **asked).json()["includes"]["polls"][0]["voting_status"] == "closed"


def test_flags_and_settings_are_read_back(alice: Client) -> None:
    post_id = alice.post_id("Ad", made_with_ai=True, paid_partnership=True, reply_settings="verified", community_id="7")
    fields = "made_with_ai,paid_partnership,reply_settings,community_id,lang,edit_controls,possibly_sensitive"
    data = alice.get(f"/2/tweets/{post_id}", tweet_fields=fields).json()["data"]
    assert (data["made_with_ai"], data["paid_partnership"]) == (True, True)
    assert (data["reply_settings"], data["community_id"]) == ("verified", "7")
    assert data["edit_controls"]["is_edit_eligible"] is True


def test_a_long_post_is_cut_and_whole_in_its_note(sandbox: Sandbox) -> None:
    sandbox.post("/accounts", handle="prim", premium=True)
    prim = sandbox.sign_in("prim")
    text = "word " * 100 + "end"
    post_id = prim.post_id(text)
    data = prim.get(f"/2/tweets/{post_id}", tweet_fields="note_tweet").json()["data"]
    assert len(data["text"]) <= 276
    assert text.startswith(data["text"])
    assert data["note_tweet"]["text"] == text


def test_me_is_the_owner_of_the_token(alice: Client, bob: Client) -> None:
    assert alice.get("/2/users/me").json() == {"data": {"id": alice.id, "name": "alice", "username": "alice"}}
    assert bob.get("/2/users/me").json()["data"]["id"] == bob.id


def test_me_counts_posts_and_followers(sandbox: Sandbox) -> None:
    sandbox.post("/accounts", handle="shop", name="The Shop", followers=420, premium=True)
    shop = sandbox.sign_in("shop")
    shop.post_id("One")
    fields = "public_metrics,subscription_type,verified,verified_type,created_at,profile_image_url"
    data = shop.get("/2/users/me", user_fields=fields).json()["data"]
    assert data["name"] == "The Shop"
    assert data["public_metrics"]["followers_count"] == 420
    assert data["public_metrics"]["tweet_count"] == 1
    assert (data["subscription_type"], data["verified"], data["verified_type"]) == ("Premium", True, "blue")


@pytest.fixture
def twelve(alice: Client) -> list[str]:
    """Twelve posts of alice, newest first."""
    return [alice.post_id(f"Post {number}") for number in range(12)][::-1]


def ids(answer: dict[str, object]) -> list[str]:
    return [post["id"] for post in answer.get("data", [])]  # type: ignore[attr-defined]


def test_a_timeline_shows_the_ten_newest_first(alice: Client, twelve: list[str]) -> None:
    page = alice.timeline()
    assert ids(page) == twelve[:10]
    assert page["meta"]["result_count"] == 10
    assert (page["meta"]["newest_id"], page["meta"]["oldest_id"]) == (twelve[0], twelve[9])


def test_pages_follow_each_other_without_gap_or_overlap(alice: Client, twelve: list[str]) -> None:
    seen: list[str] = []
    params: dict[str, object] = {"max_results": 5}
    for _ in range(3):
        page = alice.timeline(**params)
        seen += ids(page)
        params["pagination_token"] = page["meta"].get("next_token")
    assert seen == twelve
    assert params["pagination_token"] is None


def test_since_id_and_until_id_are_exclusive(alice: Client, twelve: list[str]) -> None:
    page = alice.timeline(since_id=twelve[4], until_id=twelve[1])
    assert ids(page) == twelve[2:4]


def test_start_time_is_inclusive_and_end_time_exclusive(sandbox: Sandbox, alice: Client) -> None:
    first = alice.post_id("First")
    sandbox.advance(60)
    second = alice.post_id("Second")
    moment = alice.get(f"/2/tweets/{second}", tweet_fields="created_at").json()["data"]["created_at"]
    before_it = moment[:-5] + ".000Z"
    assert ids(alice.timeline(start_time=before_it)) == [second]
    assert ids(alice.timeline(end_time=before_it)) == [first]


def test_replies_can_be_excluded(alice: Client) -> None:
    first = alice.post_id("First")
    alice.reply("Second", first)
    assert ids(alice.timeline(exclude="replies,retweets")) == [first]


def test_an_empty_timeline_has_a_count_and_no_data(bob: Client) -> None:
    assert bob.timeline() == {"meta": {"result_count": 0}}


def test_the_timeline_of_nobody_is_a_partial_error(alice: Client) -> None:
    answer = alice.get("/2/users/1/tweets")
    assert answer.status_code == 200
    assert answer.json()["errors"][0]["resource_type"] == "user"


def test_mentions_are_the_posts_that_name_the_account(sandbox: Sandbox, alice: Client, bob: Client) -> None:
    named = bob.post_id("Hi @alice")
    bob.post_id("Hi @alicea, mail bob@alice.example")
    assert ids(alice.get(f"/2/users/{alice.id}/mentions").json()) == [named]


def test_new_mentions_are_found_with_since_id(sandbox: Sandbox, alice: Client) -> None:
    old = sandbox.post("/mentions", **{"from": "fan", "to": "alice", "text": "@alice one"})
    new = sandbox.post("/mentions", **{"from": "fan", "to": "alice", "text": "@alice two"})
    assert ids(alice.get(f"/2/users/{alice.id}/mentions", since_id=old["id"]).json()) == [new["id"]]


def test_an_app_only_token_reads_posts_but_no_private_metrics(sandbox: Sandbox, alice: Client) -> None:
    post_id = alice.post_id("Hello")
    answer = sandbox.app_client().get("/2/tweets", ids=post_id, tweet_fields="non_public_metrics").json()
    assert "non_public_metrics" not in answer["data"][0]
    assert answer["errors"][0]["type"].endswith("/not-authorized-for-field")


def test_private_metrics_of_someone_else_are_refused_by_field(alice: Client, bob: Client) -> None:
    post_id = alice.post_id("Hello")
    answer = bob.get("/2/tweets", ids=post_id, tweet_fields="organic_metrics,public_metrics").json()
    assert "public_metrics" in answer["data"][0]
    [error] = answer["errors"]
    assert (error["field"], error["resource_id"], error["section"]) == ("organic_metrics", post_id, "data")


@pytest.mark.parametrize(("days", "is_shown"), [(29, True), (31, False)])
def test_private_metrics_last_thirty_days(sandbox: Sandbox, alice: Client, days: int, is_shown: bool) -> None:
    post_id = alice.post_id("Hello")
    sandbox.advance(days * 86400)
    later = sandbox.sign_in("alice")
    data = later.get(f"/2/tweets/{post_id}", tweet_fields="non_public_metrics").json()["data"]
    assert ("non_public_metrics" in data) is is_shown


def test_metrics_grow_with_the_clock(sandbox: Sandbox, alice: Client) -> None:
    post_id = alice.post_id("What do you drink? https://example.com")
    seen = []
    for _ in range(4):
        sandbox.advance(1500)
        data = alice.get(f"/2/tweets/{post_id}", tweet_fields="public_metrics,non_public_metrics").json()["data"]
        seen.append(data["public_metrics"]["impression_count"])
        assert data["non_public_metrics"]["impression_count"] == seen[-1]
    assert seen == sorted(seen)
    assert seen[-1] > seen[0] > 0


def test_a_reply_counts_in_the_metrics_of_its_parent(alice: Client) -> None:
    first = alice.post_id("First")
    alice.reply("Second", first)
    metrics = alice.get(f"/2/tweets/{first}", tweet_fields="public_metrics").json()["data"]["public_metrics"]
    assert metrics["reply_count"] == 1
