"""What allauth does for us in our own way: sign-up, the way on after it, mails and second factors."""

import re

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.core import mail
from hypothesis import given
from hypothesis import strategies as st

from accounts.adapter import MFAAdapter
from accounts.models import Membership, Role, User, Workspace
from accounts.scope import workspace_scope
from accounts.services import create_workspace, invitation_token, invite_member
from lib.crypto import UnreadableSecret
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db
SIGN_UP = {"email": "nora@example.org", "password1": "a long enough secret"}


def sign_up(client, **data: str):
    return client.post("/accounts/signup/", SIGN_UP | data)


@pytest.fixture
def invited(client, workspace, alice_actor) -> str:
    """The address of an invitation that this browser has looked at."""
    with workspace_scope(workspace.pk):
        found = invite_member("nora@example.org", Role.EDITOR, by=alice_actor)
    address = f"/invitations/{invitation_token(found)}"
    client.get(address)
    return address


# --- sign-up ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ({"workspace": "烘焙坊"}, "烘焙坊"),
        ({"name": "Nora"}, "Nora's workspace"),
        ({}, "nora's workspace"),
        ({"workspace": "   ", "name": "  "}, "nora's workspace"),
        ({"name": "N" * 120}, "N" * 80),
    ],
)
def test_first_workspace_is_called_by_the_best_name_there_is(client, data, name):
    sign_up(client, **data)
    assert Workspace.objects.get().name == name


def test_sign_up_leads_into_the_new_workspace(client):
    assert sign_up(client, workspace="Tea House").url == "/w/tea-house/"


def test_zone_of_the_browser_becomes_that_of_the_workspace(client):
    sign_up(client, time_zone="Asia/Shanghai")
    assert Workspace.objects.get().time_zone == "Asia/Shanghai"


def test_refused_sign_up_leaves_neither_person_nor_workspace(client):
    sign_up(client, password1="short")
    assert (User.objects.count(), Workspace.objects.count()) == (0, 0)


def test_who_signs_up_with_another_address_than_the_invited_one_is_asked_to_make_a_workspace(client, invited):
    sign_up(client, email="other@example.org")
    assert Workspace.objects.count() == 1
    assert client.get("/settings").url == "/workspaces/new"


def test_invited_person_signs_up_accepts_and_has_one_workspace(client, invited):
    sign_up(client, next=invited)
    assert client.post(invited).url == "/w/roastery/"
    assert Membership.objects.get(user__email="nora@example.org").workspace.slug == "roastery"


def test_somebody_else_at_the_same_browser_gets_a_workspace_of_their_own(client, invited):
    sign_up(client, next=invited)
    client.post(invited)
    client.post("/accounts/logout/")
    sign_up(client, email="second@example.org", workspace="Second")
    assert Membership.objects.get(user__email="second@example.org").role == Role.OWNER


def test_log_in_leads_to_the_workspace_used_last(client, alice, workspace):
    create_workspace("Second", owner=alice)
    data = {"login": alice.email, "password": PASSWORD}
    assert client.post("/accounts/login/", data).url == "/w/second/"


def test_log_in_of_somebody_without_a_workspace_leads_somewhere(client, charlie):
    response = client.post("/accounts/login/", {"login": charlie.email, "password": PASSWORD}, follow=True)
    assert (response.status_code, response.request["PATH_INFO"]) == (200, "/workspaces/new")


# --- mails -----------------------------------------------------------------------------------------------------------


def test_mailed_confirmation_has_no_workspace_in_its_address(alice_client, alice):
    EmailAddress.objects.create(user=alice, email=alice.email, primary=True)
    alice_client.post("/w/roastery/accounts/email/", {"action_send": "", "email": alice.email})
    link = re.search(r"https?://\S+", mail.outbox[-1].body)[0]
    assert "/accounts/confirm-email/" in link
    assert "/w/" not in link


def test_link_of_a_mail_opens_for_somebody_outside_the_workspace(alice_client, alice, client):
    EmailAddress.objects.create(user=alice, email=alice.email, primary=True)
    alice_client.post("/w/roastery/accounts/email/", {"action_send": "", "email": alice.email})
    path = re.search(r"https?://[^/]+(/\S+)", mail.outbox[-1].body)[1]
    assert client.get(path).status_code == 200


# --- second factors --------------------------------------------------------------------------------------------------


@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_secret_of_a_second_factor_comes_back_as_it_was(text):
    adapter = MFAAdapter()
    stored = adapter.encrypt(text)
    assert adapter.decrypt(stored) == text
    assert re.fullmatch(r"[0-9a-f]{100,}", stored)


def test_same_secret_is_stored_differently_each_time():
    adapter = MFAAdapter()
    assert adapter.encrypt("JBSWY3DPEHPK3PXP") != adapter.encrypt("JBSWY3DPEHPK3PXP")


@pytest.mark.parametrize("at", [0, 20, -1])
def test_secret_that_was_tampered_with_is_not_read(at):
    stored = bytearray.fromhex(MFAAdapter().encrypt("JBSWY3DPEHPK3PXP"))
    stored[at] ^= 1
    with pytest.raises(UnreadableSecret):
        MFAAdapter().decrypt(stored.hex())


def test_neither_secret_nor_recovery_codes_stand_in_the_database(alice):
    TOTP.activate(alice, "JBSWY3DPEHPK3PXP")
    codes = RecoveryCodes.activate(alice).get_unused_codes()
    stored = str(list(Authenticator.objects.values_list("data", flat=True)))
    assert len(codes) >= 8
    assert not [secret for secret in ["JBSWY3DPEHPK3PXP", *codes] if secret in stored]
