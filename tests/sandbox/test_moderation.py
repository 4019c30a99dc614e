from tests.sandbox.cast import Client, Sandbox


def hide(client: Client, post_id: str, hidden: object = True) -> tuple[int, dict[str, object]]:
    answer = client.call("PUT", f"/2/tweets/{post_id}/hidden", json={"hidden": hidden})
    return answer.status_code, answer.json()


def test_a_deleted_post_is_gone_from_the_timeline(sandbox: Sandbox, alice: Client) -> None:
    post_id = alice.post_id("Oops")
    answer = alice.call("DELETE", f"/2/tweets/{post_id}")
    assert (answer.status_code, answer.json()) == (200, {"data": {"deleted": True}})
    assert alice.timeline() == {"meta": {"result_count": 0}}
    assert sandbox.ledger(effect="delete")[0]["effect_id"] == post_id


def test_nobody_deletes_a_post_of_someone_else(alice: Client, bob: Client) -> None:
    post_id = alice.post_id("Mine")
    assert bob.call("DELETE", f"/2/tweets/{post_id}").status_code == 403
    assert alice.get(f"/2/tweets/{post_id}").json()["data"]["id"] == post_id


def test_deleting_what_is_not_there_is_not_found(alice: Client) -> None:
    post_id = alice.post_id("Oops")
    alice.call("DELETE", f"/2/tweets/{post_id}")
    assert alice.call("DELETE", f"/2/tweets/{post_id}").status_code == 404


def test_a_reply_in_the_own_conversation_can_be_hidden_and_shown(sandbox: Sandbox, alice: Client) -> None:
    first = alice.post_id("We are open")
    answer = sandbox.post("/mentions", **{"from": "troll", "to": "alice", "in_reply_to": first, "text": "boo"})
    assert hide(alice, answer["id"]) == (200, {"data": {"hidden": True}})
    assert sandbox.posts("troll")[0]["hidden"] is True
    assert hide(alice, answer["id"], False) == (200, {"data": {"hidden": False}})
    assert sandbox.posts("troll")[0]["hidden"] is False


def test_a_reply_in_a_conversation_of_someone_else_cannot_be_hidden(alice: Client, bob: Client) -> None:
    first = alice.post_id("We are open")
    second = alice.reply("and here", first).json()["data"]["id"]
    assert hide(bob, second)[0] == 403


def test_what_is_no_reply_cannot_be_hidden(alice: Client) -> None:
    assert hide(alice, alice.post_id("We are open"))[0] == 403


def test_hiding_what_is_not_there_is_not_found(alice: Client) -> None:
    assert hide(alice, "12")[0] == 404


def test_hidden_must_be_a_boolean(alice: Client) -> None:
    assert hide(alice, alice.post_id("We are open"), "yes")[0] == 400


def test_hiding_needs_its_own_scope(sandbox: Sandbox, alice: Client) -> None:
    first = alice.post_id("We are open")
    reply = alice.reply("and here", first).json()["data"]["id"]
    limited = sandbox.sign_in("alice", scopes="tweet.read tweet.write users.read")
    assert hide(limited, reply)[0] == 403
    assert hide(alice, reply)[0] == 200
