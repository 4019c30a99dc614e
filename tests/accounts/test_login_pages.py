"""Log-in, sign-up, password reset and two factors in the browser: allauth's pages with our adapters and settings."""

import re

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import hotp_value, yield_hotp_counters_from_time
from django.core import mail

from accounts.models import Membership, User, Workspace
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db
LOGIN = {"login": "alice@example.org", "password": PASSWORD}
SIGN_UP = {"email": "nora@example.org", "password1": "a long enough secret", "name": "Nora", "workspace": "Tea House"}


def is_logged_in(client) -> bool:
    return "_auth_user_id" in client.session


def code_for(secret: str) -> str:
    return f"{hotp_value(secret, next(iter(yield_hotp_counters_from_time()))):06}"


# --- log-in ------------------------------------------------------------------------------------------------------


def test_log_in_with_the_right_password(client, alice, workspace):
    assert client.post("/accounts/login/", LOGIN).status_code == 302
    assert is_logged_in(client)


def test_log_in_does_not_mind_capitals_in_the_address(client, alice):
    client.post("/accounts/login/", LOGIN | {"login": "Alice@Example.ORG"})
    assert is_logged_in(client)


def test_wrong_password_and_unknown_address_are_answered_alike(client, alice):
    wrong = client.post("/accounts/login/", LOGIN | {"password": "not this one"})
    unknown = client.post("/accounts/login/", LOGIN | {"login": "nobody@example.org"})
    assert wrong.context["form"].errors == unknown.context["form"].errors
    assert not is_logged_in(client)


def test_deactivated_person_is_not_let_in(client, alice):
    User.objects.filter(pk=alice.pk).update(is_active=False)
    client.post("/accounts/login/", LOGIN)
    assert not is_logged_in(client)


def test_sixth_wrong_password_locks_the_address_for_a_while(client, alice):
    for _ in range(5):
        client.post("/accounts/login/", LOGIN | {"password": "not this one"})
    client.post("/accounts/login/", LOGIN)
    assert not is_logged_in(client)


def test_locked_address_does_not_lock_another(client, alice, bob):
    for _ in range(5):
        client.post("/accounts/login/", LOGIN | {"password": "not this one"})
    client.post("/accounts/login/", LOGIN | {"login": "bob@example.org"})
    assert is_logged_in(client)


