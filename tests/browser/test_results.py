"""Results in a browser: charts are drawn, cards change while the page is open, nothing is too wide or nameless."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from accounts.access import Actor
from accounts.models import User, Workspace
from accounts.scope import workspace_scope
from analytics.definitions import save_funnel, save_segment
from analytics.models import Link
from analytics.queries.funnels import USUAL
from analytics.shares import share_page
from campaigns.services import create_campaign
from lib.clock import now
from tests.analytics.results_cast import DAY, add_clicks, add_conversion, add_followers, add_link, add_measured
from tests.campaigns.cast import add_connection
from tests.screens import find_browser

AUDIT = (Path(__file__).parent / "audit.js").read_text()
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(find_browser() is None, reason="no Chromium on this machine"),
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def pages(workspace: Workspace, alice_actor: Actor) -> list[str]:
    """Addresses of pages that have something to show; the first one is the overview."""
    home = f"/w/{workspace.slug}"
    with workspace_scope(workspace.pk):
        campaign = create_campaign(by=alice_actor, name="Spring")
        roastery = add_connection(workspace, "roastery")
        link = add_link(workspace, campaign, created_at=now() - 60 * DAY)
        for number in range(1, 8):
            at = now() - number * DAY
            add_measured(roastery, at, campaign=campaign, text=f"Post {number}", impressions=900, likes=10 + number)
            add_followers(roastery, at.date(), 500 - number)
            add_clicks(workspace, at, 3, link_id=link.pk, campaign_id=campaign.pk, language="de")
            add_conversion(workspace, at, 9_000_000, campaign)
        save_funnel("Shop", USUAL, by=alice_actor)
        rule = {"field": "language", "op": "is", "value": "de"}
        segment = save_segment("Germans", "contact", {"all": [{"any": [rule]}]}, by=alice_actor)
        _row, token = share_page("campaign", {"days": "7"}, by=alice_actor, object_id=campaign.pk, with_costs=True)
    inside = ["", "/audience", "/funnels", "/segments", f"/segments/{segment.pk}", "/shared"]
    return [
        *(f"{home}/results{path}" for path in inside),
        f"{home}/campaigns/{campaign.pk}/results",
        f"/shared/{token}",
    ]


@pytest.fixture
def owner(browser: Browser, live_server, alice: User, client: Client) -> Iterator[Page]:
    client.force_login(alice)
    context = browser.new_context(base_url=live_server.url, viewport={"width": 390, "height": 844})
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
    page = context.new_page()
    page.faults = []
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    page.on("console", lambda message: page.faults.append(message.text) if message.type == "error" else None)
    yield page
    context.close()


def drawn(page: Page) -> list[bool]:
    """Of each chart, whether anything is on its canvas."""
    script = """canvases => canvases.map((canvas) => {
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      return data.some((byte) => byte !== 0);
    })"""
    return page.eval_on_selector_all("canvas[data-chart]", script)


def test_the_pages_of_results_are_sound_on_a_phone(owner: Page, pages: list[str]) -> None:
    wrong = {}
    for address in pages:
        assert owner.goto(address, wait_until="load").ok, address
        faults = owner.evaluate(AUDIT)
        too_wide = owner.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        wrong[address] = faults + ([f"{too_wide} px too wide"] if too_wide > 0 else []) + owner.faults
    assert not {address: faults for address, faults in wrong.items() if faults}


def test_charts_are_drawn_again_in_the_other_theme_and_stand_beside_their_tables(owner: Page, pages: list[str]) -> None:
    owner.emulate_media(color_scheme="light")
    owner.goto(pages[0])
    expect(owner.locator("canvas[data-chart]")).to_have_count(3)
    assert all(drawn(owner))
    light = owner.locator("#chart-clicks").evaluate("canvas => canvas.toDataURL()")
    owner.emulate_media(color_scheme="dark")
    owner.wait_for_function("light => document.getElementById('chart-clicks').toDataURL() !== light", arg=light)
    table = owner.locator(".chart-card").first
    table.locator("summary").click()
    expect(table.locator("tbody tr").last).to_be_visible()
    assert owner.faults == []


def test_a_click_shows_up_while_the_page_is_open(owner: Page, pages: list[str], workspace: Workspace) -> None:
    owner.goto(pages[0])
    expect(owner.locator("[data-live]")).to_have_text("Live", timeout=20_000)
    expect(owner.locator("[data-kpi=clicks]")).to_have_text("21")
    with workspace_scope(workspace.pk):
        add_clicks(workspace, now(), 2, link_id=Link.objects.get().pk)
    expect(owner.locator("[data-kpi=clicks]")).to_have_text("23", timeout=20_000)


def test_a_segment_tells_its_size_while_it_is_typed(owner: Page, pages: list[str]) -> None:
    owner.goto(pages[4])
    owner.locator("[name=g0-r0-field]").select_option("gpc")
    expect(owner.locator("select[name=g0-r0-value]")).to_be_visible()
    owner.get_by_role("button", name="Add a rule").click()
    expect(owner.locator("[name=g0-r1-field]")).to_be_visible()
    owner.locator("[name=g0-r1-value]").fill("Anna")
    expect(owner.locator("#size")).to_contain_text("0 contacts now")
    owner.get_by_label("Visitors").check()
    expect(owner.locator("[name=g0-r0-field]")).to_have_value("link")
    expect(owner.locator("#size")).to_contain_text("say what it is compared with")
    assert owner.faults == []
