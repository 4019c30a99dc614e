import base64
import json
import logging

import pytest
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret, hotp_value, yield_hotp_counters_from_time
from django.core import mail

from accounts.models import User, Workspace
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db
NEW = {"email": "Nora@Example.org", "password": "a long enough secret", "name": "Nora", "workspace": "Tea House"}


def log_in(api, **changes):
    data = {"email": "alice@example.org", "password": PASSWORD} | changes
    return api().post("/api/auth/login", data, format="json")


def claims(token: str) -> dict:
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


@pytest.fixture
def totp_secret(alice: User) -> str:
    secret = generate_totp_secret()
    TOTP.activate(alice, secret)
    return secret


def code_for(secret: str) -> str:
    counter = next(iter(yield_hotp_counters_from_time()))
    return f"{hotp_value(secret, counter):06}"


def test_register_answers_a_user_with_tokens(api):
    answer = api().post("/api/auth/register", NEW, format="json")
    assert answer.status_code == 201
    assert answer.json()["user"]["email"] == "nora@example.org"
    me = api(answer.json()["access"]).get("/api/auth/me").json()
    assert me["name"] == "Nora"


def test_register_makes_a_workspace_of_which_the_person_is_the_owner(api):
    token = api().post("/api/auth/register", NEW, format="json").json()["access"]
    workspaces = api(token).get("/api/auth/me").json()["workspaces"]
    assert [(w["name"], w["role"]) for w in workspaces] == [("Tea House", "owner")]


def test_register_mails_a_confirmation_link(api):
    api().post("/api/auth/register", NEW, format="json")
    assert [message.to for message in mail.outbox] == [["nora@example.org"]]


@pytest.mark.parametrize(
    ("field", "value"),
    [("email", "not an address"), ("password", "short"), ("password", "nora@example.org"), ("email", "")],
)
def test_register_names_the_field_that_is_wrong(api, field, value):
    answer = api().post("/api/auth/register", NEW | {field: value}, format="json")
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [field]
    assert not User.objects.exists()


def test_register_refuses_an_address_that_has_an_account(api, alice):
    answer = api().post("/api/auth/register", NEW | {"email": "ALICE@example.org"}, format="json")
    assert answer.status_code == 400
    assert "email" in answer.json()["errors"]


@pytest.fixture
def confirmed_only(monkeypatch):
    monkeypatch.setattr("django.conf.settings.ACCOUNT_EMAIL_VERIFICATION", "mandatory")


def test_where_addresses_are_confirmed_first_register_answers_a_taken_and_a_free_one_alike(api, alice, confirmed_only):
    taken = api().post("/api/auth/register", NEW | {"email": "alice@example.org"}, format="json")
    free = api().post("/api/auth/register", NEW, format="json")
    assert taken.status_code == free.status_code == 201
    assert taken.json() == free.json() == {"access": None, "refresh": None, "expires_in": None, "user": None}


def test_where_addresses_are_confirmed_first_log_in_waits_for_it(api, alice, confirmed_only):
    answer = log_in(api)
    assert (answer.status_code, answer.json()["code"]) == (401, "email_unverified")


def test_log_in_answers_tokens_that_open_the_api(api, alice):
    answer = log_in(api)
    assert answer.status_code == 200
    assert answer.json()["expires_in"] == 900
    assert api(answer.json()["access"]).get("/api/auth/me").status_code == 200


def test_access_token_is_for_the_api_and_lives_a_quarter_of_an_hour(api, alice):
    found = claims(log_in(api).json()["access"])
    assert found["aud"] == "api"
    assert found["exp"] - found["iat"] == 900


def test_log_in_answers_a_wrong_password_and_an_unknown_address_alike(api, alice):
    wrong = log_in(api, password="not this one")
    unknown = log_in(api, email="nobody@example.org")
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.content == unknown.content


def test_log_in_answers_a_deactivated_person_like_an_unknown_one(api, alice):
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert log_in(api).content == log_in(api, email="nobody@example.org").content


def test_log_in_ignores_a_stale_token(api, alice):
    client = api("stale.stale.stale")
    data = {"email": "alice@example.org", "password": PASSWORD}
    assert client.post("/api/auth/login", data, format="json").status_code == 200


def test_sixth_wrong_password_in_five_minutes_is_refused_even_if_it_is_right(api, alice):
    for _ in range(5):
        assert log_in(api, password="not this one").status_code == 401
    answer = log_in(api)
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_attempts")
    assert int(answer["Retry-After"]) > 0


def test_wrong_passwords_at_the_api_and_on_the_page_count_together(api, alice, client):
    for _ in range(5):
        client.post("/accounts/login/", {"login": "alice@example.org", "password": "not this one"})
    assert log_in(api).status_code == 429


