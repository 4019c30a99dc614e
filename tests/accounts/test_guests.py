import pytest
from guardian.shortcuts import assign_perm

from accounts.guests import GUEST_SHARES
from accounts.models import Membership, Role, User
from accounts.scope import workspace_scope
from accounts.services import accept_invitation, create_workspace, invite_member, remove_member
from campaigns.models import Campaign

pytestmark = pytest.mark.django_db
VIEW = "campaigns.view_campaign"


@pytest.fixture
def campaign(workspace) -> Campaign:
    with workspace_scope(workspace.pk):
        return Campaign.objects.create(workspace=workspace, name="Spring")


@pytest.fixture
def shares(monkeypatch) -> list:
    """What the owner of campaigns is asked to share."""
    asked: list = []
    monkeypatch.setitem(GUEST_SHARES, "campaign", lambda user, campaign_id: asked.append((user, campaign_id)))
    return asked


@pytest.fixture
def grace(db) -> User:
    return User.objects.create_user("grace@example.org", "correct horse battery")


def test_guest_who_joins_gets_what_the_invitation_carries(in_workspace, alice_actor, campaign, grace, shares):
    invitation = invite_member(grace.email, Role.GUEST, by=alice_actor, campaign_id=campaign.pk)
    member = accept_invitation(invitation, grace)
    assert member.role == Role.GUEST
    assert shares == [(grace, campaign.pk)]


def test_invitation_without_an_object_shares_nothing(in_workspace, alice_actor, grace, shares):
    accept_invitation(invite_member(grace.email, Role.EDITOR, by=alice_actor), grace)
    assert shares == []


def test_guest_has_no_right_on_the_workspace(gwen_actor):
    assert gwen_actor.perms == frozenset()
    assert gwen_actor.is_guest


def test_who_leaves_loses_what_was_shared(in_workspace, alice_actor, campaign, gwen):
    assign_perm(VIEW, gwen, campaign)
    assert User.objects.get(pk=gwen.pk).has_perm(VIEW, campaign)
    remove_member(Membership.objects.get(user=gwen).pk, by=alice_actor)
    assert not User.objects.get(pk=gwen.pk).has_perm(VIEW, campaign)


def test_who_leaves_keeps_what_another_workspace_shares(alice, alice_actor, workspace, campaign, gwen):
    second = create_workspace("Second", owner=alice)
    with workspace_scope(second.pk):
        theirs = Campaign.objects.create(workspace=second, name="Theirs")
    for shared in (campaign, theirs):
        assign_perm(VIEW, gwen, shared)
    with workspace_scope(workspace.pk):
        remove_member(Membership.objects.get(user=gwen, workspace=workspace).pk, by=alice_actor)
    assert User.objects.get(pk=gwen.pk).has_perm(VIEW, theirs)
    assert not User.objects.get(pk=gwen.pk).has_perm(VIEW, campaign)


def test_others_keep_what_was_shared_with_them(in_workspace, alice_actor, campaign, gwen, join):
    hugo = join("Hugo", Role.GUEST)
    for guest in (gwen, hugo):
        assign_perm(VIEW, guest, campaign)
    remove_member(Membership.objects.get(user=gwen).pk, by=alice_actor)
    assert User.objects.get(pk=hugo.pk).has_perm(VIEW, campaign)


@pytest.mark.parametrize("path", ["settings", "settings/members", "settings/keys", "settings/audit"])
def test_guest_sees_no_page_of_the_workspace(gwen_client, path):
    assert gwen_client.get(f"/w/roastery/{path}").status_code == 403


@pytest.mark.parametrize("path", ["profile", "notifications"])
def test_guest_sees_pages_of_ones_own(gwen_client, path):
    assert gwen_client.get(f"/w/roastery/{path}").status_code == 200
