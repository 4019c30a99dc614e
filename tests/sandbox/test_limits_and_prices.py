import pytest

from tests.sandbox.cast import Client, Sandbox, photo


def spent(sandbox: Sandbox) -> int:
    return int(sandbox.get("/apps")["apps"][0]["spent_micro"])


def test_a_user_posts_a_hundred_times_a_quarter_of_an_hour(sandbox: Sandbox, alice: Client, bob: Client) -> None:
    first = alice.create("Post 0")
    assert (first.headers["x-rate-limit-limit"], first.headers["x-rate-limit-remaining"]) == ("100", "99")
    for number in range(1, 100):
        assert alice.create(f"Post {number}").status_code == 201
    refused = alice.create("Post 100")
    assert refused.status_code == 429
    assert refused.json()["title"] == "Too Many Requests"
    assert refused.headers["x-rate-limit-remaining"] == "0"
    assert refused.headers["x-rate-limit-reset"] == first.headers["x-rate-limit-reset"]
    assert bob.create("Post").status_code == 201
    sandbox.advance(901)
    assert alice.create("Post 100").status_code == 201


def test_the_last_reading_of_oneself_in_a_quarter_hour_is_the_75th(sandbox: Sandbox, alice: Client) -> None:
    statuses = [alice.get("/2/users/me").status_code for _ in range(76)]
    assert statuses == [200] * 75 + [429]


def test_the_last_deletion_in_a_quarter_hour_is_the_50th(alice: Client) -> None:
    answers = [alice.call("DELETE", "/2/tweets/1") for _ in range(51)]
    assert [answer.status_code for answer in answers] == [404] * 50 + [429]
    assert answers[-1].json()["title"] == "Too Many Requests"


def test_refused_posts_use_the_window_up_too(alice: Client) -> None:
    alice.create("")
    assert alice.create("Hello").headers["x-rate-limit-remaining"] == "98"


def test_each_route_has_a_window_of_its_own(alice: Client) -> None:
    alice.create("Hello")
    me = alice.get("/2/users/me")
    assert (me.headers["x-rate-limit-limit"], me.headers["x-rate-limit-remaining"]) == ("75", "74")


def test_an_app_only_token_has_the_window_of_the_app(sandbox: Sandbox) -> None:
    answer = sandbox.app_client().get("/2/tweets/1")
    assert answer.headers["x-rate-limit-limit"] == "450"


def test_accounts_share_the_day_of_the_app(alice: Client, bob: Client) -> None:
    alice.create("Hello")
    answer = bob.create("Hello")
    assert answer.headers["x-app-limit-24hour-remaining"] == "9998"
    assert answer.headers["x-user-limit-24hour-remaining"] == "2399"


@pytest.mark.parametrize("path", ["/2/tweets", "/2/users/me"])
def test_every_answer_carries_the_common_headers(alice: Client, path: str) -> None:
    answer = alice.get(path)
    for name in ("api-version", "x-access-level", "x-transaction-id", "x-response-time", "perf", "server"):
        assert answer.headers[name]
    assert answer.headers["cache-control"] == "no-cache, no-store, max-age=0"
    assert answer.headers["content-type"] == "application/json; charset=utf-8"


def test_transaction_ids_differ(alice: Client) -> None:
    seen = {alice.get("/2/users/me").headers["x-transaction-id"] for _ in range(5)}
    assert len(seen) == 5


def test_a_post_costs_more_with_a_link(sandbox: Sandbox, alice: Client) -> None:
    alice.post_id("Plain")
    assert spent(sandbox) == 15_000
    alice.post_id("With example.com")
    assert spent(sandbox) == 215_000


def test_a_reply_to_a_summons_is_cheaper(sandbox: Sandbox, alice: Client) -> None:
    summons = sandbox.post("/mentions", **{"from": "fan", "to": "alice"})
    alice.reply("Thanks", summons["id"])
    assert spent(sandbox) == 10_000


