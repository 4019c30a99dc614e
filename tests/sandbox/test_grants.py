"""Proof keys, codes and token families, from the form to the last edge of a life."""

import base64
import hashlib
import sqlite3

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.x import tokens
from tests.sandbox.cast import Client, Sandbox
from tests.sandbox.test_oauth2 import BACK, BAD_CODE, BASIC, SPENT, authorize, exchange, grant, refresh, revoke, token

NOW = 1_800_000_000.0
UNRESERVED = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~"
VERIFIERS = st.text(UNRESERVED, min_size=43, max_size=128)


def s256(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


@settings(max_examples=60, deadline=None)
@given(VERIFIERS)
def test_a_verifier_proves_its_own_challenge(verifier: str) -> None:
    assert tokens.proves(verifier, s256(verifier), "S256")
    assert tokens.proves(verifier, s256(verifier) + "=", "S256")
    assert tokens.proves(verifier, verifier, "plain")


@settings(max_examples=60, deadline=None)
@given(VERIFIERS, VERIFIERS.map(lambda text: text + "x"))
def test_a_verifier_proves_nothing_else(verifier: str, other: str) -> None:
    assert not tokens.proves(other, s256(verifier), "S256")
    assert not tokens.proves(verifier, verifier, "S256")
    assert not tokens.proves(verifier, s256(verifier), "plain")
    assert not tokens.proves(other, verifier, "plain") or other == verifier


PROOFS = [
    ("S256", "a" * 43, "a" * 43, 200),
    ("S256", "a" * 128, "a" * 128, 200),
    ("S256", "a-._~" * 10, "a-._~" * 10, 200),
    ("S256", "a" * 43, "A" * 43, 400),
    ("S256", "a" * 43, "a" * 44, 400),
    ("S256", "a" * 43, s256("a" * 43), 400),
    ("plain", "a" * 43, "a" * 43, 200),
    ("plain", "a" * 43, "b" * 43, 400),
    ("plain", "a" * 43, s256("a" * 43), 400),
]


@pytest.mark.parametrize(("method", "verifier", "shown", "status"), PROOFS)
def test_a_code_is_only_for_who_knows_the_verifier(
    sandbox: Sandbox, method: str, verifier: str, shown: str, status: int
) -> None:
    challenge = {"S256": s256(verifier), "plain": verifier}[method]
    code = authorize(sandbox, code_challenge=challenge, code_challenge_method=method)["code"][0]
    assert exchange(sandbox, code, code_verifier=shown).status_code == status


def test_a_failed_exchange_issues_nothing(sandbox: Sandbox) -> None:
    code = authorize(sandbox)["code"][0]
    exchange(sandbox, code, code_verifier="w" * 43)
    assert sandbox.ledger(effect="token") == []


@pytest.mark.parametrize("changes", [{"redirect_uri": BACK + "/"}, {"redirect_uri": BACK.upper()}])
def test_a_wrong_redirect_uri_spends_the_code(sandbox: Sandbox, changes: dict[str, str]) -> None:
    code = authorize(sandbox)["code"][0]
    assert exchange(sandbox, code, **changes).status_code == 400
    assert exchange(sandbox, code).json() == BAD_CODE


def test_a_stranger_cannot_spend_a_code(sandbox: Sandbox) -> None:
    sandbox.post("/apps", client_id="other", client_secret="s")
    code = authorize(sandbox)["code"][0]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK, "code_verifier": "v" * 64}
    assert token(sandbox, ("other", "s"), **form).json() == BAD_CODE
    assert exchange(sandbox, code).status_code == 200


def test_two_codes_make_two_families(sandbox: Sandbox) -> None:
    first, second = (exchange(sandbox, authorize(sandbox)["code"][0]).json() for _ in range(2))
    refresh(sandbox, first["refresh_token"])
    refresh(sandbox, first["refresh_token"])
    assert refresh(sandbox, second["refresh_token"]).status_code == 200


@pytest.mark.parametrize("scope", ["tweet.read", "tweet.read users.read", "tweet.read  users.read "])
def test_the_scope_granted_is_the_scope_asked_for(sandbox: Sandbox, scope: str) -> None:
    code = authorize(sandbox, scope=scope)["code"][0]
    assert exchange(sandbox, code).json()["scope"] == " ".join(scope.split())


