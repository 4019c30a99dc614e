"""A copy of one's data, and an erasure, as people do them: in a real browser."""

import hashlib
import json
import zipfile
from collections.abc import Callable, Iterator

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from accounts.models import User, Workspace
from accounts.scope import all_workspaces_scope, workspace_scope
from compliance.models import Contact
from compliance.privacy import run
from tests.compliance.privacy_cast import add_contact
from tests.conftest import PASSWORD
from tests.screens import find_browser

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(find_browser() is None, reason="no Chromium on this machine"),
    pytest.mark.django_db(transaction=True),
]
PAGES = ["/settings/privacy", "/settings/privacy/data", "/settings/privacy/rules", "/account/privacy", "/privacy"]


@pytest.fixture
def window(browser: Browser, live_server, workspace: Workspace) -> Iterator[Callable[..., Page]]:
    contexts = []

    def open_as(client: Client, **options: object) -> Page:
        context = browser.new_context(base_url=live_server.url, **options)
        context.set_default_timeout(30_000)
        session = client.cookies[settings.SESSION_COOKIE_NAME].value
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
        contexts.append(context)
        page = context.new_page()
        page.faults = []
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        return page

    yield open_as
    for context in contexts:
        context.close()


def work() -> None:
    """What the worker does once its message comes."""
    for request_id in run.waiting():
        run.run(request_id)


def test_a_copy_is_asked_for_downloaded_and_proves_itself(window, bob: User, bob_client: Client, tmp_path):
    page = window(bob_client)
    page.goto("/account/privacy")
    page.get_by_role("button", name="Make a copy").click()
    page.locator("input[type=password]").fill(PASSWORD)
    page.locator("main form .btn-primary, main form button[type=submit]").first.click()
    expect(page.get_by_text("Being made. Load")).to_be_visible()
    work()
    page.reload()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    target = tmp_path / "copy.zip"
    download.value.save_as(target)
    with zipfile.ZipFile(target) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        assert manifest["subject"] == {"kind": "user", "id": str(bob.pk)}
        assert {"accounts.User", "accounts.Membership"} <= manifest["models"].keys()
        for entry in manifest["models"].values():
            content = archive.read(entry["file"])
            assert hashlib.sha256(content).hexdigest() == entry["sha256"]
            assert len(content.splitlines()) == entry["rows"]
        assert b"bob@example.org" in archive.read("data/accounts.user.jsonl")
    assert page.faults == []


def test_an_admin_carries_out_an_erasure(window, workspace: Workspace, alice_client: Client):
    with workspace_scope(workspace.pk):
        anna = add_contact(workspace, notes="Met Anna Berg at the fair.")
    page = window(alice_client)
    page.goto(f"/w/{workspace.slug}/settings/privacy")
    page.get_by_label("Contact", exact=True).fill("anna@example.net")
    page.get_by_label("What they ask for").select_option("erase")
    page.get_by_role("button", name="Note it").click()
    page.get_by_role("button", name="I saw a document").click()
    page.get_by_role("dialog").get_by_role("button", name="I saw it").click()
    page.get_by_role("button", name="Erase", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Erase", exact=True).click()
    expect(page.get_by_text("Being carried out. Load")).to_be_visible()
    work()
    page.reload()
    expect(page.get_by_text("compliance.Contact: 1")).to_be_visible()
    assert "Anna" not in page.content()
    with all_workspaces_scope("look"):
        assert not Contact.objects.filter(pk=anna.pk).exists()
    assert page.faults == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_fit_a_phone(window, workspace: Workspace, alice_client: Client, scheme):
    with workspace_scope(workspace.pk):
        add_contact(workspace)
    page = window(alice_client, viewport={"width": 390, "height": 844}, color_scheme=scheme)
    for path in PAGES:
        page.goto(f"/w/{workspace.slug}{path}")
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, path
    assert page.faults == []
