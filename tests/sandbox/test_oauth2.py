import base64
import hashlib
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from tests.sandbox.cast import Client, Sandbox

BACK = "http://127.0.0.1:9/callback"
VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
BASIC = ("sandbox-client", "sandbox-secret")
SPENT = {"error": "invalid_request", "error_description": "Value passed for the token was invalid."}
BAD_CODE = {"error": "invalid_request", "error_description": "Value passed for the authorization code was invalid."}


def grant(**changes: str) -> dict[str, str]:
    asked = {
        "response_type": "code",
        "client_id": "sandbox-client",
        "redirect_uri": BACK,
        "state": "s-1",
        "scope": "tweet.read tweet.write users.read offline.access",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    return {**asked, **changes}


def authorize(sandbox: Sandbox, **changes: str) -> dict[str, list[str]]:
    form = {**grant(), "handle": "alice", "decision": "authorize", **changes}
    answer = requests.post(f"{sandbox.url}/x/i/oauth2/authorize", data=form, allow_redirects=False, timeout=30)
    assert answer.status_code == 302, answer.text
    return parse_qs(urlsplit(answer.headers["location"]).query)


def token(sandbox: Sandbox, auth: tuple[str, str] | None = BASIC, **form: str) -> requests.Response:
    return requests.post(f"{sandbox.url}/x/2/oauth2/token", data=form, auth=auth, timeout=30)


def exchange(sandbox: Sandbox, code: str, /, **changes: str) -> requests.Response:
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK, "code_verifier": VERIFIER}
    return token(sandbox, **{**form, **changes})


def refresh(sandbox: Sandbox, refresh_token: str) -> requests.Response:
    return token(sandbox, grant_type="refresh_token", refresh_token=refresh_token)


@pytest.fixture
def code(sandbox: Sandbox) -> str:
    return authorize(sandbox)["code"][0]


def test_a_code_becomes_a_pair_that_works(sandbox: Sandbox, code: str) -> None:
    pair = exchange(sandbox, code).json()
    me = requests.get(
        f"{sandbox.url}/x/2/users/me", headers={"Authorization": f"Bearer {pair['access_token']}"}, timeout=30
    )
    assert me.json()["data"]["username"] == "alice"
    assert pair["expires_in"] == 7200
    assert pair["token_type"] == "bearer"
    assert pair["scope"] == grant()["scope"]


def test_there_is_no_refresh_token_without_offline_access(sandbox: Sandbox) -> None:
    code = authorize(sandbox, scope="tweet.read users.read")["code"][0]
    assert "refresh_token" not in exchange(sandbox, code).json()


def test_a_code_works_only_once(sandbox: Sandbox, code: str) -> None:
    assert exchange(sandbox, code).status_code == 200
    again = exchange(sandbox, code)
    assert (again.status_code, again.json()) == (400, BAD_CODE)


@pytest.mark.parametrize(("seconds", "status"), [(25, 200), (31, 400)])
def test_a_code_lives_thirty_seconds(sandbox: Sandbox, code: str, seconds: int, status: int) -> None:
    sandbox.advance(seconds)
    assert exchange(sandbox, code).status_code == status


def test_a_wrong_verifier_is_refused_and_spends_the_code(sandbox: Sandbox, code: str) -> None:
    refused = exchange(sandbox, code, code_verifier="w" * 64)
    assert refused.status_code == 400
    assert "code verifier" in refused.json()["error_description"]
    assert exchange(sandbox, code).json() == BAD_CODE


def test_plain_challenges_are_compared_as_they_are(sandbox: Sandbox) -> None:
    code = authorize(sandbox, code_challenge=VERIFIER, code_challenge_method="plain")["code"][0]
    assert exchange(sandbox, code).status_code == 200


def test_an_s256_challenge_does_not_accept_itself_as_verifier(sandbox: Sandbox, code: str) -> None:
    assert exchange(sandbox, code, code_verifier=CHALLENGE).status_code == 400


def test_the_redirect_uri_must_be_the_same_in_both_steps(sandbox: Sandbox, code: str) -> None:
    refused = exchange(sandbox, code, redirect_uri=BACK + "/other")
    assert refused.status_code == 400
    assert "redirect uri" in refused.json()["error_description"]


@pytest.mark.parametrize("name", ["code", "redirect_uri", "code_verifier"])
def test_each_parameter_of_the_exchange_is_required(sandbox: Sandbox, code: str, name: str) -> None:
    refused = exchange(sandbox, code, **{name: ""})
    assert refused.json() == {
        "error": "invalid_request",
        "error_description": f"Missing required parameter [{name}].",
    }