@pytest.mark.parametrize("scope", tokens.KNOWN_SCOPES)
def test_every_known_scope_may_be_asked_for(sandbox: Sandbox, scope: str) -> None:
    assert "code" in authorize(sandbox, scope=scope)


@pytest.mark.parametrize("length", [1, 499, 500])
def test_a_state_comes_back_whole_at_any_length_allowed(sandbox: Sandbox, length: int) -> None:
    assert authorize(sandbox, state="é" * length)["state"] == ["é" * length]


@pytest.mark.parametrize(
    "uri",
    [
        BACK + "\r\nset-cookie: a=b",
        BACK + "\nx",
        BACK + " x",
        BACK + "\0",
        "http://[",
        "http://[::1",
        "//127.0.0.1/callback",
        "data:text/html,x",
        "ftp://127.0.0.1/",
    ],
)
def test_an_address_that_could_break_the_answer_is_not_gone_back_to(sandbox: Sandbox, uri: str) -> None:
    form = {**grant(redirect_uri=uri), "handle": "alice", "decision": "authorize"}
    answer = requests.post(f"{sandbox.url}/x/i/oauth2/authorize", data=form, allow_redirects=False, timeout=30)
    assert answer.status_code == 400
    assert "location" not in answer.headers
    assert "set-cookie" not in answer.headers


def test_a_refusal_creates_no_account(sandbox: Sandbox) -> None:
    authorize(sandbox, handle="newcomer", decision="cancel")
    assert "newcomer" not in str(sandbox.get("/accounts"))


def test_a_handle_is_found_in_any_case_and_with_its_sign(sandbox: Sandbox) -> None:
    sandbox.post("/accounts", handle="Roastery")
    code = authorize(sandbox, handle="@rOASTERY")["code"][0]
    client = Client(sandbox, exchange(sandbox, code).json()["access_token"], "", "", {})
    assert client.get("/2/users/me").json()["data"]["username"] == "Roastery"


@pytest.mark.parametrize(("handle", "status"), [("a", 302), ("a" * 15, 302), ("a" * 16, 400), ("ä", 400), ("", 400)])
def test_a_new_handle_has_1_to_15_plain_characters(sandbox: Sandbox, handle: str, status: int) -> None:
    form = {**grant(), "handle": handle, "decision": "authorize"}
    answer = requests.post(f"{sandbox.url}/x/i/oauth2/authorize", data=form, allow_redirects=False, timeout=30)
    assert answer.status_code == status


def test_a_chain_of_refreshes_goes_on_as_long_as_each_is_used_once(sandbox: Sandbox, alice: Client) -> None:
    pair = alice.grant
    seen = {pair["refresh_token"]}
    for _ in range(6):
        pair = refresh(sandbox, pair["refresh_token"]).json()
        seen.add(pair["refresh_token"])
    assert len(seen) == 7
    alice.token = pair["access_token"]
    assert alice.get("/2/users/me").status_code == 200


@pytest.mark.parametrize("steps_back", [1, 2, 4])
def test_a_replay_from_anywhere_in_the_chain_kills_its_end(sandbox: Sandbox, alice: Client, steps_back: int) -> None:
    chain = [alice.grant]
    for _ in range(4):
        chain.append(refresh(sandbox, chain[-1]["refresh_token"]).json())
    assert refresh(sandbox, chain[-1 - steps_back]["refresh_token"]).json() == SPENT
    assert refresh(sandbox, chain[-1]["refresh_token"]).json() == SPENT


def test_a_refresh_keeps_the_scope_of_the_grant(sandbox: Sandbox) -> None:
    client = sandbox.sign_in("alice", scopes="users.read offline.access")
    assert refresh(sandbox, client.grant["refresh_token"]).json()["scope"] == "users.read offline.access"


def test_an_expired_access_token_can_still_be_refreshed(sandbox: Sandbox, alice: Client) -> None:
    sandbox.advance(7201)
    assert refresh(sandbox, alice.grant["refresh_token"]).status_code == 200


