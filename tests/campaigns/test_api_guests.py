"""/api/campaigns/{id}/guests: who of the guests decides."""

import pytest

from accounts.models import AuditEntry
from campaigns.services import share_campaign

pytestmark = pytest.mark.django_db


@pytest.fixture
def address(campaign, gwen, alice_actor) -> str:
    share_campaign(campaign, gwen, by=alice_actor)
    return f"/api/campaigns/{campaign.pk}/guests"


def put(client, address: str, user, may: object = True):
    return client.put(f"{address}/{user.pk}", {"may_decide": may}, format="json")


def test_the_right_is_given_and_taken(api, alice, gwen, address):
    client = api(alice)
    guest = {"id": str(gwen.pk), "email": gwen.email, "name": "Gwen"}
    assert client.get(address).json()["results"] == [guest | {"may_decide": False}]
    for may in (True, False):
        answer = put(client, address, gwen, may)
        assert (answer.status_code, answer.json()) == (200, guest | {"may_decide": may})
        assert client.get(address).json()["results"] == [guest | {"may_decide": may}]
    assert AuditEntry.objects.filter(action="campaign.guest_reviews").count() == 2


def test_the_guest_gets_a_queue_by_it(api, alice, gwen, gwen_client, address):
    assert gwen_client.get("/reviews").status_code == 403
    put(api(alice), address, gwen)
    assert gwen_client.get("/reviews").status_code == 200


def test_only_guests_who_see_it_get_the_right(api, alice, bob, charlie, join, address):
    unshared = join("Hans", "guest")
    for user in (bob, charlie, unshared):
        assert put(api(alice), address, user).status_code == 404
        assert not user.has_perm("campaigns.change_campaign")


def test_an_answer_that_is_none_is_refused(api, alice, gwen, address):
    for may in ("perhaps", None, {}):
        assert list(put(api(alice), address, gwen, may).json()["errors"]) == ["may_decide"]


def test_others_neither_see_nor_change_it(api, api_key, bob, rita, vic, gwen, charlie, other_workspace, address):
    for caller, status in ((bob, 403), (rita, 403), (vic, 403), (gwen, 403), (api_key(), 403), (charlie, 404)):
        client = api(caller)
        assert (client.get(address).status_code, put(client, address, gwen).status_code) == (status, status), caller
