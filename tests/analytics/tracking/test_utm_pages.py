"""The parameters that links get, as people set them."""

import pytest

from accounts.models import AuditEntry
from analytics.models import UtmTemplate
from analytics.tracking.links import create_link
from campaigns.services import create_campaign

pytestmark = pytest.mark.django_db
FIELDS = {"source": "{network}", "medium": "paid", "name": "{campaign}", "term": "", "content": "{date}"}


@pytest.fixture
def address(workspace) -> str:
    return f"/w/{workspace.slug}/links/utm"


def test_the_default_is_shown_with_an_example(bob_client, address):
    page = bob_client.get(address).content.decode()
    assert 'value="{network}"' in page
    assert "utm_source=x" in page
    assert "Back to the default" not in page


def test_new_links_get_what_was_saved(bob_client, address, bob_actor, in_workspace):
    assert bob_client.post(address, FIELDS | {"campaign": ""}).status_code == 302
    link = create_link("https://acme.example/?utm_source=own", by=bob_actor)
    assert "utm_medium=paid" in link.target
    assert "utm_source=own" in link.target
    assert "utm_term" not in link.target


def test_a_campaign_may_want_others(bob_client, address, bob_actor, in_workspace):
    campaign = create_campaign(by=bob_actor, name="Spring Roast")
    answer = bob_client.post(address, FIELDS | {"campaign": str(campaign.pk), "medium": "social"})
    assert answer["Location"].endswith(f"?campaign={campaign.pk}")
    assert "utm_medium=social" in create_link("https://acme.example/", by=bob_actor, campaign=campaign).target
    assert "utm_campaign=spring-roast" in create_link("https://acme.example/", by=bob_actor, campaign=campaign).target
    assert UtmTemplate.objects.get().campaign == campaign


def test_the_default_comes_back(bob_client, address, in_workspace):
    bob_client.post(address, FIELDS)
    assert "Back to the default" in bob_client.get(address).content.decode()
    bob_client.post(address, {"reset": ""})
    assert not UtmTemplate.objects.exists()
    actions = AuditEntry.objects.filter(action__startswith="utm.").values_list("action", flat=True)
    assert list(actions) == ["utm.change", "utm.reset"]


@pytest.mark.parametrize(
    ("wrong", "why"),
    [({"term": "{weather}"}, "There is no {weather}"), ({"term": "x" * 200}, "at most 120 characters")],
)
def test_what_cannot_be_filled_in_is_refused(bob_client, address, in_workspace, wrong, why):
    answer = bob_client.post(address, FIELDS | wrong)
    assert answer.status_code == 400
    assert why in answer.content.decode()
    assert 'value="paid"' in answer.content.decode()
    assert not UtmTemplate.objects.exists()


def test_a_strange_campaign_counts_as_none(bob_client, address):
    assert bob_client.get(f"{address}?campaign=x").status_code == 200
    assert bob_client.get(f"{address}?campaign=01a20019-0d3c-73b6-abf0-639ce6becdee").status_code == 200


def test_viewers_set_none(vic_client, address):
    assert vic_client.get(address).status_code == 403
    assert vic_client.post(address, FIELDS).status_code == 403
