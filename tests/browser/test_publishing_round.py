"""A post to X and to Telegram: connect both, write, move, approve in the chat, and settle one whose answer got lost."""

import re
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.browser.test_calendar_drag import cell, drag
from tests.browser.test_first_round import home
from tests.media_files import write_image
from tests.up_stack import Stack
from tests.waiting import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.broker]

HANDLE, CHANNEL, READER = "beanery_live", "beanery_news", "nora_beanery"
SHARED, OWN = "Fresh **beans** from [the shop](https://example.com/beans)", "Only on X: fresh beans"
LOST = "The answer to this one gets lost"
SEND = "POST /bot{token}/sendMessage"


def sandbox(stack: Stack) -> str:
    return re.search(r"Sandbox +(http://[0-9.:]+)", stack.output)[1] + "/_sandbox"


def order(stack: Stack, path: str, **body: object) -> None:
    requests.post(f"{sandbox(stack)}{path}", json=body, timeout=10).raise_for_status()


@pytest.fixture(scope="module")
def journey(stack: Stack, newcomer: Page, tmp_path_factory: pytest.TempPathFactory) -> Page:
    """Both networks connected, and a post for both approved and sent. The tests below look at what came of it."""
    page, picture = newcomer, write_image(tmp_path_factory.mktemp("round") / "cup.png")
    order(stack, "/telegram/users", name="Nora", username=READER)
    order(stack, "/telegram/chats", type="channel", title="Beanery", username=CHANNEL, members={READER: "creator"})
    sign_up(page, stack.url)
    page.talk = link_person(page)
    connect_telegram(page)
    connect_x(page)
    page.seen = compose(page, picture)
    page.moved = move_a_day(page)
    approve_in_telegram(page, times=2)
    publish_both(page)
    return page


def sign_up(page: Page, url: str) -> None:
    page.goto(f"{url}/accounts/signup/")
    page.get_by_label("Email").fill("nora@example.com")
    page.get_by_label("Workspace").fill("Beanery")
    page.get_by_label("Password", exact=True).fill("three quiet espressos")
    page.get_by_role("button", name="Sign Up").click()
    page.wait_for_url("**/w/beanery/")


def opened(page: Page, link: str) -> Page:
    """What a link to Telegram opens beside the page."""
    with page.expect_popup() as popup:
        page.get_by_role("link", name=link).click()
    return popup.value


def link_person(page: Page) -> Page:
    """The chat with the bot, in which reviews will be answered. Our page notices by itself."""
    page.goto(f"{home(page)}/profile/telegram")
    page.get_by_role("button", name="Link Telegram").click()
    chat = opened(page, "Open @demo_rostrum_bot")
    chat.get_by_label("You are").select_option("Nora")
    chat.get_by_role("button", name="Start").click()
    expect(page.get_by_role("heading", name="Linked", exact=True)).to_be_visible()
    page.bring_to_front()
    return chat


def connect_telegram(page: Page) -> None:
    page.goto(f"{home(page)}/connections/telegram/new")
    page.get_by_role("button", name="Use @demo_rostrum_bot").click()
    chat = opened(page, "Add to channel")
    chat.get_by_label("Channel").select_option("Beanery")
    chat.get_by_label("You are").select_option("Nora")
    chat.get_by_role("button", name="Add").click()
    page.get_by_role("button", name="Connect Beanery").click()
    page.get_by_role("button", name="Send a test message").click()
    chat.goto(page.get_by_role("link", name="See it in Telegram").get_attribute("href"))
    expect(chat.locator(".bubble.marked")).to_be_visible()
    chat.close()
    page.bring_to_front()
    page.get_by_role("button", name="Delete the test message").click()
    expect(page.get_by_role("button", name="Send a test message")).to_be_visible()


