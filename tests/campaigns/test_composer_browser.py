"""The composer in a real browser: what a person types is never lost, whatever the network does."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from accounts.models import Workspace
from accounts.scope import workspace_scope
from campaigns.models import PartMedia, Post, PostPart
from tests.media_files import write_image
from tests.screens import find_browser

SLOW_S = 0.6
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(find_browser() is None, reason="no Chromium on this machine"),
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def slow(composer: Page) -> Iterator[None]:
    """Answers of the composer take their time."""

    def wait(route: Route) -> None:
        composer.wait_for_timeout(SLOW_S * 1000)
        route.continue_()

    composer.route("**/posts/preview", wait)
    yield
    composer.unroute_all(behavior="ignoreErrors")


def choose(composer: Page, handle: str) -> None:
    composer.locator("label.channel", has_text=handle).click()
    composer.wait_for_selector(f"#preview >> text={handle} >> nth=0")


def test_the_preview_follows_the_typing(composer: Page) -> None:
    choose(composer, "@roastery")
    composer.locator("#part-0-text").press_sequentially("Fresh #beans")
    composer.wait_for_selector("#preview .entity >> text=#beans")
    composer.wait_for_selector("#counters-0 >> text=12 / 280")
    assert composer.evaluate("document.activeElement.id") == "part-0-text"


def test_a_new_part_takes_the_focus(composer: Page) -> None:
    composer.locator("#part-0-text").fill("one")
    composer.locator("#part-add").click()
    expect(composer.locator("#part-1-text")).to_be_focused()
    assert composer.locator("#part-0-text").input_value() == "one"


def test_words_typed_while_the_form_is_redrawn_stay(composer: Page, slow: None) -> None:
    composer.locator("label.channel", has_text="@roastery").click()
    composer.locator("#part-0-text").press_sequentially("typed while waiting")
    composer.wait_for_selector("#preview >> text=@roastery >> nth=0")
    assert composer.locator("#part-0-text").input_value() == "typed while waiting"


def test_typing_does_not_cut_off_an_upload(composer: Page, slow: None, tmp_path: Path) -> None:
    composer.locator("#files-0").set_input_files(write_image(tmp_path / "cup.png"))
    composer.locator("#part-0-text").press_sequentially("typed during the upload", delay=30)
    composer.wait_for_selector("#media-0 .media-tile")
    assert composer.locator("#part-0-text").input_value() == "typed during the upload"


def test_what_is_seen_is_what_is_saved(composer: Page, workspace: Workspace, tmp_path: Path) -> None:
    composer.locator("#part-0-text").fill("second")
    composer.locator("#part-add").click()
    composer.locator("#part-1-text").fill("first")
    composer.locator("#files-1").set_input_files(write_image(tmp_path / "cup.png"))
    composer.locator("#media-1 .media-tile textarea").fill("A cup")
    composer.locator("#up-1").click()
    expect(composer.locator("#part-0-text")).to_have_value("first")
    composer.get_by_role("button", name="Save draft").last.click()
    composer.wait_for_selector("text=Saved.")
    with workspace_scope(workspace.pk):
        assert list(PostPart.objects.values_list("text", flat=True)) == ["first", "second"]
        assert PartMedia.objects.get(part__position=0).alt_text == "A cup"


def test_leaving_with_unsaved_words_asks_first(composer: Page, workspace: Workspace) -> None:
    asked = []
    composer.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    composer.locator("#part-0-text").press_sequentially("unsaved")
    composer.goto(f"/w/{workspace.slug}/posts")
    assert asked == ["beforeunload"]
    with workspace_scope(workspace.pk):
        assert not Post.objects.exists()


def test_the_content_policy_is_kept(composer: Page) -> None:
    complaints: list[str] = []
    composer.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    choose(composer, "@roastery")
    choose(composer, "@cafe")
    composer.locator(".composer-tabs button", has_text="@cafe").click()
    composer.locator("#text-copy").click()
    composer.wait_for_selector("#text-drop")
    # A newer request may take the place of one under way; htmx says so on the console.
    assert [text for text in complaints if not text.startswith("htmx:")] == []


def test_saving_again_after_the_way_back_makes_no_second_post(composer: Page, workspace: Workspace) -> None:
    composer.fill("#part-0-text", "Only once")
    composer.get_by_role("button", name="Save draft").last.click()
    composer.wait_for_selector("text=Saved.")
    composer.go_back()
    expect(composer.locator("#part-0-text")).to_have_value("Only once")
    composer.get_by_role("button", name="Save draft").last.click()
    composer.wait_for_selector("text=Saved.")
    with workspace_scope(workspace.pk):
        assert Post.objects.count() == 1
