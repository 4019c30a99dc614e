"""Pages that others wrote work under the policy they are given: the staff admin and the page of the API."""

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Page

from accounts.models import User
from tests.browser.test_accessibility import NOTE_REFUSED
from tests.screens import find_browser

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(find_browser() is None, reason="no Chromium on this machine"),
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def staff_page(browser: Browser, live_server, staff: User, client: Client) -> Iterator[Page]:
    client.force_login(staff)
    context = browser.new_context(base_url=live_server.url)
    cookie = {"name": settings.SESSION_COOKIE_NAME, "value": client.cookies[settings.SESSION_COOKIE_NAME].value}
    context.add_cookies([cookie | {"url": live_server.url}])
    context.add_init_script(NOTE_REFUSED)
    page = context.new_page()
    page.faults = []
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    yield page
    context.close()


def test_the_admin_works_without_inline_scripts(staff_page: Page, staff: User) -> None:
    for path in ("/admin/", "/admin/accounts/user/", f"/admin/accounts/user/{staff.pk}/change/"):
        assert staff_page.goto(path).ok, path
        assert staff_page.evaluate("window.refused") == [], path
    # Alpine answers: it is what needs the looser policy.
    assert staff_page.evaluate("typeof window.Alpine") == "object"
    assert staff_page.faults == []


def test_the_page_of_the_api_shows_the_doors(staff_page: Page) -> None:
    staff_page.goto("/docs")
    staff_page.locator(".opblock-tag").first.wait_for()
    assert staff_page.evaluate("window.refused") == []
    assert staff_page.faults == []
