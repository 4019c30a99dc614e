"""The assistant's panel in a real browser: sentences are ticked, inserted, and remembered when the post is saved."""

import re

import pytest
from playwright.sync_api import Page, expect

from accounts.models import Workspace
from accounts.scope import workspace_scope
from agents.models import Run
from agents.runs.worker import advance
from campaigns.models import Origin, Post
from tests.campaigns.agents.conftest import sandbox  # noqa: F401 fixture
from tests.screens import find_browser
from tests.waiting import wait_for

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(find_browser() is None, reason="no Chromium on this machine"),
    pytest.mark.django_db(transaction=True),
]


def draft(page: Page, workspace: Workspace, count: str = "1") -> list[dict]:
    """Asks for drafts and lets a worker come."""
    page.locator("#draft-panel > summary").click()
    page.locator("label.channel", has_text="roastery").click()
    page.locator("#wish").fill("We open at seven from Monday. Come by for a coffee")
    page.locator("#draft-count").select_option(count)
    page.locator("#draft-go").click()
    with workspace_scope(workspace.pk):
        run = wait_for(lambda: Run.objects.filter(workflow="draft").first(), what="the run")
    advance(run.pk)
    page.locator(".draft-card").first.wait_for()
    with workspace_scope(workspace.pk):
        return Run.objects.get(pk=run.pk).output["drafts"]


def test_only_the_ticked_sentences_go_into_the_text_and_the_post_says_so(
    sandbox,  # noqa: F811
    composer: Page,
    workspace: Workspace,
):
    [made] = draft(composer, workspace)
    card = composer.locator(".draft-card")
    expect(card.locator("[data-sentence]")).to_have_count(len(made["sentences"]))
    card.locator("[data-sentence]").first.uncheck()
    card.get_by_role("button", name="Insert").click()
    expect(composer.locator("#part-0-text")).to_have_value(" ".join(made["sentences"][1:]))
    composer.locator("#do-save").click()
    composer.wait_for_url(re.compile(r"/posts/[0-9a-f-]{36}$"))
    expect(composer.get_by_role("heading", name="Where this text comes from")).to_be_visible()
    with workspace_scope(workspace.pk):
        assert [one["is_accepted"] for one in Origin.objects.get().sentences] == [
            number > 0 for number in range(len(made["sentences"]))
        ]
        assert Post.objects.get().has_agent_text


def test_nothing_ticked_nothing_to_insert(sandbox, composer: Page, workspace: Workspace):  # noqa: F811
    draft(composer, workspace)
    card = composer.locator(".draft-card")
    for box in card.locator("[data-sentence]").all():
        box.uncheck()
    expect(card.get_by_role("button", name="Insert")).to_be_disabled()