def test_a_code_belongs_to_its_client(sandbox: Sandbox, code: str) -> None:
    sandbox.post("/apps", client_id="other", client_secret="s")
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK, "code_verifier": VERIFIER}
    assert token(sandbox, ("other", "s"), **form).json() == BAD_CODE


@pytest.mark.parametrize("auth", [None, ("sandbox-client", "wrong"), ("nobody", "sandbox-secret")])
def test_a_confidential_client_must_prove_itself(sandbox: Sandbox, code: str, auth: tuple[str, str] | None) -> None:
    form = {"grant_type": "authorization_code", "code": code, "client_id": "sandbox-client"}
    refused = token(sandbox, auth, **form)
    assert refused.status_code == 401
    assert refused.json() == {
        "error": "unauthorized_client",
        "error_description": "Missing valid authorization header",
    }


def test_a_broken_basic_header_is_refused(sandbox: Sandbox) -> None:
    answer = requests.post(
        f"{sandbox.url}/x/2/oauth2/token", data={}, headers={"Authorization": "Basic ???"}, timeout=30
    )
    assert answer.status_code == 401


def test_a_public_client_names_itself_in_the_body(sandbox: Sandbox) -> None:
    sandbox.post("/apps", client_id="phone", public=True)
    code = authorize(sandbox, client_id="phone")["code"][0]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK, "code_verifier": VERIFIER}
    pair = token(sandbox, None, client_id="phone", **form).json()
    again = token(sandbox, None, client_id="phone", grant_type="refresh_token", refresh_token=pair["refresh_token"])
    assert again.status_code == 200


@pytest.mark.parametrize(
    ("form", "error"), [({}, "invalid_request"), ({"grant_type": "password"}, "unsupported_grant_type")]
)
def test_other_grants_are_refused(sandbox: Sandbox, form: dict[str, str], error: str) -> None:
    refused = token(sandbox, **form)
    assert (refused.status_code, refused.json()["error"]) == (400, error)


def test_an_access_token_dies_after_two_hours(sandbox: Sandbox, alice: Client) -> None:
    sandbox.advance(7190)
    assert alice.get("/2/users/me").status_code == 200
    sandbox.advance(11)
    refused = alice.get("/2/users/me")
    assert refused.status_code == 401
    assert refused.json() == {
        "title": "Unauthorized",
        "type": "about:blank",
        "status": 401,
        "detail": "Unauthorized",
    }


def test_a_refresh_gives_a_new_pair_and_kills_the_old_one(sandbox: Sandbox, alice: Client) -> None:
    pair = refresh(sandbox, alice.grant["refresh_token"]).json()
    assert pair["refresh_token"] != alice.grant["refresh_token"]
    assert alice.get("/2/users/me").status_code == 401
    alice.token = pair["access_token"]
    assert alice.get("/2/users/me").status_code == 200


def test_refresh_token_replay_kills_the_family(sandbox: Sandbox, alice: Client) -> None:
    second = refresh(sandbox, alice.grant["refresh_token"]).json()
    replay = refresh(sandbox, alice.grant["refresh_token"])
    assert (replay.status_code, replay.json()) == (400, SPENT)
    alice.token = second["access_token"]
    assert alice.get("/2/users/me").status_code == 401
    assert refresh(sandbox, second["refresh_token"]).json() == SPENT


def test_a_replay_leaves_other_grants_of_the_account_alone(sandbox: Sandbox, alice: Client) -> None:
    other = sandbox.sign_in("alice")
    refresh(sandbox, alice.grant["refresh_token"])
    refresh(sandbox, alice.grant["refresh_token"])
    assert other.get("/2/users/me").status_code == 200


def test_an_unknown_refresh_token_is_refused_in_the_same_words(sandbox: Sandbox) -> None:
    answer = refresh(sandbox, "nonsense")
    assert (answer.status_code, answer.json()) == (400, SPENT)


def test_a_refresh_token_belongs_to_its_client(sandbox: Sandbox, alice: Client) -> None:
    sandbox.post("/apps", client_id="other", client_secret="s")
    form = {"grant_type": "refresh_token", "refresh_token": alice.grant["refresh_token"]}
    assert token(sandbox, ("other", "s"), **form).json() == SPENT
    assert refresh(sandbox, alice.grant["refresh_token"]).status_code == 200


def test_a_refresh_token_lives_about_six_months(sandbox: Sandbox, alice: Client) -> None:
    sandbox.advance(181 * 86400)
    assert refresh(sandbox, alice.grant["refresh_token"]).json() == SPENT


def revoke(sandbox: Sandbox, value: str) -> requests.Response:
    return requests.post(f"{sandbox.url}/x/2/oauth2/revoke", data={"token": value}, auth=BASIC, timeout=30)