def test_a_reply_to_oneself_costs_a_post(sandbox: Sandbox, alice: Client) -> None:
    alice.reply("2/2", alice.post_id("1/2"))
    assert spent(sandbox) == 30_000


def test_refused_requests_are_free(sandbox: Sandbox, alice: Client) -> None:
    alice.create("")
    alice.get("/2/tweets", ids="1")
    assert spent(sandbox) == 0


def test_deleting_and_alt_text_cost_too(sandbox: Sandbox, alice: Client) -> None:
    alice.call("POST", "/2/media/metadata", json={"id": photo(alice)})
    assert spent(sandbox) == 5_000
    post_id = alice.post_id("Plain")
    alice.call("DELETE", f"/2/tweets/{post_id}")
    assert spent(sandbox) == 30_000


def test_a_post_is_billed_once_a_day_however_often_it_is_read(sandbox: Sandbox, alice: Client) -> None:
    post_id = alice.post_id("Plain")
    for _ in range(3):
        alice.get("/2/tweets", ids=post_id)
    assert spent(sandbox) == 20_000
    sandbox.advance(86400)
    sandbox.sign_in("alice").get("/2/tweets", ids=post_id)
    assert spent(sandbox) == 25_000


def test_own_reads_are_cheap_for_the_owner_of_the_app(sandbox: Sandbox, alice: Client, bob: Client) -> None:
    sandbox.post("/apps", client_id="sandbox-client", owner="alice")
    own, other = alice.post_id("Plain"), bob.post_id("Hello @alice")
    foreign = bob.post_id("Plain")
    before = spent(sandbox)
    alice.get("/2/tweets", ids=f"{own},{other}")
    assert spent(sandbox) - before == 2_000
    alice.get("/2/tweets", ids=foreign)
    assert spent(sandbox) - before == 7_000


def test_reading_oneself_costs_a_user_read(sandbox: Sandbox, alice: Client) -> None:
    alice.get("/2/users/me")
    alice.get("/2/users/me")
    assert spent(sandbox) == 10_000


def test_when_the_credit_is_gone_nothing_is_posted(sandbox: Sandbox, alice: Client) -> None:
    sandbox.post("/apps", client_id="sandbox-client", credit_micro=29_999)
    assert alice.create("One").status_code == 201
    refused = alice.create("Two")
    assert refused.status_code == 402
    assert refused.json()["title"] == "CreditsDepleted"
    assert refused.json()["type"] == "https://api.twitter.com/2/problems/credits"
    assert [post["text"] for post in sandbox.posts("alice")] == ["One"]


def test_credit_can_be_filled_up_again(sandbox: Sandbox, alice: Client) -> None:
    sandbox.post("/apps", client_id="sandbox-client", credit_micro=0)
    assert alice.create("One").status_code == 402
    assert sandbox.post("/apps", client_id="sandbox-client", credit_micro=15_000)["credit_left_micro"] == 15_000
    assert alice.create("One").status_code == 201
    assert sandbox.post("/apps", client_id="sandbox-client", credit_micro=None)["credit_left_micro"] is None
    assert alice.create("Two").status_code == 201


def test_reads_are_refused_without_credit(sandbox: Sandbox, alice: Client) -> None:
    post_id = alice.post_id("One")
    sandbox.post("/apps", client_id="sandbox-client", credit_micro=0)
    assert alice.get("/2/tweets", ids=post_id).status_code == 402


def test_usage_counts_post_reads_for_the_app(sandbox: Sandbox, alice: Client) -> None:
    alice.get("/2/tweets", ids=f"{alice.post_id('One')},{alice.post_id('Two')}")
    data = sandbox.app_client().get("/2/usage/tweets").json()["data"]
    assert (data["project_usage"], data["project_cap"]) == ("2", "3000000")
    assert data["daily_project_usage"]["usage"][0]["usage"] == "2"


def test_usage_is_not_for_user_tokens(alice: Client) -> None:
    assert alice.get("/2/usage/tweets").status_code == 403
