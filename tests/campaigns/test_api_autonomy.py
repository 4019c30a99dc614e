"""/api/campaigns/{id}/policy: the dial, signed and ended by a member."""

import pytest

from accounts.models import AuditEntry, Membership
from campaigns.autonomy import open_policy
from campaigns.models import AutonomyPolicy, Delivery
from campaigns.services import share_campaign
from tests.campaigns.cast import add_post

pytestmark = pytest.mark.django_db
SIGNED = {"mode": "automatic", "max_risk": "medium", "budget_micro": 1_000_000}
NONE = {
    "mode": "human",
    "max_risk": None,
    "budget_micro": None,
    "spent_micro": None,
    "signed_by": None,
    "signed_at": None,
    "holds": False,
}


@pytest.fixture
def address(campaign) -> str:
    return f"/api/campaigns/{campaign.pk}/policy"


@pytest.fixture
def sign(api, rita, address):
    """rita's answer to signing."""

    def put(**fields):
        return api(rita).put(address, SIGNED | fields, format="json")

    return put


def test_without_a_policy_a_person_approves(api, vic, address):
    assert api(vic).get(address).json() == NONE


def test_it_is_signed_read_and_ended(api, rita, vic, address, sign, campaign):
    signed = sign()
    assert signed.status_code == 200
    assert signed.json() == api(vic).get(address).json()
    facts = {name: signed.json()[name] for name in (*SIGNED, "spent_micro", "signed_by", "holds")}
    assert facts == SIGNED | {"spent_micro": 0, "signed_by": rita.email, "holds": True}
    assert [api(rita).delete(address).status_code for _ in range(2)] == [204, 204]
    assert api(vic).get(address).json() == NONE
    assert AuditEntry.objects.filter(action="autonomy.revoke").count() == 1


def test_what_is_left_out_is_the_strictest(api, rita, address):
    answer = api(rita).put(address, {"mode": "automatic"}, format="json").json()
    assert (answer["max_risk"], answer["budget_micro"]) == ("low", 0)


def test_a_new_one_takes_the_place_of_the_one_before(sign, campaign):
    sign()
    assert sign(mode="draft_only").json()["mode"] == "draft_only"
    assert AutonomyPolicy.objects.filter(campaign=campaign).count() == 2
    assert open_policy(campaign.pk).mode == "draft_only"


def test_what_it_approved_needs_a_person_when_it_ends(api, rita, bob, bob_actor, roastery, campaign, address, sign):
    sign()
    post = add_post(bob_actor, roastery, campaign=campaign)
    assert api(bob).post(f"/api/posts/{post.pk}/submit").status_code == 200
    assert Delivery.objects.get().state == "approved"
    assert api(rita).get(address).json()["spent_micro"] > 0
    api(rita).delete(address)
    assert Delivery.objects.get().state != "approved"


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"mode": "always"}, "mode"),
        ({"mode": None}, "mode"),
        ({"max_risk": "high"}, "max_risk"),
        ({"budget_micro": -1}, "budget_micro"),
        ({"budget_micro": "much"}, "budget_micro"),
        ({"budget_micro": 10**15 + 1}, "budget"),
        ({"budget_micro": 10**40}, "budget"),
    ],
)
def test_what_makes_no_sense_is_refused_beside_its_field(sign, campaign, fields, wrong):
    answer = sign(**fields)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [wrong])
    assert open_policy(campaign.pk) is None


def test_a_row_changed_by_hand_or_left_by_its_signer_does_not_hold(api, rita, vic, address, sign):
    sign()
    AutonomyPolicy.objects.update(budget_micro=9_000_000)
    assert not api(vic).get(address).json()["holds"]
    sign()
    assert api(vic).get(address).json()["holds"]
    Membership.objects.filter(user=rita).update(role="viewer")
    assert not api(vic).get(address).json()["holds"]


def test_only_people_who_approve_sign(api, api_key, bob, vic, charlie, other_workspace, address, sign, campaign):
    sign()
    callers = {api(bob): 403, api(vic): 403, api(api_key()): 403, api(charlie): 404, api(): 401}
    for client, status in callers.items():
        assert client.put(address, SIGNED | {"mode": "human"}, format="json").status_code == status
        assert client.delete(address).status_code == status
    assert open_policy(campaign.pk).mode == "automatic"


def test_a_guest_is_not_told_how_the_team_works(api, gwen, alice_actor, campaign, address):
    assert api(gwen).get(address).status_code == 404
    share_campaign(campaign, gwen, by=alice_actor)
    assert api(gwen).get(address).status_code == 403
