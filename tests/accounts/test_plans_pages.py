"""Settings → Plan and /api/plan."""

import re

import pytest

from accounts.models import Workspace
from accounts.plans import LIMITS, count
from accounts.scope import workspace_scope

pytestmark = pytest.mark.django_db
PAGE = "/w/roastery/settings/plan"


def get(client):
    return client.get(PAGE)


@pytest.fixture
def free(workspace):
    Workspace.objects.filter(pk=workspace.pk).update(plan="free")
    with workspace_scope(workspace.pk):
        count(workspace, "posts", 25)
    return workspace


def test_the_page_shows_the_plan_and_what_is_used(free, client_of, alice):
    page = get(client_of(alice)).content.decode()
    assert "<h2>Free</h2>" in page
    assert "25 of 50" in page
    assert '<progress value="50" max="100" aria-label="50 % of Published posts a month used">' in page
    assert "up to 10 each" in page
    assert "ask the operator" in page
    assert "Change to" not in page


def test_a_full_meter_says_so(free, client_of, alice, bob, rita):
    page = get(client_of(alice)).content.decode()
    assert "3 of 3" in page
    assert "Full" in page


def test_an_admin_may_change_where_there_is_a_shop(free, client_of, alice, settings):
    settings.BILLING_PROVIDER, settings.BILLING_CHECKOUT_URL = "signed", "https://shop.example/{plan}"
    client = client_of(alice)
    answer = get(client)
    page = answer.content.decode()
    # Browsers hold the redirect that follows a form against the page's policy.
    assert "https://shop.example" in answer.headers["Content-Security-Policy"].partition("form-action")[2].split()
    assert "Change to Pro" in page
    assert "Change to Free" not in page
    assert client.post(f"{PAGE}/choose", {"plan": "pro"}).url == "https://shop.example/pro"
    assert client.post(f"{PAGE}/choose", {"plan": "gold"}).url.endswith("/settings/plan")


def test_who_may_not_change_it_sees_no_button_and_is_refused(free, client_of, bob, settings):
    settings.BILLING_PROVIDER, settings.BILLING_CHECKOUT_URL = "signed", "https://shop.example/{plan}"
    client = client_of(bob)
    assert "Change to" not in get(client).content.decode()
    assert client.post(f"{PAGE}/choose", {"plan": "pro"}).status_code == 403


def test_guests_and_strangers_see_nothing(free, client_of, gwen, charlie):
    assert get(client_of(gwen)).status_code == 403
    assert get(client_of(charlie)).status_code == 404


def test_the_api_tells_limits_and_use(free, api, alice):
    answer = api(alice).get("/api/plan")
    assert answer.status_code == 200
    plan = answer.json()
    assert (plan["name"], plan["min_every_s"], plan["until"]) == ("free", 3600, None)
    meters = {meter["name"]: meter for meter in plan["meters"]}
    assert meters.keys() == LIMITS.keys()
    assert (meters["posts"]["used"], meters["posts"]["limit"]) == (25, 50)
    assert (meters["tasks"]["used"], meters["tasks"]["limit"]) == (None, 3)


def test_the_settings_lead_everywhere_and_nothing_else_is_marked(free, client_of, alice):
    page = get(client_of(alice)).content.decode()
    assert all(
        f'href="/w/roastery/settings/{name}"' in page for name in ("mcp", "outside", "webhooks", "keys", "audit")
    )
    marked = re.findall(r'<a href="/w/roastery/(\S+)" aria-current', page)
    assert marked == ["settings", "settings/plan"]