def connect_x(page: Page) -> None:
    page.get_by_role("link", name="Done").click()
    page.get_by_role("button", name="Connect X").first.click()
    page.locator("#handle").fill(HANDLE)
    page.locator("#authorize").click()
    expect(page.get_by_text(f"@{HANDLE} is connected.")).to_be_visible()


def compose(page: Page, picture: Path) -> dict[str, str]:
    """A thread of two parts with a picture, formatted for Telegram and in words of its own for X."""
    page.goto(f"{home(page)}/posts/new")
    choose(page, CHANNEL)
    choose(page, HANDLE)
    page.locator("#part-add").click()
    page.locator("#part-1-text").fill("Open until six.")
    page.locator("#is-marked").check()
    page.locator("#part-0-text").fill(SHARED)
    page.locator("#files-0").set_input_files(picture)
    page.locator("#media-0 .media-tile textarea").fill("A cup")
    page.locator(".composer-tabs button", has_text=HANDLE).click()
    page.locator(".composer-tabs button[aria-pressed=true]", has_text=HANDLE).wait_for()
    page.locator("#text-copy").click()
    page.locator("#text-drop").wait_for()
    page.locator("#part-0 textarea:visible").first.fill(OWN)
    page.get_by_text("At a time", exact=True).click()
    page.locator("#at").fill(f"{first_day():%Y-%m-%d}T09:30")
    expect(page.locator("#preview .tgpost strong, #preview .tgpost b").filter(has_text="beans")).to_be_visible()
    expect(page.locator("#preview")).to_contain_text(OWN)
    seen = {"counters": page.locator("#counters-0").inner_text(), "preview": page.locator("#preview").inner_text()}
    page.locator("#do-submit").click()
    page.wait_for_url(re.compile(r"/posts/[0-9a-f-]{36}$"))
    page.post = page.url
    return seen


def choose(page: Page, account: str) -> None:
    page.locator("label.channel", has_text=account).click()
    page.locator("#preview", has_text=f"@{account}").wait_for()


def first_day() -> date:
    """A Tuesday that is not past, in a week of its own."""
    today = datetime.now().date()
    return today - timedelta(days=today.weekday()) + timedelta(days=15)


def move_a_day(page: Page) -> str:
    """The Telegram half to Thursday, with the mouse."""
    page.goto(f"{home(page)}/calendar?view=week&day={first_day():%Y-%m-%d}")
    drag(page, page.locator(".cal-item", has_text=CHANNEL), cell(page, first_day() + timedelta(days=2), "14:00"))
    notice = page.locator("#calendar-notice")
    expect(notice).to_contain_text("14:00")
    return notice.inner_text()


def approve_in_telegram(page: Page, *, times: int) -> None:
    """Each question has buttons; once answered it has none."""
    chat = page.talk
    # A window behind another draws one picture a second, and every click waits for two.
    chat.bring_to_front()
    for _ in range(times):
        wait_for(lambda: asked(chat), timeout_s=120, every_s=0.1)
        press(chat, "Approve")
        wait_for(lambda: noticed(chat), timeout_s=120, every_s=0.1)
    page.bring_to_front()


def press(chat: Page, button: str) -> None:
    """The answer has an address of its own; a page that is still on its way there cannot be reloaded."""
    before = chat.url
    chat.get_by_role("button", name=button).first.click()
    chat.wait_for_url(lambda url: url != before)


def asked(chat: Page) -> int:
    chat.reload()
    return chat.get_by_role("button", name="Approve").count()


def noticed(chat: Page) -> bool:
    chat.reload()
    return chat.get_by_role("status").get_by_text("Approved.").count() == 1


def publish_both(page: Page) -> None:
    for account in (CHANNEL, HANDLE):
        publish(page, page.post, account)
        expect(page.locator(".delivery-head")).to_contain_text("Live since", timeout=60_000)


