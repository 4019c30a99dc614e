"""What changes, removes, reads and hides posts on X, and what each call is billed."""

from datetime import UTC, datetime, timedelta

import pytest

from lib.clock import now
from social.networks.port import Billed, Failure, NetworkError, OutgoingPart
from social.networks.x.client import XClient

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
CREATE = "POST /2/tweets"


@pytest.fixture
def account(sandbox):
    sandbox.post("/accounts", handle="roastery", premium=True)
    return sandbox.sign_in("roastery")


@pytest.fixture
def bills() -> list[Billed]:
    return []


@pytest.fixture
def client(account, bills) -> XClient:
    return XClient(account.token, remote_id=account.id, on_billed=bills.append)


@pytest.fixture
def spent(sandbox):
    return lambda: sandbox.get("/apps")["apps"][0]["spent_micro"]


def mention(sandbox, text: str = "@roastery hello", **order) -> str:
    return sandbox.post("/mentions", **{"from": "dana", "to": "roastery"}, text=text, **order)["id"]


def publish(client: XClient, text: str = "First words", **fields) -> str:
    return client.publish(OutgoingPart(text, **fields)).remote_id


# --- posting with more than a text ------------------------------------------------------------------------------


def test_a_poll_and_its_duration_are_sent(client, sandbox):
    publish(client, "Tea?", poll={"options": ["Yes", "No"], "minutes": 60})
    assert sandbox.posts("roastery")[0]["poll"] == {"options": ["Yes", "No"], "duration_minutes": 60}


def test_options_are_sent(client, sandbox):
    publish(client, "Ad", options={"paid_partnership": True, "reply_settings": "following"})
    assert sandbox.posts("roastery")[0]["options"] == {"paid_partnership": True, "reply_settings": "following"}


def test_who_may_answer_is_left_to_the_first_part(client, sandbox):
    publish(client, "Two", options={"reply_settings": "following"}, is_first=False)
    assert sandbox.posts("roastery")[0]["options"] == {}


def test_the_answer_tells_of_the_windows(client):
    windows = client.publish(OutgoingPart("Hello")).windows
    assert {(window.scope, window.remaining) for window in windows} == {("user", 99), ("user", 2399), ("app", 9999)}
    assert all(now() < window.resets_at < now() + timedelta(hours=25) for window in windows)


def test_a_refusal_tells_of_the_windows_too(client, sandbox):
    sandbox.fault("rate_limit", route=CREATE, seconds=100)
    with pytest.raises(NetworkError) as refused:
        publish(client)
    assert ("user", 0) in {(window.scope, window.remaining) for window in refused.value.windows}


# --- edit -------------------------------------------------------------------------------------------------------


def test_an_edit_is_a_new_version_with_an_id_of_its_own(client, sandbox):
    first = publish(client)
    second = client.edit(first, OutgoingPart("Better words"))
    old, new = sandbox.posts("roastery")
    assert (old["replaced_by"], new["id"], new["text"]) == (second, second, "Better words")


def test_an_edit_that_went_through_is_not_repeated(client, sandbox):
    first = publish(client)
    second = client.edit(first, OutgoingPart("Better words"))
    assert client.edit(first, OutgoingPart("Better words")) == second
    assert len(sandbox.posts("roastery")) == 2


def test_an_edit_of_an_old_version_changes_the_newest(client, sandbox):
    first = publish(client)
    client.edit(first, OutgoingPart("Better words"))
    third = client.edit(first, OutgoingPart("Best words"))
    assert [post["replaced_by"] for post in sandbox.posts("roastery")] == [third, third, None]


def test_an_edit_keeps_the_labels(client, sandbox):
    first = publish(client, made_with_ai=True)
    client.edit(first, OutgoingPart("Better words", made_with_ai=True))
    assert sandbox.posts("roastery")[1]["options"]["made_with_ai"] is True


def test_an_edit_without_a_clear_answer_is_unknown(client, sandbox):
    first = publish(client)
    sandbox.fault("accept_then_drop", route=CREATE)
    with pytest.raises(NetworkError) as error:
        client.edit(first, OutgoingPart("Better words"))
    assert error.value.failure is Failure.UNKNOWN


def test_an_edit_of_a_post_that_is_gone_is_refused(client):
    first = publish(client)
    client.delete([first])
    with pytest.raises(NetworkError, match="does not show this post"):
        client.edit(first, OutgoingPart("Better words"))


