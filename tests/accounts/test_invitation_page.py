from datetime import timedelta

import pytest
from django.core import signing

from accounts.models import AuditEntry, Invitation, Membership, Role, User, Workspace
from accounts.scope import workspace_scope
from accounts.services import invitation_token, invite_member
from lib.clock import shifted
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db
SIGN_UP = {"email": "new@example.org", "password1": "a long enough secret", "name": "Nora"}


@pytest.fixture
def invitation(workspace, alice_actor) -> Invitation:
    with workspace_scope(workspace.pk):
        return invite_member("new@example.org", Role.REVIEWER, by=alice_actor)


@pytest.fixture
def address(invitation) -> str:
    return f"/invitations/{invitation_token(invitation)}"


@pytest.fixture
def nora(db) -> User:
    return User.objects.create_user("new@example.org", PASSWORD, name="Nora")


def test_page_says_who_invites_where(client, address):
    html = client.get(address).content.decode()
    assert "Join Roastery" in html
    assert "Alice invites you as reviewer" in " ".join(html.split())


def test_stranger_is_offered_to_sign_up_or_log_in_and_comes_back(client, address):
    html = client.get(address).content.decode()
    back = address.replace("/", "%2F").replace(":", "%3A")
    assert f"/accounts/signup/?next={back}&amp;email=new%40example.org" in html
    assert f"/accounts/login/?next={back}" in html


def test_sign_up_by_invitation_makes_no_workspace_of_ones_own(client, address):
    client.get(address)
    response = client.post(f"/accounts/signup/?next={address}", SIGN_UP | {"next": address})
    assert response.url == address
    assert Workspace.objects.count() == 1
    assert User.objects.get(email="new@example.org").name == "Nora"


def test_sign_up_without_an_invitation_makes_a_workspace(client, db):
    response = client.post("/accounts/signup/", SIGN_UP | {"workspace": "Tea House", "time_zone": "Asia/Shanghai"})
    made = Workspace.objects.get()
    assert (made.name, made.time_zone) == ("Tea House", "Asia/Shanghai")
    assert response.url == "/w/tea-house/"


def test_accepting_makes_a_member_with_the_role(client_of, nora, address, workspace):
    response = client_of(nora).post(address)
    assert response.url == "/w/roastery/"
    assert Membership.objects.get(user=nora).role == Role.REVIEWER
    with workspace_scope(workspace.pk):
        assert AuditEntry.objects.order_by("-number")[0].action == "member.join"


def test_invitation_survives_the_log_in(client, nora, address):
    client.get(address)
    response = client.post("/accounts/login/", {"login": nora.email, "password": PASSWORD, "next": address})
    assert response.url == address
    client.post(address)
    assert Membership.objects.filter(user=nora).exists()


def test_looking_is_not_accepting(client_of, nora, address):
    client_of(nora).get(address)
    assert not Membership.objects.filter(user=nora).exists()


def test_accepting_needs_a_log_in(client, address):
    client.post(address)
    assert Membership.objects.count() == 1


def test_other_address_is_explained(charlie_client, address):
    html = " ".join(charlie_client.get(address).content.decode().split())
    assert "This invitation is for <b>new@example.org</b>, and you are logged in as <b>charlie@example.org</b>" in html


def test_other_address_is_refused(charlie, charlie_client, address, workspace):
    html = charlie_client.post(address).content.decode()
    assert "This invitation is for new@example.org. Log in with that address." in html
    assert not Membership.objects.filter(user=charlie, workspace=workspace).exists()


def test_logging_out_from_the_wrong_address_leads_back(charlie_client, address):
    response = charlie_client.post("/accounts/logout/", {"next": address})
    assert response.url == address


def test_invitation_works_once(client_of, nora, address):
    client = client_of(nora)
    client.post(address)
    response = client.post(address)
    assert response.status_code == 410
    assert "no longer works" in response.content.decode()


def test_withdrawn_invitation_no_longer_works(client, address, invitation):
    invitation.delete()
    assert client.get(address).status_code == 410


def test_old_invitation_no_longer_works(client, address):
    with shifted(timedelta(days=8)):
        assert client.get(address).status_code == 410


def test_forged_token_does_not_work(client, invitation):
    good = invitation_token(invitation)
    assert client.get(f"/invitations/{good[:-2]}xx").status_code == 410
    assert client.get(f"/invitations/{invitation.pk}").status_code == 410


def test_token_for_something_else_does_not_work(client, invitation):
    assert client.get(f"/invitations/{signing.dumps(invitation.pk, salt='other')}").status_code == 410


def test_withdrawn_invitation_is_forgotten_at_sign_up(client, address, invitation):
    client.get(address)
    invitation.delete()
    client.get(address)
    client.post("/accounts/signup/", SIGN_UP)
    assert Workspace.objects.count() == 2


def test_person_who_is_a_member_already_keeps_the_role(client_of, nora, address, workspace):
    Membership.objects.create(user=nora, workspace=workspace, role=Role.ADMIN)
    client_of(nora).post(address)
    assert Membership.objects.get(user=nora).role == Role.ADMIN
