"""Ways back in, or up, for people who lost their rights or never had them."""

import pytest
from django.contrib.auth.models import Permission
from django.http import Http404

from accounts.access import Actor
from accounts.models import AuditEntry, Invitation, Membership, Role, User
from accounts.services import change_role, find_invitation, invitation_token, invite_member, remove_member

pytestmark = pytest.mark.django_db


@pytest.fixture
def adam(join) -> User:
    return join("Adam", Role.ADMIN)


@pytest.fixture
def adam_actor(actor_of, adam: User) -> Actor:
    return actor_of(adam)


@pytest.fixture
def back_door(adam_actor, in_workspace) -> str:
    """Adam has invited another address of his own."""
    return invitation_token(invite_member("adam2@example.org", Role.ADMIN, by=adam_actor))


def member_id(user: User) -> int:
    return Membership.objects.get(user=user).pk


def test_invitation_works_while_its_author_may_invite(back_door):
    assert find_invitation(back_door).email == "adam2@example.org"


def test_removed_admin_cannot_come_back_by_an_invitation_of_his_own(back_door, adam, alice_actor):
    remove_member(member_id(adam), by=alice_actor)
    assert find_invitation(back_door) is None


@pytest.mark.parametrize("role", [Role.EDITOR, Role.VIEWER, Role.GUEST])
def test_demoted_admin_cannot_rise_again_by_an_invitation_of_his_own(back_door, adam, alice_actor, role):
    change_role(member_id(adam), role, by=alice_actor)
    assert find_invitation(back_door) is None


def test_withdrawn_invitations_stand_in_the_audit_trail(back_door, adam, alice_actor):
    remove_member(member_id(adam), by=alice_actor)
    entry = AuditEntry.objects.get(action="member.uninvite")
    assert (entry.detail.actor, entry.detail.data["email"]) == ("alice@example.org", "adam2@example.org")


def test_promoted_admin_keeps_his_invitations(back_door, adam, alice_actor):
    change_role(member_id(adam), Role.OWNER, by=alice_actor)
    assert find_invitation(back_door) is not None


def test_invitations_of_others_stay_when_somebody_leaves(adam, alice_actor, in_workspace):
    invite_member("new@example.org", Role.VIEWER, by=alice_actor)
    remove_member(member_id(adam), by=alice_actor)
    assert Invitation.objects.get().email == "new@example.org"


def test_invitations_into_other_workspaces_stay(adam, alice_actor, charlie_actor, in_workspace, other_workspace):
    Invitation.objects.create(
        workspace=other_workspace,
        email="new@example.org",
        role=Role.VIEWER,
        invited_by=adam,
        expires_at="2100-01-01T00:00Z",
    )
    remove_member(member_id(adam), by=alice_actor)
    assert Invitation.objects.get().workspace == other_workspace


def test_member_of_another_workspace_cannot_be_removed_by_number(charlie, alice_actor, in_workspace, other_workspace):
    with pytest.raises(Http404):
        remove_member(member_id(charlie), by=alice_actor)


# --- staff ----------------------------------------------------------------------------------------------------


@pytest.fixture
def moderator(db) -> User:
    user = User.objects.create_user("moderator@example.org", "correct horse battery", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_user", "change_user"]))
    return user


def post_address(client, user: User, email: str):
    form = {"email": email, "is_active": "on", "memberships-TOTAL_FORMS": 0, "memberships-INITIAL_FORMS": 0}
    return client.post(f"/admin/accounts/user/{user.pk}/change/", form)


def test_moderator_cannot_take_the_account_of_other_staff_by_their_address(client_of, moderator):
    other = User.objects.create_user("other@example.org", "correct horse battery", is_staff=True)
    assert post_address(client_of(moderator), other, "mine@example.org").status_code == 403
    other.refresh_from_db()
    assert other.email == "other@example.org"


def test_moderator_still_changes_a_customer(client_of, moderator, alice):
    assert post_address(client_of(moderator), alice, "alice2@example.org").status_code == 302
    alice.refresh_from_db()
    assert alice.email == "alice2@example.org"
