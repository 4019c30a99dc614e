"""The search palette: opened, asked, moved in and left by keyboard."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from accounts.access import Actor
from accounts.models import User, Workspace
from accounts.scope import workspace_scope
from campaigns.services import create_campaign
from integrations.search.indexing import index_due
from tests.campaigns.cast import add_post
from tests.screens import find_browser

AUDIT = (Path(__file__).parent / "audit.js").read_text()
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(find_browser() is None, reason="no Chromium on this machine"),
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def window(browser: Browser, live_server, alice: User, workspace: Workspace, alice_actor: Actor) -> Iterator[Page]:
    """The profile, which has no search field of its own, of a workspace with a campaign and two posts."""
    with workspace_scope(workspace.pk):
        campaign = create_campaign(by=alice_actor, name="Spring coffee")
        for text in ("Coffee on the terrace", "春季咖啡上新"):
            add_post(alice_actor, text=text, campaign=campaign)
    index_due()
    client = Client()
    client.force_login(alice)
    context = browser.new_context(base_url=live_server.url, viewport={"width": 1280, "height": 720})
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
    page = context.new_page()
    page.goto(f"/w/{workspace.slug}/profile")
    yield page
    context.close()


def test_it_opens_finds_and_leads_there_by_keyboard(window: Page) -> None:
    palette, options = window.locator("#palette"), window.locator("#palette [role=option]")
    window.locator("h1").click()
    window.keyboard.press("/")
    expect(palette).to_be_visible()
    field = palette.get_by_role("combobox")
    expect(field).to_be_focused()
    window.keyboard.press("Escape")
    expect(palette).to_be_hidden()
    window.keyboard.press("Control+k")
    window.keyboard.type("coff")
    expect(options).to_have_count(3)
    expect(options.locator("mark")).to_have_text(["coffee", "Coffee"])
    assert window.evaluate(AUDIT) == []
    look(window)
    chosen = palette.locator("[aria-selected=true]")
    expect(chosen).to_contain_text("Spring coffee")
    window.keyboard.press("ArrowDown")
    expect(chosen).to_contain_text("Coffee on the terrace")
    assert field.get_attribute("aria-activedescendant") == chosen.get_attribute("id")
    window.keyboard.press("ArrowUp")
    window.keyboard.press("ArrowUp")
    expect(chosen).to_contain_text("Search everything")
    window.keyboard.press("Enter")
    window.wait_for_url("**/search?q=coff")
    expect(window.locator("main mark")).to_have_count(4)


def test_it_goes_to_pages_by_name(window: Page) -> None:
    window.locator("[data-palette]").click()
    window.keyboard.type("cal")
    expect(window.locator("#palette [aria-selected=true]")).to_have_text("Calendar")
    window.keyboard.press("Enter")
    window.wait_for_url("**/calendar")


def test_in_a_text_it_opens_as_well_unless_the_page_took_the_keys(window: Page, workspace: Workspace) -> None:
    palette = window.locator("#palette")
    window.goto(f"/w/{workspace.slug}/campaigns/new")
    window.locator("textarea").first.focus()
    window.keyboard.press("Control+k")
    expect(palette).to_be_visible()
    window.keyboard.press("Escape")
    window.evaluate("document.addEventListener('keydown', (event) => event.preventDefault())")
    window.keyboard.press("Control+k")
    expect(palette).to_be_hidden()


def look(page: Page) -> None:
    """Pictures for a person, where somebody asks for them."""
    if not (folder := os.environ.get("PALETTE_PICTURES")):
        return
    for theme in ("light", "dark"):
        for width in (1280, 390):
            page.emulate_media(color_scheme=theme)
            page.set_viewport_size({"width": width, "height": 800})
            page.screenshot(path=f"{folder}/palette-{theme}-{width}.png")
    page.set_viewport_size({"width": 1280, "height": 720})
