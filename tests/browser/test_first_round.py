"""From an empty browser to a receipt: sign up, connect X, scan a folder, approve, publish, and count what is live."""

import re
import shutil
from collections import Counter
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.media_files import write_image, write_json, write_pair, write_video
from tests.up_stack import Stack
from tests.waiting import wait_for

pytestmark = [pytest.mark.browser]

SAMPLES = Path(__file__).parents[3] / "shared" / "samples" / "content"
HANDLE = "acme_coffee"
APPROVED, REJECTED, LEFT_ALONE = "Approved roast", "Rejected roast", "Forgotten roast"
VIDEO = "四秒烘焙"


def fill_folder(folder: Path) -> None:
    write_pair(folder / "one.png", title=APPROVED, description="On your doorstep by Friday.", tags=["coffee"])
    write_video(folder / "两.mp4")
    write_json(folder / "两.json", title=VIDEO, description="打开声音。", language="zh")
    write_pair(folder / "no.png", title=REJECTED, description="Best of the world.")
    write_pair(folder / "left.png", title=LEFT_ALONE, description="Nobody looked.")
    (folder / "half.jpg").write_bytes(write_image(folder / "whole.jpg").read_bytes()[:200])
    write_json(folder / "half.json", title="Half a picture")
    (folder / "script.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>")
    write_json(folder / "orphan.json", title="Nothing beside me")


@pytest.fixture(scope="module")
def journey(stack: Stack, newcomer: Page) -> Page:
    """The whole round, up to the last click. The tests below look at what it left behind."""
    page = newcomer
    sign_up(page, stack.url)
    connect_x(page)
    add_source(page)
    submit_all_but(page, LEFT_ALONE)
    reject(page, REJECTED)
    approve_everything(page)
    publish_approved(page)
    return page


def home(page: Page) -> str:
    return re.match(r"http://[^/]+/w/[a-z0-9-]+", page.url)[0]


def sign_up(page: Page, url: str) -> None:
    page.goto(url)
    page.get_by_role("link", name="Create an account").click()
    page.get_by_label("Email").fill("newcomer@example.com")
    page.get_by_label("Workspace").fill("Acme Coffee")
    page.get_by_label("Password", exact=True).fill("three quiet espressos")
    page.get_by_role("button", name="Sign Up").click()
    page.wait_for_url("**/w/acme-coffee/")


def connect_x(page: Page) -> None:
    page.goto(f"{home(page)}/connections")
    page.get_by_role("button", name="Connect X").first.click()
    page.locator("#handle").fill(HANDLE)
    page.locator("#authorize").click()
    page.wait_for_url("**/w/acme-coffee/connections")
    expect(page.get_by_text(f"@{HANDLE} is connected.")).to_be_visible()


def add_source(page: Page) -> None:
    page.goto(f"{home(page)}/sources/new")
    place = Path(page.get_by_text(re.compile(r"/sources/[0-9a-f-]{36}")).first.inner_text().strip())
    fill_folder(place / "launch")
    if SAMPLES.is_dir():
        shutil.copytree(SAMPLES, place / "launch" / "samples")
    page.get_by_label("Name").fill("Launch folder")
    page.locator("[name=folder]").fill("launch")
    page.get_by_role("button", name="Add source").click()
    page.get_by_role("button", name="Scan now").click()
    expect(page.get_by_role("heading", name=re.compile("Not usable"))).to_be_visible()


def posts(page: Page) -> list[str]:
    """Addresses of all posts."""
    page.goto(f"{home(page)}/posts")
    links = page.locator("a[href*='/posts/']").evaluate_all("all => all.map(link => link.href)")
    return sorted({link for link in links if re.search(r"/posts/[0-9a-f-]{36}$", link)})


def submit_all_but(page: Page, title: str) -> None:
    for address in posts(page):
        page.goto(address)
        if title not in page.content():
            with page.expect_navigation():
                page.get_by_role("button", name="Submit for review").click()


def reject(page: Page, title: str) -> None:
    page.goto(f"{home(page)}/reviews")
    page.get_by_role("link", name=re.compile(title)).first.click()
    page.get_by_label("Why not").fill("Nobody can prove that.")
    page.get_by_role("button", name="Reject").click()
    expect(page.get_by_text("Rejected").first).to_be_visible()