def test_auth_routes_are_throttled_by_address(api, alice, monkeypatch):
    monkeypatch.setattr("accounts.throttling.AuthThrottle.rate", "2/min", raising=False)
    answers = [api().post("/api/auth/refresh", {"refresh": "x"}, format="json") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [401, 401, 429]
    assert answers[0]["RateLimit-Remaining"] == "1"
    assert answers[2]["Content-Type"] == "application/problem+json"


def test_throttle_does_not_believe_a_forwarded_address(api, alice, monkeypatch):
    monkeypatch.setattr("accounts.throttling.AuthThrottle.rate", "1/min", raising=False)
    send = api().post
    send("/api/auth/refresh", {"refresh": "x"}, format="json", HTTP_X_FORWARDED_FOR="198.51.100.1")
    answer = send("/api/auth/refresh", {"refresh": "x"}, format="json", HTTP_X_FORWARDED_FOR="198.51.100.2")
    assert answer.status_code == 429


def test_log_in_asks_for_a_code_where_two_factors_are_on(api, alice, totp_secret):
    answer = log_in(api)
    assert (answer.status_code, answer.json()["code"]) == (401, "mfa_required")


def test_log_in_with_a_wrong_password_does_not_tell_that_two_factors_are_on(api, alice, totp_secret):
    assert log_in(api, password="not this one").json()["code"] == "invalid_credentials"


def test_log_in_takes_the_code_of_the_authenticator_app(api, alice, totp_secret):
    assert log_in(api, code=code_for(totp_secret)).status_code == 200


def test_log_in_refuses_a_code_that_was_used(api, alice, totp_secret):
    code = code_for(totp_secret)
    assert log_in(api, code=code).status_code == 200
    assert log_in(api, code=code).json()["code"] == "invalid_code"


def test_log_in_takes_a_recovery_code_once(api, alice, totp_secret):
    code = RecoveryCodes.activate(alice).get_unused_codes()[0]
    assert log_in(api, code=code).status_code == 200
    assert log_in(api, code=code).json()["code"] == "invalid_code"


def test_wrong_codes_are_limited(api, alice, totp_secret):
    answers = [log_in(api, code="000000").json()["code"] for _ in range(6)]
    assert answers[-1] == "too_many_attempts"


def test_totp_secret_is_stored_encrypted(alice, totp_secret):
    stored = Authenticator.objects.get(user=alice).data["secret"]
    assert totp_secret not in stored
    assert get_adapter().decrypt(stored) == totp_secret


def test_refresh_brings_a_new_access_token(api, alice):
    refresh = log_in(api).json()["refresh"]
    answer = api().post("/api/auth/refresh", {"refresh": refresh}, format="json")
    assert api(answer.json()["access"]).get("/api/auth/me").status_code == 200


def test_access_token_is_no_refresh_token(api, alice):
    access = log_in(api).json()["access"]
    answer = api().post("/api/auth/refresh", {"refresh": access}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (401, "token_not_valid")


def test_refresh_token_opens_no_route(api, alice):
    refresh = log_in(api).json()["refresh"]
    assert api(refresh).get("/api/auth/me").status_code == 401


def test_refresh_fails_for_a_person_who_is_gone(api, alice):
    refresh = log_in(api).json()["refresh"]
    alice.delete()
    assert api().post("/api/auth/refresh", {"refresh": refresh}, format="json").status_code == 401


def test_new_password_ends_every_token(api, alice):
    tokens = log_in(api).json()
    alice.set_password("another long secret")
    alice.save()
    assert api(tokens["access"]).get("/api/auth/me").status_code == 401
    assert api().post("/api/auth/refresh", {"refresh": tokens["refresh"]}, format="json").status_code == 401


def test_deactivated_person_loses_access_at_once(api, alice):
    token = log_in(api).json()["access"]
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert api(token).get("/api/auth/me").status_code == 401


def test_me_lists_the_workspaces_with_roles(api, alice, workspace, bob):
    assert [(w["slug"], w["role"]) for w in api(bob).get("/api/auth/me").json()["workspaces"]] == [
        ("roastery", "editor")
    ]


def test_me_changes_name_and_time_zone(api, alice):
    answer = api(alice).patch("/api/auth/me", {"name": "Alicia", "time_zone": "Asia/Shanghai"}, format="json")
    assert answer.status_code == 200
    alice.refresh_from_db()
    assert (alice.name, alice.time_zone) == ("Alicia", "Asia/Shanghai")


def test_me_does_not_change_the_address(api, alice):
    api(alice).patch("/api/auth/me", {"email": "root@example.org"}, format="json")
    alice.refresh_from_db()
    assert alice.email == "alice@example.org"


def test_me_refuses_an_unknown_time_zone(api, alice):
    answer = api(alice).patch("/api/auth/me", {"time_zone": "Mars/Olympus"}, format="json")
    assert list(answer.json()["errors"]) == ["time_zone"]


def test_me_by_api_key_shows_only_the_workspace_of_the_key(api, api_key, alice, workspace, other_workspace):
    other_workspace.memberships.create(user=alice, role="admin")
    me = api(api_key("read")).get("/api/auth/me").json()
    assert [w["slug"] for w in me["workspaces"]] == [workspace.slug]


def test_api_key_cannot_change_the_person_who_made_it(api, api_key):
    assert api(api_key()).patch("/api/auth/me", {"name": "Mallory"}, format="json").status_code == 403


def test_nobody_is_nobody(api, db):
    answer = api().get("/api/auth/me")
    assert (answer.status_code, answer["Content-Type"]) == (401, "application/problem+json")


def test_passwords_and_tokens_reach_no_log(api, alice, caplog):
    caplog.set_level(logging.DEBUG)
    tokens = log_in(api).json()
    api().post("/api/auth/refresh", {"refresh": tokens["refresh"]}, format="json")
    api(tokens["access"]).get("/api/auth/me")
    assert caplog.text
    assert not [secret for secret in (PASSWORD, tokens["access"], tokens["refresh"]) if secret in caplog.text]


def test_registration_with_an_odd_zone_still_works(api):
    answer = api().post("/api/auth/register", NEW | {"time_zone": "Mars/Olympus"}, format="json")
    assert answer.status_code == 201
    assert Workspace.objects.get().time_zone == "UTC"