def publish(page: Page, post: str, account: str) -> None:
    """On the page of the delivery, which follows it by itself."""
    page.goto(post)
    page.get_by_role("region", name=account).get_by_role("link", name="Scheduled").or_(
        page.get_by_role("region", name=account).get_by_role("link", name="Approved")
    ).click()
    page.get_by_role("button", name="Publish now").click()
    page.get_by_role("dialog").get_by_role("button", name="Publish now").click()


def live_on_telegram(stack: Stack) -> list[dict]:
    answer = requests.get(f"{sandbox(stack)}/telegram/messages", params={"chat": CHANNEL}, timeout=10)
    return [message for message in answer.json()["messages"] if not message["deleted"] and not message["service"]]


def live_on_x(stack: Stack) -> list[str]:
    answer = requests.get(f"{sandbox(stack)}/posts", params={"account": HANDLE}, timeout=10)
    return [post["text"] for post in answer.json()["posts"]]


@pytest.fixture(scope="module")
def lost(stack: Stack, journey: Page) -> str:
    """A second post to Telegram that is live, although its answer never came back. Its address."""
    page = journey
    page.goto(f"{home(page)}/posts/new")
    choose(page, CHANNEL)
    page.locator("#part-0-text").fill(LOST)
    page.locator("#do-submit").click()
    page.wait_for_url(re.compile(r"/posts/[0-9a-f-]{36}$"))
    approve_in_telegram(page, times=1)
    order(stack, "/faults", platform="telegram", kind="accept_then_drop", route=SEND)
    publish(page, page.url, CHANNEL)
    expect(page.locator(".delivery-head")).to_contain_text("The answer of the network got lost", timeout=60_000)
    return page.url


def test_both_networks_are_previewed_and_counted_while_writing(journey: Page) -> None:
    counters = journey.seen["counters"]
    assert f"@{CHANNEL}\n25 / 1024" in counters
    assert f"@{HANDLE}\n22 / 280" in counters
    assert "Fresh beans from the shop" in journey.seen["preview"]


def test_a_post_dropped_on_another_day_says_the_new_time_and_its_zone(journey: Page) -> None:
    assert re.search(r"now stands on Thu \d+ \w+, 14:00 UTC", journey.moved)


def test_the_post_is_once_on_telegram_as_it_was_written(stack: Stack, journey: Page) -> None:
    first, second = (message for message in live_on_telegram(stack) if message["text"] != LOST)
    assert (first["text"], second["text"]) == ("Fresh beans from the shop", "Open until six.")
    assert {entity["type"] for entity in first["entities"]} == {"bold", "text_link"}
    assert first["media"]["kind"] == "photo"
    assert second["reply_to"] == first["message_id"]


def test_the_post_is_once_on_x_in_its_own_words(stack: Stack, journey: Page) -> None:
    assert sorted(live_on_x(stack)) == sorted([OWN, "Open until six."])


def test_the_question_in_the_chat_is_closed(journey: Page) -> None:
    assert journey.talk.get_by_role("button", name="Approve").count() == 0
    assert journey.talk.get_by_text("Approved by").count() >= 2


def test_a_lost_answer_is_settled_with_the_link_and_sent_no_second_time(stack: Stack, lost: str, journey: Page) -> None:
    (message,) = (message for message in live_on_telegram(stack) if message["text"] == LOST)
    journey.goto(f"{home(journey)}/attention/?tab=unconfirmed")
    row = journey.locator(".attention-row", has_text=LOST)
    row.get_by_text("Say what happened").click()
    row.get_by_label("Link of the live post").fill(f"https://t.me/{CHANNEL}/{message['message_id']}")
    row.get_by_role("button", name="It is live").click()
    expect(journey.locator(".attention-row", has_text=LOST)).to_have_count(0)
    journey.goto(lost)
    expect(journey.locator(".delivery-head")).to_contain_text("Live since")
    assert [each["text"] for each in live_on_telegram(stack)].count(LOST) == 1


def test_no_page_failed_on_the_way(lost: str, journey: Page) -> None:
    assert journey.faults == []
