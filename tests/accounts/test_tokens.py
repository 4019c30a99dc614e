import base64
import json
from datetime import timedelta

import jwt
import pytest
from django.conf import settings
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from accounts.models import Membership, Role, User
from accounts.tokens import RefreshRefused, issue_tokens, refresh_tokens
from lib.clock import now
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db


def me(api, token: str) -> int:
    return api(token).get("/api/auth/me").status_code


@pytest.fixture
def claims(alice) -> dict:
    token = issue_tokens(alice)["access"]
    return jwt.decode(token, settings.SECRET_KEY, algorithms=["HS256"], audience="api")


def sign(claims: dict, key: str = "", algorithm: str = "HS256", **changes: object) -> str:
    return jwt.encode(claims | changes, key or settings.SECRET_KEY, algorithm=algorithm)


def test_claims_signed_as_we_do_are_accepted(api, claims):
    assert me(api, sign(claims)) == 200


@pytest.mark.parametrize(
    "change",
    [
        {"aud": "mcp"},
        {"aud": ["mcp", "events"]},
        {"iss": "somebody"},
        {"token_type": "refresh"},
        {"exp": 1},
        {"user_id": "01900000-0000-7000-8000-000000000000"},
        {"hash_password": "0" * 32},
    ],
)
def test_wrong_claim_is_refused(api, claims, change):
    assert me(api, sign(claims, **change)) == 401


@pytest.mark.parametrize("name", ["aud", "iss", "exp", "token_type", "user_id", "hash_password"])
def test_missing_claim_is_refused(api, claims, name):
    del claims[name]
    assert me(api, sign(claims)) == 401


def test_other_key_is_refused(api, claims):
    assert me(api, sign(claims, key="another key of at least thirty-two bytes")) == 401


def test_unsigned_token_is_refused(api, claims):
    assert me(api, jwt.encode(claims, "", algorithm="none")) == 401


def test_other_algorithm_is_refused(api, claims):
    assert me(api, sign(claims, algorithm="HS512")) == 401


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "Bearer a b", "Bearer a.b.c", "Basic YTpi", "rk_x", "Bearer rk_"]
)
def test_malformed_header_is_refused(api, alice, header):
    client = api()
    client.credentials(HTTP_AUTHORIZATION=header)
    answer = client.get("/api/auth/me")
    assert (answer.status_code, answer["Content-Type"]) == (401, "application/problem+json")


def test_tokens_of_one_person_are_not_those_of_another(api, alice, bob):
    assert api(issue_tokens(bob)["access"]).get("/api/auth/me").json()["email"] == "bob@example.org"


def test_new_access_token_has_the_claims_of_a_first_one(alice):
    first = AccessToken(issue_tokens(alice)["access"])
    again = AccessToken(refresh_tokens(issue_tokens(alice)["refresh"])["access"])
    assert set(first.payload) == set(again.payload)


def test_refresh_token_ends_after_a_month(alice):
    token = RefreshToken.for_user(alice)
    token.set_exp(from_time=now() - timedelta(days=31))
    with pytest.raises(RefreshRefused):
        refresh_tokens(str(token))


@pytest.mark.parametrize("raw", ["", "x", "a.b.c", "rk_key"])
def test_nonsense_is_no_refresh_token(db, raw):
    with pytest.raises(RefreshRefused):
        refresh_tokens(raw)


def test_refresh_token_of_a_deactivated_person_is_refused(alice):
    token = issue_tokens(alice)["refresh"]
    User.objects.filter(pk=alice.pk).update(is_active=False)
    with pytest.raises(RefreshRefused):
        refresh_tokens(token)


def test_refresh_token_from_before_a_new_password_is_refused(alice):
    token = issue_tokens(alice)["refresh"]
    alice.set_password("another long secret")
    alice.save()
    with pytest.raises(RefreshRefused):
        refresh_tokens(token)


# --- tampered with, old, and of people who changed -----------------------------------------------------------------


def part(value: dict) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize("change", [{"hash_password": "0" * 32}, {"exp": 4_000_000_000}, {"iss": "x"}, {"more": 1}])
def test_changed_claims_under_the_old_signature_are_refused(api, alice, claims, change):
    header, _payload, signature = issue_tokens(alice)["access"].split(".")
    assert me(api, f"{header}.{part(claims | change)}.{signature}") == 401


@pytest.mark.parametrize("at", [0, 1, 2])
def test_token_without_one_of_its_parts_is_refused(api, alice, at):
    parts = issue_tokens(alice)["access"].split(".")
    assert me(api, ".".join(parts)) == 200
    parts[at] = ""
    assert me(api, ".".join(parts)) == 401


def test_signature_of_one_token_does_not_fit_another(api, alice, bob):
    first, second = (issue_tokens(user)["access"].rsplit(".", 1) for user in (alice, bob))
    assert me(api, f"{first[0]}.{second[1]}") == 401


@pytest.mark.parametrize(("seconds", "status"), [(-5, 401), (0, 401), (30, 200)])
def test_token_opens_until_its_last_second(api, claims, seconds, status):
    assert me(api, sign(claims, exp=int(now().timestamp()) + seconds)) == status


def test_token_from_before_a_new_password_stays_shut_when_the_old_one_returns(api, alice):
    token = issue_tokens(alice)["access"]
    for password in ("another long secret", PASSWORD):
        alice.set_password(password)
        alice.save()
    # The same word has a new salt.
    assert me(api, token) == 401


def test_token_outlives_a_new_name_and_address(api, alice):
    token = issue_tokens(alice)["access"]
    User.objects.filter(pk=alice.pk).update(name="Alicia", email="alicia@example.org")
    assert api(token).get("/api/auth/me").json()["email"] == "alicia@example.org"


def test_token_opens_again_for_somebody_who_was_let_back_in(api, alice):
    token = issue_tokens(alice)["access"]
    statuses = []
    for is_active in (False, True):
        User.objects.filter(pk=alice.pk).update(is_active=is_active)
        statuses.append(me(api, token))
    assert statuses == [401, 200]


def test_token_tells_nothing_but_ids_and_times(claims):
    assert not [value for value in claims.values() if "alice" in str(value).lower()]
    assert claims.keys() == {"token_type", "exp", "iat", "jti", "user_id", "hash_password", "aud", "iss"}


def test_token_of_somebody_without_a_password_opens(api, db):
    assert me(api, issue_tokens(User.objects.create_user("sso@example.org", None))["access"]) == 200


def test_role_is_looked_up_and_not_carried_by_the_token(api, bob, workspace):
    token = issue_tokens(bob)["access"]
    assert api(token).get("/api/keys").status_code == 403
    Membership.objects.filter(user=bob).update(role=Role.ADMIN)
    assert api(token).get("/api/keys").status_code == 200