@pytest.mark.parametrize("address", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_log_in_leads_to_no_other_site(client, alice, workspace, address):
    response = client.post("/accounts/login/", LOGIN | {"next": address})
    assert response.url == "/w/roastery/"


def test_log_in_leads_back_to_the_page(client, alice, workspace):
    response = client.post("/accounts/login/", LOGIN | {"next": "/w/roastery/settings/keys"})
    assert response.url == "/w/roastery/settings/keys"


def test_session_cookie_is_out_of_reach_of_scripts(client, alice):
    client.post("/accounts/login/", LOGIN)
    cookie = client.cookies["session"]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")


def test_session_begins_anew_at_log_in(client, alice):
    client.get("/accounts/login/")
    session = client.session
    session["planted"] = "x"
    session.save()
    client.cookies["session"] = before = session.session_key
    client.post("/accounts/login/", LOGIN)
    assert client.cookies["session"].value != before


def test_log_out_needs_a_button(alice_client):
    alice_client.get("/accounts/logout/")
    assert is_logged_in(alice_client)
    alice_client.post("/accounts/logout/")
    assert not is_logged_in(alice_client)


# --- sign-up -----------------------------------------------------------------------------------------------------


def test_sign_up_makes_person_workspace_and_session(client, db):
    client.post("/accounts/signup/", SIGN_UP)
    member = Membership.objects.select_related("user", "workspace").get()
    assert (member.user.name, member.workspace.name, member.role) == ("Nora", "Tea House", "owner")
    assert is_logged_in(client)


def test_workspace_is_named_after_the_person_where_no_name_was_given(client, db):
    client.post("/accounts/signup/", SIGN_UP | {"workspace": ""})
    assert Workspace.objects.get().name == "Nora's workspace"


@pytest.mark.parametrize(
    ("name", "value"), [("email", "x"), ("password1", "short"), ("password1", "password123"), ("name", "x" * 121)]
)
def test_wrong_sign_up_is_explained_and_nothing_is_lost(client, db, name, value):
    response = client.post("/accounts/signup/", SIGN_UP | {name: value})
    assert name in response.context["form"].errors
    assert 'value="Tea House"' in response.content.decode()
    assert not User.objects.exists()


def test_password_is_never_written_back_into_the_page(client, db):
    response = client.post("/accounts/signup/", SIGN_UP | {"email": "x"})
    assert SIGN_UP["password1"] not in response.content.decode()


def test_address_is_confirmed_by_the_mailed_link(client, db):
    client.post("/accounts/signup/", SIGN_UP)
    link = re.search(r"http://testserver(/accounts/confirm-email/\S+)", mail.outbox[0].body)[1]
    client.post(link)
    assert EmailAddress.objects.get().verified


def test_password_is_stored_hashed(client, db):
    client.post("/accounts/signup/", SIGN_UP)
    assert SIGN_UP["password1"] not in User.objects.get().password


# --- password reset ------------------------------------------------------------------------------------------------


def ask_for_reset(client, email: str = "alice@example.org") -> str:
    response = client.post("/accounts/password/reset/", {"email": email})
    assert response.url == "/accounts/password/reset/done/"
    return re.search(r"http://testserver(/accounts/password/reset/key/\S+)", mail.outbox[-1].body)[1]


def set_password(client, link: str, password: str):
    form = client.get(link, follow=True)
    return client.post(form.request["PATH_INFO"], {"password1": password, "password2": password})


def test_reset_lets_in_with_the_new_password(client, alice):
    set_password(client, ask_for_reset(client), "a new long secret")
    client.post("/accounts/logout/")
    client.post("/accounts/login/", LOGIN | {"password": "a new long secret"})
    assert is_logged_in(client)


def test_reset_link_works_once(client, alice):
    link = ask_for_reset(client)
    set_password(client, link, "a new long secret")
    set_password(client, link, "yet another secret")
    alice.refresh_from_db()
    assert alice.check_password("a new long secret")


def test_reset_ends_the_sessions_of_before(client, alice_client, alice):
    set_password(client, ask_for_reset(client), "a new long secret")
    assert alice_client.get("/profile").status_code == 302


def test_reset_of_an_unknown_address_is_answered_alike(client, alice):
    known = client.post("/accounts/password/reset/", {"email": "alice@example.org"})
    unknown = client.post("/accounts/password/reset/", {"email": "nobody@example.org"})
    assert (known.status_code, known.url) == (unknown.status_code, unknown.url)


# --- two factors -----------------------------------------------------------------------------------------------------


@pytest.fixture
def recent(client, alice, workspace):
    """Alice, who has just given her password: what is needed to change how she logs in."""
    EmailAddress.objects.create(user=alice, email=alice.email, verified=True, primary=True)
    client.post("/accounts/login/", LOGIN)
    return client


def activate(client) -> str:
    secret = client.get("/accounts/2fa/totp/activate/").context["form"].secret
    client.post("/accounts/2fa/totp/activate/", {"code": code_for(secret)})
    return secret


def test_two_factors_are_switched_on_with_a_code(recent, alice):
    activate(recent)
    assert set(Authenticator.objects.filter(user=alice).values_list("type", flat=True)) == {"totp", "recovery_codes"}


def test_wrong_code_switches_nothing_on(recent):
    recent.get("/accounts/2fa/totp/activate/")
    recent.post("/accounts/2fa/totp/activate/", {"code": "000000"})
    assert not Authenticator.objects.exists()


def test_secret_of_the_second_factor_is_stored_encrypted(recent):
    secret = activate(recent)
    assert secret not in str(list(Authenticator.objects.values_list("data", flat=True)))


def test_log_in_then_needs_the_code(recent):
    secret = activate(recent)
    recent.post("/accounts/logout/")
    response = recent.post("/accounts/login/", LOGIN)
    assert response.url.startswith("/accounts/2fa/authenticate/")
    assert not is_logged_in(recent)
    recent.post("/accounts/2fa/authenticate/", {"code": next_code(secret)})
    assert is_logged_in(recent)


def next_code(secret: str) -> str:
    """Of the next half minute: the present one was used up by switching on."""
    counters = list(yield_hotp_counters_from_time())
    return f"{hotp_value(secret, max(counters)):06}"


def test_log_in_with_a_wrong_code_is_refused(recent):
    activate(recent)
    recent.post("/accounts/logout/")
    recent.post("/accounts/login/", LOGIN)
    recent.post("/accounts/2fa/authenticate/", {"code": "000000"})
    assert not is_logged_in(recent)


def test_recovery_code_lets_in(recent):
    activate(recent)
    page = recent.get("/accounts/2fa/recovery-codes/")
    code = page.context["unused_codes"][0]
    recent.post("/accounts/logout/")
    recent.post("/accounts/login/", LOGIN)
    recent.post("/accounts/2fa/authenticate/", {"code": code})
    assert is_logged_in(recent)