def test_revoking_an_access_token_ends_only_that_token(sandbox: Sandbox, alice: Client) -> None:
    answer = revoke(sandbox, alice.token)
    assert answer.json() == {"revoked": True}
    assert alice.get("/2/users/me").status_code == 401


def test_revoking_a_refresh_token_ends_the_grant(sandbox: Sandbox, alice: Client) -> None:
    revoke(sandbox, alice.grant["refresh_token"])
    assert alice.get("/2/users/me").status_code == 401
    assert refresh(sandbox, alice.grant["refresh_token"]).json() == SPENT


def test_revoke_wants_a_token(sandbox: Sandbox) -> None:
    assert revoke(sandbox, "").status_code == 400


def test_issuing_a_token_is_in_the_ledger_under_its_account(sandbox: Sandbox, alice: Client) -> None:
    refresh(sandbox, alice.grant["refresh_token"])
    entry = sandbox.ledger(effect="token")[-1]
    assert (entry["account"], entry["path"], entry["outcome"]) == ("alice", "/2/oauth2/token", "200")


def test_the_authorise_page_lists_scopes_and_accounts(sandbox: Sandbox) -> None:
    sandbox.post("/accounts", handle="roastery")
    answer = requests.get(f"{sandbox.url}/x/i/oauth2/authorize", params=grant(), timeout=30)
    assert answer.status_code == 200
    for part in ("Sandbox X: authorise Marketing agent?", "@roastery", "tweet.write", 'id="authorize"'):
        assert part in answer.text
    for control in ('id="cancel"', 'id="account"', 'id="handle"', "width=device-width"):
        assert control in answer.text


def test_enter_authorises_because_that_button_comes_first(sandbox: Sandbox) -> None:
    text = requests.get(f"{sandbox.url}/x/i/oauth2/authorize", params=grant(), timeout=30).text
    assert text.index('id="authorize"') < text.index('id="cancel"')


def test_the_authorise_page_escapes_what_it_was_given(sandbox: Sandbox) -> None:
    answer = requests.get(
        f"{sandbox.url}/x/i/oauth2/authorize", params=grant(state='"><script>alert(1)</script>'), timeout=30
    )
    assert "<script>" not in answer.text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("client_id", "nobody"),
        ("redirect_uri", ""),
        ("redirect_uri", "javascript:alert(1)"),
        ("response_type", "token"),
        ("state", ""),
        ("state", "s" * 501),
        ("code_challenge", ""),
        ("code_challenge_method", "S512"),
        ("scope", ""),
        ("scope", "tweet.read tweet.destroy"),
    ],
)
def test_a_wrong_request_is_shown_and_not_redirected(sandbox: Sandbox, name: str, value: str) -> None:
    for method in ("GET", "POST"):
        answer = requests.request(
            method,
            f"{sandbox.url}/x/i/oauth2/authorize",
            params=grant(**{name: value}),
            data={**grant(**{name: value}), "decision": "authorize", "handle": "alice"},
            allow_redirects=False,
            timeout=30,
        )
        assert answer.status_code == 400


def test_cancel_goes_back_with_access_denied(sandbox: Sandbox) -> None:
    assert authorize(sandbox, decision="cancel") == {"error": ["access_denied"], "state": ["s-1"]}


def test_authorise_goes_back_with_the_state(sandbox: Sandbox) -> None:
    assert authorize(sandbox, state="x y&z")["state"] == ["x y&z"]


def test_an_existing_account_can_be_chosen(sandbox: Sandbox) -> None:
    code = authorize(sandbox, handle="", account="sandbox_demo")["code"][0]
    pair = exchange(sandbox, code).json()
    client = Client(sandbox, pair["access_token"], "", "", {})
    assert client.get("/2/users/me").json()["data"]["username"] == "sandbox_demo"


def test_a_bad_handle_gets_a_message_and_keeps_the_form(sandbox: Sandbox) -> None:
    form = {**grant(), "handle": "not a handle", "decision": "authorize"}
    answer = requests.post(f"{sandbox.url}/x/i/oauth2/authorize", data=form, timeout=30)
    assert answer.status_code == 400
    assert 'value="not a handle"' in answer.text


def test_registered_redirect_uris_must_match_exactly(sandbox: Sandbox) -> None:
    sandbox.post("/apps", client_id="sandbox-client", redirect_uris=[BACK])
    asked = requests.get(f"{sandbox.url}/x/i/oauth2/authorize", params=grant(redirect_uri=BACK + "/"), timeout=30)
    assert asked.status_code == 400
    assert "code" in authorize(sandbox)


def test_a_redirect_uri_may_have_a_query_of_its_own(sandbox: Sandbox) -> None:
    assert authorize(sandbox, redirect_uri=BACK + "?a=1")["a"] == ["1"]
