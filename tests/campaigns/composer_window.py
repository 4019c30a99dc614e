"""The composer in a real browser, as bob opens it."""

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Page

from accounts.models import User, Workspace
from accounts.scope import workspace_scope
from compliance.decisions import judge
from compliance.guard import Context, Draft
from lib.clock import now
from tests.campaigns.cast import add_connection


@pytest.fixture
def composer(browser: Browser, live_server, workspace: Workspace, bob: User, bob_client: Client) -> Iterator[Page]:
    with workspace_scope(workspace.pk):
        # The first check of a process compiles the rules.
        judge(workspace, Draft.of("warm up"), Context(today=now().date()))
        add_connection(workspace, "roastery")
        add_connection(workspace, "cafe")
    context = browser.new_context(base_url=live_server.url)
    session = bob_client.cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
    composer = context.new_page()
    composer.goto(f"/w/{workspace.slug}/posts/new")
    yield composer
    context.close()