def test_an_edit_after_an_hour_is_refused(client, sandbox):
    first = publish(client)
    sandbox.advance(3601)
    with pytest.raises(NetworkError) as error:
        client.edit(first, OutgoingPart("Better words"))
    assert error.value.failure is Failure.REJECTED


# --- delete -----------------------------------------------------------------------------------------------------


def test_posts_are_deleted(client, sandbox):
    ids = [publish(client, text) for text in ("One", "Two")]
    client.delete(ids)
    assert [post["deleted"] for post in sandbox.posts("roastery")] == [True, True]


def test_what_is_gone_counts_as_deleted_and_costs_nothing(client, bills):
    first = publish(client)
    for _ in range(2):
        client.delete([first])
    assert bills == [Billed("x.delete", 10_000, f"delete:{first}")]


def test_the_post_of_somebody_else_is_not_deleted(client, sandbox):
    with pytest.raises(NetworkError) as error:
        client.delete([mention(sandbox)])
    assert error.value.failure is Failure.REJECTED


# --- reading others ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "is_summoned"), [("@roastery hello", True), ("Nothing about you", False)])
def test_a_mention_summons(client, sandbox, text, is_summoned):
    written = sandbox.post("/mentions", **{"from": "dana", "to": "somebody"}, text=text)["id"]
    seen = client.read_post(written)
    assert (seen.author, seen.text, seen.has_summoned) == ("dana", text, is_summoned)


def test_a_quote_of_ours_summons(client, sandbox):
    assert client.read_post(mention(sandbox, "So true", quote=publish(client))).has_summoned is True


def test_an_answer_to_somebody_else_does_not_summon(client, sandbox):
    start = sandbox.sign_in("erin").post_id("My day")
    assert client.read_post(mention(sandbox, "Nice day", in_reply_to=start)).has_summoned is False


def test_our_own_post_needs_no_summons(client):
    assert client.read_post(publish(client)).has_summoned is True


def test_a_post_that_x_does_not_show_is_refused(client):
    with pytest.raises(NetworkError, match="It may have been deleted") as error:
        client.read_post("12")
    assert (error.value.failure, error.value.code) == (Failure.REJECTED, "not_found")


def test_only_answers_of_the_thread_are_kept(client, sandbox):
    first, other = publish(client), publish(client, "Another post")
    for parent, text in ((first, "One"), (other, "Elsewhere"), (first, "Two")):
        mention(sandbox, text, in_reply_to=parent)
    assert [reply.text for reply in client.replies_to([first], LONG_AGO)] == ["Two", "One"]


def test_nobody_answered(client):
    assert client.replies_to([publish(client)], now() - timedelta(hours=1)) == []


def test_answers_are_hidden_and_shown(client, sandbox):
    reply = mention(sandbox, "Boo", in_reply_to=publish(client))
    for hidden in (True, False):
        client.set_hidden(reply, hidden)
        assert sandbox.posts("dana")[0]["hidden"] is hidden


def test_an_answer_to_a_post_that_is_gone_says_so(client, sandbox):
    gone = mention(sandbox)
    sandbox.sign_in("dana").call("DELETE", f"/2/tweets/{gone}")
    with pytest.raises(NetworkError) as error:
        publish(client, "Yes!", reply_to=gone)
    assert (error.value.failure, error.value.code) == (Failure.REJECTED, "target_gone")


# --- bills ------------------------------------------------------------------------------------------------------


def test_what_is_billed_is_what_x_charges(client, sandbox, bills, spent):
    first = publish(client)
    reply = mention(sandbox, "One", in_reply_to=first)
    before = spent()
    client.me()
    client.read_post(reply)
    client.replies_to([first], LONG_AGO)
    client.own_posts(LONG_AGO)
    newest = client.edit(first, OutgoingPart("See https://example.com"))
    client.delete([newest])
    once = {bill.key: bill.amount_micro for bill in bills}
    assert sum(once.values()) == spent() - before


def test_publishing_itself_is_billed_by_nobody_here(client, bills):
    publish(client)
    assert bills == []


def test_refused_calls_are_not_billed(client, sandbox, bills):
    for route in ("GET /2/users/me", "GET /2/tweets/{id}", "GET /2/users/{id}/mentions"):
        sandbox.fault("rate_limit", route=route)
    for call in (client.me, lambda: client.read_post("12"), lambda: client.replies_to(["12"], LONG_AGO)):
        with pytest.raises(NetworkError):
            call()
    assert bills == []
