"""/api/reviews/links: made once, listed without their addresses, closed at once."""

from datetime import datetime, timedelta

import pytest
from django.core import mail

from campaigns.services import create_campaign
from compliance.models import ReviewLink
from compliance.reviews.links import DAYS, MOST_DAYS, find_link, is_usable
from tests.campaigns.cast import add_post

pytestmark = pytest.mark.django_db
LINKS = "/api/reviews/links"


@pytest.fixture
def make(api, alice, campaign):
    """alice's answer to asking for a link to the campaign."""
    client = api(alice)

    def post(body=None, key="", **fields):
        values = {"name": "Ms Chen", "campaign": str(campaign.pk)} | fields
        return client.post(LINKS, body or values, format="json", headers={"Idempotency-Key": key} if key else {})

    return post


def token_of(answer) -> str:
    return answer.json()["url"].rpartition("/")[2]


def test_a_link_opens_the_campaign_and_is_shown_once(api, vic, make, client, campaign, alice):
    made = make()
    assert made.status_code == 201
    (listed,) = api(vic).get(LINKS).json()["results"]
    assert listed == {name: value for name, value in made.json().items() if name != "url"}
    assert "rl_" not in str(listed)
    assert client.get(f"/review/{token_of(made)}").status_code == 200
    facts = {name: listed[name] for name in ("name", "email", "scope", "scope_label", "created_by", "is_open")}
    assert facts == {
        "name": "Ms Chen",
        "email": "",
        "scope": str(campaign.pk),
        "scope_label": "Campaign Spring",
        "created_by": str(alice),
        "is_open": True,
    }


def test_it_works_for_as_long_as_asked(make):
    for asked, days in (({}, DAYS), ({"days": 1}, 1), ({"days": MOST_DAYS}, MOST_DAYS)):
        answer = make(**asked).json()
        starts, ends = (datetime.fromisoformat(answer[name]) for name in ("created_at", "expires_at"))
        assert abs(ends - starts - timedelta(days=days)) < timedelta(minutes=1)


def test_the_client_gets_it_by_mail(make, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        made = make(email="chen@example.org")
    assert mail.outbox[0].to == ["chen@example.org"]
    assert made.json()["url"] in mail.outbox[0].body


def test_a_repeated_request_makes_one_link_and_hides_its_address(make):
    first, second = make(key="one"), make(key="one")
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.json() == first.json() | {"url": None}
    assert ReviewLink.objects.count() == 1


def test_a_link_to_a_post(make, bob_actor, roastery):
    post = add_post(bob_actor, roastery)
    answer = make({"name": "Ms Chen", "post": str(post.pk)}).json()
    assert (answer["scope"], answer["scope_label"]) == (str(post.pk), f"Post {post}")


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"email": "no address"}, "email"),
        ({"days": 0}, "days"),
        ({"days": MOST_DAYS + 1}, "days"),
        ({"campaign": "spring"}, "campaign"),
        ({"campaign": "018f0000-0000-7000-8000-000000000000"}, "campaign"),
        ({"post": "018f0000-0000-7000-8000-000000000000"}, "campaign"),
    ],
)
def test_what_makes_no_sense_is_refused_beside_its_field(make, fields, wrong):
    answer = make(**fields)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [wrong])
    assert not ReviewLink.objects.exists()


def test_without_anything_to_open_there_is_no_link(make):
    assert make({"name": "Ms Chen"}).status_code == 400


def test_it_is_closed_at_once_and_only_once(api, alice, make, client):
    made = make()
    address = f"{LINKS}/{made.json()['id']}/revoke"
    first, second = (api(alice).post(address) for _ in range(2))
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json()["revoked_at"] == second.json()["revoked_at"] is not None
    assert not first.json()["is_open"]
    assert not is_usable(find_link(token_of(made)))


def test_they_are_listed_by_what_they_open(api, vic, make, alice_actor, campaign):
    other = create_campaign(by=alice_actor, name="Autumn")
    make()
    make(campaign=str(other.pk))

    def listed(**query) -> list[str]:
        return [row["scope_label"] for row in api(vic).get(LINKS, query).json()["results"]]

    assert listed() == ["Campaign Autumn", "Campaign Spring"]
    assert listed(scope=campaign.pk) == ["Campaign Spring"]
    assert api(vic).get(LINKS, {"scope": "spring"}).status_code == 400


def test_only_who_reviews_and_shares_makes_and_closes_them(
    api, api_key, bob, rita, vic, gwen, charlie, other_workspace, make, campaign
):
    made = make()
    body = {"name": "Mine", "campaign": str(campaign.pk)}
    address = f"{LINKS}/{made.json()['id']}/revoke"
    strangers = {api(charlie): (400, 404), api(): (401, 401)}
    members = dict.fromkeys([api(user) for user in (bob, rita, vic, gwen)] + [api(api_key())], (403, 403))
    for client, expected in (strangers | members).items():
        found = client.post(LINKS, body, format="json").status_code, client.post(address).status_code
        assert found == expected
    assert api(charlie).get(LINKS).json()["results"] == []
    assert api(gwen).get(LINKS).status_code == 403
    assert is_usable(find_link(token_of(made)))
