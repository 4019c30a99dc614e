import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from analytics.queries import live
from tests.screens import ARGS, find_browser
from tests.up_stack import Stack

# On a loaded machine a page takes its time; five seconds are its usual patience.
expect.set_options(timeout=30_000)


@pytest.fixture(scope="module", autouse=True)
def quick_streams() -> Iterator[None]:
    """A page that was closed is noticed at once: its stream must not outlive the test. Longer than any test of it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(live, "LOOK_S", 0.3)
        patch.setattr(live, "KEEP_ALIVE_S", 0.5)
        yield


@pytest.fixture(scope="module")
def stack(prepared: Stack) -> Stack:
    """The product as a newcomer starts it, once every part answers."""
    prepared.started().wait_well()
    return prepared


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # Playwright runs an event loop in this thread, which Django would take for async code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=ARGS)
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="module")
def newcomer() -> Iterator[Page]:
    """One window for the whole journey; anything the page itself gets wrong fails it."""
    if find_browser() is None:
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=ARGS)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(60_000)
        page.faults = []
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        page.on("response", lambda response: note_fault(page, response.status, response.url))
        yield page
        browser.close()


def note_fault(page: Page, status: int, url: str) -> None:
    if status >= 500:
        page.faults.append(f"{status} {url}")
