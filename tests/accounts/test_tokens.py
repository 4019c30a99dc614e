from datetime import timedelta

import jwt
import pytest
from django.conf import settings
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from accounts.models import User
from accounts.tokens import RefreshRefused, issue_tokens, refresh_tokens
from lib.clock import now

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
