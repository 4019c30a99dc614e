"""One sentence becomes posts on X and Telegram, English and Chinese: proposed, accepted, approved by another, live."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.browser.test_first_round import home
from tests.up_stack import Stack
from tests.waiting import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.broker]

OWNER, REVIEWER = "greta", "oskar"
PERSON, TITLE = "Greta", "Pour Over"
HANDLE, CHANNEL = "pourover_bar", "pourover_news"
LINK = "https://pourover.example/decaf"
BRIEF = f"Promote our new decaf from Huila, in the shop from Monday {LINK} #decaf"
PASSWORD = "three quiet espressos"


def sandbox(stack: Stack) -> str:
    return re.search(r"Sandbox +(http://[0-9.:]+)", stack.output)[1] + "/_sandbox"


@pytest.fixture(scope="module")
def journey(stack: Stack, newcomer: Page) -> Page:
    """From an empty workspace to four live posts. The tests below look at what it left behind."""
    page = newcomer
    order(stack, "/telegram/users", name=PERSON, username=f"{OWNER}_reads")
    order(
        stack,
        "/telegram/chats",
        type="channel",
        title=TITLE,
        username=CHANNEL,
        members={f"{OWNER}_reads": "creator"},
    )
    sign_up(page, stack.url, OWNER, TITLE)
    page.home = home(page)
    connect_x(page)
    link_person(page)
    connect_telegram(page)
    invited = invite_reviewer(page, stack)
    propose(page)
    page.costs = read_costs(page)
    page.lines = accept_all(page)
    approve_all(page, invited)
    publish_all(page)
    return page


def order(stack: Stack, path: str, **body: object) -> None:
    requests.post(f"{sandbox(stack)}{path}", json=body, timeout=10).raise_for_status()


def sign_up(page: Page, url: str, name: str, workspace: str) -> None:
    page.goto(f"{url}/accounts/signup/")
    page.get_by_label("Email").fill(f"{name}@example.com")
    page.get_by_label("Workspace").fill(workspace)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign Up").click()
    page.wait_for_url(re.compile(r"/w/[a-z0-9-]+/$"))


def connect_x(page: Page) -> None:
    page.goto(f"{page.home}/connections")
    page.get_by_role("button", name="Connect X").first.click()
    page.locator("#handle").fill(HANDLE)
    page.locator("#authorize").click()
    expect(page.get_by_text(f"@{HANDLE} is connected.")).to_be_visible()


def opened(page: Page, link: str) -> Page:
    with page.expect_popup() as popup:
        page.get_by_role("link", name=link).click()
    return popup.value


def link_person(page: Page) -> None:
    """Only whose Telegram account is an admin of the channel may connect it."""
    page.goto(f"{page.home}/profile/telegram")
    page.get_by_role("button", name="Link Telegram").click()
    chat = opened(page, "Open @demo_rostrum_bot")
    chat.get_by_label("You are").select_option(PERSON)
    chat.get_by_role("button", name="Start").click()
    expect(page.get_by_role("heading", name="Linked", exact=True)).to_be_visible()
    chat.close()
    page.bring_to_front()


def connect_telegram(page: Page) -> None:
    page.goto(f"{page.home}/connections/telegram/new")
    page.get_by_role("button", name="Use @demo_rostrum_bot").click()
    chat = opened(page, "Add to channel")
    chat.get_by_label("Channel").select_option(TITLE)
    chat.get_by_label("You are").select_option(PERSON)
    chat.get_by_role("button", name="Add").click()
    page.get_by_role("button", name=f"Connect {TITLE}").click()
    expect(page.get_by_role("button", name="Send a test message")).to_be_visible()
    chat.close()
    page.bring_to_front()


def invite_reviewer(page: Page, stack: Stack) -> str:
    """The link in the mail, which this installation prints."""
    page.goto(f"{page.home}/settings/members")
    page.get_by_label("E-mail address").fill(f"{REVIEWER}@example.com")
    page.get_by_label("Role").last.select_option("reviewer")
    before = len(stack.output)
    page.get_by_role("button", name="Send invitation").click()
    page.get_by_text("Open invitations").wait_for()
    link = re.compile(r"http://\S+/invitations/\S+")
    return wait_for(lambda: link.search(stack.output, before), what="the invitation's mail")[0]


def propose(page: Page) -> None:
    page.goto(f"{page.home}/")
    page.get_by_label("What do you want to promote?").fill(BRIEF)
    for language in ("English", "Chinese"):
        page.locator("label.channel", has_text=language).locator("input").check()
    page.get_by_role("button", name="Propose posts").click()
    page.wait_for_url(re.compile(r"/plans/[0-9a-f-]{36}$"))
    page.plan = page.url
    expect(page.locator(".plan-line")).to_have_count(4, timeout=60_000)
    expect(page.locator("#accept-all")).to_be_visible(timeout=60_000)


def read_costs(page: Page) -> dict[str, object]:
    shown = page.locator("#plan-cost").inner_text()
    return {
        "shown": shown,
        "badge": page.get_by_text("Answered by the sandbox model").count(),
        "strategy": page.locator("#strategy").count(),
        "verdicts": page.locator(".plan-line").get_by_text("Nothing forbids it").count(),
    }


def accept_all(page: Page) -> list[dict[str, str]]:
    lines = [
        {"text": line.locator("textarea").input_value(), "language": line.locator("textarea").get_attribute("lang")}
        for line in page.locator(".plan-line").all()
    ]
    first = page.locator("#line-1")
    first.locator("#reject-1").click()
    first.get_by_role("button", name="Take the rejection back").click()
    soon = f"{datetime.now(UTC) + timedelta(days=2):%Y-%m-%dT%H:%M}"
    page.locator("#at-1").fill(soon)
    page.locator("#accept-1").click()
    expect(page.locator("#line-1").get_by_text("Accepted")).to_be_visible()
    page.locator("#accept-all").click()
    expect(page.locator(".plan-line.is-accepted")).to_have_count(4)
    return lines


def approve_all(page: Page, invited: str) -> None:
    """Somebody else, in a window of their own."""
    context = page.context.browser.new_context()
    other = context.new_page()
    other.set_default_timeout(60_000)
    other.goto(invited)
    other.get_by_role("link", name="Create an account").click()
    other.get_by_label("Password", exact=True).fill(PASSWORD)
    other.get_by_role("button", name="Sign Up").click()
    other.get_by_role("button", name=f"Join {TITLE}").click()
    other.wait_for_url(re.compile(r"/w/pour-over"))
    origins = []
    for _ in range(4):
        other.goto(f"{page.home}/reviews")
        other.locator("#review-list li a[href*='/reviews/']").first.click()
        expect(other.get_by_role("heading", name="Where this text comes from")).to_be_visible()
        origins.append(other.locator("#origins").inner_text())
        other.get_by_role("button", name="Approve").first.click()
        other.wait_for_load_state()
    other.goto(f"{page.home}/reviews")
    expect(other.locator("#review-list li a[href*='/reviews/']")).to_have_count(0)
    page.origins = origins
    context.close()


def publish_all(page: Page) -> None:
    """Scheduled ones are brought forward by hand, so that nobody has to wait for Monday."""
    page.goto(page.plan)
    posts = [link.get_attribute("href") for link in page.get_by_role("link", name="Open the post").all()]
    page.states = []
    for post in posts:
        page.goto(page.home.split("/w/")[0] + post)
        page.states.append(page.locator(".post-grid .status").first.inner_text())
        page.locator(".post-grid").get_by_role("link", name="Scheduled").first.click()
        page.get_by_role("button", name="Publish now").click()
        page.get_by_role("dialog").get_by_role("button", name="Publish now").click()
        expect(page.locator(".delivery-head")).to_contain_text("Live since", timeout=60_000)
    page.posts = posts


def live_on_x(stack: Stack) -> list[str]:
    answer = requests.get(f"{sandbox(stack)}/posts", params={"account": HANDLE}, timeout=10)
    return [post["text"] for post in answer.json()["posts"]]


def live_on_telegram(stack: Stack) -> list[str]:
    answer = requests.get(f"{sandbox(stack)}/telegram/messages", params={"chat": CHANNEL}, timeout=10)
    return [one["text"] for one in answer.json()["messages"] if not one["deleted"] and not one["service"]]


def test_proposal_has_a_strategy_and_a_checked_text_for_each_account_and_language(journey: Page) -> None:
    assert (journey.costs["strategy"], journey.costs["badge"]) == (1, 1)
    assert sorted(line["language"] for line in journey.lines) == ["en", "en", "zh", "zh"]
    assert all(LINK in line["text"] and "#decaf" in line["text"].lower() for line in journey.lines)
    assert journey.costs["verdicts"] == 4


def test_four_posts_are_live_once_each_as_they_were_accepted(stack: Stack, journey: Page) -> None:
    live = [*live_on_x(stack), *live_on_telegram(stack)]
    assert sorted(live) == sorted(line["text"] for line in journey.lines)
    assert (len(live_on_x(stack)), len(live_on_telegram(stack))) == (2, 2)


def test_posts_were_scheduled_after_another_person_approved(journey: Page) -> None:
    assert journey.states == ["Scheduled"] * 4


def test_reviewer_saw_where_each_text_comes_from(journey: Page) -> None:
    for text in journey.origins:
        assert "sandbox-writer" in text
        assert "writer, as shipped" in text
        assert f"{OWNER}@example.com" in text


def test_cost_on_the_page_is_the_ledgers(stack: Stack, journey: Page) -> None:
    """The same sum three times: on the page, of the usage the API tells, and of the model calls."""
    shown = round(float(journey.costs["shown"].lstrip("$")) * 1_000_000)
    token = requests.post(
        f"{stack.url}/api/auth/login", json={"email": f"{OWNER}@example.com", "password": PASSWORD}, timeout=10
    ).json()["access"]
    headers = {"Authorization": f"Bearer {token}"}
    usage = requests.get(f"{stack.url}/api/usage", params={"by": "kind"}, headers=headers, timeout=10).json()
    plan = requests.get(f"{stack.url}/api/plans/{journey.plan[-36:]}", headers=headers, timeout=10).json()
    [models] = [row["spent_micro"] for row in usage["results"] if row["of"] == "llm"]
    assert shown == models == plan["cost_micro"] > 0


def test_no_page_failed_on_the_way(journey: Page) -> None:
    assert journey.faults == []