def approve_everything(page: Page) -> None:
    page.goto(f"{home(page)}/reviews")
    while (start := page.get_by_role("link", name="Start reviewing")).count():
        start.click()
        page.get_by_role("button", name="Approve", exact=True).click()
        expect(page.get_by_text("Approved").first).to_be_visible()
        page.goto(f"{home(page)}/reviews")


def publish_approved(page: Page) -> None:
    for address in posts(page):
        page.goto(address)
        if (button := page.get_by_role("button", name="Publish now")).count():
            with page.expect_navigation():
                button.click()
                confirm(page)


def confirm(page: Page) -> None:
    """Some acts ask once more."""
    question = page.get_by_role("dialog").get_by_role("button", name=re.compile("Publish|Confirm"))
    if question.count():
        question.first.click()


def ledger(stack: Stack) -> list[dict]:
    sandbox = re.search(r"Sandbox +(http://[0-9.:]+)", stack.output)[1]
    return requests.get(f"{sandbox}/_sandbox/posts", params={"account": HANDLE}, timeout=10).json()["posts"]


def roots(stack: Stack) -> list[dict]:
    return [post for post in ledger(stack) if not post["in_reply_to"]]


def published(page: Page) -> int:
    page.goto(f"{home(page)}/posts")
    return int(re.search(r"Published\s+(\d+)", page.locator("body").inner_text())[1])


def is_live(stack: Stack, title: str) -> bool:
    return any(post["text"].startswith(title) for post in ledger(stack))


def settled(page: Page) -> bool:
    page.goto(f"{home(page)}/posts")
    return not page.get_by_text(re.compile("^(Publishing|Waiting to retry|Unconfirmed)$")).count()


def test_every_approved_post_is_live_exactly_once(stack: Stack, journey: Page):
    wait_for(lambda: all(is_live(stack, title) for title in (APPROVED, VIDEO)), timeout_s=120, every_s=0.2)
    wait_for(lambda: settled(journey), timeout_s=120, every_s=0.5)
    counts = Counter(post["text"] for post in ledger(stack))
    assert [text for text, count in counts.items() if count > 1] == []
    # The last of them may have gone out since the page was read.
    wait_for(lambda: published(journey) == len(roots(stack)), timeout_s=60, every_s=0.5)


def test_nothing_unapproved_left_the_house(stack: Stack, journey: Page):
    texts = [post["text"] for post in ledger(stack)]
    assert not [text for text in texts if REJECTED in text or LEFT_ALONE in text]


def test_each_broken_file_is_listed_with_a_reason(stack: Stack, journey: Page):
    journey.goto(f"{home(journey)}/sources")
    journey.get_by_role("link", name="Launch folder").first.click()
    rows = journey.locator("table tr").all_inner_texts()
    for name in ("half.jpg", "script.svg", "orphan.json", "whole.jpg"):
        row = next(row for row in rows if name in row)
        assert len(row.replace(name, "").split()) > 4


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the sample folder is not here")
def test_each_broken_sample_is_listed(stack: Stack, journey: Page):
    journey.goto(f"{home(journey)}/sources")
    journey.get_by_role("link", name="Launch folder").first.click()
    listed = " ".join(journey.locator("table").all_inner_texts())
    assert [path.name for path in (SAMPLES / "broken").iterdir() if path.name not in listed] == []


def test_the_receipt_links_to_the_live_post(stack: Stack, journey: Page):
    address = next(address for address in posts(journey) if APPROVED in page_text(journey, address))
    journey.goto(address)
    journey.locator("a[href*='/deliveries/']").first.click()
    expect(journey.get_by_text("Published").first).to_be_visible()
    link = journey.locator("a[href*='/status/']").first.get_attribute("href")
    assert APPROVED in requests.get(link, timeout=10).text


def page_text(page: Page, address: str) -> str:
    page.goto(address)
    return page.content()


def test_no_page_failed_on_the_way(stack: Stack, journey: Page):
    assert journey.faults == []
