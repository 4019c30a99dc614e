"""The rules while one writes: a blocked draft, its marks, its fix, and the way into review."""

import pytest
from playwright.sync_api import Page, expect

from accounts.access import Actor
from accounts.models import Workspace
from accounts.scope import workspace_scope
from campaigns.models import Delivery, Post
from compliance.guard_settings import update_guard_settings
from compliance.models import GuardDecision
from compliance.terms import TermDraft, add_term
from tests.campaigns.composer_window import composer  # noqa: F401 fixture
from tests.screens import find_browser

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(find_browser() is None, reason="no Chromium on this machine"),
    pytest.mark.django_db(transaction=True),
]
AREA = "#part-0-text"


@pytest.fixture
def china(workspace: Workspace, alice_actor: Actor) -> None:
    with workspace_scope(workspace.pk):
        update_guard_settings(by=alice_actor, markets=["CN"], industry="cosmetics")
        add_term(TermDraft("cheap", replacement="fair", reason="We are not cheap."), by=alice_actor)


@pytest.fixture
def written(china: None, composer: Page) -> Page:  # noqa: F811
    """To one account, with a word that is blocked."""
    composer.locator("label.channel", has_text="@roastery").click()
    composer.wait_for_selector("#preview >> text=@roastery >> nth=0")
    composer.locator(AREA).press_sequentially("☕️ So cheap today")
    expect(composer.locator(".guard-item.is-block")).to_have_count(1)
    # The marks are painted after the list.
    expect(composer.locator(".guard-mirror:visible mark")).to_have_count(1)
    return composer


def marked(page: Page) -> list[str]:
    return page.locator(".guard-mirror:visible mark").all_inner_texts()


def test_a_blocked_draft_is_marked_mended_and_submitted(written: Page, workspace: Workspace) -> None:
    page = written
    assert marked(page) == ["cheap"]
    expect(page.locator("#guard-status")).to_have_text("1 thing must change before it can be sent.")
    item = page.locator(".guard-item.is-block")
    expect(item).to_contain_text("We are not cheap.")

    page.get_by_role("button", name="Submit for review").click()
    expect(page.locator("#composer-errors")).to_contain_text("We are not cheap.")
    expect(page.locator(AREA)).to_have_value("☕️ So cheap today")
    assert marked(page) == ["cheap"]

    page.get_by_role("button", name="Use “fair”").click()
    expect(page.locator(AREA)).to_have_value("☕️ So fair today")
    expect(page.locator(".guard-item.is-block")).to_have_count(0)
    assert marked(page) == []
    page.get_by_role("button", name="Submit for review").click()
    page.wait_for_selector("text=Sent to review.")
    with workspace_scope(workspace.pk):
        assert Delivery.objects.get().state == "in_review"
        assert GuardDecision.objects.get().verdict == "allow"


def test_a_fix_is_undone_like_any_typing(written: Page) -> None:
    written.get_by_role("button", name="Use “fair”").click()
    expect(written.locator(AREA)).to_have_value("☕️ So fair today")
    expect(written.locator(AREA)).to_be_focused()
    written.keyboard.press("Control+z")
    expect(written.locator(AREA)).to_have_value("☕️ So cheap today")


def test_a_fix_is_reached_with_the_keyboard(written: Page) -> None:
    button = written.get_by_role("button", name="Use “fair”")
    written.locator(AREA).focus()
    written.keyboard.press("Tab")
    expect(button).to_be_focused()
    written.keyboard.press("Enter")
    expect(written.locator(AREA)).to_have_value("☕️ So fair today")


def test_marks_move_with_what_is_typed_before_the_answer(written: Page) -> None:
    written.route("**/posts/preview", lambda route: None)
    written.locator(AREA).press("Home")
    written.locator(AREA).press_sequentially("Well. ")
    assert marked(written) == ["cheap"]
    written.locator(AREA).press("End")
    written.locator(AREA).press_sequentially("!")
    assert marked(written) == ["cheap"]
    written.evaluate("document.querySelector('#part-0-text').setSelectionRange(15, 15)")
    written.keyboard.type("x")
    assert marked(written) == []
    written.unroute_all(behavior="ignoreErrors")


def test_a_mark_lies_over_its_word(written: Page) -> None:
    word = written.evaluate(
        """() => {
        const area = document.querySelector("#part-0-text").getBoundingClientRect();
        const mark = document.querySelector(".guard-mirror mark").getBoundingClientRect();
        return [mark.left - area.left, mark.top - area.top, mark.width, mark.height, area.width];
    }"""
    )
    left, top, width, height, room = word
    assert 20 < left < room / 2
    assert -2 <= top < 30
    assert 20 < width < 80
    assert 10 < height < 40


def test_typing_is_never_lost_to_an_answer(china: None, composer: Page) -> None:  # noqa: F811
    text = "国家级护肤品牌，cheap and best. " * 3
    composer.locator(AREA).press_sequentially(text, delay=5)
    expect(composer.locator(".guard-item.is-block").first).to_be_visible()
    expect(composer.locator(AREA)).to_have_value(text)


def test_the_matrix_opens_below_the_form(written: Page) -> None:
    written.get_by_text("Publishable where?").click()
    cells = written.locator(".matrix td")
    expect(cells).to_have_count(6)
    expect(cells.first).to_contain_text("Must change")
    expect(cells.first).to_contain_text("fair")


def test_nothing_is_written_while_one_types(written: Page, workspace: Workspace) -> None:
    with workspace_scope(workspace.pk):
        assert not GuardDecision.objects.exists()
        assert not Post.objects.exists()
