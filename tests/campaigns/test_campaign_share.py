import pytest
from django.test import Client

from accounts.models import Invitation, Membership, Role, User
from accounts.services import accept_invitation
from campaigns.access import visible_campaigns
from campaigns.models import Campaign
from campaigns.services import share_campaign


@pytest.fixture
def address(campaign: Campaign) -> str:
    return f"/campaigns/{campaign.pk}"


def guests(client: Client, address: str) -> list[str]:
    return [guest.email for guest in client.get(address).context["guests"]]


def test_a_guest_who_is_here_sees_it_at_once(alice_client: Client, gwen: User, gwen_actor, address: str) -> None:
    response = alice_client.post(f"{address}/share", {"email": gwen.email}, follow=True)
    assert guests(alice_client, address) == [gwen.email]
    assert visible_campaigns(gwen_actor).count() == 1
    assert "can see Spring now" in response.content.decode()


def test_the_address_is_not_case_sensitive(alice_client: Client, gwen: User, address: str) -> None:
    alice_client.post(f"{address}/share", {"email": gwen.email.upper()})
    assert guests(alice_client, address) == [gwen.email]


def test_somebody_new_is_invited_as_a_guest_of_this_campaign(alice_client: Client, campaign, address: str) -> None:
    alice_client.post(f"{address}/share", {"email": "client@example.org"})
    invitation = Invitation.objects.get()
    assert (invitation.email, invitation.role, invitation.campaign_id) == (
        "client@example.org",
        Role.GUEST,
        campaign.pk,
    )


def test_the_invited_guest_sees_it_after_joining(alice_client: Client, address: str, actor_of) -> None:
    alice_client.post(f"{address}/share", {"email": "client@example.org"})
    user = User.objects.create_user("client@example.org", "pw")
    accept_invitation(Invitation.objects.get(), user)
    assert [campaign.name for campaign in visible_campaigns(actor_of(user))] == ["Spring"]


def test_members_need_no_share(alice_client: Client, bob: User, address: str) -> None:
    response = alice_client.post(f"{address}/share", {"email": bob.email})
    assert response.status_code == 422
    assert "members see all of them" in response.content.decode()


def test_a_wrong_address_is_told_beside_the_field_and_kept(alice_client: Client, address: str) -> None:
    response = alice_client.post(f"{address}/share", {"email": "not-an-address"})
    assert response.status_code == 422
    assert 'value="not-an-address"' in response.content.decode()


def test_sharing_can_be_ended(alice_client: Client, gwen: User, gwen_actor, alice_actor, campaign, address) -> None:
    share_campaign(campaign, gwen, by=alice_actor)
    alice_client.post(f"{address}/unshare", {"email": gwen.email})
    assert guests(alice_client, address) == []
    assert not visible_campaigns(gwen_actor).exists()


def test_ending_what_was_never_shared_changes_nothing(alice_client: Client, charlie: User, address: str) -> None:
    assert alice_client.post(f"{address}/unshare", {"email": charlie.email}).status_code == 302


def test_who_became_a_member_is_no_longer_listed(alice_client, gwen, alice_actor, campaign, address) -> None:
    share_campaign(campaign, gwen, by=alice_actor)
    Membership.objects.filter(user=gwen).update(role=Role.EDITOR)
    assert guests(alice_client, address) == []


def test_an_editor_may_not_share(bob_client: Client, gwen: User, gwen_actor, address: str) -> None:
    assert bob_client.post(f"{address}/share", {"email": gwen.email}).status_code == 403
    assert not visible_campaigns(gwen_actor).exists()
    assert "share_form" not in bob_client.get(address).context


def test_joining_after_the_campaign_was_deleted_works(alice_client: Client, campaign, address: str, actor_of) -> None:
    alice_client.post(f"{address}/share", {"email": "client@example.org"})
    campaign.delete()
    user = User.objects.create_user("client@example.org", "pw")
    assert accept_invitation(Invitation.objects.get(), user).role == Role.GUEST
