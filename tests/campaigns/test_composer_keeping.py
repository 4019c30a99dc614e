"""The composer's script in a real browser: keeping what is typed, marks, keys, inserting, pasting."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User, Workspace
from accounts.scope import workspace_scope
from campaigns.models import ComposerDraft, Post, Snippet
from social.models import Connection
from tests.screens import find_browser
from tests.waiting import wait_for

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(find_browser() is None, reason="no Chromium on this machine"),
    pytest.mark.django_db(transaction=True),
]
TEXT, STATUS = "#part-0-text", "#autosave"


@pytest.fixture
def channel(composer: Page, workspace: Workspace) -> Iterator[Page]:
    """The composer with a Telegram channel chosen."""
    with workspace_scope(workspace.pk):
        Connection.objects.filter(handle="cafe").update(network="telegram")
    composer.reload()
    composer.locator("label.channel", has_text="cafe").click()
    composer.wait_for_selector("[data-mark]")
    return composer


def write(page: Page, text: str) -> None:
    page.locator(TEXT).press_sequentially(text)


def select(page: Page, start: int, end: int) -> None:
    page.locator(TEXT).evaluate("(area, [a, b]) => { area.focus(); area.setSelectionRange(a, b); }", [start, end])


def kept_texts(workspace: Workspace) -> list[str]:
    with workspace_scope(workspace.pk):
        return [row.data["part-0-text"][0] for row in ComposerDraft.objects.all()]


# --- keeping ------------------------------------------------------------------------------------------------


def test_typed_text_is_kept_without_a_click(composer: Page, workspace: Workspace) -> None:
    write(composer, "kept by itself")
    expect(composer.locator(STATUS)).to_have_text("Unsaved changes")
    expect(composer.locator(STATUS)).to_contain_text("Kept")
    assert kept_texts(workspace) == ["kept by itself"]


def test_what_is_kept_needs_no_question_when_leaving_and_comes_back(composer: Page, workspace: Workspace) -> None:
    asked: list[str] = []
    composer.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    write(composer, "to be continued")
    expect(composer.locator(STATUS)).to_contain_text("Kept")
    composer.goto(f"/w/{workspace.slug}/posts")
    composer.goto(f"/w/{workspace.slug}/posts/new")
    composer.get_by_role("link", name="Continue with it").click()
    expect(composer.locator(TEXT)).to_have_value("to be continued")
    assert asked == []


def test_text_typed_in_the_last_moment_goes_along(composer: Page, workspace: Workspace) -> None:
    composer.on("dialog", lambda dialog: dialog.accept())
    write(composer, "last words")
    composer.goto(f"/w/{workspace.slug}/posts")
    # Nobody waits for what a page sends while it closes.
    wait_for(lambda: kept_texts(workspace) == ["last words"])
    composer.goto(f"/w/{workspace.slug}/posts/new")
    expect(composer.locator("#offer")).to_contain_text("last words", use_inner_text=False)


def test_offline_the_browser_keeps_it_and_sends_it_when_it_is_back(composer: Page, workspace: Workspace) -> None:
    composer.context.set_offline(True)
    write(composer, "in the tunnel")
    expect(composer.locator(STATUS)).to_contain_text("offline")
    assert kept_texts(workspace) == []
    composer.context.set_offline(False)
    expect(composer.locator(STATUS)).to_contain_text("Kept")
    assert kept_texts(workspace) == ["in the tunnel"]


def test_what_only_the_browser_has_is_offered_again(composer: Page, workspace: Workspace) -> None:
    composer.on("dialog", lambda dialog: dialog.accept())
    composer.route("**/composer/autosave", lambda route: route.abort())
    write(composer, "never arrived")
    expect(composer.locator(STATUS)).to_contain_text("offline")
    composer.reload()
    composer.unroute_all(behavior="wait")
    composer.locator("[data-local-restore]").click()
    expect(composer.locator(TEXT)).to_have_value("never arrived")


def test_a_second_tab_does_not_overwrite_the_first(composer: Page, workspace: Workspace) -> None:
    write(composer, "first tab")
    expect(composer.locator(STATUS)).to_contain_text("Kept")
    second = composer.context.new_page()
    second.goto(f"/w/{workspace.slug}/posts/new?draft=continue")
    second.locator(TEXT).fill("second tab")
    expect(second.locator(STATUS)).to_contain_text("Kept")
    write(composer, "!")
    expect(composer.locator(STATUS)).to_contain_text("another tab")
    assert kept_texts(workspace) == ["second tab"]
    composer.get_by_role("button", name="Keep this one").click()
    expect(composer.locator(STATUS)).to_contain_text("Kept")
    assert kept_texts(workspace) == ["first tab!"]


def test_somebody_logged_out_keeps_the_text_and_is_told(composer: Page, workspace: Workspace) -> None:
    composer.context.clear_cookies(name="session")
    write(composer, "still here")
    expect(composer.locator(STATUS)).to_contain_text("You are logged out")
    expect(composer.locator(TEXT)).to_have_value("still here")


def test_a_page_with_an_old_token_gets_a_new_one(composer: Page, workspace: Workspace) -> None:
    composer.evaluate("document.querySelector('input[name=csrfmiddlewaretoken]').value = 'x'.repeat(64)")
    write(composer, "after logging in again")
    expect(composer.locator(STATUS)).to_contain_text("Kept")
    composer.locator("#do-save").click()
    composer.wait_for_selector("text=Saved.")


def test_a_saved_post_leaves_nothing_behind(composer: Page, workspace: Workspace) -> None:
    write(composer, "done")
    expect(composer.locator(STATUS)).to_contain_text("Kept")
    composer.locator("#do-save").click()
    composer.wait_for_selector("text=Saved.")
    composer.goto(f"/w/{workspace.slug}/posts/new")
    expect(composer.locator("#offer")).to_have_count(0)
    expect(composer.locator("#local-offer")).to_be_hidden()


# --- marks, keys, inserting ---------------------------------------------------------------------------------


def test_ctrl_b_marks_the_selection_and_switches_formatting_on(channel: Page) -> None:
    write(channel, "fresh beans")
    select(channel, 0, 6)
    channel.keyboard.press("Control+b")
    expect(channel.locator(TEXT)).to_have_value("**fresh** beans")
    expect(channel.locator("#is-marked")).to_be_checked()
    channel.wait_for_selector("#preview .tgpost-text b >> text=fresh")


def test_a_mark_comes_off_again(channel: Page) -> None:
    write(channel, "fresh")
    select(channel, 0, 5)
    channel.keyboard.press("Control+i")
    expect(channel.locator(TEXT)).to_have_value("_fresh_")
    channel.keyboard.press("Control+i")
    expect(channel.locator(TEXT)).to_have_value("fresh")


def test_a_quote_marks_whole_lines(channel: Page) -> None:
    channel.locator(TEXT).fill("one\ntwo")
    select(channel, 1, 5)
    channel.locator("[data-mark='> ']").click()
    expect(channel.locator(TEXT)).to_have_value("> one\n> two")


def test_a_link_is_asked_for_and_put_around_the_words(channel: Page) -> None:
    write(channel, "our shop")
    select(channel, 0, 8)
    channel.keyboard.press("Control+k")
    expect(channel.locator("#palette")).to_be_hidden()
    channel.locator("#link-url").fill("https://acme.com/a_(b)")
    channel.keyboard.press("Enter")
    expect(channel.locator(TEXT)).to_have_value("[our shop](https://acme.com/a_%28b%29)")


def test_emoji_are_put_in_at_the_cursor(composer: Page) -> None:
    write(composer, "ab")
    select(composer, 1, 1)
    composer.locator(".tools [data-dialog=emoji]").click()
    composer.locator("[data-insert='🚀']").click()
    expect(composer.locator(TEXT)).to_have_value("a🚀b")


def test_the_arrows_walk_through_the_emoji(composer: Page) -> None:
    composer.locator(".tools [data-dialog=emoji]").click()
    composer.locator("#emoji [data-insert]").first.focus()
    composer.keyboard.press("ArrowRight")
    composer.keyboard.press("Enter")
    expect(composer.locator(TEXT)).to_have_value("😄")


def test_a_snippet_is_put_in_as_it_was_saved(composer: Page, workspace: Workspace, bob: User) -> None:
    with workspace_scope(workspace.pk):
        Snippet.objects.create(workspace=workspace, kind="signature", name="Bye", text="\n— <b> & friends")
    composer.reload()
    write(composer, "Hi")
    composer.locator(".tools [data-dialog=snippets]").click()
    composer.get_by_role("button", name="Bye").click()
    expect(composer.locator(TEXT)).to_have_value("Hi\n— <b> & friends")


def test_keys_add_a_part_and_save(composer: Page, workspace: Workspace) -> None:
    write(composer, "one")
    composer.keyboard.press("Alt+n")
    expect(composer.locator("#part-1-text")).to_be_focused()
    composer.keyboard.type("two")
    composer.keyboard.press("Control+s")
    composer.wait_for_selector("text=Saved.")
    with workspace_scope(workspace.pk):
        assert list(Post.objects.get().parts.values_list("text", flat=True)) == ["one", "two"]


def test_the_keys_are_listed(composer: Page) -> None:
    composer.locator(".composer-bar [data-dialog=shortcuts]").click()
    expect(composer.locator("#shortcuts")).to_contain_text("Add a part to the thread")
    composer.keyboard.press("Escape")
    expect(composer.locator("#shortcuts")).to_be_hidden()


PASTE = """async () => {
  const canvas = Object.assign(document.createElement('canvas'), { width: 40, height: 30 });
  canvas.getContext('2d').fillRect(0, 0, 40, 30);
  const blob = await new Promise((done) => canvas.toBlob(done, 'image/png'));
  const data = new DataTransfer();
  data.items.add(new File([blob], 'pasted.png', { type: 'image/png' }));
  const area = document.querySelector('#part-0-text');
  area.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
}"""


def test_a_pasted_picture_is_uploaded(composer: Page) -> None:
    composer.evaluate(PASTE)
    composer.wait_for_selector("#media-0 .media-tile >> text=pasted.png")