def test_revoking_a_spent_refresh_token_ends_the_grant_too(sandbox: Sandbox, alice: Client) -> None:
    pair = refresh(sandbox, alice.grant["refresh_token"]).json()
    assert revoke(sandbox, alice.grant["refresh_token"]).json() == {"revoked": True}
    assert refresh(sandbox, pair["refresh_token"]).json() == SPENT


def test_revoking_what_never_was_is_no_news(sandbox: Sandbox) -> None:
    assert revoke(sandbox, "nonsense").json() == {"revoked": True}


def test_a_client_revokes_only_its_own_tokens(sandbox: Sandbox, alice: Client) -> None:
    sandbox.post("/apps", client_id="other", client_secret="s")
    for value in (alice.token, alice.grant["refresh_token"]):
        requests.post(f"{sandbox.url}/x/2/oauth2/revoke", data={"token": value}, auth=("other", "s"), timeout=30)
    assert alice.get("/2/users/me").status_code == 200


@pytest.mark.parametrize("path", ["token", "revoke"])
def test_a_form_that_is_json_is_no_form(sandbox: Sandbox, alice: Client, path: str) -> None:
    body = {"grant_type": "refresh_token", "refresh_token": alice.grant["refresh_token"], "token": alice.token}
    answer = requests.post(f"{sandbox.url}/x/2/oauth2/{path}", json=body, auth=BASIC, timeout=30)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert alice.get("/2/users/me").status_code == 200


def test_a_secret_with_reserved_characters_is_percent_encoded_in_basic(sandbox: Sandbox, alice: Client) -> None:
    sandbox.post("/apps", client_id="odd", client_secret="a:b%c d")
    client = sandbox.sign_in("alice", client_id="odd")
    form = {"grant_type": "refresh_token", "refresh_token": client.grant["refresh_token"]}
    assert token(sandbox, ("odd", "a%3Ab%25c%20d"), **form).status_code == 200


def issue(db: sqlite3.Connection) -> tuple[str, str]:
    pair = tokens.issue(db, NOW, client_id="app", account_id=7, scope="users.read offline.access")
    return str(pair["access_token"]), str(pair["refresh_token"])


@pytest.mark.parametrize(("age", "lives"), [(0, True), (7199.999, True), (7200, False), (7200.001, False)])
def test_an_access_token_lives_7200_seconds_to_the_instant(db: sqlite3.Connection, age: float, lives: bool) -> None:
    access, _ = issue(db)
    assert (tokens.find_access(db, access, NOW + age) is not None) is lives


@pytest.mark.parametrize(("age", "lives"), [(180 * 86400 - 0.001, True), (180 * 86400, False)])
def test_a_refresh_token_lives_180_days_to_the_instant(db: sqlite3.Connection, age: float, lives: bool) -> None:
    _, refresh_token = issue(db)
    assert (tokens.rotate(db, refresh_token, "app", NOW + age) is not None) is lives


@pytest.mark.parametrize(("age", "lives"), [(0, True), (29.999, True), (30, False), (31, False)])
def test_a_code_lives_30_seconds_to_the_instant(db: sqlite3.Connection, age: float, lives: bool) -> None:
    order = {"client_id": "app", "redirect_uri": BACK, "scope": "x", "challenge": "c", "method": "plain"}
    code = tokens.issue_code(db, NOW, account_id=7, **order)
    assert (tokens.use_code(db, code, "app", NOW + age) is not None) is lives


def test_an_expired_refresh_token_does_not_kill_its_family(db: sqlite3.Connection) -> None:
    access, refresh_token = issue(db)
    assert tokens.rotate(db, refresh_token, "app", NOW + 181 * 86400) is None
    assert tokens.find_access(db, access, NOW + 1) is not None


def test_another_client_with_a_stolen_token_does_not_kill_the_family(db: sqlite3.Connection) -> None:
    access, refresh_token = issue(db)
    assert tokens.rotate(db, refresh_token, "thief", NOW) is None
    assert tokens.find_access(db, access, NOW) is not None


def test_no_two_tokens_are_equal(db: sqlite3.Connection) -> None:
    seen = {value for _ in range(50) for value in issue(db)}
    assert len(seen) == 100
    assert min(map(len, seen)) >= 64
